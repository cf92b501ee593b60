"""The journeys of a thumbnail: what is asked of whom, in which order, until it is there.

They know their neighbours by their protocols; `wiring` brings the real ones. Each is a generator that `stages.travel`
drives.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import NamedTuple

from thumbs.cache.entry import Entry
from thumbs.cache.layers import Found
from thumbs.entries import entry_of
from thumbs.errors import (
    Overloaded,
    SourceBroken,
    SourceMissing,
    SourceOverLimit,
    SourceTooLarge,
    SourceUnsupported,
    ThumbError,
)
from thumbs.failures import Failures
from thumbs.fetches import SOURCE, Fetched, Fetches, keep
from thumbs.orders import Order
from thumbs.pauses import Pauses
from thumbs.ports import ENCODE, LOOKUP, RENDER, Picture, Storage, fetch_stage
from thumbs.sources.original import Version
from thumbs.stages import Journey, Stage, Timings
from thumbs.transforms import Transform
from thumbs.turns import in_turn


class Outcome(NamedTuple):
    found: Found
    timings: Timings


class Unmade(NamedTuple):
    """What a conditional request may be answered with before anything is made: the source's version."""

    version: Version


class Journeys:
    """`make`, `check` and `renew` end at an `Outcome`, `check` perhaps at `Unmade`, or raise what a client is told."""

    def __init__(
        self, storages: Mapping[str, Storage], stages: Mapping[str, Stage], clock: Callable[[], float]
    ) -> None:
        self._storages = storages
        self._stages = stages
        self._clock = clock
        self._pauses = Pauses()
        self._fetches = Fetches(storages, stages, self._pauses, clock)
        self.failures = Failures(clock)

    def make(self, order: Order, timings: Timings) -> Journey[Outcome]:
        """From the layers, or made anew."""
        found = yield from self._look_up(order)
        if found is None:
            try:
                storage = self._storages[order.storage]
                found = yield from in_turn(storage, order.key, partial(self._again, order, timings), self._pauses)
            except (SourceMissing, SourceTooLarge) as error:
                self.failures.remember(order.source_key, error)
                raise
            except (SourceUnsupported, SourceBroken, SourceOverLimit) as error:
                self.failures.remember(order.key, error)
                raise
        return Outcome(found, timings)

    def failure(self, order: Order) -> ThumbError | None:
        """Why this could not be made a moment ago, where nothing says that it can now. Without a cache, never."""
        layers = self._storages[order.storage].layers
        for key in (order.source_key, order.key):
            found = self.failures.find(key) if layers.names else None
            if found is not None and not layers.purged_since(key, found[0]):
                return found[1]
        return None

    def check(self, order: Order, timings: Timings) -> Journey[Outcome | Unmade]:
        """From the layers, or else no more than which version the source has now."""
        storage = self._storages[order.storage]
        found = yield from self._look_up(order)
        if found is not None:
            return Outcome(found, timings)
        version: Version = yield fetch_stage(order.storage), partial(storage.source.version, order.path)
        return Unmade(version)

    def renew(self, order: Order, timings: Timings) -> Journey[Outcome]:
        """Give a stale entry a new lease of life where the source has not changed, else make it again."""
        storage = self._storages[order.storage]
        asked = self._clock()
        found: Found | None = yield LOOKUP, partial(storage.layers.get, order.key)
        try:
            version: Version = yield fetch_stage(order.storage), partial(storage.source.version, order.path)
        except SourceMissing:
            # Other sizes, and what other processes have in memory, would else each be served once more.
            yield LOOKUP, partial(storage.layers.delete, order.key)
            yield LOOKUP, partial(storage.layers.purge, order.group)
            raise
        if found is not None and _is_of(version, found.entry):
            return Outcome((yield from self._renewed(order, found.entry, asked)), timings)
        yield from self._fetches.forget(order)
        return Outcome((yield from self._render(order, timings)), timings)

    def _look_up(self, order: Order) -> Journey[Found | None]:
        layers = self._storages[order.storage].layers
        if not layers.names:
            return None
        found: Found | None = yield LOOKUP, partial(layers.get, order.key)
        return found

    def _again(self, order: Order, timings: Timings, expired: Entry | None) -> Journey[Found]:
        """Made, unless what was made before is as good still."""
        storage = self._storages[order.storage]
        if expired is not None:
            asked = self._clock()
            version: Version = yield fetch_stage(order.storage), partial(storage.source.version, order.path)
            if _is_of(version, expired):
                return (yield from self._renewed(order, expired, asked))
            yield from self._fetches.forget(order)
        return (yield from self._render(order, timings))

    def _renewed(self, order: Order, entry: Entry, asked: float) -> Journey[Found]:
        """A new lease of life for what was made of the source as it is still."""
        storage = self._storages[order.storage]
        entry = replace(entry, created=asked, fresh_until=asked + storage.layers.lifetime())
        yield from keep(storage, order.key, entry)
        return Found(entry, SOURCE, stale=False)

    def _render(self, order: Order, timings: Timings) -> Journey[Found]:
        storage = self._storages[order.storage]
        if self._stages[RENDER].full:
            raise Overloaded  # before an original is read for nothing
        picture, fetched = yield from self._picture(order)
        timings.spent[ENCODE] = picture.encode_seconds
        timings.spent[RENDER] -= picture.encode_seconds
        version, asked = fetched.original.version, fetched.asked
        entry = entry_of(order.key, picture, version, asked, storage.layers.lifetime())
        yield from keep(storage, order.key, entry)
        return Found(entry, SOURCE, stale=False)

    def _picture(self, order: Order) -> Journey[tuple[Picture, Fetched]]:
        """Of what the original was reduced to, where sources are kept and that is enough; else of the original."""
        storage = self._storages[order.storage]
        if storage.keeps_sources and _may_be_of_reduced(order.transform):
            fetched = yield from self._fetches.reduced(order)
            reduced = fetched.original.data
            if reduced:
                small: Picture | None = yield (
                    RENDER,
                    partial(storage.render.of_reduced, reduced, order.transform, spare=order.spare),
                )
                if small is not None:
                    return small, fetched
        fetched = yield from self._fetches.whole(order)
        data = fetched.original.data
        picture: Picture = yield RENDER, partial(storage.render, data, order.transform, spare=order.spare)
        return picture, fetched


def _may_be_of_reduced(transform: Transform) -> bool:
    """Not what is asked for at full size, or looks at pixels one by one, or moves."""
    return any(transform.target) and transform.trim is None and transform.frames == 1


def _is_of(version: Version, entry: Entry) -> bool:
    return version.token is not None and version.token == entry.version
