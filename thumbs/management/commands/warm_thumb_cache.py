"""`warm_thumb_cache`: make thumbnails ahead of the first request, into the caches that outlive this process."""

import sys
import time
from argparse import ArgumentParser
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import replace

from django.core.cache import caches
from django.core.cache.backends.dummy import DummyCache
from django.core.cache.backends.locmem import LocMemCache
from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

from thumbs.cache.filestore.hit_counter import uncounted
from thumbs.cache.memory import MemoryCache
from thumbs.conf.cpus import usable_cores
from thumbs.conf.document import StorageConf
from thumbs.errors import BadRequest, ThumbError
from thumbs.image.formats import FORMATS, format_of_extension
from thumbs.management.humanize import counted, size
from thumbs.management.selection import selected_storages
from thumbs.management.warming import FAILED, MADE, THERE, Warmer, Wish
from thumbs.pipeline.thumbnailer import Thumbnailer
from thumbs.sources.listing import Listable
from thumbs.wiring import build, process
from thumbs.wiring.caches import file_store

_MOST_JOBS = 256
_STDIN = "-"
_BROWSERS = "image/avif,image/webp"
# From here on a cache is likely to have let go of what was made first.
_NEARLY_FULL = 0.8


class Command(BaseCommand):
    help = "Make thumbnails ahead. What the caches hold already is skipped, so that it may be stopped and run again."
    requires_system_checks = ()  # our own, in one line each and without the warnings

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("storage", help="the storage's name")
        parser.add_argument("paths", nargs="*", metavar="path", help="the originals' keys; - reads them, a line each")
        parser.add_argument("--prefix", help="all pictures whose keys begin with this; '' for all there are")
        parser.add_argument("--size", action="append", default=[], help="400x300, 400x, x300 or x; may be repeated")
        parser.add_argument("--preset", action="append", default=[], metavar="NAME", help="may be repeated")
        parser.add_argument("--filters", default="", help="for each size and preset: 'format(webp);quality(70)'")
        parser.add_argument(
            "--accept", default=_BROWSERS, metavar="TYPES", help=f"who format(auto) is for; default: {_BROWSERS}"
        )
        cores = min(usable_cores(), _MOST_JOBS)
        parser.add_argument("--jobs", type=int, default=cores, metavar="N", help=f"at once; default: {cores}")

    def handle(self, **options: object) -> None:
        (conf,) = selected_storages(options["storage"])
        jobs = options["jobs"]
        if not isinstance(jobs, int) or not 1 <= jobs <= _MOST_JOBS:
            raise CommandError(f"--jobs takes a whole number, 1 to {_MOST_JOBS}.")
        _require_lasting_cache(conf)
        thumbnailer = _thumbnailer(conf, jobs)
        wishes = _wishes(options)
        _check(wishes, conf.name, thumbnailer)
        paths = options["paths"]
        assert isinstance(paths, list)  # noqa: S101 - argparse's promise
        chosen = _chosen(paths, options["prefix"], conf.name, thumbnailer)
        warmer = Warmer(thumbnailer, conf.name, wishes, jobs=jobs)
        total = len(paths) * len(wishes) if isinstance(chosen, list) else None
        try:
            with uncounted():
                counts = self._warm(conf, warmer, chosen, total)
        except KeyboardInterrupt:
            raise CommandError("Stopped. Run it again: what has been made is skipped.") from None
        finally:
            for stage in thumbnailer.executors.values():
                stage.close()
        if warmer.failing:
            raise CommandError(f"The layer {' and '.join(warmer.failing)} of {conf.name} fails: see the log.")
        if counts[FAILED]:
            raise CommandError(f"{counted(counts[FAILED], 'thumbnail')} could not be made: the lines above say why.")
        if not counts and options["prefix"] is not None:
            raise CommandError(f"{conf.name} has no picture whose key begins with {options['prefix']!r}.")

    def _warm(self, conf: StorageConf, warmer: Warmer, paths: Iterable[str], total: int | None) -> Counter[str]:
        counts: Counter[str] = Counter()
        began = time.monotonic()
        bar = tqdm(total=total, desc=conf.name, unit="thumbnail", disable=None, leave=False, file=self.stderr)
        try:
            with bar, closing(warmer.warm(paths)) as results:
                for result in results:
                    counts[result.outcome] += 1
                    if result.outcome == FAILED:
                        bar.clear()
                        self.stderr.write(f"{_printable(result.path)} {result.wish}: {result.reason}")
                    bar.update()
        except ThumbError as error:
            raise CommandError(f"{conf.name} could not be listed: {error.detail}") from error
        finally:
            seconds = time.monotonic() - began
            counted = ", ".join(f"{counts[outcome]:,} {outcome}" for outcome in (MADE, THERE, FAILED))
            self.stdout.write(f"{conf.name}: {counted} in {seconds:.1f} s")
        self._warn_when_full(conf)
        return counts

    def _warn_when_full(self, conf: StorageConf) -> None:
        store = file_store(conf)
        usage = store.usage() if store is not None else None
        if usage is not None and usage.cap and usage.bytes >= usage.cap * _NEARLY_FULL:
            held = f"{size(usage.bytes)} of {size(usage.cap)}"
            self.stderr.write(
                f"{conf.name}: the disk cache holds {held}, and what was made first may be gone again: "
                "raise cache.disk.max_size_mb to keep more."
            )


