"""The journeys of a thumbnail: what is asked of whom, in which order, until it is there.

They know their neighbours by their protocols; `wiring` brings the real ones. Each is a generator that `stages.travel`
drives.
"""

import contextlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import NamedTuple, Protocol

from thumbs.cache.entry import Entry
from thumbs.cache.layers import Found, Held, Layers
from thumbs.entries import Picture, entry_of, original_entry
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
from thumbs.orders import Order, Terms
from thumbs.pauses import Pauses
from thumbs.singleflight import SingleFlight
from thumbs.sources.original import Original, Source, Version
from thumbs.stages import Journey, Stage, Timings, travel
from thumbs.transforms import Transform

LOOKUP, FETCH, RENDER, ENCODE, WAIT = "lookup", "fetch", "render", "encode", "wait"
# Seconds between two looks at whether another process has made what was asked for.
_SHORTEST_PAUSE, _LONGEST_PAUSE = 0.02, 0.2
SOURCE = "source"  # the layer of what had to be made


class Render(Protocol):
    """Makes a picture of an original's bytes; `spare` replaces AVIF where that would cost too much."""

    def __call__(self, data: bytes, transform: Transform, *, spare: Transform | None) -> Picture: ...


@dataclass(frozen=True, slots=True, eq=False)
class Storage:
    """One storage at work. `seconds` bounds how long a request waits for a thumbnail of it."""

    terms: Terms
    source: Source
    layers: Layers
    render: Render
    seconds: float = 60
    keeps_sources: bool = False


class Outcome(NamedTuple):
    found: Found
    timings: Timings


class Fetched(NamedTuple):
    """An original, and the moment before its source was asked for it."""

    original: Original
    asked: float


class Unmade(NamedTuple):
    """What a conditional request may be answered with before anything is made: the source's version."""

    version: Version


def fetch_stage(storage: str) -> str:
    """The name of the stage that reads from `storage`."""
    return f"{FETCH}:{storage}"


class Journeys:
    """`make`, `check` and `renew` end at an `Outcome`, `check` perhaps at `Unmade`, or raise what a client is told."""

    def __init__(
        self, storages: Mapping[str, Storage], stages: Mapping[str, Stage], clock: Callable[[], float]
    ) -> None:
        self._storages = storages
        self._stages = stages
        self._clock = clock
        self._fetches: SingleFlight[Fetched] = SingleFlight()
        self._pauses = Pauses()
        self.failures = Failures(clock)

    def make(self, order: Order, timings: Timings) -> Journey[Outcome]:
        """From the layers, or made anew."""
        found = yield from self._look_up(order)
        if found is None:
            try:
                if self._storages[order.storage].layers.shared:
                    found = yield from self._make_alone(order, timings)
                else:
                    found = yield from self._render(order, timings)
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
            yield LOOKUP, partial(storage.layers.delete, order.key)
            raise
        if found is not None and _is_of(version, found.entry):
            return Outcome((yield from self._renewed(order, found.entry, asked)), timings)
        yield LOOKUP, partial(storage.layers.delete, order.source_key)
        return Outcome((yield from self._render(order, timings)), timings)

    def _look_up(self, order: Order) -> Journey[Found | None]:
        layers = self._storages[order.storage].layers
        if not layers.names:
            return None
        found: Found | None = yield LOOKUP, partial(layers.get, order.key)
        return found

    def _make_alone(self, order: Order, timings: Timings) -> Journey[Found]:
        """Made by one of all processes, while the others wait for what it puts into the layers."""
        storage = self._storages[order.storage]
        waited = 0.0
        while True:
            held: Held = yield LOOKUP, partial(storage.layers.hold, order.key)
            claim, found, expired = held
            if found is not None:
                return found
            if claim is not None or waited >= storage.seconds / 2:
                break
            pause = min(_LONGEST_PAUSE, max(_SHORTEST_PAUSE, waited / 4))
            yield WAIT, self._pauses.of(pause)
            waited += pause
        try:
            if expired is not None:
                asked = self._clock()
                version: Version = yield fetch_stage(order.storage), partial(storage.source.version, order.path)
                if _is_of(version, expired):
                    found = yield from self._renewed(order, expired, asked)
            if found is None:
                found = yield from self._render(order, timings)
            return found
        finally:
            if claim is not None:
                claim.release()

    def _renewed(self, order: Order, entry: Entry, asked: float) -> Journey[Found]:
        """A new lease of life for what was made of the source as it is still."""
        storage = self._storages[order.storage]
        entry = replace(entry, created=asked, fresh_until=asked + storage.layers.lifetime())
        yield from _keep(storage, order.key, entry)
        return Found(entry, SOURCE, stale=False)

    def _render(self, order: Order, timings: Timings) -> Journey[Found]:
        storage = self._storages[order.storage]
        if self._stages[RENDER].full:
            raise Overloaded  # before an original is read for nothing
        original, asked = yield from self._original(order)
        picture: Picture = yield RENDER, partial(storage.render, original.data, order.transform, spare=order.spare)
        timings.spent[ENCODE] = picture.encode_seconds
        timings.spent[RENDER] -= picture.encode_seconds
        entry = entry_of(order.key, picture, original.version, asked, storage.layers.lifetime())
        yield from _keep(storage, order.key, entry)
        return Found(entry, SOURCE, stale=False)

    def _original(self, order: Order) -> Journey[Fetched]:
        storage = self._storages[order.storage]
        if not storage.keeps_sources:
            asked = self._clock()
            original: Original = yield fetch_stage(order.storage), partial(storage.source.read, order.path)
            return Fetched(original, asked)
        fetched: Fetched = yield (
            fetch_stage(order.storage),
            self._fetches.join(
                order.source_key, lambda future: travel(self._fetch(order), self._stages, future, Timings())
            ),
        )
        return fetched

    def _fetch(self, order: Order) -> Journey[Fetched]:
        """The original from the layers, or from the source and into them; all who want it meanwhile share it."""
        storage = self._storages[order.storage]
        kept: Found | None = yield LOOKUP, partial(storage.layers.get, order.source_key)
        if kept is not None and not kept.stale:
            entry = kept.entry
            return Fetched(Original(entry.body, Version(entry.version, entry.modified)), entry.created)
        asked = self._clock()
        original: Original = yield fetch_stage(order.storage), partial(storage.source.read, order.path)
        yield from _keep(storage, order.source_key, original_entry(original, asked, storage.layers.lifetime()))
        return Fetched(original, asked)


def _is_of(version: Version, entry: Entry) -> bool:
    return version.token is not None and version.token == entry.version


def _keep(storage: Storage, key: str, entry: Entry) -> Journey[None]:
    """Put `entry` into the layers. When there is no room in the queue before them, the answer goes out without."""
    if not storage.layers.names:
        return
    with contextlib.suppress(Overloaded):
        yield LOOKUP, partial(storage.layers.put, key, entry)
