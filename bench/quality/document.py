"""Puts tables into a document: each replaces what stands between its two marks."""

import re
from collections.abc import Mapping
from pathlib import Path


class UnknownMarkError(Exception):
    """The document has no such mark."""


def put(document: Path, tables: Mapping[str, str]) -> None:
    """Write `document` with the tables by the names of their marks: `<!-- table: NAME -->` and `<!-- end -->`."""
    document.write_text(replaced(document.read_text(encoding="utf-8"), tables), encoding="utf-8")


def replaced(text: str, tables: Mapping[str, str]) -> str:
    """`text` with the tables. Raises `UnknownMarkError`."""
    for name, table in tables.items():
        marks = re.compile(rf"(<!-- table: {re.escape(name)} -->\n).*?(<!-- end -->)", re.DOTALL)
        text, count = marks.subn(lambda found, table=table: f"{found[1]}{table}\n{found[2]}", text)  # type: ignore[misc]
        if count != 1:
            raise UnknownMarkError(name)
    return text
