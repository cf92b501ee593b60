"""A proxy before an S3 server, for a test to deny requests, or to answer them with other faults."""

import base64
import hashlib
import http.client
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

from tests.support.waiting import WAIT_SECONDS

# Method and target of a request: whether it is denied.
Rule = Callable[[str, str], bool]
_DENIED = b"<?xml version='1.0'?><Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>"
_NO_MD5 = b"<?xml version='1.0'?><Error><Code>MissingContentMD5</Code></Error>"


def nothing(_: str, __: str) -> bool:
    return False


def everything(_: str, __: str) -> bool:
    return True


def listing(_: str, target: str) -> bool:
    return "list-type=2" in target


def _md5_of(body: bytes) -> str:
    return base64.b64encode(hashlib.md5(body, usedforsecurity=False).digest()).decode("ascii")


class BucketFront:
    """`url` is the endpoint. `denies` decides about each request; `bare` leaves out the body of a 403.

    `wants_md5` answers deletions of many keys only where their headers have the MD5 of the body, as older services do.
    `status` is the answer to every request, unless it is 0. Each waits for `delay` seconds, and while `paused` is set.
    """

    def __init__(self, endpoint: str) -> None:
        self.denies: Rule = nothing
        self.bare = False
        self.wants_md5 = False
        self.status = 0
        self.delay = 0.0
        self.paused = False
        self.asked: list[tuple[str, str]] = []
        self._behind = urlsplit(endpoint).netloc
        self._closed = threading.Event()
        front = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                front.asked.append((self.command, self.path))
                front.wait()
                if front.status:
                    self._answer(front.status, {"Content-Type": "application/xml"}, b"")
                elif front.denies(self.command, self.path):
                    self._answer(403, {"Content-Type": "application/xml"}, b"" if front.bare else _DENIED)
                else:
                    front.pass_on(self)

            do_HEAD = do_PUT = do_POST = do_DELETE = do_GET  # noqa: N815 - names of the standard library

            def _answer(self, status: int, headers: dict[str, str], body: bytes) -> None:
                if "Content-Length" in self.headers:  # a body that is not read would be taken for the next request
                    self.close_connection = True
                self.send_response(status)
                for name, value in {**headers, "Content-Length": str(len(body))}.items():
                    self.send_header(name, value)
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def wait(self) -> None:
        end = time.monotonic() + self.delay
        while (self.paused or time.monotonic() < end) and not self._closed.wait(0.01):
            pass

    def pass_on(self, handler: BaseHTTPRequestHandler) -> None:
        sent = handler.rfile.read(int(handler.headers.get("Content-Length") or 0))
        if self.wants_md5 and handler.command == "POST" and handler.headers.get("Content-MD5") != _md5_of(sent):
            handler.send_response(400)
            handler.send_header("Content-Length", str(len(_NO_MD5)))
            handler.end_headers()
            handler.wfile.write(_NO_MD5)
            return
        behind = http.client.HTTPConnection(self._behind, timeout=WAIT_SECONDS)
        try:
            behind.request(handler.command, handler.path, body=sent or None, headers=dict(handler.headers.items()))
            answer = behind.getresponse()
            body = answer.read()
            handler.send_response(answer.status)
            for name, value in answer.getheaders():
                if name.lower() not in ("connection", "transfer-encoding", "content-length", "date", "server"):
                    handler.send_header(name, value)
            length = answer.getheader("Content-Length") if handler.command == "HEAD" else str(len(body))
            handler.send_header("Content-Length", length or "0")
            handler.end_headers()
            handler.wfile.write(body)
        finally:
            behind.close()

    def serve(self) -> None:
        self._server.serve_forever(poll_interval=0.05)

    def close(self) -> None:
        self._closed.set()
        self._server.shutdown()
        self._server.server_close()


@contextmanager
def bucket_front(endpoint: str) -> Iterator[BucketFront]:
    front = BucketFront(endpoint)
    thread = threading.Thread(target=front.serve, daemon=True)
    thread.start()
    try:
        yield front
    finally:
        front.close()
        thread.join(WAIT_SECONDS)
