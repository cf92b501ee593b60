"""Which clients get the pages: the staff of a site; of the standalone server, this machine or clients with a token."""

import functools
import hashlib
import hmac
from collections.abc import Callable
from urllib.parse import quote

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseForbidden, HttpResponseRedirect
from django.shortcuts import resolve_url
from django.urls import NoReverseMatch, reverse
from django.utils.crypto import constant_time_compare
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_safe

from thumbs.conf.document import NO_PAGES, SIGNING_PAGES
from thumbs.conf.loading import NotConfigured
from thumbs.http.loopback import is_loopback
from thumbs.playground.headers import secured
from thumbs.wiring.process import current

COOKIE = "mage_playground"
TOKEN = "token"  # noqa: S105 - the name of a parameter
_PAGE = "page"
_FORWARDED = ("HTTP_FORWARDED", "HTTP_X_FORWARDED_FOR", "HTTP_X_FORWARDED_HOST", "HTTP_X_REAL_IP", "HTTP_VIA")
_NO_TOKEN = "The playground needs its token. Open it once with ?token=… and the playground_token of the configuration."  # noqa: S105
_NOT_LOCAL = (
    "Without a playground_token, a playground that signs is for clients of this machine only: open it at "
    "http://localhost or http://127.0.0.1."
)
_NOT_CONFIGURED = "The configuration of thumbnails has errors: run manage.py check."
_NOT_STAFF = "The playground is for the staff of this site."

View = Callable[..., HttpResponse]


def _login_url() -> str:
    """Where the site's staff signs in: at its admin, where it has one."""
    try:
        return reverse("admin:login")
    except NoReverseMatch:
        return resolve_url(settings.LOGIN_URL)


def for_staff(view: View) -> View:
    """A gate: the users of a site that are staff; others are sent to the login from the page, and refused elsewhere."""

    @_gated(view)
    def refused(request: HttpRequest) -> HttpResponse | None:
        user = getattr(request, "user", None)
        if user is not None and user.is_active and user.is_staff:
            return None
        is_page = request.resolver_match is not None and request.resolver_match.url_name == _PAGE
        if user is None or user.is_authenticated or not is_page:
            return HttpResponseForbidden(_NOT_STAFF, content_type="text/plain")
        # Django's own `redirect_to_login` imports the models of its users, which a site with other users lacks.
        login = _login_url()
        back = quote(request.get_full_path(), safe="/")
        return HttpResponseRedirect(f"{login}{'&' if '?' in login else '?'}next={back}")

    return refused


def for_clients(view: View) -> View:
    """A gate: clients with the token if there is one; without, pages that sign are for this machine only."""

    @_gated(view)
    def refused(request: HttpRequest) -> HttpResponse | None:
        document = current().read.document
        token = document.playground_token
        if token is None:
            is_refused = document.playground == SIGNING_PAGES and not is_local(request)
            return HttpResponseForbidden(_NOT_LOCAL, content_type="text/plain") if is_refused else None
        given = request.GET.get(TOKEN)
        if given is not None and constant_time_compare(given, token):
            return _with_cookie(request, token)
        if constant_time_compare(request.COOKIES.get(COOKIE, ""), _cookie_of(token)):
            return None
        return HttpResponseForbidden(_NO_TOKEN, content_type="text/plain")

    return refused


def _gated(view: View) -> Callable[[Callable[[HttpRequest], HttpResponse | None]], View]:
    def with_gate(refused: Callable[[HttpRequest], HttpResponse | None]) -> View:
        @functools.wraps(view)
        def gated(request: HttpRequest, **arguments: str) -> HttpResponse:
            try:
                is_off = current().read.document.playground == NO_PAGES
            except NotConfigured:  # of a site: a server does not start with it
                sentence = HttpResponse(_NOT_CONFIGURED, status=503, content_type="text/plain")
                return secured(refused(request) or sentence)
            if is_off:
                raise Http404
            return secured(refused(request) or require_safe(view)(request, **arguments))

        return csrf_exempt(gated)  # POST is answered with 405, not with a CSRF failure

    return with_gate


def is_local(request: HttpRequest) -> bool:
    """Whether the request comes from this machine, by no proxy, and names it.

    Without the look at the name, a page of another site could reach the server in a browser of this machine, under a
    name of that site that leads to a loopback address (DNS rebinding).
    """
    if any(request.META.get(name) for name in _FORWARDED):
        return False
    return is_loopback(request.META.get("REMOTE_ADDR", "")) and is_loopback(_host(request.META.get("HTTP_HOST", "")))


def _host(value: str) -> str:
    """The host of a Host line, without port and brackets."""
    if value.startswith("["):
        return value[1:].partition("]")[0]
    return value.partition(":")[0]


def _with_cookie(request: HttpRequest, token: str) -> HttpResponse:
    """The same page, without the token in its URL, and with a cookie in its place."""
    query = request.GET.copy()
    del query[TOKEN]
    page = reverse(f"{namespace_of(request)}:{_PAGE}")
    response = HttpResponseRedirect(page + (f"?{query.urlencode()}" if query else ""))
    response.status_code = 303
    response.set_cookie(
        COOKIE, _cookie_of(token), path=page, httponly=True, samesite="Strict", secure=request.is_secure()
    )
    return response


def namespace_of(request: HttpRequest) -> str:
    """The namespace of the URLconf whose view answers."""
    return "" if request.resolver_match is None else request.resolver_match.namespace


def _cookie_of(token: str) -> str:
    """What the cookie holds: made of the token, which cannot be computed from it."""
    return hmac.new(token.encode(), b"mage playground", hashlib.sha256).hexdigest()
