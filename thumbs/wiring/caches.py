"""Builds the cache layers of a storage from its configuration, and finds the directories that they need."""

import hashlib
import os
import stat
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import MappingProxyType

from django.core.cache import caches
from django.core.cache.backends.base import BaseCache
from django.core.cache.backends.db import BaseDatabaseCache
from django.db import connections, router

from thumbs.cache.adapters import AliasLayer, DiskLayer, MemoryLayer
from thumbs.cache.filestore.directory import JOURNAL
from thumbs.cache.filestore.hot_files import HotFiles
from thumbs.cache.filestore.store import FileStore
from thumbs.cache.filestore.trust import PrivateDirectory, PrivateFile
from thumbs.cache.layer import Layer
from thumbs.cache.layers import Layers
from thumbs.cache.locks import KeyLocks
from thumbs.cache.purge.journal import PurgeJournal
from thumbs.cache.sieve import Sieve
from thumbs.conf.document import MIB, StorageConf
from thumbs.wiring.namespaces import scope_of
from thumbs.wiring.objects import object_layer

_ITEM_BYTES = 100_000  # without `max_items`, there is room for thumbnails of 100 KB
_MIN_ITEMS = 100
_LOCKS, _PURGES = ".claims", ".purges"
# Fixed, so that all processes of a user agree: TMPDIR or XDG_RUNTIME_DIR may differ between them.
_OF_USERS = Path("/run/user")
_TEMPORARY = Path("/tmp")  # noqa: S108 - a directory there is used only if it is private to this user

_hot_files = HotFiles()  # those of all storages: a process may open only so many files


def layers(
    conf: StorageConf, run_dir: str | None = None, stores: Mapping[str, StorageConf] = MappingProxyType({})
) -> Layers:
    """The cache layers of a storage, fastest first. Each is off unless the configuration enables it.

    `stores` are the storages that an object layer may be in, by name: `Configuration.stores`.
    """
    keep = _kept_seconds(conf)
    kept = tuple(_layers(conf, keep, stores))
    return Layers(
        kept,
        purges=PurgeJournal(_journal(conf, run_dir), keep=keep) if kept else None,
        ttl=conf.cache.disk.ttl_seconds,
        stale=conf.cache.disk.stale_seconds,
        locks=KeyLocks(PrivateFile(run_directory(run_dir), f"{conf.name}-{_locations_digest(conf)}{_LOCKS}")),
        storage=conf.name,
    )


def disk_layer(conf: StorageConf) -> Layer | None:
    """A storage's disk cache: a directory, or an alias in its place. None where there is none."""
    store = file_store(conf)
    if store is not None:
        return DiskLayer(store)
    alias = conf.cache.disk.alias if conf.cache.disk.enabled else None
    return AliasLayer(_opener(alias), scope_of(conf), _kept_seconds(conf), name="disk") if alias else None


def file_store(conf: StorageConf) -> FileStore | None:
    """The directory of a storage's disk cache; None where it has none of its own."""
    disk = conf.cache.disk
    if not disk.enabled or disk.dir is None:
        return None
    return FileStore(disk.dir, max_bytes=int(disk.max_size_mb * MIB) or None, hot_files=_hot_files)


def run_directory(run_dir: str | None) -> PrivateDirectory:
    """The directory of what a machine's processes share outside of a disk cache: `run_dir`, or the user's default."""
    return PrivateDirectory(Path(run_dir)) if run_dir else PrivateDirectory(_default_run_dir, own=True)


def inspect_run_directory(run_dir: str | None, storages: Sequence[StorageConf]) -> None:
    """Raise Untrusted where another user owns or may write it, or what is kept there; OSError where it cannot be read.

    Creates nothing. Does nothing where no storage has a cache.
    """
    if not any(_keeps(conf) for conf in storages):
        return
    directory = run_directory(run_dir)
    with suppress(FileNotFoundError), directory.opened() as opened, os.scandir(opened.fd) as found:
        opened.require_private(entry.name for entry in found if entry.name.endswith((_LOCKS, _PURGES)))


def _keeps(conf: StorageConf) -> bool:
    cache = conf.cache
    return bool(cache.memory.enabled or cache.disk.enabled or cache.shared.alias or cache.objects.storage)


def _layers(conf: StorageConf, keep: float, stores: Mapping[str, StorageConf]) -> Iterator[Layer]:
    memory, shared = conf.cache.memory, conf.cache.shared
    if memory.enabled and memory.alias:
        yield AliasLayer(_opener(memory.alias), scope_of(conf), keep, name="memory")
    elif memory.enabled and memory.max_size_mb:
        max_bytes = int(memory.max_size_mb * MIB)
        max_items = memory.max_items or max(_MIN_ITEMS, max_bytes // _ITEM_BYTES)
        yield MemoryLayer(Sieve(max_bytes=max_bytes, max_items=max_items))
    on_disk = disk_layer(conf)
    if on_disk is not None:
        yield on_disk
    if shared.alias:
        yield AliasLayer(_opener(shared.alias), scope_of(conf), keep, name="shared")
    in_store = object_layer(conf, stores, keep=keep)
    if in_store is not None:
        yield in_store


def _kept_seconds(conf: StorageConf) -> float:
    return conf.cache.disk.ttl_seconds + conf.cache.disk.stale_seconds


def _opener(alias: str) -> Callable[[], BaseCache]:
    def opened() -> BaseCache:
        cache = caches[alias]  # looked up for each call: Django has one for each thread
        if isinstance(cache, BaseDatabaseCache):
            _drop_broken_connections(cache)
        return cache

    return opened


def _drop_broken_connections(cache: BaseDatabaseCache) -> None:
    """Close connections that the database has closed. Django does this for each request, but not in our threads.

    Nothing else is closed: the thread may belong to the site, with an open cursor or transaction.
    """
    model = cache.cache_model_class
    for alias in {router.db_for_read(model), router.db_for_write(model)}:
        connection = connections[alias]
        if (
            connection.errors_occurred
            and connection.autocommit
            and not connection.in_atomic_block
            and not connection.is_usable()
        ):
            connection.close()


def _journal(conf: StorageConf, run_dir: str | None) -> PrivateFile:
    """The file of a storage's purges, which all of its processes read."""
    disk = conf.cache.disk
    if disk.enabled and disk.dir is not None:
        return PrivateFile(PrivateDirectory(Path(disk.dir)), JOURNAL)
    return PrivateFile(run_directory(run_dir), f"{conf.name}{_PURGES}")


def _locations_digest(conf: StorageConf) -> str:
    """Differs between servers that have a storage of the same name with another cache."""
    cache = conf.cache
    locations: tuple[object, ...] = (cache.disk.dir, cache.disk.alias, cache.memory.alias, cache.shared.alias)
    if cache.objects.storage:
        locations += ((cache.objects.storage, cache.objects.prefix),)
    return hashlib.blake2b(repr(locations).encode(), digest_size=8).hexdigest()


def _default_run_dir() -> Path:
    """Not cached: a login creates the user's runtime directory, and the last logout removes it."""
    user = os.geteuid()
    runtime = _OF_USERS / str(user)
    try:
        status = runtime.stat(follow_symlinks=False)
    except OSError:
        private = False
    else:
        private = stat.S_ISDIR(status.st_mode) and status.st_uid == user and stat.S_IMODE(status.st_mode) == 0o700
    return runtime / "mage" if private else _TEMPORARY / f"mage-{user}"
