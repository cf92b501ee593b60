"""Originals: each is read once for all jobs that need it, and decoded once for most of its sizes."""

import contextlib
import itertools
from collections.abc import Callable, Mapping
from functools import partial
from typing import NamedTuple

from thumbs.cache.entry import Entry
from thumbs.cache.layers import Found
from thumbs.errors import Overloaded
from thumbs.pipeline.entries import proxy_entry, proxy_key, source_entry, source_key
from thumbs.pipeline.executor import Executor
from thumbs.pipeline.gate import fetch
from thumbs.pipeline.leadership import make_once
from thumbs.pipeline.ports import FETCH, LOOKUP, Storage, fetch_stage, render_stage
from thumbs.pipeline.reporting.tracing import STORE, Span
from thumbs.pipeline.singleflight import Flight, SingleFlight
from thumbs.pipeline.steps import Abandoned, Job, Step, Timings, Wait, run_job
from thumbs.pipeline.timer import Timer
from thumbs.request.resolve import ThumbRequest
from thumbs.sources.source import Original, Version

SOURCE = "source"  # stands for a layer in answers that no layer gave
# Several sizes of one original are often requested together, so its proxy stays in memory for this long.
_RECENT_SECONDS, _RECENT_BYTES = 2.0, 32 * 1024 * 1024


class FetchedOriginal(NamedTuple):
    """An original or its proxy, and when its source was asked for it, in Unix seconds."""

    original: Original
    asked: float


class _Recent(NamedTuple):
    number: int
    fetched: FetchedOriginal


