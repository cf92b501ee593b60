"""From a request to its answer: at once where a cache layer has it, else at the end of a journey."""

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future, wait
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Protocol

from thumbs.cache.layers import Found
from thumbs.errors import (
    Expired,
    MethodNotAllowed,
    Overloaded,
    RenderTimeout,
    StorageFailed,
    StorageTimeout,
    TargetTooLong,
    ThumbError,
)
from thumbs.http import messages
from thumbs.http.messages import Headers, Request, Response
from thumbs.pipeline.entries import etag_of
from thumbs.pipeline.executor import BoundedExecutor
from thumbs.pipeline.jobs import JobKind, Jobs, Outcome, VersionOnly
from thumbs.pipeline.originals import SOURCE
from thumbs.pipeline.ports import Storage
from thumbs.pipeline.singleflight import Flight, SingleFlight, Ticket
from thumbs.pipeline.steps import Timings, run_job
from thumbs.request.resolve import ThumbRequest, preflight, resolve, vary_of
from thumbs.sources.source import Version

logger = logging.getLogger("thumbs")

# How long a renewal that failed is not tried again, and for how many keys that is remembered.
_RENEWAL_PAUSE_SECONDS = 5.0
_MAX_PAUSED_RENEWALS = 4096


class Observer(Protocol):
    """Is told of every answer. `layer` is where it came from, empty for an error; `seconds` what each stage took."""

    def answered(self, status: int, layer: str, seconds: Mapping[str, float]) -> None: ...

    def failed(self, storage: str, code: str) -> None:
        """Is told of every request that a storage's failure ended."""


class Access(Protocol):
    """Is told of every answer with the request, and the order where one was taken."""

    def log(
        self, request: Request, thumb: ThumbRequest | None, status: int, layer: str, seconds: Mapping[str, float]
    ) -> None: ...


class _NullObserver:
    """Observes nothing."""

    def answered(self, status: int, layer: str, seconds: Mapping[str, float]) -> None:
        pass

    def failed(self, storage: str, code: str) -> None:
        pass


@dataclass(frozen=True, slots=True, eq=False)
class Pending:
    """A request whose answer is on its way."""

    request: Request
    thumb: ThumbRequest
    ticket: Ticket[Outcome | VersionOnly]
    seconds: float


