"""Points at a part of a line: the line, and under it a caret for each column of the part."""

import unicodedata

from thumbs.request.mistakes.located import Mistake

_CUT = "…"


def pointed_at(line: str, mistake: Mistake, columns: int | None = None) -> tuple[str, str]:
    """`line` and the line of carets below it.

    Of a line that is wider than `columns`, the part around the mistake is left, so that the terminal does not wrap it.
    """
    start, stop = mistake.offset, mistake.end
    if columns is not None and _width(line) > columns:
        line, start, stop = _excerpt(line, start, stop, columns)
    return line, " " * _width(line[:start]) + "^" * max(1, _width(line[start:stop]))


def _excerpt(line: str, start: int, stop: int, columns: int) -> tuple[str, int, int]:
    """A part of `line` that is not wider than `columns`, and where the mistake is in it."""
    first = start
    while first > 0 and _width(line[first - 1 : start]) <= columns // 3:
        first -= 1
    before = _CUT if first else ""
    last = first
    while last < len(line) and _width(before + line[first : last + 1] + _CUT) <= columns:
        last += 1
    after = _CUT if last < len(line) else ""
    moved = len(before) - first
    return before + line[first:last] + after, start + moved, min(stop, max(last, start)) + moved


def _width(text: str) -> int:
    """The columns of a terminal that `text` takes."""
    return sum(_columns(char) for char in text)


def _columns(char: str) -> int:
    if unicodedata.category(char) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1
