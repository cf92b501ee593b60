"""From a request to its answer: at once if a cache layer has it, else when its job ends."""

import asyncio
import time
from collections.abc import Callable, Mapping
from concurrent.futures import wait
from functools import lru_cache

from thumbs.cache.layers import Found
from thumbs.errors import (
    Expired,
    HostOverloaded,
    MethodNotAllowed,
    Overloaded,
    RenderTimeout,
    SourceLoop,
    SourceMissing,
    TargetTooLong,
    ThumbError,
)
from thumbs.http import messages
from thumbs.http.messages import Request, Response
from thumbs.http.trace_fields import TraceFields
from thumbs.pipeline import answers
from thumbs.pipeline.executor import Executor
from thumbs.pipeline.jobs import JobKind, Jobs, Outcome, VersionOnly
from thumbs.pipeline.originals import SOURCE
from thumbs.pipeline.ports import Storage
from thumbs.pipeline.renewals import Renewals
from thumbs.pipeline.replies import Lookup, Pending, done
from thumbs.pipeline.reporting.job_spans import JobSpans
from thumbs.pipeline.reporting.observer import Observer
from thumbs.pipeline.reporting.pressure import Pressure
from thumbs.pipeline.reporting.reports import Asked, Reports, Sinks
from thumbs.pipeline.reporting.tracing import UNTIMED, Arrival, Span
from thumbs.pipeline.singleflight import Flight, SingleFlight, Ticket
from thumbs.pipeline.steps import Timings, run_job
from thumbs.request.fallback import with_fallback
from thumbs.request.policy import StoragePolicy
from thumbs.request.resolve import ThumbRequest, preflight
from thumbs.request.resolver import Translate, resolver
from thumbs.sources.source import Closable

_A_REQUEST = "a request failed"
_NO_SECONDS: Mapping[str, float] = {}
_REMEMBERED_URLS = 8192


