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

from thumbs import http
from thumbs.cache.layers import Found
from thumbs.entries import etag_of
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
from thumbs.fetches import SOURCE
from thumbs.http import Headers, Request, Response
from thumbs.journeys import Journeys, Outcome, Unmade
from thumbs.orders import Order, preflight, take_order, varying
from thumbs.ports import Storage
from thumbs.singleflight import SingleFlight, Ticket
from thumbs.sources.original import Version
from thumbs.stages import Journey, Stage, Timings, travel

logger = logging.getLogger("thumbs")

# How long a renewal that failed is not tried again, and for how many keys that is remembered.
_REST_SECONDS = 5.0
_MOST_RESTING = 4096


class Observer(Protocol):
    """Is told of every answer. `layer` is where it came from, empty for an error; `seconds` what each stage took."""

    def answered(self, status: int, layer: str, seconds: Mapping[str, float]) -> None: ...

    def failed(self, storage: str, code: str) -> None:
        """Is told of every request that a storage's failure ended."""


class Access(Protocol):
    """Is told of every answer with the request, and the order where one was taken."""

    def note(
        self, request: Request, order: Order | None, status: int, layer: str, seconds: Mapping[str, float]
    ) -> None: ...


class _Silence:
    """Observes nothing."""

    def answered(self, status: int, layer: str, seconds: Mapping[str, float]) -> None:
        pass

    def failed(self, storage: str, code: str) -> None:
        pass


@dataclass(frozen=True, slots=True, eq=False)
class Pending:
    """A request whose answer is on its way."""

    request: Request
    order: Order
    ticket: Ticket[Outcome | Unmade]
    seconds: float


_Plan = Callable[[Order, Timings], Journey[Outcome] | Journey[Outcome | Unmade]]


