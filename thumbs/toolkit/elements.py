"""HTML elements of escaped attributes, and which keyword arguments of a tag are attributes."""

import difflib
import re
from collections.abc import Mapping
from functools import lru_cache
from html import escape
from typing import TypeVar

from django.utils.safestring import SafeString

from thumbs.problems import nearest
from thumbs.request.filters import FILTERS, find
from thumbs.toolkit.errors import WrongSpec

T = TypeVar("T")

# Those of <img> and the global ones of the HTML standard, as keyword arguments. Others are accepted as well.
# fmt: off
_ATTRIBUTES = frozenset((
    "accesskey", "alt", "autofocus", "border", "class", "crossorigin", "decoding", "dir", "draggable",
    "fetchpriority", "height", "hidden", "id", "inert", "ismap", "itemid", "itemprop", "itemref", "itemscope",
    "itemtype", "lang", "loading", "longdesc", "nonce", "part", "popover", "referrerpolicy", "role", "sizes",
    "slot", "src", "srcset", "style", "tabindex", "title", "translate", "usemap", "width",
))
# fmt: on
_EAGER = {"loading": "eager", "decoding": "async", "fetchpriority": "high"}
_LAZY = {"loading": "lazy", "decoding": "async"}
_CLOSE = 0.75  # of difflib: `formt` is a misspelled filter, `title` is not
_NAME = re.compile(r"[A-Za-z@:][A-Za-z0-9_.:@-]*")
# What would end an attribute's value in text that is marked as safe: that of Django, or of Jinja2.
_DELIMITERS = str.maketrans({'"': "&quot;", "<": "&lt;", ">": "&gt;"})


def element(name: str, attributes: Mapping[str, object]) -> SafeString:
    """A void element such as `<img …>`."""
    return SafeString(f"<{name}{attributes_text(attributes)}>")


def attributes_text(attributes: Mapping[str, object]) -> SafeString:
    """The text of attributes, each with a space before it. True is a bare attribute; None and False are left out.

    `data_x` is written `data-x`, and `class_` as `class`. Raises ValueError for a name that no attribute can have.
    """
    named = {attribute_name(name): value for name, value in attributes.items()}  # an attribute stands only once
    return SafeString("".join(_attribute(name, value) for name, value in named.items()))


def img_attributes(alt: object, given: Mapping[str, object], *, priority: object) -> dict[str, object]:
    """The attributes of an `<img>` but those of its picture. `priority` loads it eagerly; `given` replaces the others.

    An `alt` of None, which an undefined variable is, is a picture without a text.
    """
    return {"alt": "" if alt is None else alt, **(_EAGER if priority else _LAZY), **given}


def divided(keywords: Mapping[str, T]) -> tuple[dict[str, T], dict[str, T]]:
    """The filters among the keyword arguments of an element, and its attributes.

    Raises `WrongSpec` for a name that is none of an attribute and nearly that of a filter.
    """
    options: dict[str, T] = {}
    attributes: dict[str, T] = {}
    for name, value in keywords.items():
        if find(name) is not None:
            options[name] = value
            continue
        if name.isalpha() and name not in _ATTRIBUTES and difflib.get_close_matches(name, FILTERS, 1, _CLOSE):
            raise WrongSpec(f"{name!r} is neither a filter nor an attribute of <img>. {nearest(name, FILTERS)}")
        attributes[name] = value
    return options, attributes


@lru_cache(maxsize=256)
def attribute_name(name: str) -> str:
    """The attribute that a keyword argument stands for."""
    if _NAME.fullmatch(name) is None:
        raise ValueError(f"{name!r} is no name of an HTML attribute.")
    return name.rstrip("_").replace("_", "-")


def _attribute(name: str, value: object) -> str:
    if value is None or value is False:
        return ""
    if value is True:
        return f" {name}"
    text = value if isinstance(value, str) else str(value)
    plain = str.__str__(text)  # methods of Jinja2's text escape their arguments, so that `escape` would find nothing
    escaped = plain.translate(_DELIMITERS) if hasattr(text, "__html__") else escape(plain)
    return f' {name}="{escaped}"'
