"""System checks of the middleware around the include: warns of classes that change thumbnails or make them private.

Checked are the classes in MIDDLEWARE and a site's subclasses of them. Other middleware cannot be examined in advance:
its cookies are withheld when it sets them (`site.responses`). With a wrapper, middleware does not see thumbnails, and
the include causes no warnings.
"""

import inspect
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.core import checks
from django.urls import URLPattern, URLResolver, get_resolver
from django.utils.module_loading import import_string

from thumbs.checks.config import TAG
from thumbs.checks.wrappers import named_wrappers
from thumbs.http.cache_control import is_public
from thumbs.views import thumbnail
from thumbs.wiring.process import configuration

ADDS_COOKIES = "thumbs.W004"
CHANGES_BODIES = "thumbs.W005"
ASKS_FOR_LOGIN = "thumbs.W006"
_LOGIN = "django.contrib.auth.middleware.LoginRequiredMiddleware"
_HINT = (
    "Wrap the application, so that thumbnails are answered before any middleware: "
    'application = ThumbsWSGI(get_wsgi_application(), prefix="/img/") in wsgi.py, or ThumbsASGI in asgi.py, '
    "and name it in WSGI_APPLICATION or ASGI_APPLICATION."
)


@dataclass(frozen=True, slots=True)
class _Row:
    """A middleware class and its effect on thumbnails, if `when` is true of the settings."""

    id: str
    middleware: str
    effect: str
    when: Callable[[], bool] = lambda: True


_ROWS = (
    _Row(
        ADDS_COOKIES,
        "django.contrib.sessions.middleware.SessionMiddleware",
        "saves a session with every thumbnail, because of SESSION_SAVE_EVERY_REQUEST, and adds Vary: Cookie, so that "
        "caches store a copy for each visitor. (Its cookie is not sent.)",
        lambda: bool(settings.SESSION_SAVE_EVERY_REQUEST),
    ),
    _Row(
        ADDS_COOKIES,
        "django.middleware.locale.LocaleMiddleware",
        "adds Vary: Accept-Language and Content-Language to every thumbnail, so that caches store a copy for each "
        "language.",
        lambda: bool(settings.USE_I18N),
    ),
    _Row(
        ADDS_COOKIES,
        "django.contrib.auth.middleware.RemoteUserMiddleware",
        "reads the session with every request, and so adds Vary: Cookie to every thumbnail.",
    ),
    _Row(
        CHANGES_BODIES,
        "django.middleware.gzip.GZipMiddleware",
        "compresses thumbnails again on every hit, to save a few bytes, and makes their ETags weak.",
    ),
    _Row(
        CHANGES_BODIES,
        "django.middleware.cache.UpdateCacheMiddleware",
        "stores every thumbnail a second time, in a cache that no purge reaches.",
    ),
)


_BYPASSED = (
    "does not see thumbnails: the wrapper around the application answers before it, without a login.",
    "Sign the URLs if thumbnails are not public, or serve them through the include only.",
)
_REQUIRED = (
    "requires a login for thumbnails, which caches may then serve to all clients, because they are public.",
    'Set "cache_control": "private, max-age=86400" for its storage, or wrap the application, which requires no login.',
)


@checks.register(TAG)
def check_middleware(**_: object) -> list[checks.CheckMessage]:
    """Warnings about middleware that changes the thumbnails of the include, or hides them behind a login."""
    names = settings.MIDDLEWARE
    if not names:
        return []
    view, wrapped = included_view(), bool(named_wrappers())
    if wrapped:
        return [_warning(ASKS_FOR_LOGIN, name, *_BYPASSED) for name in _subclasses(_LOGIN, names)]
    if view is None or not _has_public_storages():
        return []
    found = [_warning(row.id, name, row.effect, _HINT) for row, name in _active_rows(names)]
    if getattr(view, "login_required", True):  # set by Django's `login_not_required`
        found += [_warning(ASKS_FOR_LOGIN, name, *_REQUIRED) for name in _subclasses(_LOGIN, names)]
    return found


def _warning(warning_id: str, name: str, sentence: str, hint: str) -> checks.CheckMessage:
    return checks.Warning(f"MIDDLEWARE: {name} {sentence}", hint=hint, id=warning_id)


def _active_rows(names: Sequence[str]) -> Iterator[tuple[_Row, str]]:
    for row in _ROWS:
        if row.when():
            yield from ((row, name) for name in _subclasses(row.middleware, names))


def _has_public_storages() -> bool:
    storages = [conf for conf in configuration().storages if not conf.private]
    return any(conf.cache_control is None or is_public(conf.cache_control) for conf in storages)


def _subclasses(dotted: str, names: Sequence[str]) -> list[str]:
    """The `names` of the class `dotted` and of classes derived from it."""
    return [name for name in names if name == dotted or dotted in _bases_of(name)]


def _bases_of(name: str) -> Iterator[str]:
    """Names, not classes: importing one of Django's may need an app that the site has not installed."""
    try:
        middleware = import_string(name)
    except Exception:  # Django reports it
        return
    if inspect.isclass(middleware):
        yield from (f"{base.__module__}.{base.__qualname__}" for base in middleware.__mro__)


def included_view() -> Callable[..., Any] | None:
    """Our view as the URLconf has it, perhaps decorated. None if it is not included, or if the URLconf fails."""
    try:
        return next((view for view in _views(get_resolver().url_patterns) if is_thumbnail(view)), None)
    except Exception:  # Django reports it
        return None


def is_thumbnail(view: object) -> bool:
    """Whether `view` is our view, perhaps decorated."""
    return thumbnail in _unwrapped(view)


def _views(patterns: Sequence[URLPattern | URLResolver]) -> Iterator[Callable[..., Any]]:
    for pattern in patterns:
        if isinstance(pattern, URLResolver):
            yield from _views(pattern.url_patterns)
        else:
            yield pattern.callback


def _unwrapped(view: object) -> Iterator[object]:
    """`view`, and what its decorators wrap."""
    current = view
    while current is not None:
        yield current
        current = getattr(current, "__wrapped__", None)
