"""Finds the content inside margins of one color."""

import pyvips

from thumbs.image.geometry import Box, Layout, Size, plan
from thumbs.image.transforms import Color, Transform, Trim

_HALF_OPAQUE = 128


def trimmed_layout(whole: pyvips.Image, size: Size, transform: Transform) -> Layout:
    """The layout of an upright original of `size`. `whole` is the unscaled picture after the crop filter, in memory."""
    crop = plan(size, Transform(crop=transform.crop)).region
    box = None if transform.trim is None else find_content(whole, transform.trim)
    region = crop if box is None else Box(crop.left + box.left, crop.top + box.top, *box.size)
    return plan(size, transform, region=region)


def find_content(image: pyvips.Image, trim: Trim) -> Box | None:
    """The smallest box around all pixels that are not margin; None when every pixel is.

    `image` is sRGB or gray, 8 bits, perhaps with alpha, and in memory. A pixel is not margin when one of its channels
    differs by more than the tolerance. With a transparent margin, only alpha is compared: a picture without alpha has
    no such margin.
    """
    if trim.color is not None and trim.color.alpha < _HALF_OPAQUE and not image.hasalpha():
        return Box(0, 0, image.width, image.height)
    compared, margin = _comparable(image, trim.color)
    # Without `line_art`, libvips blurs first and would miss single pixels; the tolerance deals with noise.
    left, top, width, height = compared.find_trim(threshold=trim.tolerance, background=margin, line_art=True)
    return Box(left, top, width, height) if width and height else None


def _comparable(image: pyvips.Image, color: Color | None) -> tuple[pyvips.Image, list[float]]:
    """The bands to compare, and the values that the margin has in them."""
    if color is not None:
        image = image.colourspace("srgb") if image.bands < 3 else image
    margin = image(0, 0) if color is None else [float(value) for value in color.values]
    if not image.hasalpha():
        return image, margin[: image.bands]
    alpha = image.bands - 1
    if margin[alpha] < _HALF_OPAQUE:
        return image.extract_band(alpha), [0.0 if color is not None else margin[alpha]]
    return image.flatten(background=margin[:alpha]), margin[:alpha]
