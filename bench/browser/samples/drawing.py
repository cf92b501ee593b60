"""The picture of all samples: 64 colors on a grid, which change smoothly so that reduced chroma stays the same."""

import colorsys

from PIL import Image, ImageDraw

SIZE = (131, 93)  # odd, no multiple of 8 or 16
_COLUMNS, _ROWS = 8, 8


def colors(size: tuple[int, int] = SIZE) -> Image.Image:
    """RGB: the hue changes to the right, the brightness to the bottom, with grays in the last rows."""
    small = Image.new("RGB", (_COLUMNS, _ROWS))
    for row in range(_ROWS):
        for column in range(_COLUMNS):
            value = 1 - row / (_ROWS + 2)
            saturation = (1.0, 0.9, 0.75, 0.6, 0.45, 0.3, 0.0, 1.0)[row]
            parts = colorsys.hsv_to_rgb(column / _COLUMNS, saturation, value)
            small.putpixel((column, row), tuple(round(255 * part) for part in parts))
    return small.resize(size, Image.Resampling.BILINEAR)


def alpha(size: tuple[int, int] = SIZE) -> Image.Image:
    """8 bits: transparent at the left, opaque at the right, and a transparent band across."""
    gradient = Image.linear_gradient("L").rotate(90).resize(size)
    gradient.paste(0, (0, size[1] // 3, size[0], size[1] // 2))
    return gradient


def transparent(size: tuple[int, int] = SIZE) -> Image.Image:
    """RGBA."""
    image = colors(size)
    image.putalpha(alpha(size))
    return image


def cut_out(size: tuple[int, int] = SIZE) -> Image.Image:
    """As `muted`, with an alpha that is 0 or 255: an ellipse that reaches further to the bottom than to the top."""
    mask = Image.new("L", size)
    ImageDraw.Draw(mask).ellipse((size[0] // 9, size[1] // 5, size[0], size[1] * 9 // 8), fill=255)
    image = muted(size)
    image.putalpha(mask)
    return image


def muted(size: tuple[int, int] = SIZE) -> Image.Image:
    """RGB, a seventh as colorful: near the border of a space, a rounding of YUV becomes many levels."""
    return Image.blend(colors(size).convert("L").convert("RGB"), colors(size), 0.15)
