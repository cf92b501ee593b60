"""The layers of a cache: process memory, a directory on disk, or any Django cache."""

import errno
import hashlib
import math
import struct
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
_MARKERS = struct.Struct(">2d")  # the times of two purges, of the group and of everything; 0.0 for none
_HEAD_BYTES = 20 + _MARKERS.size  # after a checksum and the digest of the key
_REMEMBERED = 16_384  # markers; of a forgotten one, an entry is only missed for longer


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
    entries: entries older than it are misses. The clock of the machine that purged may be behind, so a marker covers
    `CLOCK_SKEW` seconds more. It covers no entry that was begun after its writer had read the marker: an entry is
    sealed with the markers that were read before. Other machines read purges from the feed, for their own layers.
    Keys contain `storage`, because one cache may serve several. `keep` is how many seconds an entry can live.
    """

    open_cache: Callable[[], BaseCache]
    storage: str
    keep: float
    name: str = "shared"
    clock: Callable[[], float] = field(default=time.time)
    # Of each marker that this process has read: its time, and when it was first read by the clock here.
    _read: dict[str, tuple[float, float]] = field(default_factory=dict)

    def get(self, key: str) -> Entry | None:
        markers = self._marker_keys(key)
        cache = self.open_cache()
        found = cache.get_many([self._key(key), *markers])
        now = self.clock()
        # A marker from the future would hide every entry until then.
        times = [
            when if isinstance(when := found.get(marker), float) and when <= now + CLOCK_SKEW else 0.0
            for marker in markers
        ]
        for marker, when in zip(markers, times, strict=True):
            self._remember(marker, when, now)
        entry, known = _unseal(key, found.get(self._key(key)))
        if entry is None:
            if self._key(key) in found:
                with suppress(Exception):  # a cache may raise anything; this is a miss either way
                    cache.delete(self._key(key))
            return None
        is_purged = any(
            when and when != after and entry.created <= when + CLOCK_SKEW
            for when, after in zip(times, known, strict=True)
        )
        return None if is_purged else entry

    def _remember(self, marker: str, when: float, now: float) -> None:
        if not when:
            self._read.pop(marker, None)
        elif self._read.get(marker, (0.0, 0.0))[0] != when:
            if len(self._read) >= _REMEMBERED:
                self._read.clear()
            self._read[marker] = when, now

    def _markers_before(self, key: str, created: float) -> tuple[float, float]:
        """The times of the markers of `key` that were read before that Unix time; 0.0 for none."""
        read = [self._read.get(marker, (0.0, math.inf)) for marker in self._marker_keys(key)]
        group, everything = [when if since < created else 0.0 for when, since in read]
        return group, everything

    def put(self, key: str, entry: Entry, expires: float) -> None:
        cache = self.open_cache()
        sealed = _seal(key, entry, self._markers_before(key, entry.created))
        seconds = expires - self.clock()
        if seconds < 1 or (isinstance(cache, BaseMemcachedCache) and len(sealed) > _MEMCACHED_ITEM_BYTES):
            return
        cache.set(self._key(key), sealed, timeout=int(seconds))

    def delete(self, key: str) -> None:
        self.open_cache().delete(self._key(key))

    def delete_group(self, group: str) -> int:
        marker, now = self._marker_key(group), self.clock()
        self.open_cache().set(marker, now, timeout=int(self.keep) + 60)
        self._remember(marker, now, now)
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

    def _marker_keys(self, key: str) -> tuple[str, str]:
        return self._marker_key(key.partition("/")[0]), self._marker_key("")

    def _marker_key(self, group: str) -> str:
        return f"mage:{self.storage}:purged:{group}"


def _seal(key: str, entry: Entry, markers: tuple[float, float]) -> bytes:
    packed = _key_digest(key) + _MARKERS.pack(*markers) + entry.pack()
    return zlib.crc32(packed).to_bytes(4, "big") + packed


def _unseal(key: str, sealed: object) -> tuple[Entry | None, tuple[float, float]]:
    """The entry and its markers; None for anything that was not sealed for this key or is not whole."""
    nothing = None, (0.0, 0.0)
    if not isinstance(sealed, bytes) or len(sealed) < _HEAD_BYTES or sealed[4:20] != _key_digest(key):
        return nothing
    if zlib.crc32(sealed[4:]).to_bytes(4, "big") != sealed[:4]:
        return nothing
    group, everything = _MARKERS.unpack_from(sealed, 20)
    try:
        return Entry.unpack_for(key, sealed[_HEAD_BYTES:]), (group, everything)
    except ValueError:
        return nothing


def _key_digest(key: str) -> bytes:
    return hashlib.blake2b(key.encode(), digest_size=16).digest()
