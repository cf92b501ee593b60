"""Spans for tests: kept in memory, or received by OTLP over HTTP as a collector does."""

import gzip
import threading
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from tests.support.waiting import WAIT_SECONDS, eventually
from thumbs.observability.clients import Clients
from thumbs.observability.tracing import ThumbTracer
from thumbs.sources.outgoing import OUTGOING


class Memory:
    """A tracer whose spans are kept: `kept`, in the order of their ends."""

    def __init__(self, storages: Collection[str] = ("photos",), trusted: Collection[str] = ()) -> None:
        self._exporter = InMemorySpanExporter()
        self.provider = TracerProvider()
        self.provider.add_span_processor(SimpleSpanProcessor(self._exporter))
        find = lambda: self.provider.get_tracer("thumbs")  # noqa: E731 - as the wiring gives it
        self.tracer = ThumbTracer(find, storages, Clients(trusted), OUTGOING)

    @property
    def kept(self) -> tuple[ReadableSpan, ...]:
        return self._exporter.get_finished_spans()

    def roots(self) -> list[ReadableSpan]:
        """The spans of requests and renewals: those without a parent in this process."""
        return [span for span in self.kept if span.parent is None or span.parent.is_remote]

    def children(self, root: ReadableSpan) -> list[str]:
        """The names of the children of `root`, in the order of their starts."""
        mine = [span for span in self.kept if span.parent is not None and span.parent.span_id == root.context.span_id]
        return [span.name for span in sorted(mine, key=lambda span: span.start_time or 0)]

    def clear(self) -> None:
        self._exporter.clear()


@dataclass
class Collector:
    """Receives spans. `status` is what it answers; while `hangs`, it answers nothing until the end."""

    status: int = 200
    hangs: bool = False
    port: int = 0
    spans: list[Span] = field(default_factory=list)
    services: set[str] = field(default_factory=set)
    processes: set[str] = field(default_factory=set)
    calls: int = 0
    ended: threading.Event = field(default_factory=threading.Event)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def receive(self, body: bytes) -> None:
        request = ExportTraceServiceRequest.FromString(body)
        for of_resource in request.resource_spans:
            attributes = {each.key: each.value.string_value for each in of_resource.resource.attributes}
            self.services.add(attributes["service.name"])
            self.processes.add(attributes.get("service.instance.id", ""))
            for scope in of_resource.scope_spans:
                self.spans += scope.spans

    def of_requests(self) -> list[Span]:
        return [span for span in self.spans if span.kind == Span.SPAN_KIND_SERVER]

    def children(self, root: Span) -> list[str]:
        """The names of the children of `root`, in the order of their starts."""
        mine = [span for span in self.spans if span.parent_span_id == root.span_id]
        return [span.name for span in sorted(mine, key=lambda span: span.start_time_unix_nano)]

    def wait_for(self, count: int) -> list[Span]:
        """The spans of requests, when `count` have come."""
        eventually(lambda: len(self.of_requests()) >= count)
        return self.of_requests()


def attributes(span: Span) -> dict[str, object]:
    """The attributes of a received span."""
    return {each.key: getattr(each.value, str(each.value.WhichOneof("value"))) for each in span.attributes}


@contextmanager
def collecting(collector: Collector | None = None) -> Iterator[Collector]:
    """A collector at a port of the loopback."""
    running = collector or Collector()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            running.calls += 1
            if running.hangs:
                running.ended.wait(WAIT_SECONDS)
                return
            if self.headers.get("Content-Encoding") == "gzip":
                body = gzip.decompress(body)
            if running.status == 200 and self.path == "/v1/traces":
                running.receive(body)
            self.send_response(running.status if self.path == "/v1/traces" else 404)
            self.send_header("Content-Type", "application/x-protobuf")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name of the base class
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    running.port = server.server_port
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield running
    finally:
        running.ended.set()
        server.shutdown()
        server.server_close()
        thread.join()
