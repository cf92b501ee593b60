"""What a thumbnailer reports to a tracer: a span for each request, with children for the steps of its job."""

from collections.abc import Callable
from typing import Any, NamedTuple, Protocol, TypeVar

from thumbs.http.messages import Request
from thumbs.http.trace_fields import TraceFields
from thumbs.request.resolve import ThumbRequest

T = TypeVar("T")

QUEUE, STORE, LOCK, FETCHING = "queue", "store", "lock", "fetch"


class Span(Protocol):
    """The span of a request, or of a renewal. Moments are those of `time.perf_counter`. Only `run` raises."""

    def run(self, name: str, work: Callable[[], T]) -> T:
        """What `work` returns or raises, in a child span."""

    def add(self, name: str, began: float) -> None:
        """A child span that ends now."""

    @property
    def identity(self) -> Any:
        """What other spans name this one by."""

    def follow(self, identity: Any) -> None:
        """The request waits for the job of the span with this identity."""

    def answered(self, thumb: ThumbRequest | None, status: int, layer: str, code: str) -> None:
        """The end of a request. `layer` is "" for an error, `code` that of an error."""

    def end(self, error: BaseException | None = None) -> None:
        """The end of a renewal, or of a request whose client has left."""


class Tracer(Protocol):
    """Makes spans. Raises nothing."""

    def begin(self, request: Request, thumb: ThumbRequest | None, fields: TraceFields, began: float) -> Span:
        """The span of a request that came at `began`."""

    def begin_renewal(self, thumb: ThumbRequest) -> Span:
        """The span of the renewal of a stale entry, which no request waits for."""


class Arrival(NamedTuple):
    """When a request came, by `time.perf_counter`; `fields` and `span` only where requests are traced.

    The span begins with the job, as most requests need none.
    """

    began: float = 0.0
    fields: TraceFields | None = None
    span: Span | None = None


UNTIMED = Arrival()
