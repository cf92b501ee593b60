"""One axis of a plan, exactly: which part of the source each pixel of the thumbnail is the mean of."""

import math
from dataclasses import dataclass, replace
from typing import Self

# Floating-point error of positions, in pixels.
_ROUNDING_ERROR = 1e-6


@dataclass(frozen=True, slots=True)
class Span:
    """`count` pixels of a thumbnail; pixel i is the mean of the source from `start` + i × `factor`, `factor` long.

    Positions are in pixels of the source, from the edge of its first pixel. Only the pixels from `low` to `high` are
    used: where the span is longer, the outermost ones continue.
    """

    start: float
    factor: float
    count: int
    low: int
    high: int

    @property
    def end(self) -> float:
        return self.start + self.count * self.factor

    @property
    def touched(self) -> tuple[int, int]:
        """The first whole pixel of the source that the span touches, and the number of them: at least one."""
        first = min(max(math.floor(self.start + _ROUNDING_ERROR), self.low), self.high - 1)
        last = min(max(math.ceil(self.end - _ROUNDING_ERROR), first + 1), self.high)
        return first, last - first

    def mirrored(self, length: int) -> Self:
        """The span in a mirrored source that is `length` pixels long."""
        return replace(self, start=length - self.end, low=length - self.high, high=length - self.low)

    def copied(self, *, pixel: float, length: int, origin: int = 0) -> Self:
        """The span in a copy of the source: `length` pixels, each as long as `pixel` of the source, from `origin` on.

        `low` and `high` become the nearest whole pixels of the copy.
        """
        low = min(max(round((self.low - origin) / pixel), 0), length - 1)
        high = min(max(round((self.high - origin) / pixel), low + 1), length)
        return replace(self, start=(self.start - origin) / pixel, factor=self.factor / pixel, low=low, high=high)


def stored(x: Span, y: Span, size: tuple[int, int], orientation: int) -> tuple[Span, Span]:
    """Spans of an upright picture of `size` as spans of the picture as it is stored, with an EXIF orientation."""
    if orientation in (2, 3, 6, 7):
        x = x.mirrored(size[0])
    if orientation in (3, 4, 7, 8):
        y = y.mirrored(size[1])
    return (y, x) if orientation >= 5 else (x, y)
