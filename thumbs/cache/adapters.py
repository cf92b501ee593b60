"""The layers of a cache: process memory, a directory on disk, or any Django cache."""

import errno
import hashlib
import time
import zlib
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import ClassVar

from django.core.cache.backends.base import BaseCache
from django.core.cache.backends.memcached import BaseMemcachedCache

from thumbs.cache.entry import Entry
from thumbs.cache.filestore.store import FileStore
from thumbs.cache.purge.feed import PurgeFeed
from thumbs.cache.purge.journal import CLOCK_SKEW, Purge
from thumbs.cache.sieve import Sieve

# How long other machines wait when the one that makes a thumbnail has crashed.
_LEASE_SECONDS = 10
# memcached's default `-I 1m`, less what it adds to an item. A larger `set` fails, with an error or without one.
_MEMCACHED_ITEM_BYTES = 1024 * 1024 - 4096


@dataclass(frozen=True, slots=True)
class MemoryLayer:
    """This process's memory. Entries are shared, not copied."""

    sieve: Sieve
    name: ClassVar[str] = "memory"
    local: ClassVar[bool] = True

    def get_now(self, key: str) -> Entry | None:
        return self.sieve.get(key)  # type: ignore[return-value]  # only `put` fills it

    get = get_now

    def put(self, key: str, entry: Entry, expires: float) -> None:
        self.sieve.set(key, entry, size=entry.size, expires=expires)

    def delete(self, key: str) -> None:
        self.sieve.delete(key)

    def delete_group(self, group: str) -> int:
        return self.sieve.delete_group(group)

    def clear(self) -> int:
        return self.sieve.clear()

    def holds_entries(self) -> bool:
        return len(self.sieve) > 0


@dataclass(frozen=True, slots=True)
class DiskLayer:
    """A directory that all processes of a machine share."""

    store: FileStore
    name: ClassVar[str] = "disk"

    def get_now(self, key: str) -> Entry | None:
        found = self.store.get_now(key, _head_of)
        if found is None:
            return None
        if isinstance(found.whole, Entry):
            return found.whole
        try:
            return Entry.unpack_for(key, found.payload)
        except ValueError:
            raise BlockingIOError(errno.EAGAIN, "an invalid entry is to be removed") from None

    def get(self, key: str) -> Entry | None:
        found = self.store.get(key)
        return None if found is None else self._unpack_or_delete(key, found.payload)

    def get_expired(self, key: str) -> Entry | None:
        found = self.store.get(key, expired=True)
        return None if found is None else self._unpack_or_delete(key, found.payload)

    def _unpack_or_delete(self, key: str, payload: bytes | bytearray) -> Entry | None:
        try:
            return Entry.unpack_for(key, payload)
        except ValueError:  # written by another version of Mage, or not by Mage
            with suppress(OSError):  # a disk that cannot be written can still be read
                self.store.delete(key)
            return None

    def put(self, key: str, entry: Entry, expires: float) -> None:
        self.store.set(key, entry.pack(), expires=expires)

    def delete(self, key: str) -> None:
        self.store.delete(key)

    def delete_group(self, group: str) -> int:
        return self.store.delete_group(group)

    def clear(self) -> int:
        return self.store.clear()

    def holds_entries(self) -> bool:
        return self.store.usage().entries > 0


def _head_of(key: str, payload: bytes | bytearray) -> tuple[Entry, int]:
    """What is kept of the payload of a hot file: its entry without the body, and the bytes before the body."""
    entry = Entry.unpack_for(key, payload)
    return entry.with_body(b""), len(payload) - len(entry.body)


@dataclass(frozen=True, slots=True)
class AliasLayer:
    """Any Django cache, also one that machines share.

    Only a value that is sealed for its key is used. Such a cache cannot list a group, so a purge is a marker beside the
    entries: entries older than it are misses. Other machines read purges from the feed, for the layers of their own.
    Keys contain `storage`, because one cache may serve several. `keep` is how many seconds an entry can live.
    """

    open_cache: Callable[[], BaseCache]
    storage: str
    keep: float
    name: str = "shared"
    clock: Callable[[], float] = field(default=time.time)

    def get(self, key: str) -> Entry | None:
        markers = [self._marker_key(key.partition("/")[0]), self._marker_key("")]
        cache = self.open_cache()
        found = cache.get_many([self._key(key), *markers])
        entry = _unseal(key, found.get(self._key(key)))
        if entry is None:
            if self._key(key) in found:
                with suppress(Exception):  # a cache may raise anything; this is a miss either way
                    cache.delete(self._key(key))
            return None
        latest = self.clock() + CLOCK_SKEW  # a marker from the future would hide every entry until then
        times = [when for marker in markers if isinstance(when := found.get(marker), float) and when <= latest]
        return entry if entry.created > max(times, default=0.0) else None

    def put(self, key: str, entry: Entry, expires: float) -> None:
        cache = self.open_cache()
        sealed = _seal(key, entry)
        seconds = expires - self.clock()
        if seconds < 1 or (isinstance(cache, BaseMemcachedCache) and len(sealed) > _MEMCACHED_ITEM_BYTES):
            return
        cache.set(self._key(key), sealed, timeout=int(seconds))

    def delete(self, key: str) -> None:
        self.open_cache().delete(self._key(key))

    def delete_group(self, group: str) -> int:
        self.open_cache().set(self._marker_key(group), self.clock(), timeout=int(self.keep) + 60)
        return 0  # the number is unknown

    def clear(self) -> int:
        return self.delete_group("")

    def append_purge(self, purge: Purge) -> None:
        self._feed.append(purge)

    def read_purges_since(self, offset: int | None) -> tuple[int | None, list[Purge]]:
        return self._feed.read_since(offset)

    @property
    def _feed(self) -> PurgeFeed:
        return PurgeFeed(self.open_cache, self.storage, keep=self.keep, clock=self.clock)

    def lease(self, key: str) -> bool:
        """False only while another machine has it. True where the cache stores nothing: no entry would appear there."""
        cache, name = self.open_cache(), self._lease_key(key)
        return bool(cache.add(name, b"1", timeout=_LEASE_SECONDS)) or cache.get(name) is None

    def end_lease(self, key: str) -> None:
        self.open_cache().delete(self._lease_key(key))

    def _key(self, key: str) -> str:
        return f"mage:{self.storage}:{key}"

    def _lease_key(self, key: str) -> str:
        return f"mage:{self.storage}:lease:{key}"

    def _marker_key(self, group: str) -> str:
        return f"mage:{self.storage}:purged:{group}"


def _seal(key: str, entry: Entry) -> bytes:
    packed = _key_digest(key) + entry.pack()
    return zlib.crc32(packed).to_bytes(4, "big") + packed


def _unseal(key: str, sealed: object) -> Entry | None:
    """The entry; None for anything that was not sealed for this key or is not whole."""
    if not isinstance(sealed, bytes) or len(sealed) < 20 or sealed[4:20] != _key_digest(key):
        return None
    if zlib.crc32(sealed[4:]).to_bytes(4, "big") != sealed[:4]:
        return None
    try:
        return Entry.unpack_for(key, sealed[20:])
    except ValueError:
        return None


def _key_digest(key: str) -> bytes:
    return hashlib.blake2b(key.encode(), digest_size=16).digest()