class Thumbnailer:
    """Answers requests. `answer` waits in the caller's thread, `follow` in its event loop; both never raise."""

    def __init__(
        self,
        storages: Mapping[str, Storage],
        executors: Mapping[str, BoundedExecutor],
        *,
        observer: Observer | None = None,
        access: Access | None = None,
        clock: Callable[[], float] = time.time,
        remembered_urls: int = 8192,
    ) -> None:
        self.storages = storages
        self.executors = executors
        self._policies = {name: storage.policy for name, storage in storages.items()}
        self._observer = observer or _NullObserver()
        self._access = access
        self._clock = clock
        self._renewals_paused: dict[str, float] = {}
        self._jobs = Jobs(storages, executors, clock)
        self._flights: SingleFlight[Outcome | VersionOnly] = SingleFlight()
        # Taking an order is pure: the same bytes always give the same one, so that a hit need not parse again.
        self._resolve = lru_cache(maxsize=remembered_urls)(partial(resolve, policies=self._policies))

    def answer(self, request: Request) -> Response:
        reply = self.reply(request)
        while isinstance(reply, Pending):
            wait([reply.ticket.future], timeout=reply.seconds)
            reply = self._next(reply)
        return reply

    async def finish(self, reply: Response | Pending) -> Response:
        """What becomes of a reply in the end. Who cancels this leaves: what nobody else waits for is not made."""
        while isinstance(reply, Pending):
            try:
                await _done(reply.ticket.future, reply.seconds)
            except asyncio.CancelledError:
                reply.ticket.leave()
                raise
            reply = self._next(reply)
        return reply

    def hit(self, request: Request) -> Response | None:
        """The answer that a layer holds fresh, without blocking; None for everything else, and nothing is begun."""
        try:
            thumb = self._take(request)
            self._check_time(thumb)
            found = self.storages[thumb.storage].layers.get_now(thumb.key)
        except ThumbError:
            return None
        return None if found is None or found.stale else self._found(request, thumb, found)

    def reply(self, request: Request) -> Response | Pending:
        """The answer where a layer gives it without blocking, else the promise of one. Never blocks."""
        thumb: ThumbRequest | None = None
        try:
            if request.error is not None:
                raise request.error
            if request.method == "OPTIONS":
                return preflight(request.path, self._policies)
            thumb = self._take(request)
            self._check_time(thumb)
            found = self.storages[thumb.storage].layers.get_now(thumb.key)
            if found is not None:
                return self._found(request, thumb, found)
            failure = self._jobs.failure(thumb)
            if failure is not None:
                raise failure
            return self._begin(request, thumb, check=bool(request.tags))
        except ThumbError as error:
            return self._refused(error, request, thumb)
        except Exception:
            logger.exception("a request failed")
            return self._refused(ThumbError(), request, thumb)

    # ------------------------------------------------------------------------------- the request

    def _take(self, request: Request) -> ThumbRequest:
        if request.target_length > messages.MAX_TARGET_BYTES:
            raise TargetTooLong
        if request.method not in ("GET", "HEAD"):
            raise MethodNotAllowed
        return self._resolve(request.path, messages.accepted_formats(request.accept))

    def _check_time(self, thumb: ThumbRequest) -> None:
        if thumb.expires is not None and thumb.expires <= self._clock():
            raise Expired

    def _begin(self, request: Request, thumb: ThumbRequest, *, check: bool) -> Pending:
        """Join the flight for `order`, or start one. With `check` it ends at the source's version."""
        kind = JobKind.CHECK if check else JobKind.MAKE
        return Pending(request, thumb, self._fly(kind, thumb), self.storages[thumb.storage].seconds)

    def _fly(self, kind: JobKind, thumb: ThumbRequest) -> Ticket[Outcome | VersionOnly]:
        """A ticket for the flight of this kind for `thumb`, which is started where there is none."""

        def start(flight: Flight[Outcome | VersionOnly]) -> None:
            timings = Timings()
            run_job(self._jobs.start(kind, thumb, timings), self.executors, flight, timings)

        return self._flights.join((kind, thumb.key), start)

    def _next(self, pending: Pending) -> Response | Pending:
        """What follows when the future is done, or its time is up."""
        request, thumb, future = pending.request, pending.thumb, pending.ticket.future
        try:
            if not future.done():
                pending.ticket.leave()
                raise RenderTimeout
            outcome = future.result()
            if isinstance(outcome, VersionOnly):
                return self._answer_from_version(request, thumb, outcome.version)
            return self._found(request, thumb, outcome.found, outcome.timings)
        except ThumbError as error:
            if isinstance(error, StorageFailed | StorageTimeout):
                self._observer.failed(thumb.storage, error.code)
            if error.status >= 500 and not isinstance(error, Overloaded):
                # The client is told a constant; whoever runs the server needs the cause.
                logger.warning("storage %s: %s %r", thumb.storage, error, error.__cause__)
            return self._refused(error, request, thumb)
        except Exception:
            logger.exception("a thumbnail could not be made")
            return self._refused(ThumbError(), request, thumb)

    def _answer_from_version(self, request: Request, thumb: ThumbRequest, version: Version) -> Response | Pending:
        # No picture was made, nor is one kept: a tag of this version tells that there was one, `*` and a date do not.
        if version.token is not None:
            etag = etag_of(thumb.key, version.token)
            if etag in request.tags:
                validators: Headers = ((b"ETag", etag.encode()),)
                self._report(request, thumb, 304, SOURCE, {})
                return Response(304, validators + self._headers(thumb) + _labels("MISS", SOURCE, None))
        return self._begin(request, thumb, check=False)

    def _found(self, request: Request, thumb: ThumbRequest, found: Found, timings: Timings | None = None) -> Response:
        entry, layer, stale = found
        if stale:
            self._refresh(thumb)
        labels = _labels("STALE" if stale else "MISS" if layer == SOURCE else "HIT", layer, timings)
        labels = self._headers(thumb) + labels
        seconds = _uncounted_seconds(timings)
        if request.conditional and request.not_modified(entry.etag, entry.modified, self._clock()):
            self._report(request, thumb, 304, layer, seconds)
            return Response(304, entry.validators + labels)
        self._report(request, thumb, 200, layer, seconds)
        return Response(200, entry.headers + labels, entry.body).to(request.method)

    def _report(
        self, request: Request, thumb: ThumbRequest | None, status: int, layer: str, seconds: Mapping[str, float]
    ) -> None:
        self._observer.answered(status, layer, seconds)
        if self._access is not None:
            self._access.log(request, thumb, status, layer, seconds)

    def _headers(self, thumb: ThumbRequest) -> Headers:
        return thumb.headers if thumb.expires is None else thumb.headers_at(self._clock())

    def _refused(self, error: ThumbError, request: Request, thumb: ThumbRequest | None) -> Response:
        self._report(request, thumb, error.status, "", {})
        return messages.problem(error, thumb.error_headers if thumb else vary_of(request.path)).to(request.method)

    def _refresh(self, thumb: ThumbRequest) -> None:
        """Renew in the background, once for all who ask meanwhile. Where it fails it is tried again after a while."""
        if self._clock() < self._renewals_paused.get(thumb.key, 0.0):
            return
        future = self._fly(JobKind.RENEW, thumb).future
        future.add_done_callback(partial(self._renewed, thumb))

    def _renewed(self, thumb: ThumbRequest, future: "Future[Outcome | VersionOnly]") -> None:
        error = future.exception()
        if error is None:
            return
        if len(self._renewals_paused) >= _MAX_PAUSED_RENEWALS:
            self._renewals_paused.clear()
        if thumb.key not in self._renewals_paused or self._renewals_paused[thumb.key] <= self._clock():
            logger.warning("storage %s: a stale thumbnail is not renewed: %s %r", thumb.storage, error, error.__cause__)
        self._renewals_paused[thumb.key] = self._clock() + _RENEWAL_PAUSE_SECONDS


