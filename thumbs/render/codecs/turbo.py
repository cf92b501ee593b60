"""Decodes a JPEG with libjpeg-turbo into memory, where the extra `turbo` is installed; libvips decodes all others.

The pixels are those that libvips decodes at the same scale, for less CPU time. Only a picture that libjpeg-turbo
decodes without a warning is returned: what is damaged or unusual is left to libvips and the rules of `completeness`.
"""

from typing import Any

import pyvips

from thumbs.image.geometry import Size

try:
    import simplejpeg
except ImportError:  # the extra is not installed
    simplejpeg: Any = None  # type: ignore[no-redef]

# A picture is decoded into one piece of memory. libvips decodes a larger one row by row.
_MOST_BYTES = 48 * 1024 * 1024
# Bands by the color space of the file. libvips decodes CMYK, and inverts what Adobe's programs write.
_BANDS = {"Gray": 1, "YCbCr": 3, "RGB": 3}
_INTERPRETATIONS = {1: "b-w", 3: "srgb"}


def decode(data: bytes, size: Size, shrink: int) -> pyvips.Image | None:
    """A JPEG of `size` pixels, decoded at 1/`shrink`: 1, 2, 4 or 8. It has no metadata.

    Unlike libvips, which drops them, it has the last pixels that are not whole. None where libvips has to decode it.
    """
    if simplejpeg is None or shrink > min(size):
        return None
    least = -(-size[0] // shrink), -(-size[1] // shrink)
    try:
        height, width, space, _ = simplejpeg.decode_jpeg_header(data)
        bands = _BANDS.get(space)
        if bands is None or (width, height) != size or least[0] * least[1] * bands > _MOST_BYTES:
            return None
        colors = "GRAY" if bands == 1 else "RGB"
        # The smallest scale with at least this many pixels. `strict`: a warning is an error.
        pixels = simplejpeg.decode_jpeg(data, colors, min_width=least[0], min_height=least[1], strict=True)
    except ValueError:
        return None
    if pixels.shape != (least[1], least[0], bands):  # a picture of a few pixels may have another scale
        return None
    image = pyvips.Image.new_from_memory(pixels.data, *least, bands, "uchar")
    return image.copy(interpretation=_INTERPRETATIONS[bands])
