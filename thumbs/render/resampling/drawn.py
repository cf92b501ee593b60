"""The scale at which libvips draws an SVG in place."""

import math
from collections.abc import Sequence

Sides = tuple[float, float]
# Pixels that may stay empty on an axis, half of them at each end.
_UNSEEN = 0.1
# How much larger than needed a drawing may be.
_LARGEST = 2
_MOST_TRIES = 512
# Output pixels by which an edge of a crop may be off a whole pixel of the drawing.
_MOST_OFF = 0.16
# How much larger a crop is drawn where no scale is near at which its edges are on whole pixels, and the most pixels.
_CROPPED, _MOST_PIXELS = 3, 3_000_000
# How much larger a picture is from which libvips can start to reduce anywhere: to enlarge takes much longer.
_REDUCIBLE = 1.02


def drawing_scale(size: Sides, least: float) -> float:
    """The smallest scale from `least` on at which a drawing of `size` has whole pixels on both axes, nearly.

    librsvg fits a drawing into whole pixels and keeps its ratio: one axis then has empty pixels at both ends. Where no
    such scale is near, the result is the one with the least that is empty.
    """
    if _empty(size, least) <= _UNSEEN:
        return least
    scales = _scales(size, least, _LARGEST)
    return next(
        (scale for scale in scales if _empty(size, scale) <= _UNSEEN), min(scales, key=lambda s: _empty(size, s))
    )


def cropped_drawing_scale(size: Sides, least: float, edges: Sequence[int], pixels: int) -> float:
    """As `drawing_scale`, for a crop, whose thumbnail has `pixels`: its `edges` are on whole pixels or hardly off.

    The edges are whole pixels of the source. A large thumbnail is not drawn larger: its edges may be half a pixel off.
    """
    for scale in _scales(size, least * _REDUCIBLE, _CROPPED):
        times = scale / least
        if _empty(size, scale) <= _UNSEEN * times and all(
            abs(edge * scale - round(edge * scale)) <= _MOST_OFF * times for edge in edges
        ):
            return scale
    scale = math.ceil(least) if least > 1 / _CROPPED else _CROPPED * least
    return drawing_scale(size, scale if pixels * (scale / least) ** 2 <= _MOST_PIXELS else least * _REDUCIBLE)


def _scales(size: Sides, least: float, largest: float) -> list[float]:
    """The scales from `least` to `largest` times as much at which a side has whole pixels, the smallest first."""
    scales: list[float] = []
    for side in size:
        first = math.ceil(side * least)
        last = min(math.ceil(side * least * largest), first + _MOST_TRIES)
        scales += [pixels / side for pixels in range(first, last + 1)]
    return sorted(scales)


def _empty(size: Sides, scale: float) -> float:
    """The pixels, in all, that stay empty on one of the axes."""
    whole = [max(1, math.floor(side * scale + 0.5)) for side in size]
    fitted = min(pixels / side for pixels, side in zip(whole, size, strict=True))
    return max(pixels - side * fitted for pixels, side in zip(whole, size, strict=True))
