"""The scale at which libvips draws an SVG in place."""

import math

Sides = tuple[float, float]
# Pixels that may stay empty on an axis, half of them at each end.
_UNSEEN = 0.1
# How much larger than needed a drawing may be.
_LARGEST = 2
_MOST_TRIES = 512
# How much larger a crop is drawn, and the most pixels of it.
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
    scales: list[float] = []
    for side in size:
        first = math.ceil(side * least)
        last = min(math.ceil(side * least * _LARGEST), first + _MOST_TRIES)
        scales += [pixels / side for pixels in range(first, last + 1)]
    scales.sort()
    return next(
        (scale for scale in scales if _empty(size, scale) <= _UNSEEN), min(scales, key=lambda s: _empty(size, s))
    )


def crop_scale(least: float, pixels: int) -> float:
    """The scale from `least` on for a crop, whose thumbnail has `pixels`: its edges are on whole pixels or hardly off.

    The edges are whole pixels of the source. A large thumbnail is not drawn larger: its edges may be half a pixel off.
    """
    scale = math.ceil(least) if least > 1 / _CROPPED else _CROPPED * least
    return scale if pixels * (scale / least) ** 2 <= _MOST_PIXELS else least * _REDUCIBLE


def _empty(size: Sides, scale: float) -> float:
    """The pixels, in all, that stay empty on one of the axes."""
    whole = [max(1, math.floor(side * scale + 0.5)) for side in size]
    fitted = min(pixels / side for pixels, side in zip(whole, size, strict=True))
    return max(pixels - side * fitted for pixels, side in zip(whole, size, strict=True))