def _require_lasting_cache(conf: StorageConf) -> None:
    """Raise CommandError unless something that is put into the cache here is there for the server."""
    cache = conf.cache
    aliases = [layer.alias for layer in (cache.memory, cache.disk) if layer.enabled and layer.alias]
    aliases += [cache.shared.alias] if cache.shared.alias else []
    if file_store(conf) is None and all(
        isinstance(caches[alias], LocMemCache | MemoryCache | DummyCache) for alias in aliases
    ):
        raise CommandError(
            f"Nothing of {conf.name} can be made ahead: its cache is in the memory of each process, or there is none. "
            "Enable cache.disk, or cache.shared with a cache between processes."
        )


def _thumbnailer(conf: StorageConf, jobs: int) -> Thumbnailer:
    """The server's thumbnailer for this storage alone, with as many renders at once, and without a memory of its own.

    What only this process remembers would pass for what the server will find.
    """
    read = process.configuration()
    memory = conf.cache.memory if conf.cache.memory.alias else replace(conf.cache.memory, enabled=False)
    limits = replace(read.document.limits, renders=jobs, queue_length=max(read.document.limits.queue_length, jobs))
    return build.build(
        replace(
            read,
            document=replace(read.document, limits=limits, metrics=False),
            storages=(replace(conf, cache=replace(conf.cache, memory=memory)),),
        )
    )


def _wishes(options: dict[str, object]) -> list[Wish]:
    sizes, presets = options["size"], options["preset"]
    assert isinstance(sizes, list)  # noqa: S101 - argparse's promise
    assert isinstance(presets, list)  # noqa: S101
    filters, accept = str(options["filters"]), str(options["accept"])
    with_filters = f";{filters}" if filters else ""
    wishes = [Wish(asked, filters, accept) for asked in sizes]
    wishes += [Wish("x", f"preset({name}){with_filters}", accept) for name in presets]
    if not wishes:
        raise CommandError("Say what to make: --size 400x300 or --preset NAME, each as often as you like.")
    return wishes


def _check(wishes: list[Wish], storage: str, thumbnailer: Thumbnailer) -> None:
    """Raise CommandError for a wish that is refused whatever the original is, before one line for each original is."""
    for wish in wishes:
        refused: list[BadRequest] = []
        for name in FORMATS.values():
            try:
                wish.order_of(f"x.{name.extensions[0]}", storage, thumbnailer)
            except BadRequest as error:
                refused.append(error)
        if len(refused) == len(FORMATS):
            raise CommandError(f"{wish}: {refused[0].detail}")


def _chosen(paths: list[str], prefix: object, storage: str, thumbnailer: Thumbnailer) -> Iterable[str]:
    """The paths that were asked for; raises CommandError when none were, or in two ways."""
    if bool(paths) == (prefix is not None):
        raise CommandError("Say what of: paths, - to read them from standard input, or --prefix, and one of these.")
    if paths == [_STDIN]:
        return _lines()
    if prefix is None:
        return paths
    source = thumbnailer.storages[storage].source
    if not isinstance(source, Listable):
        raise CommandError(f"{storage} cannot be listed: give paths, or - to read them from standard input.")
    inputs = process.configuration().document.input_formats
    return (path for path in source.paths(str(prefix)) if format_of_extension(path) in inputs)


def _lines() -> Iterator[str]:
    for line in sys.stdin.buffer:
        path = line.rstrip(b"\r\n").decode("utf-8", "surrogateescape")
        if path:
            yield path


def _printable(path: str) -> str:
    return path.encode("utf-8", "backslashreplace").decode() if path.isprintable() else repr(path)
