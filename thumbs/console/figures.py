"""What the cache of each storage holds, from its own statistics; a cache that hangs delays the page by a bound."""

import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from django.core.cache import caches

from thumbs.cache.filestore.inspect import inspect_cache
from thumbs.cache.filestore.stats import Stats
from thumbs.conf.document import MIB, StorageConf
from thumbs.wiring.caches import file_store

SECONDS = 5.0  # for all storages together
_WALK_SECONDS = 1.5  # of the entries of one storage: beyond it, their ages are those of a sample
_SLOW = "The cache did not answer in time."

_running: dict[str, threading.Thread] = {}
_lock = threading.Lock()


@dataclass(frozen=True, slots=True)
class Disk:
    """A cache directory at the Unix time `now`: `bytes` of disk, `cap` None without one, ages in seconds.

    `sampled`: the ages, and `expired`, are those of a part of the entries.
    """

    entries: int
    bytes: int
    cap: int | None
    stats: Stats
    expired: int
    oldest: float | None
    newest: float | None
    sampled: bool
    now: float


@dataclass(frozen=True, slots=True)
class Figures:
    """One storage. `others` are its layers besides the directory, as sentences; `error` says why `disk` is absent."""

    name: str
    disk: Disk | None
    others: tuple[str, ...]
    error: str = ""


def figures(confs: Sequence[StorageConf], *, seconds: float = SECONDS) -> list[Figures]:
    """The figures of these storages, read at once, each in a thread of its own."""
    found: dict[str, Figures] = {}
    for conf in confs:
        _start(conf, found)
    end = time.monotonic() + seconds
    for conf in confs:
        _running[conf.name].join(max(0.0, end - time.monotonic()))
    return [found.get(conf.name) or Figures(conf.name, None, tuple(_others(conf)), _SLOW) for conf in confs]


def _start(conf: StorageConf, found: dict[str, Figures]) -> None:
    """Read the figures of a storage, unless an earlier page still waits for it."""

    def work() -> None:
        found[conf.name] = _read(conf)

    with _lock:
        former = _running.get(conf.name)
        if former is None or not former.is_alive():
            _running[conf.name] = threading.Thread(target=work, name="thumbs-console", daemon=True)
            _running[conf.name].start()


def _read(conf: StorageConf) -> Figures:
    others = tuple(_others(conf))
    try:
        return Figures(conf.name, _disk(conf), others)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        return Figures(conf.name, None, others, f"The cache directory cannot be read: {reason}.")


def _disk(conf: StorageConf) -> Disk | None:
    disk = conf.cache.disk
    store = file_store(conf)
    if store is None or disk.dir is None:
        return None
    now = time.time()
    stopped: list[Path] = []
    found = inspect_cache(Path(disk.dir), now=now, passing=_until(time.monotonic() + _WALK_SECONDS, stopped.append))
    entries, size = found.entries, found.bytes
    if stopped:
        usage = store.usage()
        entries, size = usage.entries, usage.bytes
    return Disk(
        entries=entries,
        bytes=size,
        cap=int(disk.max_size_mb * MIB) or None,
        stats=found.stats,
        expired=found.expired,
        oldest=None if found.oldest is None else max(0.0, now - found.oldest),
        newest=None if found.newest is None else max(0.0, now - found.newest),
        sampled=bool(stopped),
        now=now,
    )


def _until(end: float, stopped: Callable[[Path], None]) -> Callable[[Iterable[Path]], Iterable[Path]]:
    def passed(shards: Iterable[Path]) -> Iterator[Path]:
        for shard in shards:
            if time.monotonic() > end:
                stopped(shard)
                return
            yield shard

    return passed


def _others(conf: StorageConf) -> Iterator[str]:
    memory, disk, shared = conf.cache.memory, conf.cache.disk, conf.cache.shared
    if memory.enabled and memory.max_size_mb and not memory.alias:
        yield f"Memory: up to {memory.max_size_mb:,.0f} MiB in each process, which no other process can count."
    for layer, alias in (
        ("Memory", memory.alias if memory.enabled else None),
        ("Disk", disk.alias if disk.enabled else None),
        ("Shared", shared.alias),
    ):
        if alias:
            yield f"{layer}: {alias!r} of CACHES, a {type(caches[alias]).__name__}, which has tools of its own."
    objects = conf.cache.objects
    if objects.storage:
        yield f"Objects: {objects.prefix!r} of the storage {objects.storage!r}, which has tools of its own."
