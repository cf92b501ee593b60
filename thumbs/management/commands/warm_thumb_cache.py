"""`warm_thumb_cache`: makes thumbnails ahead of requests, in the caches that outlive this process."""

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
from thumbs.management.humanize import count_of, file_size
from thumbs.management.selection import require_root, selected_storages
from thumbs.management.warming import CACHED, FAILED, MADE, Variant, Warmer
from thumbs.pipeline.thumbnailer import Thumbnailer
from thumbs.problems import ROOT_MISSING
from thumbs.sources.listing import Listable
from thumbs.wiring import build, process
from thumbs.wiring.caches import file_store

_MOST_JOBS = 256
_STDIN = "-"
_WRITE_SECONDS = 60.0  # for what is still to be written to an object store
_BROWSERS = "image/jxl,image/avif,image/webp"
# The share of the cap from which on the first thumbnails have probably been evicted again.
_NEARLY_FULL = 0.8


class Command(BaseCommand):
    help = "Make thumbnails ahead of requests. Cached ones are skipped, so the command can be stopped and run again."
    requires_system_checks = ()  # selected_storages() checks ours, without the warnings

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("storage", help="the storage's name")
        parser.add_argument(
            "paths",
            nargs="*",
            metavar="path",
            help="the originals' keys; - reads them from standard input, one per line",
        )
        parser.add_argument("--prefix", help="all pictures whose keys begin with this; '' for all pictures")
        parser.add_argument("--size", action="append", default=[], help="400x300, 400x, x300 or x; may be repeated")
        parser.add_argument("--preset", action="append", default=[], metavar="NAME", help="may be repeated")
        parser.add_argument("--filters", default="", help="for each size and preset: 'format(webp);quality(70)'")
        parser.add_argument(
            "--accept",
            default=_BROWSERS,
            metavar="TYPES",
            help=f"the Accept header for format(auto); default: {_BROWSERS}",
        )
        cores = min(usable_cores(), _MOST_JOBS)
        parser.add_argument(
            "--jobs", type=int, default=cores, metavar="N", help=f"originals at a time; default: {cores}"
        )

    def handle(self, **options: object) -> None:
        (conf,) = selected_storages(options["storage"], ignore=(ROOT_MISSING,))
        require_root(conf)
        jobs = options["jobs"]
        if not isinstance(jobs, int) or not 1 <= jobs <= _MOST_JOBS:
            raise CommandError(f"--jobs takes a whole number, 1 to {_MOST_JOBS}.")
        _require_lasting_cache(conf)
        thumbnailer = _thumbnailer(conf, jobs)
        variants = _variants(options)
        _check(variants, conf.name, thumbnailer)
        paths = options["paths"]
        assert isinstance(paths, list)  # noqa: S101 - argparse's promise
        originals = _originals(paths, options["prefix"], conf.name, thumbnailer)
        warmer = Warmer(thumbnailer, conf.name, variants, jobs=jobs)
        total = len(paths) * len(variants) if isinstance(originals, list) else None
        try:
            with uncounted():
                counts = self._warm(conf, warmer, originals, total)
        except KeyboardInterrupt:
            raise CommandError("Stopped. Run it again to go on: cached thumbnails are skipped.") from None
        finally:
            for executor in thumbnailer.executors.values():
                executor.close()
            is_written = thumbnailer.storages[conf.name].layers.flush(_WRITE_SECONDS)
        if not is_written:
            raise CommandError(f"The object store of {conf.name} is slow: not all was written. Run it again to go on.")
        if warmer.failing:
            raise CommandError(f"The layer {' and '.join(warmer.failing)} of {conf.name} fails: see the log.")
        if counts[FAILED]:
            raise CommandError(f"{count_of(counts[FAILED], 'thumbnail')} could not be made: the lines above say why.")
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
                        self.stderr.write(f"{_printable(result.path)} {result.variant}: {result.reason}")
                    bar.update()
        except ThumbError as error:
            raise CommandError(f"{conf.name} could not be listed: {error.detail}") from error
        finally:
            seconds = time.monotonic() - began
            summary = ", ".join(f"{counts[outcome]:,} {outcome}" for outcome in (MADE, CACHED, FAILED))
            self.stdout.write(f"{conf.name}: {summary} in {seconds:.1f} s")
        self._warn_when_full(conf)
        return counts

    def _warn_when_full(self, conf: StorageConf) -> None:
        store = file_store(conf)
        usage = store.usage() if store is not None else None
        if usage is not None and usage.cap and usage.bytes >= usage.cap * _NEARLY_FULL:
            held = f"{file_size(usage.bytes)} of {file_size(usage.cap)}"
            self.stderr.write(
                f"{conf.name}: the disk cache holds {held}, and may have evicted the first thumbnails again: "
                "raise cache.disk.max_size_mb to keep more."
            )


