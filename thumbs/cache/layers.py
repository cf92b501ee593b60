"""The layers of one storage's cache, fastest first, and the rules between them.

A hit in a lower layer is copied upwards with the time it has left, never more. A layer that fails is logged once and
left alone for a while; it never fails a request.
"""

import random
import time
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from itertools import takewhile
from typing import NamedTuple

from thumbs.cache.circuit_breaker import GuardedLayer
from thumbs.cache.entry import Entry
from thumbs.cache.layer import ExpiredLayer, FeedLayer, Layer, LeasingLayer, LocalLayer
from thumbs.cache.locks import KeyLock, KeyLocks
from thumbs.cache.purge.follower import PurgeFollower
from thumbs.cache.purge.journal import CLOCK_SKEW, EVERYTHING, Purge, PurgeJournal

_JITTER = 0.1


class Found(NamedTuple):
    entry: Entry
    layer: str
    stale: bool


class LockResult(NamedTuple):
    """The claim of a key if it was free; what is there, for another may just have made it; and what was."""

    lock: KeyLock | None
    found: Found | None
    expired: Entry | None


class Layers:
    """`ttl` and `stale` are seconds: how long an entry is fresh, and how long after that it may still be served."""

    def __init__(
        self,
        layers: Sequence[Layer] = (),
        *,
        purges: PurgeJournal | None = None,
        ttl: float = 300,
        stale: float = 0,
        locks: KeyLocks | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._guarded = [GuardedLayer(layer) for layer in layers]
        self._quick = [layer_guard for layer_guard in self._guarded if layer_guard.get_now is not None]
        self._purges = purges
        self._followers = [
            _follower(layer_guard, layer_guard.layer, purges)
            for layer_guard in self._guarded
            if purges is not None and isinstance(layer_guard.layer, FeedLayer)
        ]
        self.ttl = ttl
        self._stale = stale
        self._locks = locks
        self._clock = clock
        self.jitter = _JITTER

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(layer_guard.layer.name for layer_guard in self._guarded)

    @property
    def shared(self) -> bool:
        """Whether what one process puts here is there for another: else none need wait for another."""
        return any(not isinstance(layer_guard.layer, LocalLayer) for layer_guard in self._guarded)

    def lifetime(self) -> float:
        """Seconds for which a new entry is fresh: up to a tenth less than `ttl`.

        What was made at one time is then not due to be made again at one time.
        """
        return self.ttl * (1 - self.jitter * random.random())  # noqa: S311 - nothing secret

    @property
    def failing(self) -> tuple[str, ...]:
        """The layers that could not be written when that was last tried: to put something in, or to remove it."""
        return tuple(layer_guard.layer.name for layer_guard in self._guarded if layer_guard.failing)

    def get_now(self, key: str) -> Found | None:
        """What a layer can give without blocking; None tells nothing."""
        now = self._clock()
        for layer_guard in self._quick:
            entry = None if layer_guard.get_now is None else layer_guard.read(layer_guard.get_now, key)
            found = self._usable(key, entry, layer_guard.layer.name, now)
            if found is not None:
                self._copy_above(key, found, self._quick)  # to put into another kind of layer may block
                return found
        return None

    def get(self, key: str) -> Found | None:
        """The entry for `key` from the first layer that has it. Blocks."""
        now = self._clock()
        for layer_guard in self._guarded:
            found = self._usable(key, layer_guard.read(layer_guard.layer.get, key), layer_guard.layer.name, now)
            if found is not None:
                self._copy_above(key, found, self._guarded)
                return found
        return None

    def put(self, key: str, entry: Entry) -> None:
        """Keep `entry` in every layer, unless it was purged while it was being made."""
        if not self._purged(key, entry):
            self._put(key, entry, self._guarded)

    def lock_or_get(self, key: str) -> LockResult:
        """Claim `key` to make its entry, unless somebody has just done that. Blocks, but never waits for others."""
        lock = self._try_lock(key)
        found = self.get(key)
        if found is not None and lock is not None:
            lock.release()
        return LockResult(lock, found, None if found is not None or lock is None else self._get_expired(key))

    def _get_expired(self, key: str) -> Entry | None:
        """The entry for `key` whose time is over, where a layer has it still; the source may not have changed."""
        for layer_guard in self._guarded:
            if isinstance(layer_guard.layer, ExpiredLayer):
                entry = layer_guard.read(layer_guard.layer.get_expired, key)
                if entry is not None and entry.created <= self._clock() and not self._purged(key, entry):
                    return entry
        return None

    def _try_lock(self, key: str) -> KeyLock | None:
        """The right to make `key`; None while another process or another machine has it. Blocks, but never waits."""
        lock = KeyLock() if self._locks is None else self._locks.take(key)
        if lock is None:
            return None
        for layer_guard in self._guarded:
            if isinstance(layer_guard.layer, LeasingLayer):
                if layer_guard.write(layer_guard.layer.lease, key) is False:
                    lock.release()
                    return None
                lock.add(partial(layer_guard.write, layer_guard.layer.end_lease, key))
        return lock

    def purged_since(self, key: str, moment: float) -> bool:
        """Whether what was found out about `key` at that Unix time has been purged."""
        for following in self._followers:
            following.start()
        return self._purges is not None and self._purges.is_purged(key.partition("/")[0], moment)

    def delete(self, key: str) -> None:
        for layer_guard in self._guarded:
            layer_guard.write(layer_guard.layer.delete, key)

    def purge(self, group: str) -> int:
        """Drop every entry of one original here and, by journal and bulletin, in all other processes. Counts them."""
        return self._drop(group, lambda layer: layer.delete_group(group))

    def clear(self) -> int:
        """Drop everything here and, by journal and bulletin, in all other processes. Counts the entries."""
        return self._drop(EVERYTHING, lambda layer: layer.clear())

    def _drop(self, group: str, remove: Callable[[Layer], int]) -> int:
        purge = Purge(group, self._clock() if self._purges is None else self._purges.append(group))

        def act(layer: Layer) -> int:
            count = remove(layer)
            if isinstance(layer, FeedLayer):
                layer.append_purge(purge)
            return count

        # Other machines are told first: to remove a lot from a disk may take a while.
        guarded = sorted(self._guarded, key=lambda layer_guard: not isinstance(layer_guard.layer, FeedLayer))
        return sum(layer_guard.call_anyway(act, layer_guard.layer) or 0 for layer_guard in guarded)

    def _usable(self, key: str, entry: Entry | None, layer: str, now: float) -> Found | None:
        if entry is None or entry.fresh_until + self._stale <= now or self._purged(key, entry):
            return None
        if (
            entry.created > now + CLOCK_SKEW
        ):  # it dates from a wrong clock, and would be kept for as long as that was off
            return None
        return Found(entry, layer, entry.fresh_until <= now)

    def _copy_above(self, key: str, found: Found, guarded: Sequence[GuardedLayer]) -> None:
        if guarded[0].layer.name != found.layer:
            self._put(key, found.entry, takewhile(lambda layer_guard: layer_guard.layer.name != found.layer, guarded))

    def _put(self, key: str, entry: Entry, guarded: Iterable[GuardedLayer]) -> None:
        expires = entry.fresh_until + self._stale
        for layer_guard in guarded:
            layer_guard.write(layer_guard.layer.put, key, entry, expires)

    def _purged(self, key: str, entry: Entry) -> bool:
        return self.purged_since(key, entry.created)


def _follower(layer_guard: GuardedLayer, layer: FeedLayer, purges: PurgeJournal) -> PurgeFollower:
    return PurgeFollower(lambda number: layer_guard.read(layer.read_purges, number), purges.merge)
