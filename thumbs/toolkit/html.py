"""HTML elements of escaped attributes."""

import re
from collections.abc import Mapping

from django.utils.html import conditional_escape
from django.utils.safestring import SafeString

_NAME = re.compile(r"[A-Za-z@:][A-Za-z0-9_.:@-]*")
# What would end an attribute's value in text that is marked as safe.
_DELIMITERS = str.maketrans({'"': "&quot;", "<": "&lt;", ">": "&gt;"})


def element(name: str, attributes: Mapping[str, object]) -> SafeString:
    """A void element such as `<img …>`."""
    return SafeString(f"<{name}{attributes_text(attributes)}>")


def attributes_text(attributes: Mapping[str, object]) -> SafeString:
    """The text of attributes, each with a space before it. True is a bare attribute; None and False are left out.

    `data_x` is written `data-x`, and `class_` as `class`. Raises ValueError for a name that no attribute can have.
    """
    return SafeString("".join(_attribute(attribute_name(name), value) for name, value in attributes.items()))


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
    return f' {name}="{conditional_escape(text).translate(_DELIMITERS)}"'
