"""The Django fronts: the view of the include, and views for private storages, which ask a check of the site."""

from collections.abc import Awaitable, Callable, Collection
from inspect import isawaitable, iscoroutinefunction
from typing import Any, NamedTuple

from asgiref.sync import async_to_sync
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt

from thumbs import asgi, wsgi
from thumbs.errors import AccessRefused, BadPath, BadTarget, SourceMissing, StorageUnknown, ThumbError
from thumbs.front import ThumbTarget, failed
from thumbs.http.messages import Request, Response
from thumbs.http.targets import is_lossy, origin_form, path_of
from thumbs.http.trace_fields import TraceFields, from_environ
from thumbs.pipeline.replies import Lookup
from thumbs.pipeline.thumbnailer import Thumbnailer
from thumbs.site.private_views import MARK
from thumbs.site.responses import django_response
from thumbs.wiring.process import thumbnailer

# Returns whether the client of the request may see the original `key` of `storage`.
Check = Callable[[HttpRequest, str, str], bool | Awaitable[bool]]
_REFUSALS: dict[int, type[ThumbError]] = {403: AccessRefused, 404: SourceMissing}
_REFUSING = (PermissionDenied, Http404)


@csrf_exempt  # POST is answered with 405, not with a CSRF failure
def thumbnail(request: HttpRequest, path: str) -> HttpResponse:
    """The thumbnail at `path`: the rest of the URL from the storage's name on, as Django decoded it."""
    return django_response(wsgi.answer(_request(request, path), thumbnailer, request.META, request.scheme))


@csrf_exempt
def translated(request: HttpRequest, path: str, dialect: str) -> HttpResponse:
    """The thumbnail at a URL of another image server: `path` is what Django decoded of it, from the include on."""
    return django_response(
        wsgi.answer(_translated_request(request, path, dialect), thumbnailer, request.META, request.scheme)
    )


def private(
    check: Check, *, storages: Collection[str] | None = None, refusal: int = 403
) -> Callable[..., HttpResponse]:
    """A view of private storages: `path("private/<path:path>", private(may_see))`.

    `check(request, storage, key)` is called before every answer, and decides by its result, or by raising
    `PermissionDenied` or `Http404`; with a coroutine function the view is asynchronous. Any other exception is passed
    on. `storages` are the names of the storages that this view serves, by default all that have `"private": true`.
    `refusal` is the status for clients that may not see a picture: 403, or 404, which is that of a missing one.
    """
    if refusal not in _REFUSALS:
        raise ValueError("refusal is 403 or 404")
    names = None if storages is None else frozenset([storages] if isinstance(storages, str) else storages)
    gate = _Gate(check, names, _REFUSALS[refusal])

    def view(request: HttpRequest, path: str) -> HttpResponse:
        opened = gate.look_up(request, path)
        if isinstance(opened, Response):
            return django_response(opened)
        made, lookup = opened
        allowed = gate.ask(request, lookup)
        if isawaitable(allowed):  # such as that of a lambda around a coroutine function
            allowed = async_to_sync(_settled)(allowed)
        decided, fields = gate.decided(lookup, allowed), _trace_fields(request, made)
        return django_response(made.answer(lookup.request, decided, fields))

    async def async_view(request: HttpRequest, path: str) -> HttpResponse:
        opened = gate.look_up(request, path)
        if isinstance(opened, Response):
            return django_response(opened)
        made, lookup = opened
        allowed = gate.ask(request, lookup)
        if isawaitable(allowed):
            allowed = await _settled(allowed)
        decided, fields = gate.decided(lookup, allowed), _trace_fields(request, made)
        return django_response(await made.finish(made.reply(lookup.request, decided, fields)))

    is_async = iscoroutinefunction(check) or iscoroutinefunction(getattr(check, "__call__", None))  # noqa: B004
    chosen: Callable[..., Any] = csrf_exempt(async_view if is_async else view)
    setattr(chosen, MARK, names)
    return chosen  # as URLconfs are typed: an asynchronous one counts as well


class _Gate(NamedTuple):
    """A site's check, the names of the storages that it is for (None for all), and the error of a client that fails."""

    check: Check
    names: frozenset[str] | None
    refusal: type[ThumbError]

    def look_up(self, request: HttpRequest, path: str) -> tuple[Thumbnailer, Lookup] | Response:
        asked = _request(request, path)._replace(private=True)
        try:
            made = thumbnailer()
        except Exception as error:  # the configuration may be wrong in any way
            return failed(error, asked.method)
        lookup = made.look_up(asked)
        if self.names is not None and lookup.thumb is not None and lookup.thumb.storage not in self.names:
            lookup = Lookup(asked, error=StorageUnknown())
        return made, lookup

    def ask(self, request: HttpRequest, lookup: Lookup) -> bool | Awaitable[bool]:
        """What the check says of the client; True where the answer is an error anyway."""
        if lookup.thumb is None or lookup.error is not None:
            return True
        try:
            return self.check(request, lookup.thumb.storage, lookup.thumb.path)
        except _REFUSING:
            return False

    def decided(self, lookup: Lookup, allowed: object) -> Lookup:
        return lookup if allowed else lookup._replace(found=None, error=self.refusal())


async def _settled(allowed: Awaitable[bool]) -> bool:
    try:
        return await allowed
    except _REFUSING:
        return False


def _trace_fields(request: HttpRequest, made: Thumbnailer) -> TraceFields | None:
    return from_environ(request.META, request.scheme or "http") if made.traces else None


def _request(request: HttpRequest, path: str) -> Request:
    return _request_for(request, _match(request, path))


def _translated_request(request: HttpRequest, path: str, dialect: str) -> Request:
    origin = origin_form(_raw_target(request))
    below = None if origin is None else _below_the_include(request, path, origin)
    if below is None or not below.startswith(dialect[1:].encode()):
        match = ThumbTarget(b"", dialect=dialect)
    else:
        match = ThumbTarget(b"/" + below[len(dialect) - 1 :], dialect=dialect)
    return _request_for(request, match.with_hosts(*_hosts(request)))


def _request_for(request: HttpRequest, match: ThumbTarget) -> Request:
    target = _raw_target(request)
    return Request(
        method=request.method or "GET",
        path=match.path,
        target_length=len(target) or len(request.get_full_path()),
        accept=request.headers.get("Accept", ""),
        if_none_match=request.headers.get("If-None-Match"),
        if_modified_since=request.headers.get("If-Modified-Since"),
        request_id=request.headers.get("X-Request-ID", ""),
        error=match.error,
        peer=request.META.get("REMOTE_ADDR") or "",
        forwarded_for=request.headers.get("X-Forwarded-For", ""),
        dialect=match.dialect,
        cdn_loop=request.headers.get("CDN-Loop", ""),
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
    """`sent`, decoded or raw, from where `path` begins.

    None if it is not below the include, with or without the script name.
    """
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
