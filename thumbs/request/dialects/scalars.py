"""Numbers, flags and colors as the peers write them. Wrong text raises ValueError."""

import re

from thumbs.image import colors
from thumbs.image.transforms import Color

_WHOLE = re.compile(r"\+?[0-9]{1,12}")
_NUMBER = re.compile(r"[+-]?(?:[0-9]{1,12}\.?[0-9]{0,12}|\.[0-9]{1,12})")
_TRUE = frozenset(("1", "t", "T", "true", "True", "TRUE"))
_HEX = re.compile(r"#?([0-9a-fA-F]{3}|[0-9a-fA-F]{6})")


def whole(text: str) -> int:
    """A whole number from 0."""
    if _WHOLE.fullmatch(text) is None:
        raise ValueError("not a whole number")
    return int(text)


def number(text: str) -> float:
    if _NUMBER.fullmatch(text) is None:
        raise ValueError("not a number")
    return float(text)


def positive(text: str) -> float:
    value = number(text)
    if value < 0:
        raise ValueError("negative")
    return value


def flag(text: str) -> bool:
    """As Go's ParseBool, with everything else as false."""
    return text in _TRUE


def hex_color(text: str) -> Color:
    """Three or six hex digits."""
    match = _HEX.fullmatch(text)
    if match is None:
        raise ValueError("not a color")
    return colors.parse(match[1])


def color(text: str) -> Color:
    """Hex digits, also behind `#`, or a CSS name; `transparent` is none here."""
    if _HEX.fullmatch(text):
        return hex_color(text)
    return colors.parse(text.lower())
