"""System checks of a site's middleware around the include: what it does to thumbnails, and to their being public.

They look at the classes in MIDDLEWARE, a site's own subclasses included. What other middleware does is known only when
it has done it; cookies are then withheld (`site.responses`). A site that serves through a wrapper alone gets no warning
about the include.
"""

import ast
import inspect
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core import checks
from django.urls import URLPattern, URLResolver, get_resolver
from django.utils.module_loading import import_string

from thumbs.checks.config import TAG
from thumbs.site.responses import is_public
from thumbs.views import thumbnail
from thumbs.wiring.process import configuration

ADDS_COOKIES = "thumbs.W004"
CHANGES_BODIES = "thumbs.W005"
ASKS_FOR_LOGIN = "thumbs.W006"
_WRAPPERS = ("ThumbsASGI", "ThumbsWSGI")
_LOGIN = "django.contrib.auth.middleware.LoginRequiredMiddleware"
_HINT = (
    "Wrap the application, so that thumbnails are answered before any middleware: "
    'application = ThumbsWSGI(get_wsgi_application(), prefix="/img/") in wsgi.py, or ThumbsASGI in asgi.py, '
    "and name it in WSGI_APPLICATION or ASGI_APPLICATION."
)


@dataclass(frozen=True, slots=True)
class _Row:
    """A middleware class that does something to thumbnails, where `when` holds of the settings."""

    id: str
    middleware: str
    does: str
    when: Callable[[], bool] = lambda: True


_ROWS = (
    _Row(
        ADDS_COOKIES,
        "django.contrib.sessions.middleware.SessionMiddleware",
        "saves a session with every thumbnail, as SESSION_SAVE_EVERY_REQUEST says, and adds Vary: Cookie to it, so "
        "that caches keep one for each visitor. (Its cookie is not sent.)",
        lambda: bool(settings.SESSION_SAVE_EVERY_REQUEST),
    ),
    _Row(
        ADDS_COOKIES,
        "django.middleware.locale.LocaleMiddleware",
        "adds Vary: Accept-Language and Content-Language to every thumbnail, so that caches keep one for each "
        "language.",
        lambda: bool(settings.USE_I18N),
    ),
    _Row(
        ADDS_COOKIES,
        "django.contrib.auth.middleware.RemoteUserMiddleware",
        "reads the session with every request, so that every thumbnail has Vary: Cookie.",
    ),
    _Row(
        CHANGES_BODIES,
        "django.middleware.gzip.GZipMiddleware",
        "compresses every thumbnail that gets smaller by a byte, on every hit, and makes its ETag a weak one.",
    ),
    _Row(
        CHANGES_BODIES,
        "django.middleware.cache.UpdateCacheMiddleware",
        "keeps every thumbnail a second time, in a cache that no purge reaches.",
    ),
)


_NOT_ASKED = (
    "does not see thumbnails: the wrapper around the application answers before it, without a login.",
    "Sign their URLs if they are not for everyone, or serve them by the include alone.",
)
_ASKED = (
    "asks for a login before a thumbnail, which is then public to every cache on its way.",
    'Set "cache_control": "private, max-age=86400" for its storage, or wrap the application: that asks for no login.',
)


@checks.register(TAG)
def check_middleware(**_: object) -> list[checks.CheckMessage]:
    """What the site's middleware does to thumbnails that the URLconf includes."""
    names = settings.MIDDLEWARE
    if not names:
        return []
    view, wrapped = included_view(), _is_wrapped()
    if wrapped:
        return [_warning(ASKS_FOR_LOGIN, name, *_NOT_ASKED) for name in _of_kind(_LOGIN, names)]
    if view is None or not _has_public_storages():
        return []
    found = [_warning(row.id, name, row.does, _HINT) for row, name in _at_work(names)]
    if getattr(view, "login_required", True):  # as `login_not_required` says it
        found += [_warning(ASKS_FOR_LOGIN, name, *_ASKED) for name in _of_kind(_LOGIN, names)]
    return found


def _warning(warning_id: str, name: str, sentence: str, hint: str) -> checks.CheckMessage:
    return checks.Warning(f"MIDDLEWARE: {name} {sentence}", hint=hint, id=warning_id)


def _at_work(names: Sequence[str]) -> Iterator[tuple[_Row, str]]:
    for row in _ROWS:
        if row.when():
            yield from ((row, name) for name in _of_kind(row.middleware, names))


def _has_public_storages() -> bool:
    return any(conf.cache_control is None or is_public(conf.cache_control) for conf in configuration().storages)


def _of_kind(dotted: str, names: Sequence[str]) -> list[str]:
    """Those of `names` that are the class `dotted`, or one derived from it."""
    return [name for name in names if name == dotted or dotted in _bases_of(name)]


def _bases_of(name: str) -> Iterator[str]:
    """By name: to import a class of Django's is to need an app that the site may not have."""
    try:
        middleware = import_string(name)
    except Exception:  # Django tells of it
        return
    if inspect.isclass(middleware):
        yield from (f"{base.__module__}.{base.__qualname__}" for base in middleware.__mro__)


def included_view() -> Callable[..., Any] | None:
    """Our view, as the URLconf has it: perhaps decorated. None where it is not included, or the URLconf fails."""
    try:
        return next((view for view in _views(get_resolver().url_patterns) if thumbnail in _layers(view)), None)
    except Exception:  # Django tells of it
        return None


def _views(patterns: Sequence[URLPattern | URLResolver]) -> Iterator[Callable[..., Any]]:
    for pattern in patterns:
        if isinstance(pattern, URLResolver):
            yield from _views(pattern.url_patterns)
        else:
            yield pattern.callback


def _layers(view: Callable[..., Any]) -> Iterator[object]:
    layer: object = view
    while layer is not None:
        yield layer
        layer = getattr(layer, "__wrapped__", None)


def _is_wrapped() -> bool:
    """Whether a module that the settings name as the application's calls one of the wrappers."""
    named = (getattr(settings, "ASGI_APPLICATION", None), getattr(settings, "WSGI_APPLICATION", None))
    return any(_calls_wrapper(dotted.rpartition(".")[0]) for dotted in named if isinstance(dotted, str))


def _calls_wrapper(module: str) -> bool:
    """It is read and not imported: a check starts nothing."""
    try:
        spec = find_spec(module)
        source = "" if spec is None or spec.origin is None else Path(spec.origin).read_text()
        calls = [node.func for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call)]
    except (ImportError, ValueError, OSError, SyntaxError):
        return False
    return any(getattr(call, "id", getattr(call, "attr", "")) in _WRAPPERS for call in calls)
