"""The memory store: a cap on bytes that includes overhead, and hits that take no lock.

Eviction is SIEVE (Zhang et al., NSDI '24): entries queue in order of arrival; a hit sets one bit; a hand goes
from the oldest to the newest, clears bits as it passes and removes the first entry without one. Entries that are read
once, as in a scan, leave soon; entries that are read often stay without being moved.
"""

import sys
import threading
import time
from collections.abc import Callable
from math import inf

# Bytes that an entry takes beside its key and value, measured on CPython 3.11: the object and its slot in a dictionary
# at the worst fill. GROUP_BYTES is for the index of groups, when the entry is the only one of its group.
ENTRY_BYTES = 220
GROUP_BYTES = 340

# If the clock is set back by more than this, it was wrong before, and its entries would be kept for too long.
_CLOCK_SKEW = 60.0


class _Entry:
    __slots__ = ("expires", "key", "newer", "older", "size", "value", "visited")

    def __init__(self, key: str, value: object, size: int, expires: float) -> None:
        self.key = key
        self.value = value
        self.size = size
        self.expires = expires
        self.visited = False
        self.newer: _Entry | None = None
        self.older: _Entry | None = None


class Sieve:
    """Values by key, shared without copying, in at most `max_bytes` and `max_items`.

    Sizes are bytes, `expires` Unix seconds (None: never). Keys are `group/name`, split at the first slash.
    Reads take no lock; everything that writes takes one.
    """

    def __init__(self, *, max_bytes: int, max_items: int, clock: Callable[[], float] = time.time) -> None:
        self.max_bytes = max_bytes
        self.max_items = max_items
        self._clock = clock
        self._latest = -inf
        self._lock = threading.Lock()
        self._entries: dict[str, _Entry] = {}
        self._groups: dict[str, set[str]] = {}
        self._oldest: _Entry | None = None
        self._newest: _Entry | None = None
        self._hand: _Entry | None = None
        self._bytes = 0

    # --------------------------------------------------------------------------------------- reading

    def get(self, key: str, default: object = None) -> object:
        """The value of `key`; `default` when there is none or it has expired."""
        entry = self._entries.get(key)
        if entry is None:
            return default
        if entry.expires <= self._clock():
            self._remove_expired(entry)
            return default
        entry.visited = True
        return entry.value

    def __len__(self) -> int:
        return len(self._entries)

    @property
    def bytes(self) -> int:
        """The bytes held, keys and overhead included."""
        return self._bytes

    # --------------------------------------------------------------------------------------- writing

    def set(self, key: str, value: object, *, size: int, expires: float | None) -> bool:
        """Store `value` of `size` bytes. False when it is larger than the cap: then `key` holds nothing."""
        with self._lock:
            return self._set(key, value, size, expires)

    def add(self, key: str, value: object, *, size: int, expires: float | None) -> bool:
        """Store `value` unless `key` has a fresh one. Of all threads that try, one gets True."""
        with self._lock:
            return self._live(key) is None and self._set(key, value, size, expires)

    def swap(self, key: str, old: object, new: object, *, size: int) -> bool:
        """Replace `old` by `new`, with the same expiry, if that very object is still there."""
        with self._lock:
            entry = self._live(key)
            if entry is None or entry.value is not old:
                return False
            return self._set(key, new, size, entry.expires)

    def touch(self, key: str, expires: float | None) -> bool:
        """Set the expiry of the entry; False when there is none."""
        with self._lock:
            entry = self._live(key)
            if entry is None:
                return False
            entry.expires = inf if expires is None else expires
            return True

    def delete(self, key: str) -> bool:
        """Remove the entry of `key`; False when there was none."""
        with self._lock:
            entry = self._entries.get(key)
            if entry is not None:
                self._remove(entry)
            return entry is not None

    def delete_group(self, group: str) -> int:
        """Remove `group` and every `group/…`; return how many. The cost depends only on their number."""
        with self._lock:
            found = [key for key in (group, *self._groups.get(group, ())) if key in self._entries]
            for key in found:
                self._remove(self._entries[key])
            return len(found)

    def clear(self) -> int:
        """Remove all entries; return how many."""
        with self._lock:
            removed = len(self._entries)
            self._reset()
            return removed

    # -------------------------------------------------------------------------------------- internals

    def _set(self, key: str, value: object, size: int, expires: float | None) -> bool:
        now = self._now()
        old = self._entries.get(key)
        if old is not None:
            self._remove(old)
        cost = size + sys.getsizeof(key) + ENTRY_BYTES + (GROUP_BYTES if "/" in key else 0)
        if cost > self.max_bytes or self.max_items < 1:
            return False
        entry = _Entry(key, value, cost, inf if expires is None else expires)
        if entry.expires <= now:
            return True
        while self._bytes + cost > self.max_bytes or len(self._entries) >= self.max_items:
            self._evict(now)
        self._insert(entry)
        return True

    def _evict(self, now: float) -> None:
        entry = self._hand or self._oldest
        while entry is not None and entry.visited and entry.expires > now:
            entry.visited = False
            entry = entry.newer or self._oldest
        if entry is not None:
            self._hand = entry
            self._remove(entry)

    def _insert(self, entry: _Entry) -> None:
        entry.older = self._newest
        if self._newest is None:
            self._oldest = entry
        else:
            self._newest.newer = entry
        self._newest = entry
        self._bytes += entry.size
        group, slash, _ = entry.key.partition("/")
        if slash:
            self._groups.setdefault(group, set()).add(entry.key)
        self._entries[entry.key] = entry

    def _remove(self, entry: _Entry) -> None:
        del self._entries[entry.key]
        if entry is self._hand:
            self._hand = entry.newer
        if entry.older is None:
            self._oldest = entry.newer
        else:
            entry.older.newer = entry.newer
        if entry.newer is None:
            self._newest = entry.older
        else:
            entry.newer.older = entry.older
        self._bytes -= entry.size
        group, slash, _ = entry.key.partition("/")
        if slash:
            members = self._groups[group]
            members.discard(entry.key)
            if not members:
                del self._groups[group]

    def _remove_expired(self, entry: _Entry) -> None:
        with self._lock:
            # Another thread may have replaced or touched it since.
            if self._entries.get(entry.key) is entry and entry.expires <= self._clock():
                self._remove(entry)

    def _live(self, key: str) -> _Entry | None:
        entry = self._entries.get(key)
        return entry if entry is not None and entry.expires > self._now() else None

    def _now(self) -> float:
        now = self._clock()
        if now < self._latest - _CLOCK_SKEW:
            self._reset()
            self._latest = now
        self._latest = max(self._latest, now)
        return now

    def _reset(self) -> None:
        self._entries, self._groups = {}, {}
        self._oldest = self._newest = self._hand = None
        self._bytes = 0
