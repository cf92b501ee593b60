"""A proxy: an original reduced to upright sRGB pixels, from which most thumbnails are made without decoding."""

import struct
from dataclasses import dataclass, replace
from typing import Self

import pyvips

from thumbs.errors import SourceBroken
from thumbs.image.geometry import Layout, Size, plan
from thumbs.image.spans import Span
from thumbs.image.transforms import Fit, Transform
from thumbs.render import decode
from thumbs.render.codecs.copyright import Copyright
from thumbs.render.codecs.shrinking import keeps_edges, lengthened
from thumbs.render.containers.jpeg import with_size
from thumbs.render.decoders import Decoded, ratio
from thumbs.render.gain_maps import has_gain_map
from thumbs.render.header import Header
from thumbs.render.libvips import VIPS_ERRORS, Deadline

# Magic; width and height of the original, then of the pixels; bands; whether the original has a gain map, in the lowest
# bit, and the scale above it; the length of an EXIF block, which comes next.
_HEADER = struct.Struct(">4sIIIIBBI")
_MAGIC = b"MRD2"
# A JPEG is decoded at 1/2, 1/4 or 1/8: the smallest with at least this many pixels on the longer side.
_JPEG_SIDE = 1200
# Other formats are reduced to this longer side, if they have at least twice as many pixels there.
_OTHER_SIDE = 1536
# A proxy needs this many times the pixels per side of a thumbnail, as after libjpeg's reduction (docs/quality.md).
_MIN_OVERSAMPLING = 2.0
_UNMIRRORED = (1, 5)  # EXIF orientations with the last pixels of a file at the right and at the bottom
_FORMATS = {1: "b-w", 2: "b-w", 3: "srgb", 4: "srgb"}  # by bands


@dataclass(frozen=True, slots=True, eq=False)
class Proxy:
    """`image` is the whole original, reduced; `size` is the upright size of the original.

    `has_gain_map`: the original has one, which the proxy has not. `scale` is the number of pixels of the original that
    each pixel is wide and high, where the last ones go on behind it; 0 where the sides are those of the original.
    """

    size: Size
    image: pyvips.Image
    copyright: Copyright | None
    has_gain_map: bool = False
    scale: int = 0

    def pack(self) -> bytes:
        """The header, the EXIF block and the pixels, for `unpack`."""
        exif = b"" if self.copyright is None else self.copyright.exif
        image = self.image
        sizes = *self.size, image.width, image.height
        header = _HEADER.pack(_MAGIC, *sizes, image.bands, self.has_gain_map | self.scale << 1, len(exif))
        return b"".join((header, exif, image.write_to_memory()))

    @classmethod
    def unpack(cls, packed: bytes) -> Self:
        """The proxy that `pack` packed. Raises `SourceBroken` for other bytes."""
        if len(packed) < _HEADER.size:
            raise SourceBroken
        magic, *size, width, height, bands, flags, exif_bytes = _HEADER.unpack_from(packed)
        start = _HEADER.size + exif_bytes
        if magic != _MAGIC or bands not in _FORMATS or len(packed) != start + width * height * bands:
            raise SourceBroken
        has_gain_map, scale = bool(flags & 1), flags >> 1
        if scale and _divided((size[0], size[1]), scale) != (width, height):
            raise SourceBroken
        pixels = memoryview(packed)[start:]
        image = pyvips.Image.new_from_memory(pixels, width, height, bands, "uchar")
        exif = packed[_HEADER.size : start]
        image = image.copy(interpretation=_FORMATS[bands])
        return cls((size[0], size[1]), image, Copyright(exif) if exif else None, has_gain_map, scale)

    def suffices(self, layout: Layout) -> bool:
        """Whether the proxy has enough pixels for `layout` of the original."""
        sides = zip(self._spans(layout), self._sides(), (self.image.width, self.image.height), strict=True)
        return all(
            span.factor * pixels >= _MIN_OVERSAMPLING * side and keeps_edges(span, side / pixels, pixels)
            for span, side, pixels in sides
        )

    def fitted(self, layout: Layout, deadline: Deadline) -> pyvips.Image:
        """As `decode.scaled`, from the proxy."""
        pixel = ratio(self._sides(), (self.image.width, self.image.height))
        try:
            part = Decoded(self.image, self._spans(layout), pixel).part()
        except VIPS_ERRORS as error:
            raise SourceBroken from error
        with deadline.watch(part, SourceBroken):
            return part.copy_memory()

    def _sides(self) -> Size:
        """The sides of the original, with what the last pixels have behind it."""
        return (self.image.width * self.scale, self.image.height * self.scale) if self.scale else self.size

    def _spans(self, layout: Layout) -> tuple[Span, Span]:
        """The part that is wanted. What is behind an edge of the original repeats the pixels there.

        It is at most 0.44 of a pixel of a thumbnail, as in `shrinking`: less than `scale`, of `_MIN_OVERSAMPLING` times
        as much.
        """
        sides = zip(layout.spans, self.size, self._sides(), strict=True)
        x, y = (lengthened(span, side, whole) for span, side, whole in sides)
        return x, y


def make_proxy(data: bytes, header: Header, deadline: Deadline) -> Proxy | None:
    """The proxy of an original; None for a small original, an animation or an SVG.

    Raises as `decode.scaled` does.
    """
    scale = _jpeg_scale(header)
    size = _other_size(header) if scale is None else _divided(header.size, scale)
    if scale == 1 or size is None or header.frames > 1:
        return None
    whole = None if scale is None else _of_whole_pixels(data, header, scale)
    source, sides = (data, header.size) if whole is None else whole
    layout = plan(sides, Transform(*size, fit=Fit.STRETCH))
    image = decode.scaled(source, replace(header, size=sides), layout, deadline, fast=True)
    if image.bands not in _FORMATS or image.format != "uchar":
        return None
    return Proxy(
        header.size, image, header.copyright, has_gain_map(data, header), 0 if scale is None or whole is None else scale
    )


def _jpeg_scale(header: Header) -> int | None:
    """How far a JPEG is reduced, 1 for a small one; None for other formats."""
    if header.format != "jpeg":
        return None
    return next((each for each in (8, 4, 2) if max(header.size) / each >= _JPEG_SIDE), 1)


def _other_size(header: Header) -> Size | None:
    width, height = header.size
    longer = max(width, height)
    if header.format == "svg" or longer < 2 * _OTHER_SIDE:
        return None
    part = _OTHER_SIDE / longer
    return max(1, round(width * part)), max(1, round(height * part))


def _divided(size: Size, scale: int) -> Size:
    return -(-size[0] // scale), -(-size[1] // scale)


def _of_whole_pixels(data: bytes, header: Header, scale: int) -> tuple[bytes, Size] | None:
    """A JPEG as one with sides of whole pixels at `scale`, and its upright size: else it is decoded twice as large.

    None where it cannot be, or what it has more would not be behind the right and the bottom edge.
    """
    width, height = (side + -side % scale for side in header.size)
    if (width, height) == header.size or header.orientation not in _UNMIRRORED:
        return None
    stored = (width, height) if header.stored_size == header.size else (height, width)
    larger = with_size(data, header.stored_size, stored)
    return None if larger is None else (larger, (width, height))
