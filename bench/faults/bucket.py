"""A proxy before the S3 server, which passes requests on, delays them, denies them, or answers 503."""

import http.client
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

from bench.processes import LOOPBACK

PASS, DENY, UNAVAILABLE, SLOW = "pass", "deny", "unavailable", "slow"
SLOW_SECONDS = 0.5
_TIMEOUT_SECONDS = 120.0
_DENIED = b"<?xml version='1.0'?><Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>"
_UNAVAILABLE = b"<?xml version='1.0'?><Error><Code>SlowDown</Code><Message>Reduce your request rate</Message></Error>"
_HOP_BY_HOP = ("connection", "transfer-encoding", "content-length", "date", "server")


class BucketFront:
    """`url` is the endpoint. `mode` applies to all requests that begin from then on."""

    def __init__(self, port: int) -> None:
        self.mode = PASS
        self._behind = port
        front = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                front.answer(self)

            do_HEAD = do_GET  # noqa: N815 - the name is that of the standard library

            def log_message(self, *_: object) -> None:
                pass

        self.server = _Quiet((LOOPBACK, 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://{LOOPBACK}:{self.server.server_address[1]}"

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        if self.mode == DENY:
            _send(handler, 403, {"Content-Type": "application/xml"}, _DENIED)
        elif self.mode == UNAVAILABLE:
            _send(handler, 503, {"Content-Type": "application/xml"}, _UNAVAILABLE)
        else:
            if self.mode == SLOW:
                time.sleep(SLOW_SECONDS)
            self._pass_on(handler)

    def _pass_on(self, handler: BaseHTTPRequestHandler) -> None:
        behind = http.client.HTTPConnection(LOOPBACK, self._behind, timeout=_TIMEOUT_SECONDS)
        try:
            behind.request(handler.command, handler.path, headers=dict(handler.headers.items()))
            answer = behind.getresponse()
            body = answer.read()
        finally:
            behind.close()
        headers = {name: value for name, value in answer.getheaders() if name.lower() not in _HOP_BY_HOP}
        length = answer.getheader("Content-Length") if handler.command == "HEAD" else None
        _send(handler, answer.status, headers, body, length=length)


class _Quiet(ThreadingHTTPServer):
    request_queue_size = 512

    def handle_error(self, request: object, client_address: object) -> None:
        """A server that has reached its deadline closes its connection."""


def _send(
    handler: BaseHTTPRequestHandler, status: int, headers: dict[str, str], body: bytes, *, length: str | None = None
) -> None:
    handler.send_response(status)
    for name, value in {**headers, "Content-Length": length or str(len(body))}.items():
        handler.send_header(name, value)
    handler.end_headers()
    if handler.command != "HEAD":
        handler.wfile.write(body)


@contextmanager
def bucket_front(port: int) -> Iterator[BucketFront]:
    """The front of the S3 server that listens on `port`."""
    front = BucketFront(port)
    thread = Thread(target=front.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield front
    finally:
        front.server.shutdown()
        front.server.server_close()
