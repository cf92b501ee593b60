"""Object storage as a cache layer: one object for each entry, with the bytes of a disk entry.

An object is kept for much longer than an entry is fresh. A stale one is not served: it is given a new lifetime when
the source says that the original has not changed, which costs a question instead of a render.
"""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import ClassVar, NamedTuple

from thumbs.cache.entry import PROXY_NAME, SOURCE_NAME, Entry
from thumbs.cache.filestore import entry_file
from thumbs.cache.filestore.paths import path_of
from thumbs.cache.objects.bounded_store import BoundedStore
from thumbs.cache.objects.names import Names, moment_in
from thumbs.cache.purge.journal import CLOCK_SKEW, EVERYTHING

# Writes are in the background, and the caller of a purge waits for its outcome: both may take longer than a lookup.
WRITE_SECONDS = 10.0
_PURGE_SECONDS = 5.0
# After a purge that failed, for as long: a storage whose originals vanish purges in the threads of lookups.
_FAILED_SECONDS = 5.0
# The share of `ttl` after which an object is written again although its bytes are there, to keep it from expiring.
_REWRITTEN_AFTER = 0.25
_REMEMBERED = 16_384


@dataclass(frozen=True, slots=True)
class Lifetimes:
    """Seconds. An object is used for `ttl` after its entry was made, and a lookup waits for `timeout`.

    Purges of other machines are read every `poll`. Their messages are read for `keep`: as long as an entry is served.
    """

    ttl: float
    timeout: float
    poll: float
    keep: float


class _Known(NamedTuple):
    """An object that was read or written: ETag and time of its entry, and the lifetime that it has here since."""

    etag: str
    stored: float
    created: float
    fresh_until: float


