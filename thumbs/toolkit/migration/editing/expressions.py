"""The arguments of a tag: constants, and expressions that only the running site knows."""

import re
from collections.abc import Sequence

from thumbs.toolkit.migration.editing.edits import Unmapped
from thumbs.toolkit.migration.editing.wanted import Expression, Value

_TEXT = re.compile(r"\"((?:[^\"\\]|\\.)*)\"|'((?:[^'\\]|\\.)*)'")
_NUMBER = re.compile(r"-?[0-9]+")
_FLOAT = re.compile(r"-?[0-9]*\.[0-9]+")
_KEYWORD = re.compile(r"([\w-]+)=(.+)", re.DOTALL)
_TRUTH = {"True": True, "False": False}


def value_of(text: str) -> Value | None:
    """The constant that a word of a tag is, None for `None`, or an expression."""
    if found := _TEXT.fullmatch(text):
        inner = found[1] if found[1] is not None else found[2]
        return Expression(text) if "\\" in inner else inner
    if _NUMBER.fullmatch(text):
        return int(text)
    if _FLOAT.fullmatch(text):
        return float(text)
    if text == "None":
        return None
    return _TRUTH[text] if text in _TRUTH else Expression(text)


def keyword(word: str) -> tuple[str, str] | None:
    """The name and the expression of `name=expression`."""
    found = _KEYWORD.fullmatch(word)
    return (found[1], found[2]) if found else None


def constant_text(value: Value | None, sentence: str) -> str:
    """The value as text. Raises `Unmapped` with the sentence for an expression."""
    if isinstance(value, Expression):
        raise Unmapped(sentence)
    return "" if value is None else str(value)


def truth(value: Value | None, name: str) -> bool:
    """Whether the value is true. Raises `Unmapped` for an expression."""
    if isinstance(value, Expression):
        raise Unmapped(f"{name}={value.text} is known only when the page is rendered.")
    return bool(value)


def quote_of(words: Sequence[str]) -> str:
    """The quote that the author of the tag used."""
    return next((word[-1] for word in words if word[-1:] in "\"'" and word), '"')