class Thumbnailer:
    """Answers requests. `answer` waits in the calling thread, `finish` in its event loop; neither raises an error."""

    def __init__(
        self,
        storages: Mapping[str, Storage],
        executors: Mapping[str, Executor],
        *,
        observer: Observer | None = None,
        sinks: Sinks = Sinks(),  # noqa: B008 - a constant
        clock: Callable[[], float] = time.time,
        translate: Translate | None = None,
    ) -> None:
        """`translate` reads the URLs of other image servers."""
        self.storages = storages
        self.executors = executors
        # By `Request.private`: every other request finds private storages as little as unknown ones.
        self._policies = {private: _policies(storages, private=private) for private in (False, True)}
        self._clock = clock
        self._jobs = Jobs(storages, executors, clock)
        self._reports = Reports(observer, sinks, self._jobs.timer.after)
        # Without a sink, a hit neither reads the clock nor keeps what was asked: it is only counted.
        self._logs, self._count = self._reports.logs_answers, self._reports.count
        self.traces = sinks.tracer is not None
        self._spans = JobSpans(sinks.tracer)
        self.pressure = Pressure()
        self._flights: SingleFlight[Outcome | VersionOnly] = SingleFlight()
        self._renewals = Renewals(lambda thumb: self._join(JobKind.RENEW, thumb).future, self._renewal_failed, clock)
        # A resolver is pure: the same bytes give the same thumb request, so a hit is not parsed again.
        self._resolve, self._resolve_private = (
            lru_cache(maxsize=_REMEMBERED_URLS)(resolver(self._policies[private], translate))
            for private in (False, True)
        )

    def answer(self, request: Request, lookup: Lookup | None = None, fields: TraceFields | None = None) -> Response:
        """The answer. Blocks until it is there. `lookup` and `fields` as for `reply`."""
        reply = self.reply(request, lookup, fields)
        while isinstance(reply, Pending):
            wait([reply.ticket.future], timeout=reply.seconds)
            reply = self._continue(reply)
        return reply

    async def finish(self, reply: Response | Pending) -> Response:
        """The answer that `reply` leads to. If the caller is cancelled, it leaves the flight."""
        while isinstance(reply, Pending):
            try:
                await done(reply.ticket.future, reply.seconds)
            except asyncio.CancelledError as error:
                reply.ticket.leave()
                if reply.arrival.span is not None:
                    reply.arrival.span.end(error)
                raise
            reply = self._continue(reply)
        return reply

    def hit(self, request: Request, fields: TraceFields | None = None) -> Response | Lookup:
        """The answer if a layer has a fresh entry, else what was looked up, for `reply`. Never blocks, starts no job.

        `request` is a GET or HEAD. `fields` as for `reply`.
        """
        arrival = Arrival(time.perf_counter(), fields) if self._logs else UNTIMED
        lookup = self.look_up(request)
        _, thumb, found, _ = lookup
        if thumb is None or found is None or found.stale:
            return lookup
        return self._answer_found(request, thumb, found, arrival)

    def reply(
        self, request: Request, lookup: Lookup | None = None, fields: TraceFields | None = None
    ) -> Response | Pending:
        """The answer if it needs no job, else a pending reply. Never blocks.

        `lookup` is what `hit` returned just before. It is ignored unless it belongs to an equal request. `fields` are
        needed where `traces` is true.
        """
        thumb: ThumbRequest | None = None
        arrival = Arrival(time.perf_counter(), fields) if self._logs else UNTIMED
        try:
            if request.method == "OPTIONS" and request.error is None:
                path = request.path
                if request.dialect:
                    path = f"/{self._resolve(path, (), request.dialect).storage}/thumbs/".encode()
                answer = preflight(path, self._policies[request.private])
                self._reports.trace(Asked(request, None, arrival), answer)
                return answer
            if lookup is None or lookup.request != request:
                lookup = self.look_up(request)
            thumb = lookup.thumb
            if thumb is None or lookup.error is not None:
                return self._answer_error(request, thumb, lookup.error or ThumbError(), arrival)
            if lookup.found is not None:
                return self._answer_found(request, thumb, lookup.found, arrival)
            return self._make_or_refuse(request, thumb, arrival)
        except ThumbError as error:
            return self._answer_error(request, thumb, error, arrival)
        except Exception as error:
            request = request.identified()
            self._reports.failed(_A_REQUEST, error, thumb, request)
            return self._answer_error(request, thumb, ThumbError(), arrival)

    def close(self) -> None:
        """Refuse all requests that wait, and those that come. The threads end when the work that runs has ended."""
        for executor in self.executors.values():
            executor.close()
        self._jobs.close()
        self._flights.fail(Overloaded)
        for storage in self.storages.values():
            storage.layers.close()
            if isinstance(storage.source, Closable):
                storage.source.close()

    # ------------------------------------------------------------------------------------ lookups

    def look_up(self, request: Request) -> Lookup:
        """Resolve `request`, check its expiry, and look into the layers that do not block. Raises nothing."""
        thumb: ThumbRequest | None = None
        try:
            if request.error is not None:
                raise request.error
            if request.target_length > messages.MAX_TARGET_BYTES:
                raise TargetTooLong
            if request.method not in ("GET", "HEAD"):
                raise MethodNotAllowed
            find = self._resolve_private if request.private else self._resolve
            thumb = find(request.path, messages.accepted_formats(request.accept), request.dialect)
            if thumb.expires is not None and thumb.expires <= self._clock():
                raise Expired
            storage = self.storages[thumb.storage]
            if request.cdn_loop and storage.policy.naming is not None and request.has_looped:
                raise SourceLoop
            if storage.require_place is not None:
                storage.require_place()
            return Lookup(request, thumb, storage.layers.get_now(thumb.key))
        except ThumbError as error:
            return Lookup(request, thumb, error=error)
        except Exception as error:
            self._reports.failed(_A_REQUEST, error, thumb, request)
            return Lookup(request, thumb, error=ThumbError())

    # ------------------------------------------------------------------------------------ flights

    def _start(
        self,
        kind: JobKind,
        request: Request,
        thumb: ThumbRequest,
        arrival: Arrival,
        *,
        missing: ThumbRequest | None = None,
    ) -> Pending:
        self.pressure.ask(thumb.storage)
        arrival = self._reports.traced(request, thumb, arrival)
        ticket = self._join(kind, thumb, arrival.span)
        return Pending(request, thumb, ticket, self.storages[thumb.storage].seconds, arrival, missing)

    def _join(self, kind: JobKind, thumb: ThumbRequest, span: Span | None = None) -> Ticket[Outcome | VersionOnly]:
        """A ticket for the flight of this kind for `thumb` since its last purge, which is started if there is none."""

        def start(flight: Flight[Outcome | VersionOnly]) -> None:
            timings = Timings(self._spans.of_job(thumb, flight.future, span, renews=kind is JobKind.RENEW))
            run_job(self._jobs.start(kind, thumb, timings), self.executors, flight, timings)

        ticket = self._flights.join((kind, thumb.key, self.storages[thumb.storage].layers.purged_at(thumb.key)), start)
        self._spans.joined(ticket.future, span)
        return ticket

    def _make_or_refuse(self, request: Request, thumb: ThumbRequest, arrival: Arrival) -> Response | Pending:
        failure = self._jobs.failure(thumb)
        if failure is not None:
            return self._refuse(request, thumb, failure, arrival)
        return self._start(JobKind.CHECK if request.tags else JobKind.MAKE, request, thumb, arrival)

    def _refuse(self, request: Request, thumb: ThumbRequest, error: ThumbError, arrival: Arrival) -> Response | Pending:
        """The answer to an error: that of the storage's fallback where an original is missing."""
        storage = self.storages[thumb.storage]
        shown = with_fallback(thumb, storage.policy) if isinstance(error, SourceMissing) else None
        if shown is None:
            return self._answer_error(request, thumb, error, arrival)
        found = storage.layers.get_now(shown.key)
        if found is not None:
            return self._answer_fallback(request, shown, found, arrival)
        if self._jobs.failure(shown) is not None:
            return self._answer_error(request, thumb, error, arrival)
        return self._start(JobKind.MAKE, request, shown, arrival, missing=thumb)

    def _continue(self, pending: Pending) -> Response | Pending:
        """The next reply, when the flight has ended or the time is up."""
        request, thumb, future, arrival = pending.request, pending.thumb, pending.ticket.future, pending.arrival
        try:
            if not future.done():
                pending.ticket.leave()
                raise RenderTimeout
            outcome = future.result()
            if isinstance(outcome, Outcome):
                answered = self._answer_found if pending.missing is None else self._answer_fallback
                return answered(request, thumb, outcome.found, arrival, outcome.timings)
            response = answers.from_version(request, thumb, outcome.version, clock=self._clock)
            if response is None:
                return self._start(JobKind.MAKE, request, thumb, arrival)
            self._reports.answered(Asked(request, thumb, arrival), response, layer=SOURCE)
            return response
        except ThumbError as error:
            if isinstance(error, Overloaded) and not isinstance(error, HostOverloaded):
                self.pressure.refuse(thumb.storage)  # of a host, the queue of the storage has room for others
            request = self._reports.flight_failed(error, request, thumb, pending.missing)
            if pending.missing is None:
                return self._refuse(request, thumb, error, arrival)
            return self._answer_error(request, pending.missing, SourceMissing(), arrival)
        except Exception as error:
            request = request.identified()
            self._reports.failed("a thumbnail could not be made", error, thumb, request)
            return self._answer_error(request, thumb, ThumbError(), arrival)

    def _renewal_failed(self, thumb: ThumbRequest, error: BaseException) -> None:
        self._reports.failed(f"a stale thumbnail is not renewed: {error}", error, thumb)

    # ------------------------------------------------------------------------------------ answers

    def _answer_found(
        self, request: Request, thumb: ThumbRequest, found: Found, arrival: Arrival, timings: Timings | None = None
    ) -> Response:
        if found.stale:
            self._renewals.renew(thumb)
        response = answers.from_entry(request, thumb, found, timings=timings, clock=self._clock)
        seconds = _NO_SECONDS if timings is None else timings.count_once()
        if self._logs:
            self._reports.answered(Asked(request, thumb, arrival), response, layer=found.layer, seconds=seconds)
        else:
            self._count(response.status, found.layer, seconds)
        return response

    def _answer_fallback(
        self, request: Request, thumb: ThumbRequest, found: Found, arrival: Arrival, timings: Timings | None = None
    ) -> Response:
        if found.stale:
            self._renewals.renew(thumb)
        response = answers.from_fallback(request, thumb, found, timings=timings, clock=self._clock)
        asked = Asked(request, thumb, arrival)
        seconds = _NO_SECONDS if timings is None else timings.count_once()
        self._reports.answered(asked, response, layer=found.layer, seconds=seconds, code=SourceMissing.code)
        return response

    def _answer_error(
        self, request: Request, thumb: ThumbRequest | None, error: ThumbError, arrival: Arrival
    ) -> Response:
        response = answers.from_error(request, thumb, error)
        self._reports.answered(Asked(request, thumb, arrival), response, code=error.logged_code)
        return response


def _policies(storages: Mapping[str, Storage], *, private: bool) -> dict[str, StoragePolicy]:
    return {name: storage.policy for name, storage in storages.items() if storage.policy.private == private}
