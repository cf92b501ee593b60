"""The Django front: one view."""

from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt

from thumbs import asgi, wsgi
from thumbs.errors import BadPath, BadTarget, ThumbError
from thumbs.front import ThumbTarget
from thumbs.http.messages import Request
from thumbs.http.targets import is_lossy, path_of
from thumbs.site.responses import django_response
from thumbs.wiring.process import thumbnailer


@csrf_exempt  # POST is answered with 405, not with a CSRF failure
def thumbnail(request: HttpRequest, path: str) -> HttpResponse:
    """The thumbnail at `path`: the rest of the URL from the storage's name on, as Django decoded it."""
    return django_response(wsgi.answer(_request(request, path), thumbnailer))


def _request(request: HttpRequest, path: str) -> Request:
    match, target = _match(request, path), _raw_target(request)
    return Request(
        method=request.method or "GET",
        path=match.path,
        target_length=len(target) or len(request.get_full_path()),
        accept=request.headers.get("Accept", ""),
        if_none_match=request.headers.get("If-None-Match"),
        if_modified_since=request.headers.get("If-Modified-Since"),
        request_id=request.headers.get("X-Request-ID", ""),
        error=match.error,
    )


def _match(request: HttpRequest, path: str) -> ThumbTarget:
    """The thumbnail that the request names: by the raw target if there is one, as Django replaces what is not UTF-8.

    There is no application to pass a request on to: a target with more than one reading is refused.
    """
    target = _raw_target(request)
    sent = path_of(target)
    below = None if sent is None else _below_the_include(request, path, sent)
    if below is not None:
        match = ThumbTarget(b"/" + below)
    else:
        error: type[ThumbError] | None = None
        # A path that differs from Django's is accepted: the site's own code may have rewritten it. Some readers take a
        # target that begins with two slashes for a host.
        if (target and (sent is None or sent.startswith(b"//"))) or "#" in request.META.get("QUERY_STRING", ""):
            error = BadTarget
        elif is_lossy(path):
            error = BadPath
        match = ThumbTarget(b"/" + path.encode("utf-8", "surrogatepass"), error)
    return match.with_hosts(*_hosts(request))


def _below_the_include(request: HttpRequest, path: str, sent: bytes) -> bytes | None:
    """`sent` from the storage's name on; None if it is not below the include, with or without the script name."""
    for whole in (request.path, request.path_info):  # a proxy may have taken the script name off
        mount = whole.removesuffix(path).encode("utf-8", "surrogatepass")
        if sent.startswith(mount):
            return sent[len(mount) :]
    return None


def _raw_target(request: HttpRequest) -> bytes:
    """The request target as received; empty if the server does not keep it, as `runserver` does not."""
    scope = getattr(request, "scope", None)
    return wsgi.raw_target(request.META) if scope is None else asgi.raw_target(scope)


def _hosts(request: HttpRequest) -> tuple[list[bytes], str]:
    """The values of the Host lines, and the version of HTTP."""
    scope = getattr(request, "scope", None)
    return wsgi.hosts_of(request.META) if scope is None else (asgi.hosts(scope), scope.get("http_version", ""))
