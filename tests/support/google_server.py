"""Google's JSON API for objects, as far as an object store needs it: its emulator ignores the conditions of uploads.

Statuses and parameters are those of https://cloud.google.com/storage/docs/json_api/v1/objects and, for conditions, of
https://cloud.google.com/storage/docs/request-preconditions: an upload with `ifGenerationMatch=0` succeeds only where
there is no object, and is answered 412 otherwise.
"""

import itertools
import json
import re
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import NamedTuple
from urllib.parse import parse_qs, unquote, urlsplit

from tests.support.waiting import WAIT_SECONDS

_OBJECT = re.compile(r"(?:/download)?/storage/v1/b/[^/]+/o/(?P<name>[^/]+)")
_OBJECTS = re.compile(r"/storage/v1/b/[^/]+/o")
_UPLOAD = re.compile(r"/upload/storage/v1/b/[^/]+/o")


class _Object(NamedTuple):
    data: bytes
    generation: int


class _Answer(NamedTuple):
    status: int
    body: bytes = b""


class GoogleServer:
    """`objects` by name, in any bucket. `url` is for `STORAGE_EMULATOR_HOST`. `uploads` are the queries of uploads."""

    def __init__(self) -> None:
        self.objects: dict[str, _Object] = {}
        self.uploads: list[Mapping[str, str]] = []
        self._lock = threading.Lock()
        self._generations = itertools.count(1_700_000_000_000_000)
        store = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                parts = urlsplit(self.path)
                query = {name: values[0] for name, values in parse_qs(parts.query).items()}
                sent = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                status, body = store.answer(self.command, parts.path, query, sent)
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            do_POST = do_DELETE = do_GET  # noqa: N815 - names of the standard library

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"

    def answer(self, method: str, path: str, query: Mapping[str, str], sent: bytes) -> _Answer:
        named = _OBJECT.fullmatch(path)
        if method == "POST" and _UPLOAD.fullmatch(path) and query.get("uploadType") == "multipart":
            return self._upload(query, sent)
        if method == "GET" and _OBJECTS.fullmatch(path):
            return self._page(query)
        if named and method == "GET" and query.get("alt") == "media":
            found = self.objects.get(unquote(named["name"]))
            return _error(404) if found is None else _Answer(200, found.data)
        if named and method == "DELETE":
            with self._lock:
                return _error(404) if self.objects.pop(unquote(named["name"]), None) is None else _Answer(204)
        return _error(400)

    def _upload(self, query: Mapping[str, str], sent: bytes) -> _Answer:
        """A body of two parts: the JSON of the object, and its data (RFC 2387)."""
        boundary, _, rest = sent.partition(b"\r\n")
        about, data = rest.removesuffix(b"--").removesuffix(boundary).removesuffix(b"\r\n").split(boundary + b"\r\n")
        name = json.loads(about.partition(b"\r\n\r\n")[2])["name"]
        with self._lock:  # the condition and the write are one
            self.uploads.append(query)
            there = self.objects.get(name)
            wanted = query.get("ifGenerationMatch")
            if wanted is not None and int(wanted) != (0 if there is None else there.generation):
                return _error(412)
            generation = next(self._generations)
            self.objects[name] = _Object(data.partition(b"\r\n\r\n")[2], generation)
        return _json(200, {"kind": "storage#object", "name": name, "generation": str(generation)})

    def _page(self, query: Mapping[str, str]) -> _Answer:
        """Names in order, from `startOffset` on, which is one of them."""
        start, limit = query.get("pageToken") or query.get("startOffset") or "", int(query.get("maxResults", 1000))
        names = sorted(name for name in self.objects if name.startswith(query.get("prefix", "")) and name >= start)
        answer: dict[str, object] = {"kind": "storage#objects", "items": [{"name": name} for name in names[:limit]]}
        return _json(200, answer | ({"nextPageToken": names[limit]} if len(names) > limit else {}))


def _json(status: int, document: object) -> _Answer:
    return _Answer(status, json.dumps(document).encode())


def _error(status: int) -> _Answer:
    return _json(status, {"error": {"code": status, "message": "refused"}})


@contextmanager
def google_server() -> Iterator[GoogleServer]:
    made = GoogleServer()
    thread = threading.Thread(target=made.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield made
    finally:
        made.server.shutdown()
        made.server.server_close()
        thread.join(WAIT_SECONDS)
