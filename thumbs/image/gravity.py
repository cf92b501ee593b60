"""Which part of a picture a cut keeps: directions, points, offsets. Frozen values that cannot be invalid."""

import math
from dataclasses import dataclass
from enum import StrEnum
from typing import Self


class Compass(StrEnum):
    """The part of the picture that a crop keeps."""

    CENTER = "center"
    NORTH = "north"
    NORTHEAST = "northeast"
    EAST = "east"
    SOUTHEAST = "southeast"
    SOUTH = "south"
    SOUTHWEST = "southwest"
    WEST = "west"
    NORTHWEST = "northwest"


# The point of the picture that each direction keeps, as fractions of width and height.
POINTS: dict[Compass, tuple[float, float]] = {
    Compass.NORTHWEST: (0, 0),
    Compass.NORTH: (0.5, 0),
    Compass.NORTHEAST: (1, 0),
    Compass.WEST: (0, 0.5),
    Compass.CENTER: (0.5, 0.5),
    Compass.EAST: (1, 0.5),
    Compass.SOUTHWEST: (0, 1),
    Compass.SOUTH: (0.5, 1),
    Compass.SOUTHEAST: (1, 1),
}


class Attention(StrEnum):
    """A crop whose position libvips finds from the pixels."""

    SMART = "smart"
    ENTROPY = "entropy"


@dataclass(frozen=True, slots=True)
class Focus:
    """The point that a crop keeps, from the top left: fractions 0–1 of width and height.

    With `pixels`, it is in pixels of the upright source.
    """

    x: float
    y: float
    pixels: bool = False

    def __post_init__(self) -> None:
        most = math.inf if self.pixels else 1
        if not (0 <= self.x <= most and 0 <= self.y <= most):
            raise ValueError("a focal point lies between 0 and 1")


@dataclass(frozen=True, slots=True)
class Anchor:
    """A direction and an offset from it, inwards; from the center, to the right and down.

    An offset is in pixels, or below 1 a share of the side. No offset leads out of the picture.
    """

    compass: Compass
    x: float
    y: float

    def __post_init__(self) -> None:
        if not all(abs(offset) < 1 or float(offset).is_integer() for offset in (self.x, self.y)):
            raise ValueError("an offset is a whole number of pixels, or a share below 1")


@dataclass(frozen=True, slots=True)
class SizedCrop:
    """A part of the upright source, by its size and its gravity, cut to the source.

    A side is in pixels, below 1 a share of the source's, and 0 for all of it.
    """

    width: float
    height: float
    gravity: Compass | Focus | Anchor = Compass.CENTER

    def __post_init__(self) -> None:
        if not all(0 <= side < 1 or float(side).is_integer() for side in (self.width, self.height)):
            raise ValueError("a side is a whole number of pixels, or a share below 1")

    def within(self, source: tuple[int, int]) -> tuple[int, int, int, int]:
        """Left, top, right and bottom in a source of this size, in pixels."""
        size = tuple(_side(side, whole) for side, whole in zip((self.width, self.height), source, strict=True))
        left, top = start((source[0], source[1]), (size[0], size[1]), self.gravity)
        return left, top, left + size[0], top + size[1]


Gravity = Compass | Attention | Focus | Anchor


@dataclass(frozen=True, slots=True)
class Axis:
    """One axis of a cut: `fraction` of what is cut off lies before the part, which is moved by `offset` pixels."""

    fraction: float
    offset: float = 0

    @classmethod
    def of(cls, fraction: float, offset: float, whole: int) -> Self:
        pixels = offset * whole if abs(offset) < 1 else offset
        return cls(fraction, -pixels if fraction == 1 else pixels)

    def start(self, whole: int, part: int) -> int:
        """Where a part of `part` pixels begins in `whole` pixels. Half a pixel is rounded down, as in libvips."""
        exact = self.fraction * (whole - part) + self.offset
        return min(max(math.ceil(exact - 0.5), 0), max(whole - part, 0))


def start(whole: tuple[int, int], part: tuple[int, int], gravity: Compass | Focus | Anchor) -> tuple[int, int]:
    """Left and top of a part of the size `part` in a picture of the size `whole`. A focus in pixels is one of it."""
    if isinstance(gravity, Focus):
        point = (gravity.x / whole[0], gravity.y / whole[1]) if gravity.pixels else (gravity.x, gravity.y)
        left, top = (around(*axis) for axis in zip(whole, part, point, strict=True))
        return left, top
    anchor = gravity if isinstance(gravity, Anchor) else Anchor(gravity, 0, 0)
    x, y = POINTS[anchor.compass]
    return (
        Axis.of(x, anchor.x, whole[0]).start(whole[0], part[0]),
        Axis.of(y, anchor.y, whole[1]).start(whole[1], part[1]),
    )


def around(whole: int, part: int, fraction: float) -> int:
    """Where a window of `part` pixels starts whose center is as near to `fraction` of `whole` as the edges allow.

    Half a pixel is rounded down, as in `Axis`, but the pixel at `fraction` stays in the window.
    """
    point = fraction * whole
    begin = max(math.ceil(point - part / 2 - 0.5), math.floor(point) + 1 - part)
    return min(max(begin, 0), whole - part)


def _side(side: float, whole: int) -> int:
    if side == 0:
        return whole
    return min(max(1, math.floor(side * whole + 0.5)) if side < 1 else int(side), whole)