# --------------------------------------------------------------------------------------- answers


def _uncounted_seconds(timings: Timings | None) -> dict[str, float]:
    if timings is None or timings.counted:
        return {}
    timings.counted = True
    return timings.seconds


def _labels(x_cache: str, layer: str, timings: Timings | None) -> Headers:
    if timings is None:
        return _fixed_labels(x_cache, layer)
    durations = (f"{name};dur={seconds * 1000:.1f}" for name, seconds in timings.seconds.items())
    server_timing = ", ".join((f'layer;desc="{layer}"', *durations))
    return ((b"X-Cache", x_cache.encode()), (b"Server-Timing", server_timing.encode()))


@lru_cache(maxsize=64)
def _fixed_labels(x_cache: str, layer: str) -> Headers:
    return ((b"X-Cache", x_cache.encode()), (b"Server-Timing", f'layer;desc="{layer}"'.encode()))


async def _done(future: "Future[Outcome | VersionOnly]", seconds: float) -> None:
    """Return when `future` is done or `seconds` have passed, whatever its outcome is."""
    loop = asyncio.get_running_loop()
    waiter: asyncio.Future[None] = loop.create_future()

    def wake() -> None:
        if not waiter.done():
            waiter.set_result(None)

    def landed(_: object) -> None:
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
            loop.call_soon_threadsafe(wake)

    timer = loop.call_later(seconds, wake)
    future.add_done_callback(landed)
    try:
        await waiter
    finally:
        timer.cancel()
