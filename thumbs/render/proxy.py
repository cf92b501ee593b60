"""An original reduced to what most of its thumbnails need: plain pixels, upright and in sRGB, with no codec between."""

import struct
from dataclasses import dataclass
from typing import Self

import pyvips

from thumbs.errors import SourceBroken
from thumbs.image.geometry import Layout, Size, plan
from thumbs.image.transforms import Fit, Transform
from thumbs.render import decode
from thumbs.render.copyright import Rights
from thumbs.render.header import Header
from thumbs.render.libvips import Deadline

# Magic; width and height of the original, then of the pixels; bands; the length of an EXIF block, which comes next.
_ABOUT = struct.Struct(">4sIIIIBI")
_MAGIC = b"MRD1"
# libjpeg's halves, quarters and eighths are taken as they come: the smallest that is not below this on its longer side.
_JPEG_SIDE = 1200
# What other formats are reduced to, from at least twice as much.
_OTHER_SIDE = 1536
# As with libjpeg's (docs/quality.md): so many times more pixels than a thumbnail needs must be there.
_ENOUGH = 2.0
_FORMATS = {1: "b-w", 2: "b-w", 3: "srgb", 4: "srgb"}  # by bands


@dataclass(frozen=True, slots=True, eq=False)
class Proxy:
    """`size` is that of the upright original that `image` shows all of."""

    size: Size
    image: pyvips.Image
    rights: Rights | None

    def pack(self) -> bytes:
        exif = b"" if self.rights is None else self.rights.exif
        image = self.image
        about = _ABOUT.pack(_MAGIC, *self.size, image.width, image.height, image.bands, len(exif))
        return b"".join((about, exif, image.write_to_memory()))

    @classmethod
    def unpack(cls, packed: bytes) -> Self:
        """Raises `SourceBroken` for bytes that `pack` did not make."""
        if len(packed) < _ABOUT.size:
            raise SourceBroken
        magic, *size, width, height, bands, exif_bytes = _ABOUT.unpack_from(packed)
        start = _ABOUT.size + exif_bytes
        if magic != _MAGIC or bands not in _FORMATS or len(packed) != start + width * height * bands:
            raise SourceBroken
        pixels = memoryview(packed)[start:]
        image = pyvips.Image.new_from_memory(pixels, width, height, bands, "uchar")
        exif = packed[_ABOUT.size : start]
        return cls((size[0], size[1]), image.copy(interpretation=_FORMATS[bands]), Rights(exif) if exif else None)

    def suffices(self, layout: Layout) -> bool:
        """Whether `layout` of the original can be cut and scaled from this as well as from itself."""
        target = layout.scaled if layout.attention is not None else layout.window.size
        width = layout.needed.width * self.image.width / self.size[0]
        height = layout.needed.height * self.image.height / self.size[1]
        return bool(width >= _ENOUGH * target[0] and height >= _ENOUGH * target[1])


def proxy(data: bytes, header: Header, deadline: Deadline) -> Proxy | None:
    """`data` reduced; None for what is small already, moves, or has no pixels of its own."""
    size = _size(header)
    if size is None or header.frames > 1:
        return None
    image = decode.scaled(data, header, plan(header.size, Transform(*size, fit=Fit.STRETCH)), deadline, fast=True)
    if image.bands not in _FORMATS or image.format != "uchar":
        return None
    return Proxy(header.size, image, header.rights)


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
