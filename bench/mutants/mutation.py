"""A mutant: one place of one source file with another text. All other bytes of the file stay as they are."""

import ast
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Mutant:
    """`start` and `end` are byte offsets in the file at `path`, which is relative to the project's root."""

    path: str
    function: str
    line: int
    start: int
    end: int
    before: str
    after: str
    kind: str

    @property
    def room(self) -> str:
        return self.path.split("/")[1]

    @property
    def place(self) -> str:
        return f"{self.path}:{self.line}"

    def apply(self, source: bytes) -> bytes:
        """The mutated file. Raises ValueError when `source` is not the file that the mutant was made for."""
        if source[self.start : self.end] != self.before.encode():
            raise ValueError(f"{self.place} is not {self.before!r}")
        return source[: self.start] + self.after.encode() + source[self.end :]


class Text:
    """Source bytes, and the offsets of its syntax nodes."""

    def __init__(self, path: str, source: bytes) -> None:
        self.path = path
        self.source = source
        self._starts = [0]
        for line in source.splitlines(keepends=True):
            self._starts.append(self._starts[-1] + len(line))

    def span(self, node: ast.expr | ast.stmt) -> tuple[int, int]:
        """The first byte of a node and the one after its last."""
        assert node.end_lineno is not None
        assert node.end_col_offset is not None
        start = self._starts[node.lineno - 1] + node.col_offset
        return start, self._starts[node.end_lineno - 1] + node.end_col_offset

    def line_at(self, offset: int) -> int:
        """The number of the line that has the byte at `offset`."""
        return self.source.count(b"\n", 0, offset) + 1

    def text(self, start: int, end: int) -> str:
        return self.source[start:end].decode()
