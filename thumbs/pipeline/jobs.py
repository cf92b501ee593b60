"""The jobs of a thumbnail: which steps make, check or renew one, and in which order.

A job is a coroutine that `steps.run_job` drives.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from enum import Enum, auto
from functools import partial
from typing import NamedTuple

from thumbs.cache.entry import Entry
from thumbs.cache.layers import Found
from thumbs.errors import (
    Overloaded,
    RenderTimeout,
    SourceBroken,
    SourceDenied,
    SourceMissing,
    SourceOverLimit,
    SourceTooLarge,
    SourceUnsupported,
    StorageFailed,
    StorageTimeout,
    ThumbError,
)
from thumbs.image.outputs import JSON
from thumbs.image.transforms import Transform
from thumbs.pipeline.entries import entry_of, failure_key
from thumbs.pipeline.executor import Executor
from thumbs.pipeline.gate import fetch
from thumbs.pipeline.leadership import make_once
from thumbs.pipeline.negative_cache import NegativeCache
from thumbs.pipeline.originals import SOURCE, FetchedOriginal, OriginalCache, keep, lifetime, may_keep, own_lifetime
from thumbs.pipeline.ports import ENCODE, LOOKUP, RENDER, Picture, Storage, render_stage
from thumbs.pipeline.reporting.tracing import Span
from thumbs.pipeline.steps import Job, Step, Timings
from thumbs.pipeline.timer import Timer
from thumbs.request.resolve import ThumbRequest
from thumbs.sources.source import Original, Revalidating, Unchanged, Version


class JobKind(Enum):
    """What a job is for. Flights are shared by requests for the same key and the same kind."""

    MAKE = auto()
    CHECK = auto()
    RENEW = auto()


class Outcome(NamedTuple):
    """A thumbnail, and where the time of the job went."""

    found: Found
    timings: Timings


class VersionOnly(NamedTuple):
    """The version of the source: enough to answer some conditional requests without a render."""

    version: Version


class Jobs:
    """Makes the coroutines of jobs. They raise the errors that clients get, subclasses of `ThumbError`."""

    def __init__(
        self, storages: Mapping[str, Storage], executors: Mapping[str, Executor], clock: Callable[[], float]
    ) -> None:
        self._storages = storages
        self._executors = executors
        self._clock = clock
        self.timer = Timer()
        self._originals = OriginalCache(storages, executors, self.timer, clock)
        self.negative_cache = NegativeCache(clock)

    def start(self, kind: JobKind, thumb: ThumbRequest, timings: Timings) -> Job[Outcome | VersionOnly]:
        """The job of this kind, for `run_job`."""
        match kind:
            case JobKind.MAKE:
                return self.make(thumb, timings)
            case JobKind.CHECK:
                return self.check(thumb, timings)
            case JobKind.RENEW:
                return self.renew(thumb, timings)

    def close(self) -> None:
        """End the thread of the timer. Jobs that wait for a time never continue."""
        self.timer.close()

    async def make(self, thumb: ThumbRequest, timings: Timings) -> Outcome:
        """Take the thumbnail from the layers, or make it."""
        asked = self._clock()
        found, storage = await self._look_up(thumb), self._storages[thumb.storage]
        if found is None:
            try:
                make = partial(self._make_or_extend, thumb, timings)
                found = await make_once(storage, thumb.key, make, self.timer, span=timings.span)
            except SourceDenied as error:
                self.negative_cache.remember(thumb.key, error, asked=asked)  # other sizes may be in a layer
                raise
            except (SourceMissing, SourceTooLarge, RenderTimeout) as error:
                # A timeout is the original's in most cases: its other sizes would take a place each, for as long.
                self.negative_cache.remember(failure_key(thumb), error, asked=asked)
                raise
            except (StorageFailed, StorageTimeout) as error:
                if error.remembered:
                    self.negative_cache.remember(failure_key(thumb), error, asked=asked)
                raise
            except (SourceUnsupported, SourceBroken, SourceOverLimit) as error:
                self.negative_cache.remember(thumb.key, error, asked=asked)
                raise
            if storage.layers.purged_since(thumb.key, found.entry.created):
                # No layer keeps it. A client or a CDN that was told of the purge would do so for a day.
                found = found._replace(passing=True)
        return Outcome(found, timings)

    def failure(self, thumb: ThumbRequest) -> ThumbError | None:
        """The error of the last attempt, if it is recent and was not purged. None for a storage without a cache."""
        layers = self._storages[thumb.storage].layers
        for key in (failure_key(thumb), thumb.key):
            found = self.negative_cache.find(key) if layers.names else None
            if found is not None and not layers.purged_since(key, found[0]):
                return found[1]
        return None

    async def check(self, thumb: ThumbRequest, timings: Timings) -> Outcome | VersionOnly:
        """Take the thumbnail from the layers; if it is not there, only get the version of the source."""
        storage = self._storages[thumb.storage]
        found = await self._look_up(thumb)
        if found is not None:
            return Outcome(found, timings)
        return VersionOnly(await fetch(storage, thumb, storage.source.version))

    async def renew(self, thumb: ThumbRequest, timings: Timings) -> Outcome:
        """Give a stale entry a new lifetime if the source has not changed, else make it again."""
        storage = self._storages[thumb.storage]
        asked = self._clock()
        found: Found | None = await Step(LOOKUP, storage.layers.get, thumb.key)
        try:
            changed = await self._read_if_changed(thumb, None if found is None else found.entry)
        except SourceDenied:
            raise  # the original may be there: what was made of it stays
        except SourceMissing:
            # Without a purge, each other size, and each copy in another process, would be served once more.
            await Step(LOOKUP, storage.layers.delete, thumb.key)
            await Step(LOOKUP, storage.layers.purge, thumb.group)
            raise
        if found is not None and isinstance(changed, Unchanged):
            return Outcome(await self._extend(thumb, found.entry, asked, changed.lifetime), timings)
        await self._originals.forget(thumb)
        return Outcome(await self._render(thumb, timings, changed, asked), timings)

    async def _look_up(self, thumb: ThumbRequest) -> Found | None:
        layers = self._storages[thumb.storage].layers
        if not layers.names:
            return None
        found: Found | None = await Step(LOOKUP, layers.get, thumb.key)
        return found

    async def _make_or_extend(self, thumb: ThumbRequest, timings: Timings, expired: Entry | None) -> Found:
        """Render, or give `expired` a new lifetime if the source has not changed."""
        if expired is not None:
            asked = self._clock()
            changed = await self._read_if_changed(thumb, expired)
            if isinstance(changed, Unchanged):
                return await self._extend(thumb, expired, asked, changed.lifetime)
            await self._originals.forget(thumb)
            return await self._render(thumb, timings, changed, asked)
        return await self._render(thumb, timings)

    async def _read_if_changed(self, thumb: ThumbRequest, entry: Entry | None) -> Original | Unchanged | None:
        """Whether the source of `entry` is current; the original where it is not and one request has read it."""
        storage = self._storages[thumb.storage]
        source = storage.source
        if entry is not None and entry.version is not None and isinstance(source, Revalidating):
            known = Version(entry.version, entry.modified)
            return await fetch(storage, thumb, source.read_if_changed, known)
        version = await fetch(storage, thumb, source.version)
        return Unchanged() if entry is not None and _is_current(version, entry) else None

    async def _extend(self, thumb: ThumbRequest, entry: Entry, asked: float, allowed: float | None) -> Found:
        """Keep `entry` with a new lifetime. Its source had the same version at `asked`.

        `allowed` is what its origin says of the lifetime now, as in `Unchanged`.
        """
        storage = self._storages[thumb.storage]
        allowed = own_lifetime(entry, storage) if allowed is None else allowed
        seconds = storage.layers.lifetime() if allowed is None else min(storage.layers.lifetime(), allowed)
        entry = replace(entry, created=asked, fresh_until=asked + seconds)
        if allowed == 0.0:
            await self._originals.forget(thumb)
            return await self._passing(thumb, entry)
        await keep(storage, thumb.key, entry)
        return Found(entry, SOURCE, stale=False)

    async def _render(
        self, thumb: ThumbRequest, timings: Timings, read: Original | Unchanged | None = None, asked: float = 0.0
    ) -> Found:
        """Render the original. `read` is one that has been read already, at `asked`."""
        storage = self._storages[thumb.storage]
        if self._executors[render_stage(thumb.storage)].full:
            raise Overloaded  # before the original is read, which would be useless
        if isinstance(read, Original):
            await self._originals.provide(thumb, FetchedOriginal(read, asked))
        given = FetchedOriginal(read, asked) if isinstance(read, Original) else None
        picture, fetched = await self._picture(thumb, given, timings.span)
        timings.spent[ENCODE] = picture.encode_seconds
        timings.spent[RENDER] -= picture.encode_seconds
        version, asked = fetched.original.version, fetched.asked
        entry = entry_of(thumb.identity, picture, version, asked, lifetime(fetched.original, storage))
        if picture.truncated:
            await self._originals.forget(thumb)  # the rest of the file may still come
        if not may_keep(fetched.original):
            return await self._passing(thumb, entry)
        if picture.truncated:
            return Found(entry, SOURCE, stale=False, passing=True)
        await keep(storage, thumb.key, entry)
        return Found(entry, SOURCE, stale=False)

    async def _passing(self, thumb: ThumbRequest, entry: Entry) -> Found:
        """`entry`, which its origin lets no layer keep: what was made before it said so would be served instead."""
        layers = self._storages[thumb.storage].layers
        if layers.names:
            await Step(LOOKUP, layers.delete, thumb.key)
        return Found(entry, SOURCE, stale=False, passing=True)

    async def _picture(
        self, thumb: ThumbRequest, given: FetchedOriginal | None, span: Span | None
    ) -> tuple[Picture, FetchedOriginal]:
        """Render from the proxy if the storage keeps sources and the proxy is large enough, else from the original.

        That is `given`, if one has been read already.
        """
        storage, stage = self._storages[thumb.storage], render_stage(thumb.storage)
        may_be_kept = given is None or may_keep(given.original)
        if storage.keeps_sources and may_be_kept and _may_use_proxy(thumb.transform):
            fetched = await self._originals.proxy(thumb, span)
            proxy = fetched.original.data
            if not may_keep(fetched.original):
                given = fetched
            elif proxy:
                small: Picture | None = await Step(
                    stage, storage.render.render_proxy, proxy, thumb.transform, fallback=thumb.fallback
                )
                if small is not None:
                    return small, fetched
        fetched = await self._originals.whole(thumb, span) if given is None else given
        data = fetched.original.data
        picture: Picture = await Step(stage, storage.render, data, thumb.transform, fallback=thumb.fallback)
        return picture, fetched


def _may_use_proxy(transform: Transform) -> bool:
    """False for full size, for trimming, which looks at single pixels, for animations, and for data about the file."""
    if transform.format == JSON:
        return False
    return any(transform.target) and transform.trim is None and transform.frames == 1


def _is_current(version: Version, entry: Entry) -> bool:
    return version.token is not None and version.token == entry.version
