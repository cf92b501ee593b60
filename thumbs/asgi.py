"""The ASGI front: answers requests for thumbnails, and passes all others on to the wrapped application."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Mapping, MutableMapping
from functools import lru_cache
from typing import Any

from thumbs.front import Mount, ThumbTarget, failed, no_routes, wired, wired_routes
from thumbs.http.messages import Request, Response
from thumbs.http.targets import is_lossy
from thumbs.http.trace_fields import NAMES, TraceFields
from thumbs.pipeline.replies import Lookup
from thumbs.pipeline.thumbnailer import Thumbnailer
from thumbs.request.dialects.routes import Routes

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

# The request headers that answers and their log lines depend on, and the field of `Request` for each.
_FIELDS = {
    b"accept": "accept",
    b"if-none-match": "if_none_match",
    b"if-modified-since": "if_modified_since",
    b"x-request-id": "request_id",
    b"x-forwarded-for": "forwarded_for",
    b"cdn-loop": "cdn_loop",
}
# Those of `TraceFields`, in its order.
_TRACED = tuple(name.encode() for name in NAMES)


class ThumbsASGI:
    """`ThumbsASGI(application, prefix="/img/")` serves what `path("img/", include("thumbs.urls"))` does, faster.

    `thumbnailer` returns the thumbnailer to use, by default that of Django's settings, and `routes` where the URLs of
    other image servers begin. With `whole_server`, invalid requests for the application are refused too: for a server
    that has no other front.
    """

    def __init__(
        self,
        application: Application,
        *,
        prefix: str = "/",
        whole_server: bool = False,
        thumbnailer: Callable[[], Thumbnailer] | None = None,
        routes: Callable[[], Routes] | None = None,
    ) -> None:
        self._application = application
        self._mount = Mount(prefix, whole_server)
        self._thumbnailer = thumbnailer or wired()
        self._routes = routes or (wired_routes() if thumbnailer is None else no_routes)
        self._matched = lru_cache(maxsize=4096)(self._mount.match)

    async def __call__(self, scope: Scope, receive: Receive, send: Send, lookup: Lookup | None = None) -> None:
        """An ASGI application. `lookup` is what `hit` returned for this request, if that was called."""
        if scope["type"] == "http":
            match = self._match(scope)
            if match is not None:
                response = await self._answer(scope, _request(scope, match), lookup, receive)
                if response is not None:
                    await respond(response, send)
                return
        await self._application(scope, receive, send)

    def hit(
        self, method: str, target: bytes, fields: Mapping[bytes, str], *, peer: str = "", scheme: str = "http"
    ) -> Response | Lookup | None:
        """The answer if a cache layer has it at once, else what was looked up: call the application with that.

        None if the request is invalid or not for a thumbnail. `method` is GET or HEAD; names of `fields` are in lower
        case. `peer` is the address in `scope["client"]`, `scheme` that of the connection.
        """
        match = self._matched(target, "GET", self._routes())
        if match is None or match.error is not None:
            return None
        get, path, length, dialect = fields.get, match.path, len(target), match.dialect
        accept, none_match, since = get(b"accept", ""), get(b"if-none-match"), get(b"if-modified-since")
        request_id, forwarded, loop = get(b"x-request-id", ""), get(b"x-forwarded-for", ""), get(b"cdn-loop", "")
        # By position: a call with names, or with starred values, takes longer at each hit.
        request = Request(
            method, path, length, accept, none_match, since, request_id, None, False, peer, forwarded, loop, dialect
        )
        thumbnailer = self._thumbnailer()
        if thumbnailer.traces:
            return thumbnailer.hit(request, _trace_fields(fields, scheme, "1.1"))
        return thumbnailer.hit(request)

    def _match(self, scope: Scope) -> ThumbTarget | None:
        target = raw_target(scope)
        if target:
            match = self._mount.match(target, scope["method"], self._routes())
        else:
            path: str = scope["path"]
            query = scope.get("query_string") or b""
            decoded, lossy = path.encode("utf-8", "surrogatepass"), is_lossy(path)
            match = self._mount.match_decoded(decoded, query, lossy=lossy, routes=self._routes())
        return self._mount.with_hosts(match, hosts(scope), scope.get("http_version", ""))

    async def _answer(self, scope: Scope, request: Request, lookup: Lookup | None, receive: Receive) -> Response | None:
        """The answer; None if the client has gone."""
        try:
            thumbnailer = self._thumbnailer()
        except Exception as error:  # the configuration may be wrong in any way
            return failed(error, request.method)
        reply = thumbnailer.reply(request, lookup, trace_fields(scope) if thumbnailer.traces else None)
        return reply if isinstance(reply, Response) else await _unless_left(thumbnailer.finish(reply), receive)


async def respond(response: Response, send: Send) -> None:
    """Send `response` as the whole answer."""
    await send({"type": "http.response.start", "status": response.status, "headers": response.headers})
    await send({"type": "http.response.body", "body": response.body})


def _request(scope: Scope, match: ThumbTarget) -> Request:
    fields: dict[str, Any] = {}
    for name, value in scope["headers"]:
        field = _FIELDS.get(name)
        if field is not None:  # a field may come in several lines (RFC 9110, 5.3)
            fields[field] = ",".join(filter(None, (fields.get(field), value.decode("latin-1"))))
    length = len(raw_target(scope)) or len(match.path) + len(scope.get("query_string") or b"")
    client = scope.get("client")
    peer = str(client[0]) if client else ""
    return Request(scope["method"], match.path, length, **fields, error=match.error, peer=peer, dialect=match.dialect)


def trace_fields(scope: Scope) -> TraceFields:
    """What a trace needs of the message."""
    fields: dict[bytes, str] = {}
    for name, value in scope["headers"]:
        if name in _TRACED:  # of a repeated `traceparent` nothing is valid, and `tracestate` may be repeated
            fields[name] = ",".join(filter(None, (fields.get(name), value.decode("latin-1"))))
    return _trace_fields(fields, scope.get("scheme", "http"), scope.get("http_version", ""))


def _trace_fields(fields: Mapping[bytes, str], scheme: str, http_version: str) -> TraceFields:
    return TraceFields._make((*(fields.get(name, "") for name in _TRACED), scheme, http_version))


def raw_target(scope: Mapping[str, Any]) -> bytes:
    """The request target as received; empty where the server keeps no raw path."""
    raw: bytes = scope.get("raw_path") or b""
    query: bytes = scope.get("query_string") or b""
    return raw + b"?" + query if raw and query else raw


def hosts(scope: Mapping[str, Any]) -> list[bytes]:
    """The values of all Host lines."""
    return [value for name, value in scope["headers"] if name == b"host"]


async def _unless_left(answer: Coroutine[Any, Any, Response], receive: Receive) -> Response | None:
    """The answer; None as soon as the client has gone, and the answer is cancelled."""
    answering, leaving = asyncio.ensure_future(answer), asyncio.ensure_future(_left(receive))
    try:
        await asyncio.wait((answering, leaving), return_when=asyncio.FIRST_COMPLETED)
        if leaving.done() and leaving.exception() is None and not answering.done():
            return None
        return await answering
    finally:
        answering.cancel()
        leaving.cancel()


async def _left(receive: Receive) -> None:
    """Return when the client has gone. A request body is discarded."""
    while (await receive())["type"] != "http.disconnect":
        pass
