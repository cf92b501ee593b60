"""Reads the header of a JPEG XL file (ISO/IEC 18181-1, annexes B to E; 18181-2 for its container), within bounds."""

import struct
from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum

from thumbs.render.containers.boxes import UnreadableError, boxes
from thumbs.render.containers.limits import MAX_JXL_CHANNELS, MAX_JXL_HEADER_BYTES

_CODESTREAM = b"\xff\x0a"
_WHOLE_BOX, _PART_BOX = b"jxlc", b"jxlp"
_PART_NUMBER_BYTES = 4
# Widths as multiples of the height: D.2.
_RATIOS = ((1, 1), (12, 10), (4, 3), (3, 2), (16, 9), (5, 4), (2, 1))
_SIDEWAYS = 5  # the first orientation that swaps width and height
_MILLIONTH, _GAMMA_UNIT = 1e-6, 1e-7
# Distributions of U32 (B.2.2): the number of bits, and what is added to them.
_Choices = tuple[tuple[int, int], tuple[int, int], tuple[int, int], tuple[int, int]]
_SIDE: _Choices = ((9, 1), (13, 1), (18, 1), (30, 1))
_ENUM: _Choices = ((0, 0), (0, 1), (4, 2), (6, 18))
Point = tuple[float, float]
_CUSTOM = 2  # of white and primaries
_COORDINATE: _Choices = ((19, 0), (19, 524_288), (20, 1_048_576), (21, 2_097_152))


class Space(IntEnum):
    """Kinds of color: E.2."""

    RGB = 0
    GRAY = 1
    XYB = 2
    UNKNOWN = 3


class Kind(IntEnum):
    """Kinds of further channels that have a meaning here: D.3.6."""

    ALPHA = 0
    SPOT = 2
    BLACK = 4
    CFA = 5


@dataclass(frozen=True, slots=True)
class Colors:
    """The color description. `white` is a number of table E.3 or a point, `primaries` are one of table E.4 or the
    points of red, green and blue. `transfer` is a code point of ITU-T H.273, or None where `gamma` is given instead.

    `profile`: an ICC profile describes the colors; it stands compressed in the file.
    """

    space: Space = Space.RGB
    profile: bool = False
    white: int | Point = 1
    primaries: int | tuple[Point, Point, Point] = 1
    transfer: int | None = 13
    gamma: float | None = None


@dataclass(frozen=True, slots=True)
class Jxl:
    """A header. `size` is upright. `kinds` are the numbers of further channels; `associated`: colors are multiplied by
    alpha. `peak` is the luminance of the brightest white in cd/m², None where the file does not say it.
    """

    size: tuple[int, int]
    bits: int = 8
    floating: bool = False
    kinds: tuple[int, ...] = ()
    associated: bool = False
    colors: Colors = Colors()
    peak: float | None = None

    @property
    def is_planar(self) -> bool:
        """Whether it is gray with further channels of which none is alpha: they are decoded one by one."""
        return self.colors.space is Space.GRAY and bool(self.kinds) and Kind.ALPHA not in self.kinds


def read_jxl(data: bytes) -> Jxl:
    """The header of a file. Raises `UnreadableError`, and `TooManyError` for too many boxes or channels."""
    bits = _Bits(_codestream(data))
    if bits.take(16) != int.from_bytes(_CODESTREAM, "little"):
        raise UnreadableError
    size = bits.size()
    if bits.flag():  # all of the rest has its default
        return Jxl(size)
    return _metadata(bits, size)


def _codestream(data: bytes) -> bytes:
    """The first bytes of the codestream."""
    if data.startswith(_CODESTREAM):
        return data[:MAX_JXL_HEADER_BYTES]
    found = bytearray()
    for box in boxes(data, 0, len(data)):
        if box.name == _WHOLE_BOX:
            return data[box.start : min(box.end, box.start + MAX_JXL_HEADER_BYTES)]
        if box.name == _PART_BOX:
            start = box.start + _PART_NUMBER_BYTES
            found += data[start : min(box.end, start + MAX_JXL_HEADER_BYTES - len(found))]
            if len(found) >= MAX_JXL_HEADER_BYTES:
                break
    return bytes(found)