class Thumbnailer:
    """Answers requests. `answer` waits in the caller's thread, `follow` in its event loop; both never raise."""

    def __init__(
        self,
        storages: Mapping[str, Storage],
        stages: Mapping[str, Stage],
        *,
        observer: Observer | None = None,
        access: Access | None = None,
        clock: Callable[[], float] = time.time,
        remembered_urls: int = 8192,
    ) -> None:
        self.storages = storages
        self.stages = stages
        self._terms = {name: storage.terms for name, storage in storages.items()}
        self._observer = observer or _Silence()
        self._access = access
        self._clock = clock
        self._resting: dict[str, float] = {}
        self._journeys = Journeys(storages, stages, clock)
        self._flights: SingleFlight[Outcome | Unmade] = SingleFlight()
        # Taking an order is pure: the same bytes always give the same one, so that a hit need not parse again.
        self._order = lru_cache(maxsize=remembered_urls)(partial(take_order, terms_of=self._terms))

    def answer(self, request: Request) -> Response:
        reply = self.reply(request)
        while isinstance(reply, Pending):
            wait([reply.ticket.future], timeout=reply.seconds)
            reply = self._next(reply)
        return reply

    async def follow(self, reply: Response | Pending) -> Response:
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
            order = self._take(request)
            self._check_time(order)
            found = self.storages[order.storage].layers.get_now(order.key)
        except ThumbError:
            return None
        return None if found is None or found.stale else self._found(request, order, found)

    def reply(self, request: Request) -> Response | Pending:
        """The answer where a layer gives it without blocking, else the promise of one. Never blocks."""
        order: Order | None = None
        try:
            if request.error is not None:
                raise request.error
            if request.method == "OPTIONS":
                return preflight(request.path, self._terms)
            order = self._take(request)
            self._check_time(order)
            found = self.storages[order.storage].layers.get_now(order.key)
            if found is not None:
                return self._found(request, order, found)
            failure = self._journeys.failure(order)
            if failure is not None:
                raise failure
            return self._begin(request, order, check=bool(request.tags))
        except ThumbError as error:
            return self._refused(error, request, order)
        except Exception:
            logger.exception("a request failed")
            return self._refused(ThumbError(), request, order)

    # ------------------------------------------------------------------------------- the request

    def _take(self, request: Request) -> Order:
        if request.target_length > http.MAX_TARGET_BYTES:
            raise TargetTooLong
        if request.method not in ("GET", "HEAD"):
            raise MethodNotAllowed
        return self._order(request.path, http.negotiated(request.accept))

    def _check_time(self, order: Order) -> None:
        if order.expires is not None and order.expires <= self._clock():
            raise Expired

    def _begin(self, request: Request, order: Order, *, check: bool) -> Pending:
        """Join the flight for `order`, or start one. With `check` it ends at the source's version."""
        journey, key = (self._journeys.check, f"?{order.key}") if check else (self._journeys.make, order.key)
        return Pending(request, order, self._fly(key, journey, order), self.storages[order.storage].seconds)

    def _fly(self, key: str, journey: "_Plan", order: Order) -> Ticket[Outcome | Unmade]:
        timings = Timings()
        return self._flights.join(key, lambda flight: travel(journey(order, timings), self.stages, flight, timings))

    def _next(self, pending: Pending) -> Response | Pending:
        """What follows when the future is done, or its time is up."""
        request, order, future = pending.request, pending.order, pending.ticket.future
        try:
            if not future.done():
                pending.ticket.leave()
                raise RenderTimeout
            outcome = future.result()
            if isinstance(outcome, Unmade):
                return self._unmade(request, order, outcome.version)
            return self._found(request, order, outcome.found, outcome.timings)
        except ThumbError as error:
            if isinstance(error, StorageFailed | StorageTimeout):
                self._observer.failed(order.storage, error.code)
            if error.status >= 500 and not isinstance(error, Overloaded):
                # The client is told a constant; whoever runs the server needs the cause.
                logger.warning("storage %s: %s %r", order.storage, error, error.__cause__)
            return self._refused(error, request, order)
        except Exception:
            logger.exception("a thumbnail could not be made")
            return self._refused(ThumbError(), request, order)

    def _unmade(self, request: Request, order: Order, version: Version) -> Response | Pending:
        # No picture was made, nor is one kept: a tag of this version tells that there was one, `*` and a date do not.
        if version.token is not None:
            etag = etag_of(order.key, version.token)
            if etag in request.tags:
                validators: Headers = ((b"ETag", etag.encode()),)
                self._tell(request, order, 304, SOURCE, {})
                return Response(304, validators + self._headers(order) + _labels("MISS", SOURCE, None))
        return self._begin(request, order, check=False)

    def _found(self, request: Request, order: Order, found: Found, timings: Timings | None = None) -> Response:
        entry, layer, stale = found
        if stale:
            self._refresh(order)
        labels = _labels("STALE" if stale else "MISS" if layer == SOURCE else "HIT", layer, timings)
        labels = self._headers(order) + labels
        seconds = _untold(timings)
        if request.conditional and request.not_modified(entry.etag, entry.modified, self._clock()):
            self._tell(request, order, 304, layer, seconds)
            return Response(304, entry.validators + labels)
        self._tell(request, order, 200, layer, seconds)
        return Response(200, entry.headers + labels, entry.body).to(request.method)

    def _tell(
        self, request: Request, order: Order | None, status: int, layer: str, seconds: Mapping[str, float]
    ) -> None:
        self._observer.answered(status, layer, seconds)
        if self._access is not None:
            self._access.note(request, order, status, layer, seconds)

    def _headers(self, order: Order) -> Headers:
        return order.headers if order.expires is None else order.headers_at(self._clock())

    def _refused(self, error: ThumbError, request: Request, order: Order | None) -> Response:
        self._tell(request, order, error.status, "", {})
        return http.problem(error, order.error_headers if order else varying(request.path)).to(request.method)

    def _refresh(self, order: Order) -> None:
        """Renew in the background, once for all who ask meanwhile. Where it fails it is tried again after a while."""
        if self._clock() < self._resting.get(order.key, 0.0):
            return
        future = self._fly(f"!{order.key}", self._journeys.renew, order).future
        future.add_done_callback(partial(self._renewed, order))

    def _renewed(self, order: Order, future: "Future[Outcome | Unmade]") -> None:
        error = future.exception()
        if error is None:
            return
        if len(self._resting) >= _MOST_RESTING:
            self._resting.clear()
        if order.key not in self._resting or self._resting[order.key] <= self._clock():
            logger.warning("storage %s: a stale thumbnail is not renewed: %s %r", order.storage, error, error.__cause__)
        self._resting[order.key] = self._clock() + _REST_SECONDS


# --------------------------------------------------------------------------------------- answers


def _untold(timings: Timings | None) -> dict[str, float]:
    if timings is None or timings.told:
        return {}
    timings.told = True
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


async def _done(future: "Future[Outcome | Unmade]", seconds: float) -> None:
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
