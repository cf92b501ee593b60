"""The WSGI front: answers thumbnail URLs before the application is asked, and passes everything else on to it."""

from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import TYPE_CHECKING

from thumbs.http import Request, Response, decoded_path
from thumbs.mount import Mount, failed, wired
from thumbs.thumbnailer import Thumbnailer

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment


class ThumbsWSGI:
    """`ThumbsWSGI(application, prefix="/img/")` serves what `path("img/", include("thumbs.urls"))` would, only faster.

    `thumbnailer` gives the one to ask; by default it is the one of Django's settings.
    """

    def __init__(
        self,
        application: "WSGIApplication",
        *,
        prefix: str = "/",
        thumbnailer: Callable[[], Thumbnailer] | None = None,
    ) -> None:
        self._application = application
        self._mount = Mount(prefix)
        self._thumbnailer = thumbnailer or wired()

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        target = raw_target(environ)
        path = self._mount.claim(decoded_path(target) if target else decoded_by_server(environ))
        if path is None:
            return self._application(environ, start_response)
        response = answer(request_of(environ, path), self._thumbnailer)
        start_response(_status_line(response), [(name.decode(), value.decode()) for name, value in response.headers])
        return [response.body] if response.body else []


def answer(request: Request, thumbnailer: Callable[[], Thumbnailer]) -> Response:
    """What `thumbnailer` answers; a constant problem where there is none, because the configuration is wrong."""
    try:
        found = thumbnailer()
    except Exception as error:  # in any way
        return failed(error, request.method)
    return found.answer(request)


def request_of(environ: "WSGIEnvironment", path: bytes) -> Request:
    """The request in `environ`, for the already decoded `path`."""
    return Request(
        method=environ["REQUEST_METHOD"],
        path=path,
        target_length=len(raw_target(environ)) or len(path),
        accept=environ.get("HTTP_ACCEPT", ""),
        if_none_match=environ.get("HTTP_IF_NONE_MATCH"),
        if_modified_since=environ.get("HTTP_IF_MODIFIED_SINCE"),
        request_id=environ.get("HTTP_X_REQUEST_ID", ""),
    )


def raw_target(environ: "WSGIEnvironment") -> bytes:
    """The request target as received: gunicorn's `RAW_URI`, or `REQUEST_URI` of uWSGI and mod_wsgi; else empty."""
    target: str = environ.get("RAW_URI") or environ.get("REQUEST_URI") or ""
    return target.encode("latin-1", "replace")


def decoded_by_server(environ: "WSGIEnvironment") -> bytes:
    """The path as a server that keeps no raw target decoded it (PEP 3333: bytes as Latin-1)."""
    path: str = environ.get("SCRIPT_NAME", "") + environ.get("PATH_INFO", "")
    return path.encode("latin-1", "replace")


def _status_line(response: Response) -> str:
    return f"{response.status} {HTTPStatus(response.status).phrase}"