class _Bits:
    """Reads bits, the lowest of each byte first. Raises `UnreadableError` at the end."""

    def __init__(self, data: bytes) -> None:
        self._data, self._at, self._end = data, 0, 8 * len(data)

    def take(self, count: int) -> int:
        at = self._at
        self.skip(count)
        value = int.from_bytes(self._data[at // 8 : (self._at + 7) // 8], "little")
        return value >> (at % 8) & ((1 << count) - 1)

    def skip(self, count: int) -> None:
        self._at += count
        if self._at > self._end:
            raise UnreadableError

    def flag(self) -> bool:
        return self.take(1) == 1

    def choice(self, choices: _Choices) -> int:
        """A U32."""
        count, offset = choices[self.take(2)]
        return self.take(count) + offset

    def enum(self) -> int:
        return self.choice(_ENUM)

    def half(self) -> float:
        """A number of 16 bits in floating point."""
        (value,) = struct.unpack("<e", self.take(16).to_bytes(2, "little"))
        return float(value)

    def point(self) -> Point:
        return self._coordinate(), self._coordinate()

    def _coordinate(self) -> float:
        value = self.choice(_COORDINATE)
        return (-(value + 1) // 2 if value % 2 else value // 2) * _MILLIONTH  # the sign is in the lowest bit: B.2.7

    def size(self) -> tuple[int, int]:
        """D.2."""

        def side() -> int:
            return (self.take(5) + 1) * 8 if small else self.choice(_SIDE)

        small = self.flag()
        return self._sides(side)

    def preview(self) -> None:
        """D.3.3: a size that is not used."""

        def side() -> int:
            large: _Choices = ((6, 1), (8, 65), (10, 321), (12, 1345))
            return self.choice(((0, 16), (0, 32), (5, 1), (9, 33)) if small else large)

        small = self.flag()
        self._sides(side)

    def _sides(self, side: Callable[[], int]) -> tuple[int, int]:
        height = side()
        ratio = self.take(3)
        if not ratio:
            return side(), height
        across, down = _RATIOS[ratio - 1]
        return height * across // down, height


def _metadata(bits: _Bits, size: tuple[int, int]) -> Jxl:
    """D.3.1."""
    extended = bits.flag()
    if extended:
        if bits.take(3) + 1 >= _SIDEWAYS:
            size = size[::-1]
        if bits.flag():
            bits.size()  # for layout only
        if bits.flag():
            bits.preview()
        if bits.flag():
            _animation(bits)
    depth, floating = _depth(bits)
    bits.flag()  # whether buffers of 16 bits suffice
    count = bits.choice(((0, 0), (0, 1), (4, 2), (12, 1)))
    if count > MAX_JXL_CHANNELS:
        raise UnreadableError
    channels = [_channel(bits) for _ in range(count)]
    bits.flag()  # whether the samples are stored as XYB
    colors = _colors(bits)
    peak = _peak(bits) if extended else None
    associated = next((flag for kind, flag in channels if kind == Kind.ALPHA), False)
    return Jxl(size, depth, floating, tuple(kind for kind, _ in channels), associated, colors, peak)


def _animation(bits: _Bits) -> None:
    """D.3.4: only the first frame is shown."""
    bits.choice(((0, 100), (0, 1000), (10, 1), (30, 1)))
    bits.choice(((0, 1), (0, 1001), (8, 1), (10, 1)))
    bits.choice(((0, 0), (3, 0), (16, 0), (32, 0)))
    bits.flag()


def _depth(bits: _Bits) -> tuple[int, bool]:
    """D.3.5: bits per sample, and whether they are in floating point."""
    if not bits.flag():
        return bits.choice(((0, 8), (0, 10), (0, 12), (6, 1))), False
    depth = bits.choice(((0, 32), (0, 16), (0, 24), (6, 1)))
    bits.skip(4)
    return depth, True


def _channel(bits: _Bits) -> tuple[int, bool]:
    """D.3.6: the kind of a channel, and whether colors are multiplied by it."""
    if bits.flag():
        return Kind.ALPHA, False
    kind = bits.enum()
    _depth(bits)
    bits.choice(((0, 0), (0, 3), (0, 4), (3, 1)))
    bits.skip(8 * bits.choice(((0, 0), (4, 0), (5, 16), (10, 48))))  # its name
    associated = kind == Kind.ALPHA and bits.flag()
    if kind == Kind.SPOT:
        bits.skip(4 * 16)
    elif kind == Kind.CFA:
        bits.choice(((0, 1), (2, 0), (4, 3), (8, 19)))
    return kind, associated


def _colors(bits: _Bits) -> Colors:
    """E.2."""
    if bits.flag():
        return Colors()
    profile, number = bits.flag(), bits.enum()
    if number > Space.UNKNOWN:
        raise UnreadableError
    space = Space(number)
    if profile or space is Space.XYB:
        return Colors(space, profile)
    white: int | Point = bits.enum()
    if white == _CUSTOM:
        white = bits.point()
    primaries: int | tuple[Point, Point, Point] = 1 if space is Space.GRAY else bits.enum()
    if primaries == _CUSTOM:
        primaries = bits.point(), bits.point(), bits.point()
    is_power = bits.flag()
    transfer = None if is_power else bits.enum()
    gamma = bits.take(24) * _GAMMA_UNIT if is_power else None
    bits.enum()  # the rendering intent, of profiles that are made from this
    return Colors(space, False, white, primaries, transfer, gamma)


def _peak(bits: _Bits) -> float | None:
    """D.3.7."""
    return None if bits.flag() else bits.half()
