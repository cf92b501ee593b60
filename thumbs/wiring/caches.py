"""From a storage's configuration to the layers of its cache: the concrete stores, put together."""

import hashlib
import os
import stat
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from django.core.cache import caches
from django.core.cache.backends.base import BaseCache
from django.core.cache.backends.db import BaseDatabaseCache
from django.db import connections, router

from thumbs.cache.adapters import AliasLayer, DiskLayer, MemoryLayer
from thumbs.cache.filestore.directory import JOURNAL
from thumbs.cache.filestore.store import FileStore
from thumbs.cache.filestore.trust import PrivateDirectory, PrivateFile
from thumbs.cache.layer import Layer
from thumbs.cache.layers import Layers
from thumbs.cache.locks import KeyLocks
from thumbs.cache.purge.journal import PurgeJournal
from thumbs.cache.sieve import Sieve
from thumbs.conf.document import MIB, StorageConf

_ITEM_BYTES = 100 * 1000  # SPEC 5: without `max_items`, the cap allows for thumbnails of 100 KB
_LEAST_ITEMS = 100
_CLAIMS, _PURGES = ".claims", ".purges"
# Where a process of any environment looks: no variable such as TMPDIR or XDG_RUNTIME_DIR decides.
_OF_USERS = Path("/run/user")
_TEMPORARY = Path("/tmp")  # noqa: S108 - what lies there is used only if it is ours


def layers(conf: StorageConf, run_dir: str | None = None) -> Layers:
    """The cache layers of a storage, fastest first; none of them is on unless it was switched on."""
    keep = _kept_seconds(conf)
    kept = tuple(_layers(conf, keep))
    return Layers(
        kept,
        purges=PurgeJournal(_journal(conf, run_dir), keep=keep) if kept else None,
        ttl=conf.cache.disk.ttl_seconds,
        stale=conf.cache.disk.stale_seconds,
        locks=KeyLocks(PrivateFile(run_directory(run_dir), f"{conf.name}-{_places_digest(conf)}{_CLAIMS}")),
    )


def disk_layer(conf: StorageConf) -> Layer | None:
    """What stands in the place of a storage's disk cache; None where there is none."""
    store = file_store(conf)
    if store is not None:
        return DiskLayer(store)
    alias = conf.cache.disk.alias if conf.cache.disk.enabled else None
    return AliasLayer(_opener(alias), conf.name, _kept_seconds(conf), name="disk") if alias else None


def file_store(conf: StorageConf) -> FileStore | None:
    """The directory of a storage's disk cache; None where it has none of its own."""
    disk = conf.cache.disk
    if not disk.enabled or disk.dir is None:
        return None
    return FileStore(disk.dir, max_bytes=int(disk.max_size_mb * MIB) or None)


def run_directory(run_dir: str | None) -> PrivateDirectory:
    """Where the processes of a machine meet that have no disk cache in common: `run_dir`, or this user's default."""
    return PrivateDirectory(Path(run_dir)) if run_dir else PrivateDirectory(_default_run_dir, own=True)


def inspect_run_directory(run_dir: str | None, storages: Sequence[StorageConf]) -> None:
    """Raise Untrusted where another user owns or may write it, or what is kept there; OSError where it cannot be read.

    Nothing is made, and nothing is looked at where no storage has anything to keep there.
    """
    if not any(_keeps(conf) for conf in storages):
        return
    directory = run_directory(run_dir)
    with suppress(FileNotFoundError), directory.opened() as opened, os.scandir(opened.fd) as found:
        opened.require_private(entry.name for entry in found if entry.name.endswith((_CLAIMS, _PURGES)))


def _keeps(conf: StorageConf) -> bool:
    cache = conf.cache
    return bool(cache.memory.enabled or cache.disk.enabled or cache.shared.alias)


def _layers(conf: StorageConf, keep: float) -> Iterator[Layer]:
    memory, shared = conf.cache.memory, conf.cache.shared
    if memory.enabled and memory.alias:
        yield AliasLayer(_opener(memory.alias), conf.name, keep, name="memory")
    elif memory.enabled and memory.max_size_mb:
        max_bytes = int(memory.max_size_mb * MIB)
        max_items = memory.max_items or max(_LEAST_ITEMS, max_bytes // _ITEM_BYTES)
        yield MemoryLayer(Sieve(max_bytes=max_bytes, max_items=max_items))
    on_disk = disk_layer(conf)
    if on_disk is not None:
        yield on_disk
    if shared.alias:
        yield AliasLayer(_opener(shared.alias), conf.name, keep, name="shared")


def _kept_seconds(conf: StorageConf) -> float:
    return conf.cache.disk.ttl_seconds + conf.cache.disk.stale_seconds


def _opener(alias: str) -> Callable[[], BaseCache]:
    def opened() -> BaseCache:
        cache = caches[alias]  # one a thread, so that it must be asked for anew each time
        if isinstance(cache, BaseDatabaseCache):
            _drop_broken_connections(cache)
        return cache

    return opened


def _drop_broken_connections(cache: BaseDatabaseCache) -> None:
    """Django does this for each request: our threads would keep a connection that the database has closed.

    Nothing else is closed, for the thread may be a user's, with a cursor or a transaction of his.
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
    """Where the purges of a storage are written, so that its other processes see them."""
    disk = conf.cache.disk
    if disk.enabled and disk.dir is not None:
        return PrivateFile(PrivateDirectory(Path(disk.dir)), JOURNAL)
    return PrivateFile(run_directory(run_dir), f"{conf.name}{_PURGES}")


def _places_digest(conf: StorageConf) -> str:
    """What tells servers apart that have a storage of one name, but not its cache in common."""
    cache = conf.cache
    places = (cache.disk.dir, cache.disk.alias, cache.memory.alias, cache.shared.alias)
    return hashlib.blake2b(repr(places).encode(), digest_size=8).hexdigest()


def _default_run_dir() -> Path:
    """Looked for anew at each use: a login makes the user's runtime directory, and the last logout removes it."""
    user = os.geteuid()
    of_user = _OF_USERS / str(user)
    try:
        status = of_user.stat(follow_symlinks=False)
    except OSError:
        private = False
    else:
        private = stat.S_ISDIR(status.st_mode) and status.st_uid == user and stat.S_IMODE(status.st_mode) == 0o700
    return of_user / "mage" if private else _TEMPORARY / f"mage-{user}"
