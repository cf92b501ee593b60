"""HTTP to one object store: connections are reused within their limits, and every exchange ends by its deadline.

It answers in botocore's `before-send` event, which lets a handler fulfil a request that botocore has made and signed.
botocore's own HTTP layer has no knob for the idle connections, the wait for headers or a whole exchange.
"""

import http.client
import ssl
import sys
import threading
import time
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import cast

from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.compat import HTTPHeaders

from thumbs.errors import StorageTimeout
from thumbs.sources.exchanges import Body, Connection
from thumbs.sources.reading import Deadline, Interrupted
from thumbs.sources.sockets import Route, dial


@dataclass(frozen=True, slots=True)
class S3Http:
    """The limits of the connections to an object store, with the names and meanings of Go's `http.Transport`.

    Counts and seconds; 0 is no limit of its own: the source's deadline still holds. All are honoured, in each process
    by itself:

    * `max_idle_conns`, `max_idle_conns_per_host`: idle connections kept; one more is closed when its answer was read.
    * `max_conns_per_host`: connections in use; the next request waits for one, no longer than until its deadline.
    * `idle_conn_timeout_sec`: an idle connection that is older is never used again. It is closed when a connection is
      next taken or given back, as no thread waits beside it.
    * `connect_timeout_sec`: TCP, a proxy and TLS together, all addresses together. Looking up the name is the system's.
    * `response_header_timeout_sec`: from the request's last byte to the last byte of the answer's headers.
    * `request_timeout_sec`: one read of a source, first byte to last, its one retry included.

    The credentials that boto3 fetches by itself (a role's) have time-outs of their own: see `S3Source`.
    """

    max_idle_conns: int = 100
    max_idle_conns_per_host: int = 100
    max_conns_per_host: int = 0
    idle_conn_timeout_sec: float = 90
    connect_timeout_sec: float = 10
    request_timeout_sec: float = 30
    response_header_timeout_sec: float = 10


class _Call(threading.local):
    """What the current thread is asking for."""

    deadline: Deadline
    body: Body | None = None


class Connections:
    """The connections of one process.

    Register `send` for the client's event `before-send.s3`, and call the client `within` a deadline.
    """

    def __init__(self, limits: S3Http, context: ssl.SSLContext) -> None:
        self._limits = limits
        self._context = context
        self._call = _Call()
        self._lock = threading.Lock()
        self._routes: dict[str, Route] = {}
        self._slots: dict[Route, threading.Semaphore] = {}
        self._idle: list[Connection] = []
        weakref.finalize(self, _close_all, self._idle)

    @contextmanager
    def within(self, deadline: Deadline) -> Iterator[None]:
        """What this thread sends inside ends by `deadline`; when it fails, no connection is left half read."""
        self._call.deadline = deadline
        self._call.body = None
        try:
            yield
        except BaseException:
            if self._call.body:
                self._call.body.close()
            raise
        finally:
            self._call.body = None

    def send(self, request: AWSPreparedRequest, **_: object) -> AWSResponse:
        """The answer to `request`, its body unread. Raises `Interrupted`, `StorageFailed` or `StorageTimeout`."""
        deadline = self._call.deadline
        route = self._route(request.url)
        slot = self._slots.setdefault(route, threading.Semaphore(self._limits.max_conns_per_host or sys.maxsize))
        if not slot.acquire(timeout=deadline.left()):
            raise StorageTimeout
        try:
            connection, response = self._exchange(route, request, deadline)
        except BaseException:
            slot.release()
            raise
        body = self._call.body = Body(response, partial(self._give_back, connection, slot))
        return AWSResponse(request.url, response.status, cast(HTTPHeaders, response.headers), body)

    def _route(self, url: str) -> Route:
        origin = "/".join(url.split("/", 3)[:3])
        route = self._routes.get(origin)
        if route is None:
            route = self._routes[origin] = Route.of(origin)
        return route

    def _exchange(
        self, route: Route, request: AWSPreparedRequest, deadline: Deadline
    ) -> tuple[Connection, http.client.HTTPResponse]:
        kept = self._take(route)
        if kept:
            try:
                return kept, self._ask(kept, request, deadline)
            except Interrupted:
                # The other side may close an idle connection in the very moment that it is used (RFC 9112, 9.3.1).
                pass
        wire = dial(route, self._context, deadline.within(self._limits.connect_timeout_sec))
        fresh = Connection(route, wire)
        return fresh, self._ask(fresh, request, deadline)

    def _ask(self, connection: Connection, request: AWSPreparedRequest, deadline: Deadline) -> http.client.HTTPResponse:
        try:
            return connection.exchange(request, deadline, self._limits.response_header_timeout_sec)
        except (OSError, http.client.HTTPException) as error:
            connection.close()
            raise Interrupted from error
        except BaseException:
            connection.close()
            raise

    def _take(self, route: Route) -> Connection | None:
        """The connection that was used last, so that those not needed grow old."""
        while True:
            with self._lock:
                self._drop_old()
                kept = next((idle for idle in reversed(self._idle) if idle.route == route), None)
                if kept is None:
                    return None
                self._idle.remove(kept)
            if kept.is_quiet():
                return kept
            kept.close()

    def _give_back(self, connection: Connection, slot: threading.Semaphore, whole: bool) -> None:
        with self._lock:
            self._drop_old()
            here = sum(idle.route == connection.route for idle in self._idle)
            kept = (
                whole
                and len(self._idle) < (self._limits.max_idle_conns or sys.maxsize)
                and here < (self._limits.max_idle_conns_per_host or sys.maxsize)
            )
            if kept:
                connection.idle_since = time.monotonic()
                self._idle.append(connection)
        if not kept:
            connection.close()
        slot.release()

    def _drop_old(self) -> None:
        """They lie in the order in which they came back: the oldest first."""
        if self._limits.idle_conn_timeout_sec:
            oldest = time.monotonic() - self._limits.idle_conn_timeout_sec
            while self._idle and self._idle[0].idle_since < oldest:
                self._idle.pop(0).close()


def _close_all(connections: list[Connection]) -> None:
    while connections:
        connections.pop().close()
