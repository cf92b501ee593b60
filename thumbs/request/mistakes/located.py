"""Parts of a text with their place in it, and what is wrong with one of them. For developers, never for clients."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from thumbs.problems import did_you_mean

# What is left of bytes that are not UTF-8, see `errors="surrogateescape"`.
NOT_UTF_8 = re.compile(r"[\ud800-\udfff]+")


@dataclass(frozen=True, slots=True)
class Mistake:
    """A wrong part of a text.

    `text`, the part, begins at `offset`, in characters; it is empty where something is missing. `sentence` says what is
    wrong and what would be right. `nearest` is what to write in place of `text`; empty where nothing valid is near.
    `option` is the name of the option whose value, or whose own name, is wrong; empty in a URL.
    """

    offset: int
    text: str
    sentence: str
    nearest: str = ""
    option: str = ""

    def __str__(self) -> str:
        return f"{self.sentence} {did_you_mean(self.nearest)}" if self.nearest else self.sentence

    @property
    def end(self) -> int:
        """The offset of the first character after the part."""
        return self.offset + len(self.text)


@dataclass(frozen=True, slots=True)
class Span:
    """The part of a text that begins at `offset`, in characters."""

    offset: int
    text: str

    @property
    def end(self) -> int:
        return self.offset + len(self.text)

    def mistake(self, sentence: str, nearest: str = "") -> Mistake:
        """A mistake in this part. A text that is not UTF-8 is not near."""
        return Mistake(self.offset, self.text, sentence, "" if NOT_UTF_8.search(nearest) else nearest)

    def at(self, start: int, stop: int | None = None) -> "Span":
        """The part from `start` to `stop`, which count from the beginning of this one."""
        return Span(self.offset + start, self.text[start:stop])

    def first(self) -> "Span":
        """The place before the part."""
        return self.at(0, 0)

    def last(self) -> "Span":
        """The place after the part."""
        return self.at(len(self.text))

    def partition(self, separator: str) -> tuple["Span", "Span"]:
        """What comes before the first `separator`, and what comes after it."""
        before, found, _ = self.text.partition(separator)
        return self.at(0, len(before)), self.at(len(before) + len(found))

    def split(self, separator: str) -> Iterator["Span"]:
        start = 0
        for text in self.text.split(separator):
            yield self.at(start, start + len(text))
            start += len(text) + len(separator)


def corrected(text: str, mistakes: list[Mistake], *, offset: int = 0) -> str:
    """`text`, which begins at `offset`, with the nearest right part in place of every wrong one."""
    for mistake in sorted(mistakes, key=lambda each: -each.offset):
        text = text[: mistake.offset - offset] + mistake.nearest + text[mistake.end - offset :]
    return text
