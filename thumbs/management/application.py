"""Finds the ASGI application to serve, and checks that it serves thumbnails before anything is started."""

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
    """`settings.ASGI_APPLICATION` as gunicorn's `module:name`, and a remark for the user, or "".

    Raises CommandError if it cannot be served, or serves no thumbnails.
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
    """The dotted path that `startproject` writes into settings."""
    package = str(settings.ROOT_URLCONF).rpartition(".")[0]
    return f"{package or 'mysite'}.asgi.application"


def _imported(module_name: str, dotted: str) -> ModuleType:
    try:
        return import_module(module_name)
    except (Exception, SystemExit) as error:  # it is the site's code, and may fail in any way
        reason = redacted(" ".join(f"{type(error).__name__}: {error}".split()))
        raise CommandError(
            f"ASGI_APPLICATION is {dotted!r}, but {module_name} fails: {reason}{_location(error)}."
        ) from error


def _location(error: BaseException) -> str:
    """The file and line of the site's code that raised `error`, in parentheses; "" if unknown."""
    ours = ("<", import_module.__code__.co_filename, str(Path(__file__).parents[1]))
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if not frame.filename.startswith(ours)]
    return f" ({frames[-1].filename}, line {frames[-1].lineno})" if frames else ""


def _is_asgi(application: Any) -> bool:
    """Whether `application` can be called with a scope, `receive` and `send`."""
    try:
        inspect.signature(application).bind({}, None, None)
    except (TypeError, ValueError):
        return False
    return True


def _remark(application: object, module_name: str) -> str:
    if isinstance(application, ThumbsASGI):
        return ""
    if included_view() is not None:
        return f"Thumbnails pass through Django and its middleware. Faster, in {module_name}: {_WRAP}"
    if isinstance(application, ASGIHandler):
        raise CommandError(
            f"Nothing in this site serves thumbnails. In {module_name}: {_WRAP}, or in the URLconf: "
            'path("img/", include("thumbs.urls")).'
        )
    # The site wraps the application itself. What it wraps cannot be seen.
    return (
        f"The application of {module_name} is not a ThumbsASGI, and the URLconf does not include thumbs.urls: "
        "thumbnails may not be served."
    )
