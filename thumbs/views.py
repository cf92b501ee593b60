"""The Django front: one view."""

from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt

from thumbs import asgi, wsgi
from thumbs.errors import BadPath, BadTarget, ThumbError
from thumbs.front import KeyLock
from thumbs.http.messages import Request
from thumbs.http.targets import is_lossy, path_of
from thumbs.site.responses import django_response
from thumbs.wiring.process import thumbnailer


@csrf_exempt  # the method is refused by its own answer, 405
def thumbnail(request: HttpRequest, path: str) -> HttpResponse:
    """The thumbnail at `path`: the rest of the URL from the storage's name on, as Django decoded it."""
    return django_response(wsgi.answer(_request(request, path), thumbnailer))


def _request(request: HttpRequest, path: str) -> Request:
    claim, target = _claim(request, path), _raw_target(request)
    return Request(
        method=request.method or "GET",
        path=claim.path,
        target_length=len(target) or len(request.get_full_path()),
        accept=request.headers.get("Accept", ""),
        if_none_match=request.headers.get("If-None-Match"),
        if_modified_since=request.headers.get("If-Modified-Since"),
        request_id=request.headers.get("X-Request-ID", ""),
        error=claim.error,
    )


def _claim(request: HttpRequest, path: str) -> KeyLock:
    """What is asked of us: by the raw target where there is one, for Django has replaced what is not UTF-8.

    Here every request is ours, and where the target has more than one reading there is nothing to pass on.
    """
    target = _raw_target(request)
    sent = path_of(target)
    below = None if sent is None else _below_the_include(request, path, sent)
    if below is not None:
        claim = KeyLock(b"/" + below)
    else:
        error: type[ThumbError] | None = None
        # Another path than Django's may have been rewritten on the way, which is the site's own affair. What begins
        # with two slashes is the name of a host for some.
        if (target and (sent is None or sent.startswith(b"//"))) or "#" in request.META.get("QUERY_STRING", ""):
            error = BadTarget
        elif is_lossy(path):
            error = BadPath
        claim = KeyLock(b"/" + path.encode("utf-8", "surrogatepass"), error)
    return claim.with_hosts(*_hosts(request))


def _below_the_include(request: HttpRequest, path: str, sent: bytes) -> bytes | None:
    """`sent` from the storage's name on; None where it is not below the site's include, with its script name or not."""
    for whole in (request.path, request.path_info):  # a proxy may have taken the script name off
        mount = whole.removesuffix(path).encode("utf-8", "surrogatepass")
        if sent.startswith(mount):
            return sent[len(mount) :]
    return None


def _raw_target(request: HttpRequest) -> bytes:
    """The request target as received; empty where the server does not tell, as Django's own does not."""
    scope = getattr(request, "scope", None)
    return wsgi.raw_target(request.META) if scope is None else asgi.raw_target(scope)


def _hosts(request: HttpRequest) -> tuple[list[bytes], str]:
    """The values of the Host lines, and the version of HTTP."""
    scope = getattr(request, "scope", None)
    return wsgi.hosts_of(request.META) if scope is None else (asgi.hosts(scope), scope.get("http_version", ""))