def _require_lasting_cache(conf: StorageConf) -> None:
    """Raise CommandError unless the storage has a cache that this process and the server share."""
    cache = conf.cache
    aliases = [layer.alias for layer in (cache.memory, cache.disk) if layer.enabled and layer.alias]
    aliases += [cache.shared.alias] if cache.shared.alias else []
    if (
        cache.objects.storage is None
        and file_store(conf) is None
        and all(isinstance(caches[alias], LocMemCache | MemoryCache | DummyCache) for alias in aliases)
    ):
        raise CommandError(
            f"The cache of {conf.name} cannot be warmed: it is in the memory of each process, or there is none. "
            "Enable cache.disk, or cache.shared with a cache that processes share."
        )


def _thumbnailer(conf: StorageConf, jobs: int) -> Thumbnailer:
    """The server's thumbnailer for this storage alone, with `jobs` renders at once and no memory layer.

    Entries in the memory of this process would count as cached, but the server would not find them.
    """
    loaded = process.configuration()
    memory = conf.cache.memory if conf.cache.memory.alias else replace(conf.cache.memory, enabled=False)
    limits = replace(loaded.document.limits, renders=jobs, queue_length=max(loaded.document.limits.queue_length, jobs))
    return build.build(
        replace(
            loaded,
            document=replace(loaded.document, limits=limits, metrics=False),
            storages=(replace(conf, cache=replace(conf.cache, memory=memory)),),
        )
    )


def _variants(options: dict[str, object]) -> list[Variant]:
    sizes, presets = options["size"], options["preset"]
    assert isinstance(sizes, list)  # noqa: S101 - argparse's promise
    assert isinstance(presets, list)  # noqa: S101
    filters, accept = str(options["filters"]), str(options["accept"])
    with_filters = f";{filters}" if filters else ""
    variants = [Variant(size, filters, accept) for size in sizes]
    variants += [Variant("x", f"preset({name}){with_filters}", accept) for name in presets]
    if not variants:
        raise CommandError("Give --size 400x300 or --preset NAME; both may be repeated.")
    return variants


def _check(variants: list[Variant], storage: str, thumbnailer: Thumbnailer) -> None:
    """Raise CommandError for a variant that every original refuses: once, instead of a line for each original."""
    for variant in variants:
        refused: list[BadRequest] = []
        for source_format in FORMATS.values():
            try:
                variant.resolve(f"x.{source_format.extensions[0]}", storage, thumbnailer)
            except BadRequest as error:
                refused.append(error)
        if len(refused) == len(FORMATS):
            raise CommandError(f"{variant}: {refused[0].detail}")


def _originals(paths: list[str], prefix: object, storage: str, thumbnailer: Thumbnailer) -> Iterable[str]:
    """The keys of the originals. Raises CommandError unless either paths or a prefix are given."""
    if bool(paths) == (prefix is not None):
        raise CommandError("Give either paths, or - to read them from standard input, or --prefix.")
    if paths == [_STDIN]:
        return _read_paths()
    if prefix is None:
        return paths
    source = thumbnailer.storages[storage].source
    if not isinstance(source, Listable):
        raise CommandError(f"{storage} cannot be listed: give paths, or - to read them from standard input.")
    inputs = process.configuration().document.input_formats
    return (path for path in source.paths(str(prefix)) if format_of_extension(path) in inputs)


def _read_paths() -> Iterator[str]:
    for line in sys.stdin.buffer:
        path = line.rstrip(b"\r\n").decode("utf-8", "surrogateescape")
        if path:
            yield path


def _printable(path: str) -> str:
    return path.encode("utf-8", "backslashreplace").decode() if path.isprintable() else repr(path)
