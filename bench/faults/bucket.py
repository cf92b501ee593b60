"""A proxy before an S3 server: it passes requests on, delays or denies them, answers 503, or damages objects."""

import http.client
import random
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock, Thread

from bench.processes import LOOPBACK

PASS, DENY, UNAVAILABLE, SLOW, UNSTEADY = "pass", "deny", "unavailable", "slow", "unsteady"
# Whole answers with other bodies: half of an object, bytes that are no object of Mage, and another object.
TRUNCATED, FOREIGN, SWAPPED = "truncated", "foreign", "swapped"
SLOW_SECONDS = 0.5
_TIMEOUT_SECONDS = 120.0
_DENIED = b"<?xml version='1.0'?><Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>"
_UNAVAILABLE = b"<?xml version='1.0'?><Error><Code>SlowDown</Code><Message>Reduce your request rate</Message></Error>"
_HOP_BY_HOP = ("connection", "transfer-encoding", "content-length", "date", "server")


class BucketFront:
    """`url` is the endpoint. `mode` applies to all requests that begin from then on.

    `met` counts the answers that were not passed on as they were. `UNSTEADY` delays by less and by more than callers
    wait, which is half of `unsteady_seconds`.
    """

    def __init__(self, port: int, *, unsteady_seconds: float = 0.0) -> None:
        self.mode = PASS
        self.met = 0
        self._behind = port
        self._unsteady_seconds = unsteady_seconds
        self._last_object = b""
        self._changes = Lock()
        front = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                front.answer(self)

            do_HEAD = do_PUT = do_POST = do_DELETE = do_GET  # noqa: N815 - names of the standard library

            def log_message(self, *_: object) -> None:
                pass

        self.server = _Quiet((LOOPBACK, 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://{LOOPBACK}:{self.server.server_address[1]}"

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        sent, mode = handler.rfile.read(int(handler.headers.get("Content-Length") or 0)), self.mode
        self.met += mode in (DENY, UNAVAILABLE, SLOW, UNSTEADY)
        if mode == DENY:
            _send(handler, 403, {"Content-Type": "application/xml"}, _DENIED)
        elif mode == UNAVAILABLE:
            _send(handler, 503, {"Content-Type": "application/xml"}, _UNAVAILABLE)
        else:
            if mode == SLOW:
                time.sleep(SLOW_SECONDS)
            elif mode == UNSTEADY:
                time.sleep(random.uniform(0, self._unsteady_seconds))
            self._pass_on(handler, sent, mode)

    def _pass_on(self, handler: BaseHTTPRequestHandler, sent: bytes, mode: str) -> None:
        behind = http.client.HTTPConnection(LOOPBACK, self._behind, timeout=_TIMEOUT_SECONDS)
        # moto answers 500 to a listing during a write.
        is_read = handler.command in ("GET", "HEAD") and "list-type=" not in handler.path
        try:
            with nullcontext() if is_read else self._changes:
                behind.request(handler.command, handler.path, body=sent or None, headers=dict(handler.headers.items()))
                answer = behind.getresponse()
                body = answer.read()
        finally:
            behind.close()
        headers = {name: value for name, value in answer.getheaders() if name.lower() not in _HOP_BY_HOP}
        length = answer.getheader("Content-Length") if handler.command == "HEAD" else None
        if handler.command == "GET" and answer.status == 200 and "list-type=" not in handler.path:
            body = self._damaged(body, mode)
        _send(handler, answer.status, headers, body, length=length)

    def _damaged(self, body: bytes, mode: str) -> bytes:
        """What is answered for an object of these bytes."""
        before, self._last_object = self._last_object, body
        damaged = {TRUNCATED: body[: len(body) // 2], FOREIGN: bytes(reversed(body)), SWAPPED: before}.get(mode, body)
        self.met += damaged != body
        return damaged


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
def bucket_front(port: int, *, unsteady_seconds: float = 0.0) -> Iterator[BucketFront]:
    """The front of the S3 server that listens on `port`."""
    front = BucketFront(port, unsteady_seconds=unsteady_seconds)
    thread = Thread(target=front.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield front
    finally:
        front.server.shutdown()
        front.server.server_close()
