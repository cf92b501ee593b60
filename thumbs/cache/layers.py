"""The layers of one storage's cache, fastest first, and the rules between them.

A hit in a lower layer is copied upwards with the time it has left, never more. A layer that fails is logged once and
skipped for a while; it never fails a request.
"""

import random
import time
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from itertools import takewhile
from typing import NamedTuple

from thumbs.cache.circuit_breaker import ProtectedLayer
from thumbs.cache.entry import Entry
from thumbs.cache.filestore.directory import NO_ROOM
from thumbs.cache.followers import followers_of
from thumbs.cache.layer import CountedLayer, ExpiredLayer, FeedLayer, Layer, LeasingLayer, LocalLayer
from thumbs.cache.locks import KeyLock, KeyLocks
from thumbs.cache.purge.journal import CLOCK_SKEW, EVERYTHING, Purge, PurgeJournal

_JITTER = 0.1


class Found(NamedTuple):
    """An entry, and the name of the layer that had it. `passing`: no layer and no client may keep it."""

    entry: Entry
    layer: str
    stale: bool
    passing: bool = False


class LockResult(NamedTuple):
    """`lock` is None while another process holds the key. It is released already when `found` is not None.

    `found` is what a layer has. `expired` is an entry past its lifetime, for the holder of the lock to renew.
    """

    lock: KeyLock | None
    found: Found | None
    expired: Entry | None


