"""The journeys of an original: read once for all who want it, and decoded once for most of them."""

import contextlib
import itertools
from collections.abc import Callable, Mapping
from functools import partial
from typing import NamedTuple

from thumbs.cache.entry import Entry
from thumbs.cache.layers import Found
from thumbs.entries import reduced_entry, source_entry
from thumbs.errors import Overloaded
from thumbs.orders import Order
from thumbs.pauses import Pauses
from thumbs.ports import LOOKUP, RENDER, Storage, fetch_stage
from thumbs.singleflight import Flight, SingleFlight
from thumbs.sources.original import Original, Version
from thumbs.stages import Abandoned, Journey, Stage, Timings, travel
from thumbs.turns import in_turn

SOURCE = "source"  # the layer of what had to be made
# Who wants one size of a picture often wants others at once: what they are made of is at hand for so long.
_AT_HAND_SECONDS, _AT_HAND_BYTES = 2.0, 32 * 1024 * 1024


class Fetched(NamedTuple):
    """An original, or what it was reduced to, and the moment before its source was asked for it."""

    original: Original
    asked: float


class _AtHand(NamedTuple):
    number: int
    fetched: Fetched


class Fetches:
    """Where a storage keeps sources, both journeys are shared by all who want the same, in all processes."""

    def __init__(
        self,
        storages: Mapping[str, Storage],
        stages: Mapping[str, Stage],
        pauses: Pauses,
        clock: Callable[[], float],
    ) -> None:
        self._storages = storages
        self._stages = stages
        self._pauses = pauses
        self._clock = clock
        self._flights: SingleFlight[Fetched] = SingleFlight()
        self._at_hand: dict[str, _AtHand] = {}
        self._numbers = itertools.count()

    def whole(self, order: Order) -> Journey[Fetched]:
        """The original as it is."""
        storage = self._storages[order.storage]
        if not storage.keeps_sources:
            asked = self._clock()
            original: Original = yield fetch_stage(order.storage), partial(storage.source.read, order.path)
            return Fetched(original, asked)
        return (yield from self._shared(order, order.source_key, partial(self._read, order)))

    def reduced(self, order: Order) -> Journey[Fetched]:
        """What the original was reduced to; no bytes when there is no gain in that."""
        key = order.reduced_key
        found = self._at_hand.get(key)
        if found is not None and not self._storages[order.storage].layers.purged_since(key, found.fetched.asked):
            return found.fetched
        fetched = yield from self._shared(order, key, partial(self._reduce, order))
        self._keep_at_hand(key, fetched)
        return fetched

    def forget(self, order: Order) -> Journey[None]:
        """Drop what is kept of an original that has changed."""
        storage = self._storages[order.storage]
        self._at_hand.pop(order.reduced_key, None)
        if storage.keeps_sources:
            for key in (order.source_key, order.reduced_key):
                yield LOOKUP, partial(storage.layers.delete, key)

    def _keep_at_hand(self, key: str, fetched: Fetched) -> None:
        """For a moment, and no more than so many bytes: a cache is what the layers are."""
        before = self._at_hand.pop(key, None)
        if len(fetched.original.data) > _AT_HAND_BYTES:
            return
        if before is not None and before.fetched is fetched:
            self._at_hand[key] = before
            return
        number = next(self._numbers)
        self._at_hand[key] = _AtHand(number, fetched)
        left = _AT_HAND_BYTES
        for other, kept in reversed(list(self._at_hand.items())):
            left -= len(kept.fetched.original.data)
            if left < 0:
                self._at_hand.pop(other, None)
        self._pauses.of(_AT_HAND_SECONDS).add_done_callback(lambda _: self._let_go(key, number))

    def _let_go(self, key: str, number: int) -> None:
        kept = self._at_hand.get(key)
        if kept is not None and kept.number == number:
            self._at_hand.pop(key, None)

    def _shared(self, order: Order, key: str, make: Callable[[Entry | None], Journey[Found]]) -> Journey[Fetched]:
        def fly(flight: Flight[Fetched]) -> None:
            travel(self._kept(order, key, make), self._stages, flight, Timings())

        while True:
            try:
                fetched: Fetched = yield fetch_stage(order.storage), self._flights.join(key, fly)
            except Abandoned:  # for a moment nobody waited for this, and now somebody does
                continue
            return fetched

    def _kept(self, order: Order, key: str, make: Callable[[Entry | None], Journey[Found]]) -> Journey[Fetched]:
        storage = self._storages[order.storage]
        found: Found | None = yield LOOKUP, partial(storage.layers.get, key)
        if found is not None and found.stale:  # of a source nobody knows whether it is still so
            yield LOOKUP, partial(storage.layers.delete, key)
            found = None
        if found is None:
            found = yield from in_turn(storage, key, make, self._pauses)
        entry = found.entry
        return Fetched(Original(entry.body, Version(entry.version, entry.modified)), entry.created)

    def _read(self, order: Order, _: Entry | None) -> Journey[Found]:
        storage = self._storages[order.storage]
        asked = self._clock()
        original: Original = yield fetch_stage(order.storage), partial(storage.source.read, order.path)
        entry = source_entry(original, asked, storage.layers.lifetime())
        yield from keep(storage, order.source_key, entry)
        return Found(entry, SOURCE, stale=False)

    def _reduce(self, order: Order, _: Entry | None) -> Journey[Found]:
        storage = self._storages[order.storage]
        original, asked = yield from self.whole(order)
        body: bytes = yield RENDER, partial(storage.render.reduce, original.data)
        entry = reduced_entry(body, original.version, asked, storage.layers.lifetime())
        yield from keep(storage, order.reduced_key, entry)
        return Found(entry, SOURCE, stale=False)


def keep(storage: Storage, key: str, entry: Entry) -> Journey[None]:
    """Put `entry` into the layers. When there is no room in the queue before them, the answer goes out without."""
    if not storage.layers.names:
        return
    with contextlib.suppress(Overloaded):
        yield LOOKUP, partial(storage.layers.put, key, entry)
