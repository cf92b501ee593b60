"""The results of a comparison: a Markdown table with a summary line, or JSON."""

from collections import Counter
from collections.abc import Sequence

from bench.browser.canvas import Drawing
from bench.browser.comparison import GOOD, Result, Verdict
from bench.table import markdown

_HEADER = ("file", "status", "Mage", "browser", "color", "alpha", "verdict")


def differing(results: Sequence[Result]) -> list[Result]:
    """The results that are not good."""
    return [result for result in results if result.verdict not in GOOD]


def table(results: Sequence[Result]) -> str:
    """One row for each result: status, sizes in pixels, largest differences in levels of 0 to 255, verdict."""
    return markdown(_HEADER, [_row(result) for result in results])


def summary(results: Sequence[Result]) -> str:
    """One line: how many files there are, how many of them differ, and how many there are of each verdict."""
    count = Counter(result.verdict for result in results)
    verdicts = ", ".join(f"{count[verdict]} {verdict.value}" for verdict in Verdict if count[verdict])
    return f"{len(results)} files, {len(differing(results))} of them differ: {verdicts}"


def as_json(results: Sequence[Result], *, browser: str) -> dict[str, object]:
    """Everything of the table, with the colors of the cells; `browser` is its name and version."""
    files = [
        {
            "file": result.name,
            "status": result.answer.status,
            "code": result.answer.code,
            "mage": _drawing(result.thumbnail),
            "browser": _drawing(result.drawing),
            "browser_failure": result.failure,
            "color": None if result.difference is None else round(result.difference[0], 3),
            "alpha": None if result.difference is None else round(result.difference[1], 3),
            "tolerance": result.tolerance,
            "verdict": result.verdict.value,
            "differs": result.verdict not in GOOD,
        }
        for result in results
    ]
    return {"browser": browser, "files": files, "differing": len(differing(results))}


def _row(result: Result) -> tuple[str, ...]:
    color, alpha = ("–", "–") if result.difference is None else (f"{each:.2f}" for each in result.difference)
    status = f"{result.answer.status or 'none'} {result.answer.code}".rstrip()
    name = result.name.replace("|", r"\|").encode("ascii", "backslashreplace").decode()
    return (name, status, _size(result.thumbnail), _size(result.drawing), color, alpha, _verdict(result))


def _verdict(result: Result) -> str:
    return f"{result.verdict.value}: {result.failure}" if result.failure else result.verdict.value


def _size(drawing: Drawing | None) -> str:
    return "–" if drawing is None else f"{drawing.width}×{drawing.height}"


def _drawing(drawing: Drawing | None) -> dict[str, object] | None:
    if drawing is None:
        return None
    cells = [[round(value, 2) for value in cell] for cell in drawing.cells]
    return {"width": drawing.width, "height": drawing.height, "cells": cells}
