"""Changes of a text by position: what stands between two edits stays as it is, byte for byte."""

from collections.abc import Iterable
from dataclasses import dataclass, field


@dataclass(frozen=True, order=True, slots=True)
class Edit:
    """`text` in the place of the characters from `start` to `end`."""

    start: int
    end: int
    text: str


@dataclass(frozen=True, order=True, slots=True)
class Remark:
    """`code` on a line, counted from 1, and a sentence about it."""

    line: int
    code: str
    sentence: str


@dataclass(slots=True)
class Conversion:
    """What to change in one text, what is left alone, and what to know about the changes."""

    edits: list[Edit] = field(default_factory=list)
    left: list[Remark] = field(default_factory=list)
    notes: list[Remark] = field(default_factory=list)

    def add(self, other: "Conversion") -> None:
        self.edits += other.edits
        self.left += other.left
        self.notes += other.notes


UNKNOWN_SIZE = "Width and height are known only where the model has a width_field and a height_field, and else None."


class Unmapped(ValueError):
    """Mage has no equivalent. The message is the reason, a sentence."""


def applied(text: str, edits: Iterable[Edit]) -> str:
    """`text` after all edits. Raises ValueError for two that overlap."""
    parts, at = [], 0
    for edit in sorted(set(edits)):
        if edit.start < at:
            raise ValueError(f"two edits overlap at character {edit.start}")
        parts += [text[at : edit.start], edit.text]
        at = edit.end
    return "".join([*parts, text[at:]])
