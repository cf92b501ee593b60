"""Reads the boxes of an ISO base media file (ISO/IEC 14496-12, 4.2), in place and within bounds."""

from collections.abc import Iterator
from dataclasses import dataclass

from thumbs.render.containers.limits import MAX_AVIF_BOXES


class UnreadableError(Exception):
    """A box ends before what it must contain."""


class TooManyError(Exception):
    """There are more boxes or parts than the limits of this room allow."""


@dataclass(frozen=True, slots=True)
class Box:
    """The box `data[at:end]` with the four letters `name`; its contents begin at `start`."""

    data: bytes
    name: bytes
    at: int
    start: int
    end: int

    def contents(self) -> bytes:
        return self.data[self.start : self.end]

    def whole(self) -> bytes:
        return self.data[self.at : self.end]

    def children(self, skip: int = 0) -> Iterator["Box"]:
        """The boxes in this one, after `skip` bytes of other contents."""
        return boxes(self.data, self.start + skip, self.end)

    def child(self, name: bytes, skip: int = 0) -> "Box | None":
        """The first box `name` in this one."""
        return next((box for box in self.children(skip) if box.name == name), None)

    def cursor(self) -> "Cursor":
        return Cursor(self.data, self.start, self.end)


class Cursor:
    """Reads unsigned big-endian numbers, one after the other. Raises `UnreadableError` at the end of the box."""

    __slots__ = ("at", "data", "end")

    def __init__(self, data: bytes, at: int, end: int) -> None:
        self.data, self.at, self.end = data, at, end

    def number(self, size: int) -> int:
        """The next number of `size` bytes; 0 without any."""
        at = self.at
        self.at = after = at + size
        if after > self.end:
            raise UnreadableError
        return int.from_bytes(self.data[at:after], "big")

    def name(self) -> bytes:
        """The next four letters."""
        return self.number(4).to_bytes(4, "big")


def boxes(data: bytes, at: int, end: int) -> Iterator[Box]:
    """The boxes in `data[at:end]`, in their order. A box of a wrong size is the last one, and ends at `end`.

    Raises `TooManyError` after `MAX_AVIF_BOXES` boxes.
    """
    for _ in range(MAX_AVIF_BOXES):
        if at + 8 > end:
            return
        size, start = int.from_bytes(data[at : at + 4], "big"), at + 8
        if size == 1:  # the size has 8 bytes, behind the name
            size, start = int.from_bytes(data[at + 8 : at + 16], "big"), at + 16
        after = end if size == 0 else at + size
        yield Box(data, data[at + 4 : at + 8], at, min(start, end), min(after, end))
        if after <= at:
            return
        at = after
    if at + 8 <= end:
        raise TooManyError


def make_box(name: bytes, *contents: bytes) -> bytes:
    """A box with these contents, one after the other."""
    return b"".join(((8 + sum(map(len, contents))).to_bytes(4, "big"), name, *contents))
