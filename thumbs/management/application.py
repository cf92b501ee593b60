"""The application that a server is to run, known to be one that serves thumbnails before anything is started for it."""

import inspect
import traceback
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

from django.conf import settings
from django.core.handlers.asgi import ASGIHandler
from django.core.management.base import CommandError

from thumbs.asgi import ThumbsASGI
from thumbs.checks.middleware import included_view
from thumbs.observability.redaction import redacted

_WRAP = 'application = thumbs.asgi.ThumbsASGI(get_asgi_application(), prefix="/img/")'


def asgi_application() -> tuple[str, str]:
    """`module:name` of `settings.ASGI_APPLICATION` as gunicorn wants it, and what is to be said about it, or nothing.

    Raises CommandError where it cannot be served, or serves no thumbnails.
    """
    dotted = getattr(settings, "ASGI_APPLICATION", None)
    if not dotted:
        raise CommandError(f"Set ASGI_APPLICATION in settings.py: ASGI_APPLICATION = {_guess()!r}.")
    module_name, _, name = dotted.rpartition(".") if isinstance(dotted, str) else ("", "", "")
    if not module_name or ":" in dotted:
        raise CommandError(f"ASGI_APPLICATION takes a module and a name in it, as in {_guess()!r}, not {dotted!r}.")
    module = _imported(module_name, dotted)
    if not hasattr(module, name):
        raise CommandError(f"ASGI_APPLICATION is {dotted!r}, but {module_name} has no {name!r}.")
    application = getattr(module, name)
    if not _is_asgi(application):
        hint = f"Name one such as {_guess()!r}"
        raise CommandError(f"ASGI_APPLICATION is {dotted!r}, which is no ASGI application. {hint}.")
    return f"{module_name}:{name}", _remark(application, module_name)


def _guess() -> str:
    """The path that `startproject` gives the application."""
    package = str(settings.ROOT_URLCONF).rpartition(".")[0]
    return f"{package or 'mysite'}.asgi.application"


def _imported(module_name: str, dotted: str) -> ModuleType:
    try:
        return import_module(module_name)
    except (Exception, SystemExit) as error:  # it is the site's code, and may fail in any way
        told = redacted(" ".join(f"{type(error).__name__}: {error}".split()))
        raise CommandError(
            f"ASGI_APPLICATION is {dotted!r}, but {module_name} fails: {told}{_place(error)}."
        ) from error


def _place(error: BaseException) -> str:
    """Where in the site's code it happened, as far as that is known."""
    ours = ("<", import_module.__code__.co_filename, str(Path(__file__).parents[1]))
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if not frame.filename.startswith(ours)]
    return f" ({frames[-1].filename}, line {frames[-1].lineno})" if frames else ""


def _is_asgi(application: Any) -> bool:
    """Whether it can be called with a scope, `receive` and `send`."""
    try:
        inspect.signature(application).bind({}, None, None)
    except (TypeError, ValueError):
        return False
    return True


def _remark(application: object, module_name: str) -> str:
    if isinstance(application, ThumbsASGI):
        return ""
    if included_view() is not None:
        return f"Thumbnails go through Django and its middleware. Faster, in {module_name}: {_WRAP}"
    if isinstance(application, ASGIHandler):
        raise CommandError(
            f"Nothing here serves thumbnails. In {module_name}: {_WRAP}, or in the URLconf: "
            'path("img/", include("thumbs.urls")).'
        )
    # Something of the site's own is around it. What is inside cannot be seen.
    return (
        f"{module_name} does not end in ThumbsASGI, and the URLconf does not include thumbs.urls: are there thumbnails?"
    )
