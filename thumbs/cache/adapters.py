"""The stores behind the layers: memory, a directory, or any cache of Django's."""

import errno
import hashlib
import time
import zlib
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field

from django.core.cache.backends.base import BaseCache
from django.core.cache.backends.memcached import BaseMemcachedCache

from thumbs.cache.entry import Entry
from thumbs.cache.filestore.store import FileStore
from thumbs.cache.purge.feed import PurgeFeed
from thumbs.cache.purge.journal import CLOCK_SKEW, Purge
from thumbs.cache.sieve import Sieve

# How long the others wait for a machine that has died while it made a thumbnail.
_LEASE_SECONDS = 10
# memcached's default `-I 1m`, less what it adds to an item. Over it a `set` fails, or says that it did not.
_MEMCACHED_ITEM_BYTES = 1024 * 1024 - 4096


@dataclass(frozen=True, slots=True)
class MemoryLayer:
    """This process's memory. Entries are shared as they are."""

    sieve: Sieve
    name: str = "memory"
    local: bool = True

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


@dataclass(frozen=True, slots=True)
class DiskLayer:
    """A directory that all processes of a machine share."""

    store: FileStore
    name: str = "disk"

    def get_now(self, key: str) -> Entry | None:
        found = self.store.get_now(key)
        try:
            return None if found is None else Entry.unpack_for(key, found.payload)
        except ValueError:
            raise BlockingIOError(errno.EAGAIN, "an entry that is none is to be removed") from None

    def get(self, key: str) -> Entry | None:
        found = self.store.get(key)
        return None if found is None else self._unpacked(key, found.payload)

    def get_expired(self, key: str) -> Entry | None:
        found = self.store.get(key, expired=True)
        return None if found is None else self._unpacked(key, found.payload)

    def _unpacked(self, key: str, payload: bytes | bytearray) -> Entry | None:
        try:
            return Entry.unpack_for(key, payload)
        except ValueError:  # of another version of Mage, or of none
            with suppress(OSError):  # a disk that cannot be written can be read
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


@dataclass(frozen=True, slots=True)
class AliasLayer:
    """Any of Django's caches, between machines as well.

    What comes back is believed only when it is sealed for its key. Such a cache cannot list a group, so a purge is a
    marker beside the entries: older ones are misses. A bulletin tells other machines, for what else they keep.
    Keys carry `storage`, for the cache may serve others too.
    """

    open_cache: Callable[[], BaseCache]
    storage: str
    keep: float
    name: str = "shared"
    clock: Callable[[], float] = field(default=time.time)

    def get(self, key: str) -> Entry | None:
        markers = [self._marker(key.partition("/")[0]), self._marker("")]
        cache = self.open_cache()
        found = cache.get_many([self._key(key), *markers])
        entry = _unsealed(key, found.get(self._key(key)))
        if entry is None:
            if self._key(key) in found:
                with suppress(Exception):  # what a cache raises is its own affair, and it is a miss all the same
                    cache.delete(self._key(key))
            return None
        latest = self.clock() + CLOCK_SKEW  # no purge is from later, and what says so would hide all that will come
        times = [when for marker in markers if isinstance(when := found.get(marker), float) and when <= latest]
        return entry if entry.created > max(times, default=0.0) else None

    def put(self, key: str, entry: Entry, expires: float) -> None:
        cache = self.open_cache()
        sealed = _sealed(key, entry)
        seconds = expires - self.clock()
        if seconds < 1 or (isinstance(cache, BaseMemcachedCache) and len(sealed) > _MEMCACHED_ITEM_BYTES):
            return
        cache.set(self._key(key), sealed, timeout=int(seconds))

    def delete(self, key: str) -> None:
        self.open_cache().delete(self._key(key))

    def delete_group(self, group: str) -> int:
        self.open_cache().set(self._marker(group), self.clock(), timeout=int(self.keep) + 60)
        return 0  # how many there were is not to be known

    def clear(self) -> int:
        return self.delete_group("")

    def append_purge(self, purge: Purge) -> None:
        self._feed.append(purge)

    def read_purges(self, number: int | None) -> tuple[int | None, list[Purge]]:
        return self._feed.read(number)

    @property
    def _feed(self) -> PurgeFeed:
        return PurgeFeed(self.open_cache, self.storage, keep=self.keep, clock=self.clock)

    def lease(self, key: str) -> bool:
        """False only when somebody else has it: a cache that took nothing and has nothing is no reason to wait."""
        cache, name = self.open_cache(), self._lease(key)
        return bool(cache.add(name, b"1", timeout=_LEASE_SECONDS)) or cache.get(name) is None

    def end_lease(self, key: str) -> None:
        self.open_cache().delete(self._lease(key))

    def _key(self, key: str) -> str:
        return f"mage:{self.storage}:{key}"

    def _lease(self, key: str) -> str:
        return f"mage:{self.storage}:lease:{key}"

    def _marker(self, group: str) -> str:
        return f"mage:{self.storage}:purged:{group}"


def _sealed(key: str, entry: Entry) -> bytes:
    packed = _name(key) + entry.pack()
    return zlib.crc32(packed).to_bytes(4, "big") + packed


def _unsealed(key: str, sealed: object) -> Entry | None:
    """The entry, or None for anything that was not sealed for this key or did not arrive whole."""
    if not isinstance(sealed, bytes) or len(sealed) < 20 or sealed[4:20] != _name(key):
        return None
    if zlib.crc32(sealed[4:]).to_bytes(4, "big") != sealed[:4]:
        return None
    try:
        return Entry.unpack_for(key, sealed[20:])
    except ValueError:
        return None


def _name(key: str) -> bytes:
    return hashlib.blake2b(key.encode(), digest_size=16).digest()
