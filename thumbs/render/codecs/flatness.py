"""Tells drawings from photographs by their pixels: in a drawing, many neighbors are equal."""

import pyvips

# The share of pixels that equal the one on their left, from which on a picture counts as a drawing. Photographs have
# a few percent, but for a sky that is blown out.
_DRAWING = 0.5


def is_drawing(image: pyvips.Image) -> bool:
    """Whether `image`, which is in memory, is flat, as logos, charts and screenshots are."""
    return flat_share(image) >= _DRAWING


def flat_share(image: pyvips.Image) -> float:
    """The share of pixels, 0 to 1, that equal the one on their left in all bands."""
    if image.width < 2:
        return 1.0
    right = image.extract_area(1, 0, image.width - 1, image.height)
    left = image.extract_area(0, 0, image.width - 1, image.height)
    return float((left == right).bandand().avg()) / 255
