"""`clear_thumb_cache`: purges everything, the thumbnails of one original, or expired entries."""

from argparse import ArgumentParser

from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

from thumbs.cache.filestore.store import FileStore
from thumbs.conf.document import StorageConf
from thumbs.errors import ThumbError
from thumbs.management.humanize import count_of, file_size
from thumbs.management.selection import add_storage_argument, selected_storages
from thumbs.problems import ROOT_MISSING
from thumbs.request.resolve import group_of
from thumbs.site.links import policy_of
from thumbs.site.purge_signal import send_purged
from thumbs.wiring.caches import file_store, layers
from thumbs.wiring.namespaces import namespace_of
from thumbs.wiring.process import configuration


class Command(BaseCommand):
    help = "Empty the thumbnail caches. Running workers stop serving what was cleared within a second."
    requires_system_checks = ()  # selected_storages() checks ours, without the warnings

    def add_arguments(self, parser: ArgumentParser) -> None:
        add_storage_argument(parser)
        which = parser.add_mutually_exclusive_group()
        which.add_argument("--source", metavar="PATH", help="only the thumbnails of this original")
        which.add_argument("--expired", action="store_true", help="only expired entries on disk")
        parser.add_argument("--dry-run", action="store_true", help="only print what would be freed")

    def handle(self, **options: object) -> None:
        # Clearing reads no originals.
        storages = selected_storages(options["storage"], ignore=(ROOT_MISSING,))
        source = options["source"]
        if source is not None:
            self._check_source(str(source), storages)
        failed = []
        for conf in tqdm(storages, unit="storage", disable=None, leave=False, file=self.stderr):
            try:
                outcome = self._clear(conf, options)
            except (OSError, ValueError) as error:
                failed.append(conf.name)
                self.stderr.write(f"{conf.name}: could not be cleared: {error}")
            else:
                self.stdout.write(f"{conf.name}: {outcome}")
        if failed:
            raise CommandError(f"Not cleared: {', '.join(failed)}. Their thumbnails may still be served.")

    def _check_source(self, source: str, storages: tuple[StorageConf, ...]) -> None:
        if len(storages) != 1:
            raise CommandError("--source names an original in one storage: name the storage with --storage.")
        try:
            _key_of(storages[0], source)
        except ThumbError as error:
            raise CommandError(str(error)) from error

    def _clear(self, conf: StorageConf, options: dict[str, object]) -> str:
        store = file_store(conf)
        dry_run = bool(options["dry_run"])
        if options["expired"]:
            return _expired(store, dry_run=dry_run)
        source = options["source"]
        key = "" if source is None else _key_of(conf, str(source))
        group = None if source is None else group_of(conf.name, key, namespace_of(conf))
        if dry_run:
            return f"would free {_entries(_count(store, group))} on disk"
        read = configuration()
        cache = layers(conf, read.document.run_dir, read.stores)
        before = store.usage().bytes if store is not None else 0
        if group is None:
            count = cache.clear()
        else:
            count = cache.purge(group)
            send_purged(conf.name, key, count)
        if cache.failing:
            raise OSError(f"the layer {' and '.join(cache.failing)} fails")
        freed = before - store.usage().bytes if store is not None else 0
        others = [name for name in cache.names if name != "disk" or store is None]
        also = f"; emptied {' and '.join(others)}" if others else ""
        return f"freed {_entries(count)} on disk, {file_size(freed)}{also}"


def _key_of(conf: StorageConf, source: str) -> str:
    """The key of the original `source`, a path or a URL. Raises `BadPath` or `SourceNotAllowed`."""
    policy = policy_of(conf.name)
    return policy.key_of(policy.path_of(source))


def _expired(store: FileStore | None, *, dry_run: bool) -> str:
    if store is None:
        return "has no disk cache of its own; memory and shared caches drop expired entries by themselves"
    swept = store.sweep(dry_run=dry_run)
    return f"{'would free' if dry_run else 'freed'} {_entries(swept.removed, 'expired ')}, {file_size(swept.freed)}"


def _count(store: FileStore | None, group: str | None) -> int:
    if store is None:
        return 0
    return store.usage().entries if group is None else store.count_group(group)


def _entries(count: int, kind: str = "") -> str:
    return count_of(count, f"{kind}entry", f"{kind}entries")
