"""Spans of OpenTelemetry, by its semantic conventions for HTTP servers. No attribute has a signature or a query.

Whatever fails here costs spans, and no request: it is logged once.
"""

import logging
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TypeVar

from opentelemetry import context as contexts
from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.trace import Span, SpanContext, SpanKind, Status, StatusCode
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from opentelemetry.util.types import AttributeValue

from thumbs.errors import Preempted
from thumbs.http.messages import Request
from thumbs.http.trace_fields import TraceFields
from thumbs.observability import span_attributes
from thumbs.observability.clients import Clients
from thumbs.request.resolve import ThumbRequest

logger = logging.getLogger("thumbs")
T = TypeVar("T")

_W3C = TraceContextTextMapPropagator()
_FETCH, _WAIT, _RENEWAL = "fetch", "wait", "renew"
_logged: set[type[Exception]] = set()


class ThumbTracer:
    """Makes the spans of requests. `find` returns the tracer of OpenTelemetry; it is called with the first span.

    `storages` are the names that attributes may have. `outgoing` gets the header fields for what a fetch sends.
    """

    def __init__(
        self,
        find: Callable[[], trace.Tracer],
        storages: Collection[str],
        clients: Clients,
        outgoing: ContextVar[Mapping[str, str]],
    ) -> None:
        self._find = find
        self._storages = frozenset(storages)
        self._clients = clients
        self._outgoing = outgoing

    def begin(self, request: Request, thumb: ThumbRequest | None, fields: TraceFields, began: float) -> "RequestSpan":
        """The span of a request that came at `began`, by `time.perf_counter`.

        Its parent is the span of this context, such as that of an instrumented site, else that of `traceparent`.
        """
        made = RequestSpan(self._outgoing, thumb)
        with _harmless():
            attributes = span_attributes.of_request(request, fields, self._storages)
            client = self._clients.find(request.peer, request.forwarded_for)
            if client:
                attributes["client.address"] = client
            made.start(
                self._find(),
                f"{span_attributes.method_of(request)} {attributes['http.route']}",
                began,
                attributes | span_attributes.of_thumb(thumb),
                context=_parent(fields),
                kind=SpanKind.SERVER,
            )
        return made

    def begin_renewal(self, thumb: ThumbRequest) -> "RequestSpan":
        """The span of the renewal of a stale entry: the root of a trace of its own."""
        made = RequestSpan(self._outgoing, thumb)
        with _harmless():
            attributes = span_attributes.of_thumb(thumb)
            made.start(self._find(), _RENEWAL, time.perf_counter(), attributes, context=Context())
        return made


class RequestSpan:
    """A span and its children. Before `start`, or where that has failed, it does nothing.

    `thumb` is what its attributes name to begin with.
    """

    def __init__(self, outgoing: ContextVar[Mapping[str, str]], thumb: ThumbRequest | None) -> None:
        self._outgoing = outgoing
        self._thumb = thumb
        self._tracer: trace.Tracer = trace.NoOpTracer()
        self._span: Span = trace.INVALID_SPAN
        self._context = Context()
        self._joined: float | None = None

    def start(
        self,
        tracer: trace.Tracer,
        name: str,
        began: float,
        attributes: Mapping[str, AttributeValue],
        *,
        context: Context | None = None,
        kind: SpanKind = SpanKind.INTERNAL,
    ) -> None:
        """Start the span, with a parent from `context`."""
        self._tracer = tracer
        self._span = tracer.start_span(
            name, context=context, kind=kind, attributes=attributes, start_time=_nanoseconds(began)
        )
        self._context = trace.set_span_in_context(self._span, Context())

    def run(self, name: str, work: Callable[[], T]) -> T:
        """What `work` returns or raises, in a child span, which is the current one meanwhile."""
        span: Span = trace.INVALID_SPAN
        token = sent = None
        with _harmless():
            span = self._tracer.start_span(name, context=self._context)
            inner = trace.set_span_in_context(span, self._context)
            token = contexts.attach(inner)
            if name == _FETCH:
                fields: dict[str, str] = {}
                _W3C.inject(fields, inner)
                sent = self._outgoing.set(fields)
        try:
            result = work()
        except BaseException as error:
            with _harmless():
                _fail(span, error)
            raise
        finally:
            with _harmless():
                if sent is not None:
                    self._outgoing.reset(sent)
                if token is not None:
                    contexts.detach(token)
                span.end()
        return result

    def add(self, name: str, began: float) -> None:
        """A child span from `began`, by `time.perf_counter`, until now."""
        with _harmless():
            self._tracer.start_span(name, context=self._context, start_time=_nanoseconds(began)).end()

    @property
    def identity(self) -> SpanContext:
        """What other spans name this one by."""
        return self._span.get_span_context()

    def follow(self, identity: SpanContext) -> None:
        """The request waits for the job of another span: a link to that, and a child until the end."""
        self._joined = time.perf_counter()
        with _harmless():
            self._span.add_link(identity)

    def answered(self, thumb: ThumbRequest | None, status: int, layer: str, code: str) -> None:
        """End the span of a request. `layer` is "" for an error, `code` that of an error."""
        if self._joined is not None:
            self.add(_WAIT, self._joined)
        with _harmless():
            more = span_attributes.of_thumb(thumb) if thumb is not self._thumb else {}
            self._span.set_attributes(more | span_attributes.of_answer(status, layer, code))
            if status >= 500:
                self._span.set_status(Status(StatusCode.ERROR))
            self._span.end()

    def end(self, error: BaseException | None = None) -> None:
        """End the span of what has no answer."""
        with _harmless():
            if error is not None:
                _fail(self._span, error)
            self._span.end()


def _parent(fields: TraceFields) -> Context | None:
    """The context of the parent: None is the current one."""
    if trace.get_current_span().get_span_context().is_valid:
        return None
    carrier = {"traceparent": fields.traceparent, "tracestate": fields.tracestate}
    return _W3C.extract(carrier, Context()) if fields.traceparent else Context()


def _fail(span: Span, error: BaseException) -> None:
    """As of HTTP servers, only what is 5xx is a failure: no error of a client or an original, and no end of waiting."""
    span.set_attribute("error.type", str(getattr(error, "logged_code", type(error).__qualname__)))
    if getattr(error, "status", 500) >= 500 and isinstance(error, Exception) and not isinstance(error, Preempted):
        span.set_status(Status(StatusCode.ERROR))


def _nanoseconds(moment: float) -> int:
    """A moment of `time.perf_counter` as Unix time."""
    return time.time_ns() - int((time.perf_counter() - moment) * 1e9)


@contextmanager
def _harmless() -> Iterator[None]:
    """Spans may be processed by code of a site: what it raises is logged, once for each type."""
    try:
        yield
    except Exception as error:
        if type(error) not in _logged:
            _logged.add(type(error))
            logger.exception("a request could not be traced")
