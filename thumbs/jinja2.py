"""`thumbs.jinja2.ThumbsExtension`: `thumb`, `thumb_img`, `thumb_picture` and `thumb_url` in templates of Jinja2."""

import inspect
from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any

from jinja2 import Environment, Undefined
from jinja2.ext import Extension

from thumbs.toolkit.tags import (
    report_endless,
    thumb_img_tag,
    thumb_picture_tag,
    thumb_tag,
    thumb_url_tag,
)

_FUNCTIONS: dict[str, Callable[..., object]] = {
    "thumb": thumb_tag,
    "thumb_img": thumb_img_tag,
    "thumb_picture": thumb_picture_tag,
    "thumb_url": thumb_url_tag,
}


class ThumbsExtension(Extension):
    """Adds the functions to the globals of the environment. What they return is escaped by `__html__`."""

    def __init__(self, environment: Environment) -> None:
        super().__init__(environment)
        self._reported: set[str] = set()
        environment.globals.update({name: self._defined(function) for name, function in _FUNCTIONS.items()})

    def _defined(self, function: Callable[..., object]) -> Callable[..., object]:
        """`function` with None for each undefined argument, as in Django's templates."""
        signature = inspect.signature(function)

        @wraps(function)
        def defined(*arguments: Any, **keywords: Any) -> object:
            undefined = [each for each in (*arguments, *keywords.values()) if isinstance(each, Undefined)]
            if not undefined:
                return function(*arguments, **keywords)
            for each in undefined:
                str(each)  # as if it were printed: one that is strict raises, another may be logged
            self._report_lifetime(keywords, signature.bind(*arguments, **keywords).arguments)
            return function(*map(_value, arguments), **{name: _value(each) for name, each in keywords.items()})

        return defined

    def _report_lifetime(self, *given: Mapping[str, object]) -> None:
        lifetime = next((each["lifetime"] for each in given if "lifetime" in each), None)
        if isinstance(lifetime, Undefined):
            report_endless(str(lifetime._undefined_name), self._reported)  # noqa: SLF001 - for subclasses, so it stays


def _value(argument: object) -> object:
    return None if isinstance(argument, Undefined) else argument
