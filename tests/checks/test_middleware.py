"""The checks of a site's middleware: a warning where thumbnails pass through it, and only there."""

import functools
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, ClassVar

import pytest
from django.contrib.auth.decorators import login_not_required
from django.contrib.sessions.middleware import SessionMiddleware
from django.core import checks
from django.http import HttpRequest, HttpResponse
from django.middleware.gzip import GZipMiddleware
from django.test import override_settings
from django.urls import include, path, re_path

from thumbs.front import PATTERN
from thumbs.views import thumbnail

_SESSIONS = "django.contrib.sessions.middleware.SessionMiddleware"
_LOCALE = "django.middleware.locale.LocaleMiddleware"
_REMOTE_USER = "django.contrib.auth.middleware.RemoteUserMiddleware"
_PERSISTENT = "django.contrib.auth.middleware.PersistentRemoteUserMiddleware"
_GZIP = "django.middleware.gzip.GZipMiddleware"
_UPDATE_CACHE = "django.middleware.cache.UpdateCacheMiddleware"
_LOGIN = "django.contrib.auth.middleware.LoginRequiredMiddleware"
_HARMLESS = [
    "django.middleware.security.SecurityMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django.middleware.http.ConditionalGetMiddleware",
]


class OwnSessions(SessionMiddleware):
    """A site's own, derived from Django's."""


class OwnGZip(GZipMiddleware):
    """A site's own, derived from Django's."""


def own(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    return get_response


@functools.wraps(thumbnail)
def _open(request: HttpRequest, path: str) -> HttpResponse:
    return thumbnail(request, path)


login_not_required(_open)  # it marks what it is given


class _Elsewhere:
    urlpatterns: ClassVar[list[Any]] = []


class _Exempt:
    urlpatterns: ClassVar = [re_path(PATTERN, _open)]


class _Deep:
    urlpatterns: ClassVar = [path("a/", include([path("b/", include("thumbs.urls"))]))]


@pytest.fixture(autouse=True)
def _site(originals: Path) -> Iterator[None]:
    storage = {"name": "a", "driver": "local", "root": str(originals), "allowed_sizes": ["90x60"]}
    apps = ["django.contrib.contenttypes", "django.contrib.auth", "django.contrib.sessions", "thumbs", "tests"]
    registry = checks.registry.registry
    registered = set(registry.registered_checks)
    with override_settings(THUMBS={"STORAGES": [storage]}, INSTALLED_APPS=apps):
        yield
    # The apps have registered checks of their own, which fail where the apps are not installed.
    registry.registered_checks = registered


def _warnings(*middleware: str, **settings: object) -> list[tuple[str | None, str]]:
    """The ids of the warnings of middleware, each with the class that it names."""
    with override_settings(MIDDLEWARE=list(middleware), **settings):
        found = checks.run_checks(tags=["thumbs"])
    return [(each.id, each.msg.split()[1]) for each in found if each.msg.startswith("MIDDLEWARE:")]


@pytest.mark.parametrize(
    ("middleware", "settings", "warning"),
    [
        (_SESSIONS, {"SESSION_SAVE_EVERY_REQUEST": True}, "thumbs.W004"),
        ("tests.checks.test_middleware.OwnSessions", {"SESSION_SAVE_EVERY_REQUEST": True}, "thumbs.W004"),
        (_LOCALE, {}, "thumbs.W004"),
        (_REMOTE_USER, {}, "thumbs.W004"),
        (_PERSISTENT, {}, "thumbs.W004"),
        (_GZIP, {}, "thumbs.W005"),
        ("tests.checks.test_middleware.OwnGZip", {}, "thumbs.W005"),
        (_UPDATE_CACHE, {}, "thumbs.W005"),
        (_LOGIN, {}, "thumbs.W006"),
    ],
)
def test_middleware_around_the_include_is_warned_about(
    middleware: str, settings: dict[str, object], warning: str
) -> None:
    assert _warnings(*_HARMLESS, middleware, **settings) == [(warning, middleware)]
    assert _warnings(middleware, ROOT_URLCONF=_Deep, **settings) == [(warning, middleware)]


@pytest.mark.parametrize(
    ("middleware", "settings"),
    [
        ((), {}),
        (_HARMLESS, {}),
        ((_SESSIONS,), {}),
        ((_LOCALE,), {"USE_I18N": False}),
        (("tests.checks.test_middleware.own",), {}),
        (("no.such.Middleware",), {}),
        ((_GZIP, _LOGIN), {"ROOT_URLCONF": _Elsewhere}),
        ((_GZIP, _LOGIN), {"ROOT_URLCONF": "no.such.urls"}),
        ((_LOGIN,), {"ROOT_URLCONF": _Exempt}),
        # Read, and not imported: this module needs settings that are not there.
        ((_GZIP, _LOCALE, _UPDATE_CACHE), {"WSGI_APPLICATION": "tests.support.wrapped.application"}),
        ((_GZIP, _LOCALE, _UPDATE_CACHE), {"ASGI_APPLICATION": "tests.support.wrapped.asgi_application"}),
    ],
)
def test_what_does_nothing_to_thumbnails_is_not_warned_about(
    middleware: tuple[str, ...], settings: dict[str, object]
) -> None:
    assert _warnings(*middleware, **settings) == []


@pytest.mark.parametrize("application", ["tests.support.site.application", "no.such.application", "nothing", None])
def test_an_application_without_the_wrapper_changes_nothing(application: str | None) -> None:
    assert _warnings(_GZIP, WSGI_APPLICATION=application) == [("thumbs.W005", _GZIP)]


def test_a_wrapper_that_requires_no_login_is_warned_about() -> None:
    for urls in ("tests.support.site", _Elsewhere):
        warnings = _warnings(_LOGIN, WSGI_APPLICATION="tests.support.wrapped.application", ROOT_URLCONF=urls)
        assert warnings == [("thumbs.W006", _LOGIN)]


def test_thumbnails_that_are_private_may_vary_and_ask_for_a_login(originals: Path) -> None:
    storage = {"name": "a", "driver": "local", "root": str(originals), "allowed_sizes": ["x"]}
    thumbs = {"STORAGES": [{**storage, "cache_control": "private, max-age=60"}]}
    assert _warnings(_GZIP, _LOCALE, _LOGIN, THUMBS=thumbs) == []
