"""A proxy: an original reduced to upright sRGB pixels, from which most thumbnails are made without decoding."""

import struct
from dataclasses import dataclass
from typing import Self

import pyvips

from thumbs.errors import SourceBroken
from thumbs.image.geometry import Layout, Size, plan
from thumbs.image.transforms import Fit, Transform
from thumbs.render import decode
from thumbs.render.codecs.copyright import Copyright
from thumbs.render.codecs.shrinking import keeps_edges
from thumbs.render.gain_maps import has_gain_map
from thumbs.render.header import Header
from thumbs.render.libvips import Deadline

# Magic; width and height of the original, then of the pixels; bands; whether the original has a gain map; the length of
# an EXIF block, which comes next.
_HEADER = struct.Struct(">4sIIIIB?I")
_MAGIC = b"MRD2"
# A JPEG is decoded at 1/2, 1/4 or 1/8: the smallest with at least this many pixels on the longer side.
_JPEG_SIDE = 1200
# Other formats are reduced to this longer side, if they have at least twice as many pixels there.
_OTHER_SIDE = 1536
# A proxy needs this many times the pixels per side of a thumbnail, as after libjpeg's reduction (docs/quality.md).
_MIN_OVERSAMPLING = 2.0
_FORMATS = {1: "b-w", 2: "b-w", 3: "srgb", 4: "srgb"}  # by bands


@dataclass(frozen=True, slots=True, eq=False)
class Proxy:
    """`image` is the whole original, reduced; `size` is the upright size of the original.

    `has_gain_map`: the original has one, which the proxy has not.
    """

    size: Size
    image: pyvips.Image
    copyright: Copyright | None
    has_gain_map: bool = False

    def pack(self) -> bytes:
        """The header, the EXIF block and the pixels, for `unpack`."""
        exif = b"" if self.copyright is None else self.copyright.exif
        image = self.image
        sizes = *self.size, image.width, image.height
        header = _HEADER.pack(_MAGIC, *sizes, image.bands, self.has_gain_map, len(exif))
        return b"".join((header, exif, image.write_to_memory()))

    @classmethod
    def unpack(cls, packed: bytes) -> Self:
        """The proxy that `pack` packed. Raises `SourceBroken` for other bytes."""
        if len(packed) < _HEADER.size:
            raise SourceBroken
        magic, *size, width, height, bands, has_gain_map, exif_bytes = _HEADER.unpack_from(packed)
        start = _HEADER.size + exif_bytes
        if magic != _MAGIC or bands not in _FORMATS or len(packed) != start + width * height * bands:
            raise SourceBroken
        pixels = memoryview(packed)[start:]
        image = pyvips.Image.new_from_memory(pixels, width, height, bands, "uchar")
        exif = packed[_HEADER.size : start]
        image = image.copy(interpretation=_FORMATS[bands])
        return cls((size[0], size[1]), image, Copyright(exif) if exif else None, has_gain_map)

    def suffices(self, layout: Layout) -> bool:
        """Whether the proxy has enough pixels for `layout` of the original."""
        sides = zip(layout.spans, self.size, (self.image.width, self.image.height), strict=True)
        return all(
            span.factor * pixels >= _MIN_OVERSAMPLING * side and keeps_edges(span, side / pixels, pixels)
            for span, side, pixels in sides
        )


def make_proxy(data: bytes, header: Header, deadline: Deadline) -> Proxy | None:
    """The proxy of an original; None for a small original, an animation or an SVG.

    Raises as `decode.scaled` does.
    """
    size = _size(header)
    if size is None or header.frames > 1:
        return None
    image = decode.scaled(data, header, plan(header.size, Transform(*size, fit=Fit.STRETCH)), deadline, fast=True)
    if image.bands not in _FORMATS or image.format != "uchar":
        return None
    return Proxy(header.size, image, header.copyright, has_gain_map(data, header))


def _size(header: Header) -> Size | None:
    width, height = header.size
    longer = max(width, height)
    if header.format == "jpeg":
        shrink = next((each for each in (8, 4, 2) if longer / each >= _JPEG_SIDE), None)
        return None if shrink is None else (-(-width // shrink), -(-height // shrink))
    if header.format == "svg" or longer < 2 * _OTHER_SIDE:
        return None
    ratio = _OTHER_SIDE / longer
    return max(1, round(width * ratio)), max(1, round(height * ratio))
