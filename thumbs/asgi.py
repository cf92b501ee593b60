"""The ASGI front: answers thumbnail URLs before the application is asked, and passes everything else on to it."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Mapping, MutableMapping
from functools import lru_cache
from typing import Any

from thumbs.front import KeyLock, Mount, failed, wired
from thumbs.http.messages import Request, Response
from thumbs.http.targets import is_lossy
from thumbs.pipeline.thumbnailer import Thumbnailer

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

# Request headers that an answer, or the log of it, depends on, and the field of `Request` each of them fills.
_FIELDS = {
    b"accept": "accept",
    b"if-none-match": "if_none_match",
    b"if-modified-since": "if_modified_since",
    b"x-request-id": "request_id",
}


class ThumbsASGI:
    """`ThumbsASGI(application, prefix="/img/")` serves what `path("img/", include("thumbs.urls"))` would, only faster.

    `thumbnailer` gives the one to ask; by default it is the one of Django's settings. With `whole_server`, requests for
    the application are refused as well where they are not valid HTTP: for a server that has no other front.
    """

    def __init__(
        self,
        application: Application,
        *,
        prefix: str = "/",
        whole_server: bool = False,
        thumbnailer: Callable[[], Thumbnailer] | None = None,
    ) -> None:
        self._application = application
        self._mount = Mount(prefix, whole_server)
        self._thumbnailer = thumbnailer or wired()
        self._claimed = lru_cache(maxsize=4096)(self._mount.claim)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            claim = self._claim(scope)
            if claim is not None:
                await self._answer(scope, claim, receive, send)
                return
        await self._application(scope, receive, send)

    def hit(self, method: str, target: bytes, fields: Mapping[bytes, str]) -> Response | None:
        """The answer to a request that a cache layer can answer at once; None for every other: call the application.

        `fields` are the request's, names in lower case.
        """
        claim = self._claimed(target)
        if claim is None or claim.error is not None:
            return None
        accept, if_none_match = fields.get(b"accept", ""), fields.get(b"if-none-match")
        if_modified_since, request_id = fields.get(b"if-modified-since"), fields.get(b"x-request-id", "")
        request = Request(method, claim.path, len(target), accept, if_none_match, if_modified_since, request_id)
        return self._thumbnailer().hit(request)

    def _claim(self, scope: Scope) -> KeyLock | None:
        target = raw_target(scope)
        if target:
            claim = self._mount.claim(target, scope["method"])
        else:
            path: str = scope["path"]
            query = scope.get("query_string") or b""
            claim = self._mount.claim_decoded(path.encode("utf-8", "surrogatepass"), query, lossy=is_lossy(path))
        return self._mount.with_hosts(claim, hosts(scope), scope.get("http_version", ""))

    async def _answer(self, scope: Scope, claim: KeyLock, receive: Receive, send: Send) -> None:
        fields: dict[str, str] = {}
        for name, value in scope["headers"]:
            field = _FIELDS.get(name)
            if field is not None:  # a field may come in several lines (RFC 9110, 5.3)
                fields[field] = ",".join(filter(None, (fields.get(field), value.decode("latin-1"))))
        length = len(raw_target(scope)) or len(claim.path) + len(scope.get("query_string") or b"")
        request = Request(scope["method"], claim.path, length, **fields, error=claim.error)
        try:
            thumbnailer = self._thumbnailer()
        except Exception as error:  # the configuration may be wrong in any way
            response: Response | None = failed(error, request.method)
        else:
            reply = thumbnailer.reply(request)
            if isinstance(reply, Response):
                response = reply
            else:
                response = await _unless_left(thumbnailer.finish(reply), receive)
        if response is None:
            return
        await send({"type": "http.response.start", "status": response.status, "headers": response.headers})
        await send({"type": "http.response.body", "body": response.body})


def raw_target(scope: Mapping[str, Any]) -> bytes:
    """The request target as received; empty where the server keeps no raw path."""
    raw: bytes = scope.get("raw_path") or b""
    query: bytes = scope.get("query_string") or b""
    return raw + b"?" + query if raw and query else raw


def hosts(scope: Mapping[str, Any]) -> list[bytes]:
    """The values of all Host lines."""
    return [value for name, value in scope["headers"] if name == b"host"]


async def _unless_left(answer: Coroutine[Any, Any, Response], receive: Receive) -> Response | None:
    """The answer, or None as soon as the client has gone: then the answer is cancelled."""
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
    """Return when the client has gone. What it sends meanwhile is of no interest."""
    while (await receive())["type"] != "http.disconnect":
        pass