class ObjectLayer:
    """The entries of one storage in an object store. Originals and proxies are not kept there.

    Deleting objects is not enough for a purge: a machine that has not read of it may store one of its own afterwards.
    So each purge leaves a tombstone, which is read with an entry wherever the journal may not know of its purge: before
    purges have been read, and for an entry past its lifetime, as journal and feed forget what covers no fresh entry.
    """

    name: ClassVar[str] = "objects"
    slow: ClassVar[bool] = True

    def __init__(
        self, store: BoundedStore, names: Names, times: Lifetimes, *, clock: Callable[[], float] = time.time
    ) -> None:
        self._store = store
        self._names = names
        self._times = times
        self._clock = clock
        self._knows_purges: Callable[[], bool] = lambda: False
        self._purged_since: Callable[[str, float], bool] = lambda _key, _moment: False
        self._known: dict[str, _Known] = {}
        self._last_read = threading.local()
        self._purge_failed = float("-inf")

    def attach(self, knows_purges: Callable[[], bool], purged_since: Callable[[str, float], bool]) -> None:
        """`knows_purges` says whether the purges of other machines have just been read; the other is the journal's."""
        self._knows_purges, self._purged_since = knows_purges, purged_since

    # --------------------------------------------------------------------------------------- reading

    def get(self, key: str) -> Entry | None:
        """The entry, fresh or not. Raises an error where the store fails or takes longer than `timeout`."""
        entry = self._read(key) if is_kept(key) else None
        self._last_read.value = key, entry
        return entry

    def get_expired(self, key: str) -> Entry | None:
        """As `get`, which this thread has just called: the store is asked once."""
        last, entry = getattr(self._last_read, "value", ("", None))
        self._last_read.value = "", None
        return entry if last == key else self._read(key) if is_kept(key) else None

    def _read(self, key: str) -> Entry | None:
        data = self._store.get(self._names.entry(key), self._times.timeout)
        if data is None:
            return None
        try:
            entry = Entry.unpack_for(key, entry_file.parse(data, digest=path_of(key).digest))
        except ValueError:  # written by another version of Mage, or not by Mage; the next write replaces it
            return None
        now, stored = self._clock(), entry.created
        if stored + self._times.ttl <= now:
            return None
        known = self._known.get(key)
        if known is not None and known.etag == entry.etag and known.created > stored:  # renewed, but not written again
            entry = replace(entry, created=known.created, fresh_until=known.fresh_until)
        if (entry.fresh_until <= now or not self._knows_purges()) and self._has_tombstone(key, entry.created):
            self._known.pop(key, None)
            return None
        self._remember(key, entry, stored)
        return entry

    def _has_tombstone(self, key: str, created: float) -> bool:
        latest = self._clock() + CLOCK_SKEW  # one from the future would hide every entry until then
        for name in self._names.tombstones(key):
            when = moment_in(self._store.get(name, self._times.timeout))
            if created - self._late_seconds <= when <= latest:
                return True
        return False

    @property
    def _late_seconds(self) -> float:
        """For how long after a purge another machine may give what it covers a new lifetime."""
        return CLOCK_SKEW

    # --------------------------------------------------------------------------------------- writing

    def put(self, key: str, entry: Entry, expires: float) -> None:  # noqa: ARG002 - the entry has its own lifetime
        """Store `entry`, unless it was purged meanwhile, or its bytes are there and will be for long."""
        if not is_kept(key) or self._purged_since(key, entry.created):
            return
        known = self._known.get(key)
        if known is not None and self._is_there(key, entry, known):
            self._remember(key, entry, known.stored)
            return
        payload = entry.pack()
        head = entry_file.header(payload, created=entry.created, digest=path_of(key).digest)
        self._store.put(self._names.entry(key), head + payload, WRITE_SECONDS)
        self._remember(key, entry, entry.created)

    def delete(self, key: str) -> None:
        self._known.pop(key, None)
        if is_kept(key):
            self._store.delete([self._names.entry(key)], WRITE_SECONDS)

    def delete_group(self, group: str) -> int:
        """Remove what there is below one prefix. Raises an error where the store fails."""
        return self._purge(group, self._names.group(group))

    def clear(self) -> int:
        """As `delete_group`, for all entries of the storage: takes about a second for 10,000 objects of S3."""
        return self._purge(EVERYTHING, self._names.entries)

    def close(self) -> None:
        self._store.close()

    def _purge(self, group: str, prefix: str) -> int:
        def purge(seconds: float) -> None:
            self._store.put(self._names.purged(group), repr(self._clock()).encode(), seconds)
            after = ""
            while keys := self._store.page(prefix, after, seconds):
                self._store.delete(keys, seconds)
                after = keys[-1]

        for key in [key for key in list(self._known) if self._names.entry(key).startswith(prefix)]:
            self._known.pop(key, None)
        self.within_patience(purge)
        return 0  # what this machine's disk and memory had is what is counted

    def within_patience(self, purge: Callable[[float], None]) -> None:
        """Call `purge` with the seconds for each of its calls: few, where one has just failed."""
        has_failed = time.monotonic() < self._purge_failed + _FAILED_SECONDS
        try:
            purge(self._times.timeout if has_failed else max(_PURGE_SECONDS, self._times.timeout))
        except Exception:
            self._purge_failed = time.monotonic()
            raise

    def _is_there(self, key: str, entry: Entry, known: _Known) -> bool:
        """Whether the same bytes were read or written a short part of `ttl` ago: each write costs, a renewal often."""
        if known.etag != entry.etag or self._purged_since(key, known.stored):
            return False
        return entry.created < known.stored + self._times.ttl * _REWRITTEN_AFTER

    def _remember(self, key: str, entry: Entry, stored: float) -> None:
        if len(self._known) >= _REMEMBERED:
            self._known.clear()
        self._known[key] = _Known(entry.etag, stored, entry.created, entry.fresh_until)


def is_kept(key: str) -> bool:
    """Originals are in a storage already; a proxy is as quickly made as fetched."""
    return not key.rpartition("/")[2].startswith((SOURCE_NAME, PROXY_NAME))
