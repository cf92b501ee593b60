"""The Django front: one view."""

from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt

from thumbs import wsgi
from thumbs.http import Request, decoded_path
from thumbs.wiring import thumbnailer


@csrf_exempt  # the method is refused by its own answer, 405
def thumbnail(request: HttpRequest, path: str) -> HttpResponse:
    """The thumbnail at `path`: the rest of the URL from the storage's name on, as Django decoded it."""
    answer = wsgi.answer(_request(request, path), thumbnailer)
    response = HttpResponse(answer.body, status=answer.status)
    del response.headers["Content-Type"]
    for raw_name, raw_value in answer.headers:
        name, value = raw_name.decode(), raw_value.decode()
        # Django keeps one line a field; `Vary` may have two, a storage's own and that of `format(auto)`.
        response.headers[name] = f"{response.headers[name]}, {value}" if name in response.headers else value
    return response


def _request(request: HttpRequest, path: str) -> Request:
    target = _raw_target(request)
    return Request(
        method=request.method or "GET",
        path=b"/" + _decoded(request, path, target),
        target_length=len(target) or len(request.get_full_path()),
        accept=request.headers.get("Accept", ""),
        if_none_match=request.headers.get("If-None-Match"),
        if_modified_since=request.headers.get("If-Modified-Since"),
        request_id=request.headers.get("X-Request-ID", ""),
    )


def _decoded(request: HttpRequest, path: str, target: bytes) -> bytes:
    """`path` as bytes: from `target` where there is one, for Django has replaced what is not UTF-8."""
    # What stands before `path` is the site's own: its script name, and the prefix of the include.
    mount = request.path.removesuffix(path).encode()
    whole = decoded_path(target)
    return whole[len(mount) :] if target and whole.startswith(mount) else path.encode("utf-8", "surrogatepass")


def _raw_target(request: HttpRequest) -> bytes:
    """The request target as received; empty where the server does not tell, as Django's own does not."""
    scope = getattr(request, "scope", None)
    if scope is not None:
        query: bytes = scope.get("query_string") or b""
        raw: bytes = scope.get("raw_path") or b""
        return raw + b"?" + query if raw and query else raw
    return wsgi.raw_target(request.META)