class Layers:
    """The layers of one storage. Constructing starts nothing.

    `ttl` and `stale` are seconds: how long an entry is fresh, and how long after that it may still be served.
    `storage` is the name for the log.
    """

    def __init__(  # noqa: PLR0913 - the parts of one cache, its times, and its name
        self,
        layers: Sequence[Layer] = (),
        *,
        purges: PurgeJournal | None = None,
        ttl: float = 300,
        stale: float = 0,
        locks: KeyLocks | None = None,
        clock: Callable[[], float] = time.time,
        storage: str = "",
    ) -> None:
        self._layers = [ProtectedLayer(layer, storage) for layer in layers]
        self._quick = [(layer, layer.get_now) for layer in self._layers if layer.get_now is not None]
        self._purges = purges
        self._followers = followers_of(self._layers, purges)
        self.ttl = ttl
        self._stale = stale
        self._locks = locks
        self._clock = clock

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(layer.name for layer in self._layers)

    @property
    def working(self) -> dict[str, bool]:
        """Whether each layer works: whether its last reading and its last writing call succeeded."""
        return {layer.name: layer.works for layer in self._layers}

    def on_change(self, report: Callable[[str, bool], None]) -> None:
        """Call `report` with the name of each layer and whether it works: now, and whenever that changes."""
        for layer in self._layers:
            layer.on_change(partial(report, layer.name))

    def holds_entries(self) -> bool:
        """Whether a layer has entries, as far as layers know. Blocks."""
        return any(
            layer.read(layer.inner.holds_entries) for layer in self._layers if isinstance(layer.inner, CountedLayer)
        )

    @property
    def shared(self) -> bool:
        """Whether other processes can find what this one stores: only then can they wait for it."""
        return any(not isinstance(layer.inner, LocalLayer) for layer in self._layers)

    def lifetime(self) -> float:
        """Seconds for which a new entry is fresh: up to a tenth less than `ttl`.

        Entries that were made at the same time then do not all expire at the same time.
        """
        return self.ttl * (1 - _JITTER * random.random())  # noqa: S311 - nothing secret

    @property
    def least_lifetime(self) -> float:
        """The shortest that `lifetime` gives, in seconds."""
        return self.ttl * (1 - _JITTER)

    @property
    def failing(self) -> tuple[str, ...]:
        """The layers whose last write failed: to put an entry in, or to remove one."""
        return tuple(layer.name for layer in self._layers if layer.failing)

    def start_following(self) -> None:
        """Follow the purges of other machines from now on, in a thread for each layer with a feed. Returns at once.

        The methods that look up or store entries call this. Construction, questions and purges start no thread. A
        process must not call it before it forks: the child would not have the thread.
        """
        for follower in self._followers:
            follower.start()

    def get_now(self, key: str) -> Found | None:
        """The entry for `key` where a layer can give it without blocking. None does not mean that no layer has it."""
        if self._followers:
            self.start_following()
        now = self._clock()
        for layer, get_now in self._quick:
            entry = layer.read(get_now, key)
            if entry is None:
                continue
            found = self._usable(key, entry, layer.name, now)
            if found is not None:
                if layer is not self._quick[0][0]:
                    # A put into any other layer may block.
                    self._copy_above(key, found, [quick for quick, _ in self._quick])
                return found
        return None

    def get(self, key: str) -> Found | None:
        """The entry for `key` from the first layer that has it. Blocks."""
        self.start_following()
        now = self._clock()
        for layer in self._layers:
            found = self._usable(key, layer.read(layer.inner.get, key), layer.name, now)
            if found is not None:
                self._copy_above(key, found, self._layers)
                return found
        return None

    def put(self, key: str, entry: Entry) -> None:
        """Keep `entry` in every layer, unless it was purged while it was being made. Blocks."""
        self.start_following()
        if not self._is_purged(key, entry):
            self._put(key, entry, self._layers)

    def lock_or_get(self, key: str) -> LockResult:
        """Lock `key` to make its entry, unless a layer has one. Blocks, but never waits for another process."""
        lock = self._try_lock(key)
        found = self.get(key)
        if found is not None and lock is not None:
            lock.release()
        return LockResult(lock, found, None if found is not None or lock is None else self._get_expired(key))

    def _get_expired(self, key: str) -> Entry | None:
        """An entry past its lifetime, where a layer still has one: the source may not have changed since."""
        for layer in self._layers:
            if isinstance(layer.inner, ExpiredLayer):
                entry = layer.read(layer.inner.get_expired, key)
                if entry is not None and entry.created <= self._clock() and not self._is_purged(key, entry):
                    return entry
        return None

    def _try_lock(self, key: str) -> KeyLock | None:
        """The lock of `key` and its leases; None while another process or another machine has one of them."""
        lock = KeyLock() if self._locks is None else self._locks.try_lock(key)
        if lock is None:
            return None
        for layer in self._layers:
            if isinstance(layer.inner, LeasingLayer):
                if layer.write(layer.inner.lease, key) is False:
                    lock.release()
                    return None
                # After the entry, where that is written in the background: nothing else may make it meanwhile.
                lock.on_release(partial(layer.write_soon, key, 0, layer.inner.end_lease, key))
        return lock

    def purged_since(self, key: str, moment: float) -> bool:
        """Whether `key` was purged after `moment`, a Unix time. Starts nothing."""
        return self._purges is not None and self._purges.is_purged(key.partition("/")[0], moment)

    def purged_at(self, key: str) -> float:
        """When `key` was last purged, a Unix time; 0.0 where no purge is known. Starts nothing."""
        return 0.0 if self._purges is None else self._purges.purged_at(key.partition("/")[0])

    def delete(self, key: str) -> None:
        """Remove the entry for `key` from every layer. Blocks."""
        for layer in self._layers:
            layer.write_soon(key, 0, layer.inner.delete, key)

    def purge(self, group: str) -> int:
        """Remove every entry of one original here and, by journal and feed, in all other processes.

        Return how many were removed here. Raises OSError when the journal cannot be written.
        """
        return self._purge(group, lambda layer: layer.delete_group(group))

    def clear(self) -> int:
        """Remove every entry of the storage, as `purge` does those of one original."""
        return self._purge(EVERYTHING, lambda layer: layer.clear())

    def _purge(self, group: str, remove: Callable[[Layer], int]) -> int:
        count = 0
        # The journal comes first: no process then puts back what another one removes.
        try:
            purge = self._append(group)
        except OSError as error:
            if error.errno not in NO_ROOM:
                raise
            # Removing makes room on a full disk. The purge is then later, so it covers what was put back meanwhile.
            here = [layer for layer in self._layers if not isinstance(layer.inner, FeedLayer)]
            count = _sum_of(layer.call_anyway(remove, layer.inner) for layer in here)
            purge = self._append(group)

        def append_and_remove(layer: Layer) -> int:
            try:
                if isinstance(layer, FeedLayer):
                    layer.append_purge(purge)
            finally:
                removed = remove(layer)
            return removed

        # Layers with a feed come first: removing many files may take a while, and other machines read the feed.
        layers = sorted(self._layers, key=lambda layer: not isinstance(layer.inner, FeedLayer))
        return count + _sum_of(layer.call_anyway(append_and_remove, layer.inner) for layer in layers)

    def _append(self, group: str) -> Purge:
        return Purge(group, self._clock() if self._purges is None else self._purges.append(group))

    def flush(self, seconds: float) -> bool:
        """Wait for the writes that are made in the background, for that long; return whether all have been made."""
        end = time.monotonic() + seconds
        return all(layer.flush(max(0.0, end - time.monotonic())) for layer in self._layers)

    def close(self) -> None:
        """End the threads that write in the background. What waits to be written is dropped."""
        for layer in self._layers:
            layer.close()

    def _usable(self, key: str, entry: Entry | None, layer: str, now: float) -> Found | None:
        if entry is None or entry.fresh_until + self._stale <= now or self.purged_since(key, entry.created):
            return None
        # An entry from the future was made under a wrong clock. Its lifetime would end too late.
        if entry.created > now + CLOCK_SKEW:
            return None
        return Found(entry, layer, entry.fresh_until <= now)

    def _copy_above(self, key: str, found: Found, layers: Sequence[ProtectedLayer]) -> None:
        if layers[0].name != found.layer:
            self._put(key, found.entry, takewhile(lambda layer: layer.name != found.layer, layers))

    def _put(self, key: str, entry: Entry, layers: Iterable[ProtectedLayer]) -> None:
        expires = entry.fresh_until + self._stale
        for layer in layers:
            layer.write_soon(key, entry.size, layer.inner.put, key, entry, expires)

    def _is_purged(self, key: str, entry: Entry) -> bool:
        return self.purged_since(key, entry.created)


def _sum_of(counts: Iterable[int | None]) -> int:
    return sum(count or 0 for count in counts)
