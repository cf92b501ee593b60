"""The size of a drawing: libvips rounds its sides to whole pixels, but they need not be whole."""

import math
from typing import NamedTuple

import pyvips

from thumbs.image.geometry import Size

# The drawing is opened so many times as large, which draws nothing: one parse gives both sizes.
_TIMES = 1000
# Below this side, in pixels, that is not exact enough.
_LEAST_SIDE = 16
# The longer side, in pixels, at which the sides of a drawing are exact enough.
_PRECISE_SIDE = 100_000


class Drawing(NamedTuple):
    """An opened SVG, its size as libvips rounds it, and its exact sides in pixels."""

    image: pyvips.Image
    size: Size
    sides: tuple[float, float]


def open_drawing(data: bytes) -> Drawing:
    """The drawing in an SVG, of which nothing is drawn yet. Raises libvips' errors."""
    try:
        image = _opened(data, _TIMES)
    except pyvips.Error:  # such a size is too large for libvips
        return _opened_twice(data)
    sides = image.width / _TIMES, image.height / _TIMES
    if max(sides) < _LEAST_SIDE or any(abs(side % 1 - 0.5) * _TIMES <= 1 for side in sides):
        return _opened_twice(data)
    return Drawing(image, (_rounded(sides[0]), _rounded(sides[1])), sides)


def _opened_twice(data: bytes) -> Drawing:
    image = _opened(data, 1)
    size = image.width, image.height
    times = max(1.0, _PRECISE_SIDE / max(size))
    precise = _opened(data, times)
    return Drawing(image, size, (precise.width / times, precise.height / times))


def _opened(data: bytes, times: float) -> pyvips.Image:
    return pyvips.Image.new_from_buffer(data, "", access="sequential", fail_on="error", scale=times)


def _rounded(side: float) -> int:
    """As libvips rounds; a side is at least one pixel."""
    return max(1, math.floor(side + 0.5))
