"""The WSGI front: answers thumbnail URLs before the application is asked, and passes everything else on to it."""

from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import TYPE_CHECKING

from thumbs.front import KeyLock, Mount, failed, wired
from thumbs.http.messages import Request, Response
from thumbs.pipeline.thumbnailer import Thumbnailer

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment


class ThumbsWSGI:
    """`ThumbsWSGI(application, prefix="/img/")` serves what `path("img/", include("thumbs.urls"))` would, only faster.

    `thumbnailer` gives the one to ask; by default it is the one of Django's settings. With `whole_server`, requests for
    the application are refused as well where they are not valid HTTP: for a server that has no other front.
    """

    def __init__(
        self,
        application: "WSGIApplication",
        *,
        prefix: str = "/",
        whole_server: bool = False,
        thumbnailer: Callable[[], Thumbnailer] | None = None,
    ) -> None:
        self._application = application
        self._mount = Mount(prefix, whole_server)
        self._thumbnailer = thumbnailer or wired()

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        claim = self._claim(environ)
        if claim is None:
            return self._application(environ, start_response)
        response = answer(request_of(environ, claim), self._thumbnailer)
        start_response(_status_line(response), [(name.decode(), value.decode()) for name, value in response.headers])
        return [response.body] if response.body else []

    def _claim(self, environ: "WSGIEnvironment") -> KeyLock | None:
        target = raw_target(environ)
        if target:
            claim = self._mount.claim(target, environ["REQUEST_METHOD"])
        else:
            query = environ.get("QUERY_STRING", "").encode("latin-1", "replace")
            claim = self._mount.claim_decoded(decoded_by_server(environ), query)
        return self._mount.with_hosts(claim, *hosts_of(environ))


def answer(request: Request, thumbnailer: Callable[[], Thumbnailer]) -> Response:
    """What `thumbnailer` answers; a constant problem where there is none, because the configuration is wrong."""
    try:
        found = thumbnailer()
    except Exception as error:  # in any way
        return failed(error, request.method)
    return found.answer(request)


def request_of(environ: "WSGIEnvironment", claim: KeyLock) -> Request:
    """The request in `environ` for what `claim` says that it asks."""
    return Request(
        method=environ["REQUEST_METHOD"],
        path=claim.path,
        target_length=len(raw_target(environ)) or len(claim.path) + len(environ.get("QUERY_STRING", "")),
        accept=environ.get("HTTP_ACCEPT", ""),
        if_none_match=environ.get("HTTP_IF_NONE_MATCH"),
        if_modified_since=environ.get("HTTP_IF_MODIFIED_SINCE"),
        request_id=environ.get("HTTP_X_REQUEST_ID", ""),
        error=claim.error,
    )


def raw_target(environ: "WSGIEnvironment") -> bytes:
    """The request target as received: gunicorn's `RAW_URI`, or `REQUEST_URI` of uWSGI and mod_wsgi; else empty."""
    target: str = environ.get("RAW_URI") or environ.get("REQUEST_URI") or ""
    try:
        return target.encode("latin-1")  # PEP 3333: bytes as Latin-1
    except UnicodeEncodeError:  # a server that has decoded it: no target either, with characters beyond ASCII
        return target.encode("utf-8", "surrogatepass")


def decoded_by_server(environ: "WSGIEnvironment") -> bytes:
    """The path as a server that keeps no raw target decoded it (PEP 3333: bytes as Latin-1)."""
    path: str = environ.get("SCRIPT_NAME", "") + environ.get("PATH_INFO", "")
    return path.encode("latin-1", "replace")


def hosts_of(environ: "WSGIEnvironment") -> tuple[list[bytes], str]:
    """The value of the Host line, or of all of them in one, and the version of HTTP as far as one is told.

    What no server made, such as a request of Django's test client, needs no Host line.
    """
    host = environ.get("HTTP_HOST")
    received = "SERVER_SOFTWARE" in environ or "uwsgi.version" in environ
    version = environ.get("SERVER_PROTOCOL", "").removeprefix("HTTP/") if received else ""
    return [] if host is None else [host.encode("utf-8", "replace")], version


def _status_line(response: Response) -> str:
    return f"{response.status} {HTTPStatus(response.status).phrase}"
