"""The WSGI front: answers requests for thumbnails, and passes all others on to the wrapped application."""

from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import TYPE_CHECKING

from thumbs.front import Mount, ThumbTarget, failed, no_routes, wired, wired_routes
from thumbs.http.messages import Request, Response
from thumbs.http.trace_fields import from_environ
from thumbs.pipeline.thumbnailer import Thumbnailer
from thumbs.request.dialects.routes import Routes

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment


class ThumbsWSGI:
    """`ThumbsWSGI(application, prefix="/img/")` serves what `path("img/", include("thumbs.urls"))` does, faster.

    `thumbnailer` returns the thumbnailer to use, by default that of Django's settings, and `routes` where the URLs of
    other image servers begin. With `whole_server`, invalid requests for the application are refused too: for a server
    that has no other front.
    """

    def __init__(
        self,
        application: "WSGIApplication",
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

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        match = self._match(environ)
        if match is None:
            return self._application(environ, start_response)
        response = answer(request_of(environ, match), self._thumbnailer, environ, environ.get("wsgi.url_scheme"))
        start_response(_status_line(response), [(name.decode(), value.decode()) for name, value in response.headers])
        return [response.body] if response.body else []

    def _match(self, environ: "WSGIEnvironment") -> ThumbTarget | None:
        target = raw_target(environ)
        if target:
            match = self._mount.match(target, environ["REQUEST_METHOD"], self._routes())
        else:
            query = environ.get("QUERY_STRING", "").encode("latin-1", "replace")
            match = self._mount.match_decoded(decoded_by_server(environ), query, routes=self._routes())
        return self._mount.with_hosts(match, *hosts_of(environ))


def answer(
    request: Request, thumbnailer: Callable[[], Thumbnailer], environ: "WSGIEnvironment", scheme: str | None
) -> Response:
    """The answer of the thumbnailer; a constant problem document if the configuration is wrong.

    `environ` may also be `META` of a request of Django.
    """
    try:
        made = thumbnailer()
    except Exception as error:  # the configuration may be wrong in any way
        return failed(error, request.method)
    return made.answer(request, None, from_environ(environ, scheme or "http") if made.traces else None)


def request_of(environ: "WSGIEnvironment", match: ThumbTarget) -> Request:
    """The request in `environ` as a value, for the thumbnail in `match`."""
    return Request(
        method=environ["REQUEST_METHOD"],
        path=match.path,
        target_length=len(raw_target(environ)) or len(match.path) + len(environ.get("QUERY_STRING", "")),
        accept=environ.get("HTTP_ACCEPT", ""),
        if_none_match=environ.get("HTTP_IF_NONE_MATCH"),
        if_modified_since=environ.get("HTTP_IF_MODIFIED_SINCE"),
        request_id=environ.get("HTTP_X_REQUEST_ID", ""),
        error=match.error,
        peer=environ.get("REMOTE_ADDR", ""),
        forwarded_for=environ.get("HTTP_X_FORWARDED_FOR", ""),
        dialect=match.dialect,
        cdn_loop=environ.get("HTTP_CDN_LOOP", ""),
    )


def raw_target(environ: "WSGIEnvironment") -> bytes:
    """The request target as received: gunicorn's `RAW_URI`, or `REQUEST_URI` of uWSGI and mod_wsgi; else empty."""
    target: str = environ.get("RAW_URI") or environ.get("REQUEST_URI") or ""
    try:
        return target.encode("latin-1")  # PEP 3333: bytes as Latin-1
    except UnicodeEncodeError:  # the server has decoded it; with characters beyond ASCII it is no valid target
        return target.encode("utf-8", "surrogatepass")


def decoded_by_server(environ: "WSGIEnvironment") -> bytes:
    """The path as a server that keeps no raw target decoded it (PEP 3333: bytes as Latin-1)."""
    path: str = environ.get("SCRIPT_NAME", "") + environ.get("PATH_INFO", "")
    return path.encode("latin-1", "replace")


def hosts_of(environ: "WSGIEnvironment") -> tuple[list[bytes], str]:
    """The Host lines, which a server may have joined to one, and the version of HTTP, empty if unknown.

    A request that no server received, such as one of Django's test client, has no version and needs no Host line.
    """
    host = environ.get("HTTP_HOST")
    received = "SERVER_SOFTWARE" in environ or "uwsgi.version" in environ
    version = environ.get("SERVER_PROTOCOL", "").removeprefix("HTTP/") if received else ""
    return [] if host is None else [host.encode("utf-8", "replace")], version


def _status_line(response: Response) -> str:
    return f"{response.status} {HTTPStatus(response.status).phrase}"
