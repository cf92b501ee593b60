"""Margins of one colour, and what is inside them."""

import pyvips

from thumbs.image.geometry import Box
from thumbs.image.transforms import Color, Trim

_HALF = 128


def inside(image: pyvips.Image, trim: Trim) -> Box | None:
    """The smallest box that holds every pixel unlike the margin; None when there is none, for then all is alike.

    `image` is sRGB or grey, 8 bits, perhaps with alpha, and in memory. A pixel is unlike the margin when one of its
    channels differs by more than the tolerance. Where the margin is transparent, only transparency counts.
    """
    judged, margin = _judged(image, trim.color)
    # libvips would blur single pixels away first; the tolerance is there for noise.
    left, top, width, height = judged.find_trim(threshold=trim.tolerance, background=margin, line_art=True)
    return Box(left, top, width, height) if width and height else None


def _judged(image: pyvips.Image, color: Color | None) -> tuple[pyvips.Image, list[float]]:
    """What is compared with the margin, and the margin's values."""
    if color is not None:
        image = image.colourspace("srgb") if image.bands < 3 else image
    margin = image(0, 0) if color is None else [float(value) for value in color.values]
    if not image.hasalpha():
        return image, margin[: image.bands]
    alpha = image.bands - 1
    if margin[alpha] < _HALF:
        return image.extract_band(alpha), [0.0 if color is not None else margin[alpha]]
    return image.flatten(background=margin[:alpha]), margin[:alpha]
