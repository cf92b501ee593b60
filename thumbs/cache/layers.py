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

from thumbs.cache.claims import Claim, Claims
from thumbs.cache.entry import Entry
from thumbs.cache.following import Following
from thumbs.cache.guard import Guard
from thumbs.cache.layer import KeepingLayer, Layer, LeasingLayer, LocalLayer, TellingLayer
from thumbs.cache.purges import CLOCK_SKEW, EVERYTHING, Purges, Told

_JITTER = 0.1


class Found(NamedTuple):
    entry: Entry
    layer: str
    stale: bool


class Held(NamedTuple):
    """The claim of a key if it was free; what is there, for another may just have made it; and what was."""

    claim: Claim | None
    found: Found | None
    expired: Entry | None


class Layers:
    """`ttl` and `stale` are seconds: how long an entry is fresh, and how long after that it may still be served."""

    def __init__(
        self,
        layers: Sequence[Layer] = (),
        *,
        purges: Purges | None = None,
        ttl: float = 300,
        stale: float = 0,
        claims: Claims | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._guards = [Guard(layer) for layer in layers]
        self._quick = [guard for guard in self._guards if guard.get_now is not None]
        self._purges = purges
        self._followings = [
            _following(guard, guard.layer, purges)
            for guard in self._guards
            if purges is not None and isinstance(guard.layer, TellingLayer)
        ]
        self.ttl = ttl
        self._stale = stale
        self._claims = claims
        self._clock = clock
        self.jitter = _JITTER

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(guard.layer.name for guard in self._guards)

    @property
    def shared(self) -> bool:
        """Whether what one process puts here is there for another: else none need wait for another."""
        return any(not isinstance(guard.layer, LocalLayer) for guard in self._guards)

    def lifetime(self) -> float:
        """Seconds for which a new entry is fresh: up to a tenth less than `ttl`.

        What was made at one time is then not due to be made again at one time.
        """
        return self.ttl * (1 - self.jitter * random.random())  # noqa: S311 - nothing secret

    @property
    def failing(self) -> tuple[str, ...]:
        """The layers that could not be written when that was last tried: to put something in, or to remove it."""
        return tuple(guard.layer.name for guard in self._guards if guard.failing)

    def get_now(self, key: str) -> Found | None:
        """What a layer can give without blocking; None tells nothing."""
        now = self._clock()
        for guard in self._quick:
            entry = None if guard.get_now is None else guard.read(guard.get_now, key)
            found = self._usable(key, entry, guard.layer.name, now)
            if found is not None:
                self._copy_above(key, found, self._quick)  # to put into another kind of layer may block
                return found
        return None

    def get(self, key: str) -> Found | None:
        """The entry for `key` from the first layer that has it. Blocks."""
        now = self._clock()
        for guard in self._guards:
            found = self._usable(key, guard.read(guard.layer.get, key), guard.layer.name, now)
            if found is not None:
                self._copy_above(key, found, self._guards)
                return found
        return None

    def put(self, key: str, entry: Entry) -> None:
        """Keep `entry` in every layer, unless it was purged while it was being made."""
        if not self._purged(key, entry):
            self._put(key, entry, self._guards)

    def hold(self, key: str) -> Held:
        """Claim `key` to make its entry, unless somebody has just done that. Blocks, but never waits for others."""
        claim = self._claim(key)
        found = self.get(key)
        if found is not None and claim is not None:
            claim.release()
        return Held(claim, found, None if found is not None or claim is None else self._get_expired(key))

    def _get_expired(self, key: str) -> Entry | None:
        """The entry for `key` whose time is over, where a layer has it still; the source may not have changed."""
        for guard in self._guards:
            if isinstance(guard.layer, KeepingLayer):
                entry = guard.read(guard.layer.get_expired, key)
                if entry is not None and entry.created <= self._clock() and not self._purged(key, entry):
                    return entry
        return None

    def _claim(self, key: str) -> Claim | None:
        """The right to make `key`; None while another process or another machine has it. Blocks, but never waits."""
        claim = Claim() if self._claims is None else self._claims.take(key)
        if claim is None:
            return None
        for guard in self._guards:
            if isinstance(guard.layer, LeasingLayer):
                if guard.write(guard.layer.lease, key) is False:
                    claim.release()
                    return None
                claim.add(partial(guard.write, guard.layer.end_lease, key))
        return claim

    def purged_since(self, key: str, moment: float) -> bool:
        """Whether what was found out about `key` at that Unix time has been purged."""
        for following in self._followings:
            following.start()
        return self._purges is not None and self._purges.covers(key.partition("/")[0], moment)

    def delete(self, key: str) -> None:
        for guard in self._guards:
            guard.write(guard.layer.delete, key)

    def purge(self, group: str) -> int:
        """Drop every entry of one original here and, by journal and bulletin, in all other processes. Counts them."""
        return self._drop(group, lambda layer: layer.delete_group(group))

    def clear(self) -> int:
        """Drop everything here and, by journal and bulletin, in all other processes. Counts the entries."""
        return self._drop(EVERYTHING, lambda layer: layer.clear())

    def _drop(self, group: str, remove: Callable[[Layer], int]) -> int:
        told = Told(group, self._clock() if self._purges is None else self._purges.record(group))

        def act(layer: Layer) -> int:
            count = remove(layer)
            if isinstance(layer, TellingLayer):
                layer.tell(told)
            return count

        # Other machines are told first: to remove a lot from a disk may take a while.
        guards = sorted(self._guards, key=lambda guard: not isinstance(guard.layer, TellingLayer))
        return sum(guard.insist(act, guard.layer) or 0 for guard in guards)

    def _usable(self, key: str, entry: Entry | None, layer: str, now: float) -> Found | None:
        if entry is None or entry.fresh_until + self._stale <= now or self._purged(key, entry):
            return None
        if (
            entry.created > now + CLOCK_SKEW
        ):  # it dates from a wrong clock, and would be kept for as long as that was off
            return None
        return Found(entry, layer, entry.fresh_until <= now)

    def _copy_above(self, key: str, found: Found, guards: Sequence[Guard]) -> None:
        if guards[0].layer.name != found.layer:
            self._put(key, found.entry, takewhile(lambda guard: guard.layer.name != found.layer, guards))

    def _put(self, key: str, entry: Entry, guards: Iterable[Guard]) -> None:
        expires = entry.fresh_until + self._stale
        for guard in guards:
            guard.write(guard.layer.put, key, entry, expires)

    def _purged(self, key: str, entry: Entry) -> bool:
        return self.purged_since(key, entry.created)


def _following(guard: Guard, layer: TellingLayer, purges: Purges) -> Following:
    return Following(lambda number: guard.read(layer.purges_after, number), purges.learn)
