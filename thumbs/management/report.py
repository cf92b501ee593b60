"""What can be known of a storage's caches from outside the processes that use them, as data and as lines of text."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from django.core.cache import caches

from thumbs.cache.filestore.inspect import Inspection, inspect_cache
from thumbs.conf.document import MIB, CacheConf, StorageConf
from thumbs.management.humanize import counted, size, span


@dataclass(frozen=True, slots=True)
class Report:
    """The caches of one storage at the Unix time `now`; `disk` is None where it has no directory of its own."""

    conf: StorageConf
    disk: Inspection | None
    now: float

    @property
    def data(self) -> dict[str, object]:
        """For JSON: bytes, seconds, Unix times; null is for what cannot be known or is not there."""
        return {
            "name": self.conf.name,
            "disk": _alias_data(self._alias("disk")) if self.disk is None else self._disk_data(self.disk),
            "memory": _memory_data(self.conf.cache),
            "shared": _alias_data(self._alias("shared")),
        }

    @property
    def lines(self) -> Iterator[str]:
        yield self.conf.name
        told = [*self._disk_lines(), *self._memory_lines(), *self._alias_lines()]
        for label, sentence in told or [("cache", "none")]:
            yield f"  {label:<7} {sentence}"

    def _alias(self, place: str) -> str | None:
        if place == "shared":
            return self.conf.cache.shared.alias
        layer = self.conf.cache.disk if place == "disk" else self.conf.cache.memory
        return layer.alias if layer.enabled else None

    def _cap(self) -> int | None:
        return int(self.conf.cache.disk.max_size_mb * MIB) or None

    def _disk_data(self, disk: Inspection) -> dict[str, object]:
        stats = disk.stats
        swept = {"at": stats.swept_at, "seconds": stats.seconds, "expired": stats.expired, "orphans": stats.orphans}
        return {
            "dir": self.conf.cache.disk.dir,
            "entries": disk.entries,
            "bytes": disk.bytes,
            "max_bytes": self._cap(),
            "hits": stats.hits,
            "stores": stats.stores,
            "hit_ratio": stats.hit_ratio,
            "expired": disk.expired,
            "least_recently_used_at": disk.oldest,
            "last_used_at": disk.newest,
            "last_sweep": {**swept, "evicted": stats.evicted, "freed": stats.freed} if stats.swept_at else None,
        }

    def _disk_lines(self) -> Iterator[tuple[str, str]]:
        disk, cap = self.disk, self._cap()
        if disk is None:
            return
        limit = f"of {size(cap)} ({disk.bytes / cap:.0%})" if cap else "without a cap"
        yield "disk", f"{counted(disk.entries, 'entry', 'entries')}, {size(disk.bytes)} {limit}"
        ratio = disk.stats.hit_ratio
        wanted = disk.stats.hits + disk.stats.stores
        of_what = " that memory did not have" if _memory_data(self.conf.cache) else ""
        yield "hits", "nothing was wanted yet" if ratio is None else f"{ratio:.1%} of {wanted:,}{of_what}"
        if disk.oldest is not None and disk.newest is not None:
            ages = f"last used {span(self.now - disk.oldest)} to {span(self.now - disk.newest)} ago"
            yield "age", f"{ages}; {disk.expired:,} expired"
        yield "swept", self._swept(disk)

    def _swept(self, disk: Inspection) -> str:
        stats = disk.stats
        if not stats.swept_at:
            return "never; run_cache_janitor does it"
        return (
            f"{span(self.now - stats.swept_at)} ago in {stats.seconds:.2f} s: removed {stats.expired:,} expired, "
            f"{stats.evicted:,} over the cap, {stats.orphans:,} orphans ({size(stats.freed)})"
        )

    def _memory_lines(self) -> Iterator[tuple[str, str]]:
        memory = self.conf.cache.memory
        if memory.enabled and memory.max_size_mb and not memory.alias:
            cap = size(memory.max_size_mb * MIB)
            yield "memory", f"up to {cap} in each process that serves; what is in it only that process knows"

    def _alias_lines(self) -> Iterator[tuple[str, str]]:
        for place in ("memory", "disk", "shared"):
            alias = self._alias(place)
            if alias is not None:
                yield place, f"{alias!r} of CACHES, a {_class_of(alias)}; what is in it that cache's own tools tell"


def report(conf: StorageConf, *, now: float, passing: Callable[[Iterable[Path]], Iterable[Path]]) -> Report:
    """Look at the caches of `conf`. `passing` sees the parts of a directory go by.

    Raises OSError for a directory that cannot be read, ForeignDirectory for one that is not ours.
    """
    disk = conf.cache.disk
    directory = Path(disk.dir) if disk.enabled and disk.dir is not None else None
    return Report(conf, None if directory is None else inspect_cache(directory, now=now, passing=passing), now)


def _memory_data(cache: CacheConf) -> dict[str, object] | None:
    memory = cache.memory
    if not memory.enabled:
        return None
    if memory.alias:
        return _alias_data(memory.alias)
    if not memory.max_size_mb:
        return None
    return {"max_bytes": int(memory.max_size_mb * MIB), "max_items": memory.max_items, "entries": None, "bytes": None}


def _alias_data(alias: str | None) -> dict[str, object] | None:
    if alias is None:
        return None
    return {"alias": alias, "backend": _class_of(alias), "entries": None, "bytes": None}


def _class_of(alias: str) -> str:
    return type(caches[alias]).__name__
