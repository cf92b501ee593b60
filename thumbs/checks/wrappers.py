"""The wrappers around a site's application, as the source of its modules shows them. Nothing is imported or started."""

import ast
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

from django.conf import settings

_WRAPPERS = ("ThumbsASGI", "ThumbsWSGI")


class Wrapper(NamedTuple):
    """A call of a wrapper in `module`. `prefix` is None where it is not a literal."""

    module: str
    name: str
    prefix: str | None


def named_wrappers() -> list[Wrapper]:
    """Those in the modules that ASGI_APPLICATION and WSGI_APPLICATION name."""
    named = (getattr(settings, "ASGI_APPLICATION", None), getattr(settings, "WSGI_APPLICATION", None))
    return _in_modules([dotted.rpartition(".")[0] for dotted in named if isinstance(dotted, str)])


def all_wrappers() -> list[Wrapper]:
    """Also those in the modules beside the URLconf that `startproject` makes, which servers are often given by name."""
    urlconf = getattr(settings, "ROOT_URLCONF", None)
    package = urlconf.rpartition(".")[0] if isinstance(urlconf, str) else ""
    found = named_wrappers()
    beside = [f"{package}.{name}" for name in ("asgi", "wsgi")] if package else []
    return found + _in_modules([name for name in beside if name not in {each.module for each in found}])


def _in_modules(modules: list[str]) -> list[Wrapper]:
    return [wrapper for module in dict.fromkeys(modules) for wrapper in _in_module(module)]


def _in_module(module: str) -> Iterator[Wrapper]:
    try:
        spec = find_spec(module)
        source = "" if spec is None or spec.origin is None else Path(spec.origin).read_text()
        calls = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call)]
    except (ImportError, ValueError, OSError, SyntaxError):
        return
    for call in calls:
        name = getattr(call.func, "id", getattr(call.func, "attr", ""))
        if name in _WRAPPERS:
            yield Wrapper(module, name, _prefix_of(call))


def _prefix_of(call: ast.Call) -> str | None:
    if any(keyword.arg is None for keyword in call.keywords):  # **options
        return None
    given = [keyword.value for keyword in call.keywords if keyword.arg == "prefix"]
    if not given:
        return "/"
    return given[0].value if isinstance(given[0], ast.Constant) and isinstance(given[0].value, str) else None
