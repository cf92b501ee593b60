"""The directories of a TIFF or a BigTIFF. Each is read once, and values no further than the caller asks for."""

import math
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

# The codes of `struct` for the types of TIFF 6.0, section 2, of BigTIFF, and for offsets of directories (13 and 18).
_NUMBERS = {1: "B", 3: "H", 4: "I", 6: "b", 8: "h", 9: "i", 11: "f", 12: "d", 13: "I", 16: "Q", 17: "q", 18: "Q"}
_TYPES = {**_NUMBERS, 5: "II", 10: "ii"}  # a rational is two numbers
_RATIONALS = (5, 10)


@dataclass(frozen=True, slots=True)
class Value:
    """The first numbers of a tag, and where their bytes are in the file. `code` is that of `struct` for one number."""

    numbers: tuple[float, ...]
    at: int
    code: str

    def replaced(self, numbers: tuple[int, ...]) -> tuple[int, bytes]:
        """Where to put which bytes, so that the tag has these numbers."""
        order, kind = self.code[0], self.code[1:]
        flat = numbers if len(kind) == 1 else tuple(part for number in numbers for part in (number, 1))  # rationals
        return self.at, struct.pack(f"{order}{len(flat)}{kind[0]}", *flat)


@dataclass(frozen=True, slots=True)
class Directory:
    """A directory whose first entry is at `start`. `order` is that of `struct`, `count` the announced entries."""

    order: str
    big: bool
    start: int
    count: int

    @property
    def end(self) -> int:
        """Where the offset of the next directory is."""
        return self.start + self.count * (20 if self.big else 12)

    def entries(self, data: bytes) -> Iterator[tuple[int, int, int]]:
        """Tag, type and count of each entry that is in the file whole."""
        entry = struct.Struct(f"{self.order}HHQ8x" if self.big else f"{self.order}HHI4x")
        size = max(0, min(self.end, len(data)) - self.start) // entry.size * entry.size
        return entry.iter_unpack(memoryview(data)[self.start : self.start + size])

    def values(self, data: bytes, wanted: Mapping[int, int]) -> dict[int, Value]:
        """The values of the wanted tags, each with the most numbers to read of it; those that can be read.

        Of a tag that is there twice, the first counts, as in libtiff.
        """
        found: dict[int, Value] = {}
        for number, (tag, kind, count) in enumerate(self.entries(data)):
            if tag in wanted and tag not in found:
                value = self._value(data, number, kind, count, most=wanted[tag])
                if value is not None:
                    found[tag] = value
        return found

    def _value(self, data: bytes, number: int, kind: int, announced: int, *, most: int) -> Value | None:
        if kind not in _TYPES:
            return None
        code = self.order + _TYPES[kind]
        size = struct.calcsize(code)
        at = self.start + number * (20 if self.big else 12) + (12 if self.big else 8)
        inline, word = (8, "Q") if self.big else (4, "I")
        if announced * size > inline:
            at = int(struct.unpack_from(f"{self.order}{word}", data, at)[0])
        count = min(announced, most)
        if at + count * size > len(data):
            return None
        numbers = struct.unpack_from(self.order + _TYPES[kind] * count, data, at)
        if kind in _RATIONALS:
            pairs = zip(numbers[::2], numbers[1::2], strict=True)
            numbers = tuple(above / below if below else 0.0 for above, below in pairs)
        return Value(numbers, at, code) if all(map(math.isfinite, numbers)) else None


def directories(data: bytes) -> Iterator[Directory]:
    """The directories in their order, as far as the file has them. A circle of directories ends, as in libtiff."""
    order, big = _form(data)
    seen = set[int]()
    at = _number(order, "Q" if big else "I", data, 8 if big else 4)
    while at not in seen and (directory := directory_at(data, at)) is not None:
        seen.add(at)
        yield directory
        at = _number(order, "Q" if big else "I", data, directory.end)


def directory_at(data: bytes, at: int) -> Directory | None:
    """The directory at an offset; None where there is no place for one."""
    order, big = _form(data)
    code = "Q" if big else "H"
    start = at + struct.calcsize(f"={code}")
    return Directory(order, big, start, _number(order, code, data, at)) if at >= 8 and start <= len(data) else None


def _form(data: bytes) -> tuple[str, bool]:
    """The byte order, as that of `struct`, and whether it is a BigTIFF."""
    return "<" if data[:2] == b"II" else ">", data[2:4] in (b"+\0", b"\0+")


def _number(order: str, code: str, data: bytes, at: int) -> int:
    """The number at `at`; 0 behind the end of the file."""
    size = struct.calcsize(f"={code}")
    return int(struct.unpack_from(order + code, data, at)[0]) if at <= len(data) - size else 0
