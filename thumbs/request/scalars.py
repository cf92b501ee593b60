"""Numbers, names and flags in filter arguments. Invalid text raises ValueError or KeyError."""

import re

_WHOLE = re.compile(r"0|[1-9][0-9]{0,8}")
_DECIMAL = re.compile(r"(?:0|[1-9][0-9]{0,5})(?:\.[0-9]{1,6})?")
NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
TOKEN = re.compile(r"[A-Za-z0-9._~-]{1,64}")
SECONDS = re.compile(r"[1-9][0-9]{0,11}")


def matched(pattern: re.Pattern[str], text: str) -> str:
    """`text` if all of it matches `pattern`; raises ValueError if not."""
    if pattern.fullmatch(text) is None:
        raise ValueError("does not match")
    return text


def whole(text: str) -> int:
    """A whole number without leading zeros, up to nine digits."""
    return int(matched(_WHOLE, text))


def decimal(text: str) -> float:
    """A number with at most six decimal places."""
    return float(matched(_DECIMAL, text))


def decimal_text(value: float) -> str:
    """`value` as text: at most six decimal places, no trailing zeros, no exponent."""
    return f"{value:.6f}".rstrip("0").rstrip(".")


def signed(text: str) -> int:
    """A whole number that may be negative."""
    return -whole(text[1:]) if text.startswith("-") else whole(text)


def signed_decimal(text: str) -> float:
    """A number that may be negative. `-0` is none."""
    value = -decimal(text[1:]) if text.startswith("-") else decimal(text)
    if value == 0 and text.startswith("-"):
        raise ValueError("does not match")
    return value


def yes_or_no(text: str) -> bool:
    return {"yes": True, "no": False}[text]
