"""Reports on a storage's caches as another process can see them, as data and as lines of text."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from django.core.cache import caches

from thumbs.cache.filestore.inspect import Inspection, inspect_cache
from thumbs.conf.document import MIB, CacheConf, StorageConf
from thumbs.management.humanize import count_of, duration, file_size


@dataclass(frozen=True, slots=True)
class Report:
    """The caches of one storage at the Unix time `now`. `disk` is None without a cache directory."""

    conf: StorageConf
    disk: Inspection | None
    now: float

    @property
    def data(self) -> dict[str, object]:
        """For JSON: bytes, seconds, Unix times. None stands for unknown, and for a layer that does not exist."""
        return {
            "name": self.conf.name,
            "disk": _alias_data(self._alias("disk")) if self.disk is None else self._disk_data(self.disk),
            "memory": _memory_data(self.conf.cache),
            "shared": _alias_data(self._alias("shared")),
            **_object_data(self.conf.cache),
        }

    @property
    def lines(self) -> Iterator[str]:
        yield self.conf.name
        rows = [*self._disk_lines(), *self._memory_lines(), *self._alias_lines(), *self._object_lines()]
        for label, text in rows or [("cache", "none")]:
            yield f"  {label:<7} {text}"

    def _alias(self, layer: str) -> str | None:
        if layer == "shared":
            return self.conf.cache.shared.alias
        conf = self.conf.cache.disk if layer == "disk" else self.conf.cache.memory
        return conf.alias if conf.enabled else None

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
        limit = f"of {file_size(cap)} ({disk.bytes / cap:.0%})" if cap else "without a cap"
        yield "disk", f"{count_of(disk.entries, 'entry', 'entries')}, {file_size(disk.bytes)} {limit}"
        ratio = disk.stats.hit_ratio
        lookups = count_of(disk.stats.hits + disk.stats.stores, "lookup")
        missed = " that memory could not answer" if _memory_data(self.conf.cache) else ""
        yield "hits", "no lookups yet" if ratio is None else f"{ratio:.1%} of {lookups}{missed}"
        if disk.oldest is not None and disk.newest is not None:
            ages = f"last used {duration(self.now - disk.oldest)} to {duration(self.now - disk.newest)} ago"
            yield "age", f"{ages}; {disk.expired:,} expired"
        yield "swept", self._swept(disk)

    def _swept(self, disk: Inspection) -> str:
        stats = disk.stats
        if not stats.swept_at:
            return "never; run_cache_janitor sweeps"
        return (
            f"{duration(self.now - stats.swept_at)} ago in {stats.seconds:.2f} s: removed {stats.expired:,} expired, "
            f"{stats.evicted:,} over the cap, {stats.orphans:,} orphans ({file_size(stats.freed)})"
        )

    def _memory_lines(self) -> Iterator[tuple[str, str]]:
        memory = self.conf.cache.memory
        if memory.enabled and memory.max_size_mb and not memory.alias:
            cap = file_size(memory.max_size_mb * MIB)
            yield "memory", f"up to {cap} in each server process; other processes cannot see its entries"

    def _alias_lines(self) -> Iterator[tuple[str, str]]:
        for layer in ("memory", "disk", "shared"):
            alias = self._alias(layer)
            if alias is not None:
                yield (
                    layer,
                    f"{alias!r} of CACHES, a {_class_of(alias)}; inspect it with its own tools",
                )

    def _object_lines(self) -> Iterator[tuple[str, str]]:
        objects = self.conf.cache.objects
        if objects.storage is not None:
            age = duration(objects.ttl_seconds)
            yield "objects", f"{objects.prefix!r} of storage {objects.storage!r}, up to {age} old; count them there"


def report(conf: StorageConf, *, now: float, progress: Callable[[Iterable[Path]], Iterable[Path]]) -> Report:
    """Inspect the caches of `conf` at the Unix time `now`. The shards of a directory are iterated through `progress`.

    Raises OSError for a directory that cannot be read, ForeignDirectory for one that is not a cache.
    """
    disk = conf.cache.disk
    directory = Path(disk.dir) if disk.enabled and disk.dir is not None else None
    return Report(conf, None if directory is None else inspect_cache(directory, now=now, passing=progress), now)


def _memory_data(cache: CacheConf) -> dict[str, object] | None:
    memory = cache.memory
    if not memory.enabled:
        return None
    if memory.alias:
        return _alias_data(memory.alias)
    if not memory.max_size_mb:
        return None
    return {"max_bytes": int(memory.max_size_mb * MIB), "max_items": memory.max_items, "entries": None, "bytes": None}


def _object_data(cache: CacheConf) -> dict[str, object]:
    """`objects` where there is such a layer. It is not counted: a listing of millions takes minutes, and costs."""
    objects = cache.objects
    if objects.storage is None:
        return {}
    where = {"storage": objects.storage, "prefix": objects.prefix, "ttl_seconds": objects.ttl_seconds}
    return {"objects": {**where, "entries": None, "bytes": None}}


def _alias_data(alias: str | None) -> dict[str, object] | None:
    if alias is None:
        return None
    return {"alias": alias, "backend": _class_of(alias), "entries": None, "bytes": None}


def _class_of(alias: str) -> str:
    return type(caches[alias]).__name__
