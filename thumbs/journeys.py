"""The journeys of a thumbnail: what is asked of whom, in which order, until it is there.

They know their neighbours by their protocols; `wiring` brings the real ones. Each is a generator that `stages.travel`
drives.
"""

import contextlib
import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import NamedTuple, Protocol

from thumbs.cache.entry import Entry
from thumbs.cache.layers import Found, Layers
from thumbs.errors import Overloaded, SourceMissing
from thumbs.formats import FORMATS
from thumbs.orders import Order, Terms
from thumbs.singleflight import SingleFlight
from thumbs.sources.original import Original, Source, Version
from thumbs.stages import Journey, Stage, Timings, travel
from thumbs.transforms import Transform

LOOKUP, FETCH, RENDER, ENCODE = "lookup", "fetch", "render", "encode"
SOURCE = "source"  # the layer of what had to be made


class Picture(Protocol):
    @property
    def body(self) -> bytes: ...
    @property
    def format(self) -> str: ...
    @property
    def encode_seconds(self) -> float: ...


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

    def make(self, order: Order, timings: Timings) -> Journey[Outcome]:
        """From the layers, or made anew."""
        found = yield from self._look_up(order)
        if found is None:
            found = yield from self._render(order, timings)
        return Outcome(found, timings)

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
        if found is not None and version.token is not None and version.token == found.entry.version:
            entry = replace(found.entry, created=asked, fresh_until=asked + storage.layers.ttl)
            yield from _keep(storage, order.key, entry)
            return Outcome(Found(entry, SOURCE, stale=False), timings)
        yield LOOKUP, partial(storage.layers.delete, order.source_key)
        return Outcome((yield from self._render(order, timings)), timings)

    def _look_up(self, order: Order) -> Journey[Found | None]:
        layers = self._storages[order.storage].layers
        if not layers.names:
            return None
        found: Found | None = yield LOOKUP, partial(layers.get, order.key)
        return found

    def _render(self, order: Order, timings: Timings) -> Journey[Found]:
        storage = self._storages[order.storage]
        original, asked = yield from self._original(order)
        picture: Picture = yield RENDER, partial(storage.render, original.data, order.transform, spare=order.spare)
        timings.spent[ENCODE] = picture.encode_seconds
        timings.spent[RENDER] -= picture.encode_seconds
        entry = _entry(order, picture, original.version, asked, storage.layers.ttl)
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
        yield from _keep(storage, order.source_key, _kept(original, asked, storage.layers.ttl))
        return Fetched(original, asked)


# --------------------------------------------------------------------------------------- entries


def _keep(storage: Storage, key: str, entry: Entry) -> Journey[None]:
    """Put `entry` into the layers. When there is no room in the queue before them, the answer goes out without."""
    if not storage.layers.names:
        return
    with contextlib.suppress(Overloaded):
        yield LOOKUP, partial(storage.layers.put, key, entry)


def _entry(order: Order, picture: Picture, version: Version, asked: float, ttl: float) -> Entry:
    known = version.token is not None
    return Entry(
        body=picture.body,
        content_type=FORMATS[picture.format].content_type,
        etag=etag_of(order.key, version.token if known else hashlib.blake2b(picture.body).hexdigest()),
        version=version.token,
        modified=int(asked) if version.modified is None else version.modified,
        created=asked,
        fresh_until=asked + ttl,
    )


def _kept(original: Original, asked: float, ttl: float) -> Entry:
    version = original.version
    return Entry(
        body=original.data,
        content_type="application/octet-stream",
        etag='""',
        version=version.token,
        modified=int(asked) if version.modified is None else version.modified,
        created=asked,
        fresh_until=asked + ttl,
    )


def etag_of(key: str, token: str | None) -> str:
    """The same key and the same state of the source give the same bytes, so that their digest is a strong validator."""
    return f'"{hashlib.blake2b(f"{key} {token}".encode(), digest_size=16).hexdigest()}"'