class OriginalCache:
    """Reads originals and makes proxies: where a storage keeps sources, once for all jobs of all processes."""

    def __init__(
        self,
        storages: Mapping[str, Storage],
        executors: Mapping[str, Executor],
        timer: Timer,
        clock: Callable[[], float],
    ) -> None:
        self._storages = storages
        self._executors = executors
        self._timer = timer
        self._clock = clock
        self._flights: SingleFlight[FetchedOriginal] = SingleFlight()
        self._recent: dict[str, _Recent] = {}
        self._numbers = itertools.count()

    async def whole(self, thumb: ThumbRequest, span: Span | None = None) -> FetchedOriginal:
        """The whole original. The steps of a job for it are children of `span`."""
        storage = self._storages[thumb.storage]
        if not storage.keeps_sources:
            asked = self._clock()
            original = await fetch(storage, thumb, storage.source.read)
            return FetchedOriginal(original, asked)
        return await self._shared(thumb, source_key(thumb), partial(self._read, thumb), span)

    async def proxy(self, thumb: ThumbRequest, span: Span | None = None) -> FetchedOriginal:
        """The proxy of the original; without bytes if a proxy would not be cheaper than the original.

        An original that may not be kept comes whole: its proxy would be used once. `span` as for `whole`.
        """
        key = proxy_key(thumb)
        found = self._recent.get(key)
        if found is not None and not self._storages[thumb.storage].layers.purged_since(key, found.fetched.asked):
            return found.fetched
        fetched = await self._shared(thumb, key, partial(self._make_proxy, thumb, span), span)
        if may_keep(fetched.original):
            self._keep_recent(key, fetched)
        return fetched

    async def provide(self, thumb: ThumbRequest, fetched: FetchedOriginal) -> None:
        """Keep an original that has been read, where the storage keeps sources and its origin lets it."""
        original, storage = fetched.original, self._storages[thumb.storage]
        if storage.keeps_sources and may_keep(original):
            await keep(storage, source_key(thumb), source_entry(original, fetched.asked, lifetime(original, storage)))

    async def forget(self, thumb: ThumbRequest) -> None:
        """Delete the entries of an original that has changed."""
        storage = self._storages[thumb.storage]
        self._recent.pop(proxy_key(thumb), None)
        if storage.keeps_sources:
            for key in (source_key(thumb), proxy_key(thumb)):
                await Step(LOOKUP, storage.layers.delete, key)

    def _keep_recent(self, key: str, fetched: FetchedOriginal) -> None:
        """Keep a proxy for `_RECENT_SECONDS`, and the newest ones up to `_RECENT_BYTES` together."""
        before = self._recent.pop(key, None)
        if len(fetched.original.data) > _RECENT_BYTES:
            return
        if before is not None and before.fetched is fetched:
            self._recent[key] = before
            return
        number = next(self._numbers)
        try:
            end = self._timer.after(_RECENT_SECONDS)
        except RuntimeError:  # no thread can be started, or it is closed: nothing would drop the proxy
            return
        self._recent[key] = _Recent(number, fetched)
        left = _RECENT_BYTES
        for other, kept in reversed(list(self._recent.items())):
            left -= len(kept.fetched.original.data)
            if left < 0:
                self._recent.pop(other, None)
        end.add_done_callback(lambda _: self._drop_recent(key, number))

    def _drop_recent(self, key: str, number: int) -> None:
        kept = self._recent.get(key)
        if kept is not None and kept.number == number:
            self._recent.pop(key, None)

    async def _shared(
        self, thumb: ThumbRequest, key: str, make: Callable[[Entry | None], Job[Found]], span: Span | None
    ) -> FetchedOriginal:
        own: list[Flight[FetchedOriginal]] = []
        purged_at = self._storages[thumb.storage].layers.purged_at(key)  # what was read before is not for this job

        def start(flight: Flight[FetchedOriginal]) -> None:
            own.append(flight)
            run_job(self._get_or_make(thumb, key, make, span), self._executors, flight, Timings(span))

        while True:
            ticket = self._flights.join((key, purged_at), start)
            name = "" if own and own[-1].future is ticket.future else FETCH  # the steps of an own job have spans
            try:
                fetched: FetchedOriginal = await Wait(fetch_stage(thumb.storage), ticket, name)
            except Abandoned:  # it was abandoned before this job joined it
                continue
            return fetched

    async def _get_or_make(
        self, thumb: ThumbRequest, key: str, make: Callable[[Entry | None], Job[Found]], span: Span | None
    ) -> FetchedOriginal:
        storage = self._storages[thumb.storage]
        found: Found | None = await Step(LOOKUP, storage.layers.get, key)
        if found is not None and found.stale:  # the source may have changed
            await Step(LOOKUP, storage.layers.delete, key)
            found = None
        if found is None:
            found = await make_once(storage, key, make, self._timer, span=span)
        entry = found.entry
        allowed = 0.0 if found.passing else own_lifetime(entry, storage)
        original = Original(entry.body, Version(entry.version, entry.modified), allowed)
        return FetchedOriginal(original, entry.created)

    async def _read(self, thumb: ThumbRequest, _: Entry | None) -> Found:
        storage = self._storages[thumb.storage]
        asked = self._clock()
        original = await fetch(storage, thumb, storage.source.read)
        entry = source_entry(original, asked, lifetime(original, storage))
        if may_keep(original):
            await keep(storage, source_key(thumb), entry)
        return Found(entry, SOURCE, stale=False, passing=not may_keep(original))

    async def _make_proxy(self, thumb: ThumbRequest, span: Span | None, _: Entry | None) -> Found:
        storage = self._storages[thumb.storage]
        original, asked = await self.whole(thumb, span)
        if not may_keep(original):
            return Found(source_entry(original, asked, 0.0), SOURCE, stale=False, passing=True)
        body: bytes = await Step(render_stage(thumb.storage), storage.render.make_proxy, original.data)
        entry = proxy_entry(body, original.version, asked, lifetime(original, storage))
        await keep(storage, proxy_key(thumb), entry)
        return Found(entry, SOURCE, stale=False)


def may_keep(original: Original) -> bool:
    """Whether its origin lets a cache keep it."""
    return original.lifetime != 0.0


def lifetime(original: Original, storage: Storage) -> float:
    """For how many seconds an entry of `original` is fresh: as its origin says, and no longer than configured."""
    most = storage.layers.lifetime()
    return most if original.lifetime is None else min(most, original.lifetime)


def own_lifetime(entry: Entry, storage: Storage) -> float | None:
    """The seconds that an origin allowed an entry; None where they are those of the configuration.

    Where no origin sets them, an entry with fewer was made under another configuration.
    """
    if not storage.has_lifetimes:
        return None
    seconds = entry.fresh_until - entry.created
    return seconds if seconds < storage.layers.least_lifetime else None


async def keep(storage: Storage, key: str, entry: Entry) -> None:
    """Put `entry` into the layers. If the queue of the lookup stage is full, it is not kept, and no error is raised."""
    if not storage.layers.names:
        return
    with contextlib.suppress(Overloaded):
        await Step(LOOKUP, storage.layers.put, key, entry).named(STORE)
