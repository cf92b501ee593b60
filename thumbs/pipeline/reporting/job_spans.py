"""The spans of jobs: the steps of a job are children of the request that started it; others that wait have a link."""

from concurrent.futures import Future
from typing import Any
from weakref import WeakKeyDictionary

from thumbs.pipeline.reporting.tracing import Span, Tracer
from thumbs.request.resolve import ThumbRequest


class JobSpans:
    """The span of each flight, by its future. Without a tracer there are none."""

    def __init__(self, tracer: Tracer | None) -> None:
        self._tracer = tracer
        self._leaders: WeakKeyDictionary[Future[Any], Span] = WeakKeyDictionary()

    def of_job(self, thumb: ThumbRequest, future: "Future[Any]", span: Span | None, *, renews: bool) -> Span | None:
        """The span whose children the steps of a new job are: `span`, or of a renewal one of its own."""
        if self._tracer is None:
            return None
        if renews:
            span = own = self._tracer.begin_renewal(thumb)
            future.add_done_callback(lambda done: own.end(done.exception()))
        if span is not None:
            self._leaders[future] = span
        return span

    def joined(self, future: "Future[Any]", span: Span | None) -> None:
        """The request of `span` waits for a flight."""
        leader = None if span is None else self._leaders.get(future)
        if span is not None and leader is not None and leader is not span:
            span.follow(leader.identity)
