"""Reports answers and failures: to metrics, to the access log, to the tracer, and to the log of failures."""

import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from typing import NamedTuple

from thumbs.errors import Overloaded, SourceDenied, SourceUnsupported, StorageFailed, StorageTimeout, ThumbError
from thumbs.http.messages import Request, Response, Sent
from thumbs.http.trace_fields import TraceFields
from thumbs.pipeline.reporting.failure_log import FailureLog
from thumbs.pipeline.reporting.observer import Access, NullObserver, Observer
from thumbs.pipeline.reporting.tracing import Arrival, Tracer
from thumbs.request.resolve import ThumbRequest


class Asked(NamedTuple):
    """A request, what it was resolved to, and when it came."""

    request: Request
    thumb: ThumbRequest | None
    arrival: Arrival


class Sinks(NamedTuple):
    """What gets every single answer: the access log, and the tracer."""

    access: Access | None = None
    tracer: Tracer | None = None


class Reports:
    """What a thumbnailer reports. `after` returns a future that is done after that many seconds.

    `logs_answers`: whether there is a sink, which needs what was asked and when. Without one, `count` is enough for an
    answer: its status, its layer, and the seconds of its stages.
    """

    def __init__(self, observer: Observer | None, sinks: Sinks, after: "Callable[[float], Future[None]]") -> None:
        self._observer = observer or NullObserver()
        self._access, self.tracer = sinks
        self.logs_answers = self._access is not None or self.tracer is not None
        self.count = self._observer.answered
        self._failures = FailureLog(after)

    def answered(
        self,
        asked: Asked,
        response: Response,
        *,
        layer: str = "",
        seconds: Mapping[str, float] | None = None,
        code: str = "",
    ) -> None:
        """An answer. `layer` is where it came from, `code` that of an error.

        `seconds` are those of each stage, unless they are counted already.
        """
        seconds = seconds or {}
        self.count(response.status, layer, seconds)
        if self._access is not None:
            sent = Sent(len(response.body), time.perf_counter() - asked.arrival.began, code)
            self._access.log(asked.request, asked.thumb, response.status, layer, seconds, sent)
        self.trace(asked, response, layer, code)

    def trace(self, asked: Asked, response: Response, layer: str = "", code: str = "") -> None:
        """End the span of an answer, where requests are traced. Of a preflight that is all that is reported."""
        span = self.traced(*asked).span
        if span is not None:
            span.answered(asked.thumb, response.status, layer, code)

    def traced(self, request: Request, thumb: ThumbRequest | None, arrival: Arrival) -> Arrival:
        """`arrival` with a span, where requests are traced."""
        if self.tracer is None or arrival.span is not None:
            return arrival
        span = self.tracer.begin(request, thumb, arrival.fields or TraceFields(), arrival.began)
        return arrival._replace(span=span)

    def failed(
        self, what: str, error: BaseException, thumb: ThumbRequest | None, request: Request | None = None
    ) -> None:
        """A failure: of the storage, of a render, or a bug. Only the first kind is counted."""
        if thumb is not None and isinstance(error, StorageFailed | StorageTimeout | SourceDenied):
            self._observer.failed(thumb.storage, error.logged_code)
        self._failures.add(what, error, thumb=thumb, request=request)

    def flight_failed(
        self, error: ThumbError, request: Request, thumb: ThumbRequest, missing: ThumbRequest | None
    ) -> Request:
        """A flight that ended with `error`, for the storage's fallback where `missing` is given.

        The client gets a constant sentence; the cause is for the operator. Returns the request, with its logged id.
        """
        if isinstance(error, Overloaded):
            return request
        if missing is not None:
            what = f"its fallback cannot be shown: {error}"
        elif error.status >= 500 or isinstance(error, SourceDenied) or _says_more(error):
            what = str(error)
        else:
            return request
        request = request.identified()
        self.failed(what, error, thumb, request)
        return request


def _says_more(error: ThumbError) -> bool:
    """Whether the operator can read the cause of a 415 in the error: the client gets the constant sentence."""
    return isinstance(error, SourceUnsupported) and error.detail != SourceUnsupported.sentence
