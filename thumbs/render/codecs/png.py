"""Walks the chunks of a PNG (PNG Third Edition, 5), leaves out those that browsers do not use, and mends colors."""

import re
import zlib

import pyvips

from thumbs.errors import SourceOverLimit
from thumbs.render.bombs.limits import MAX_PNG_CHUNKS
from thumbs.render.codecs.palettes import PALETTE, TRANSPARENCY, chunk, read_palette
from thumbs.render.completeness.png import Bands

PNG = b"\x89PNG\r\n\x1a\n"
_TEXT_CHUNKS = (b"tEXt", b"zTXt", b"iTXt")
_EXIF, _PIXELS, _END = b"eXIf", b"IDAT", b"IEND"
_OPAQUE = {"uchar": 255, "ushort": 2**16 - 1}
_ANCILLARY = 0x20  # a bit of the first byte of a name
# The third letter is reserved. libpng refuses a file with any other name.
_NAME = re.compile(rb"[A-Za-z]{2}[A-Z][A-Za-z]")


def with_usable_chunks(data: bytes) -> bytes:
    """A PNG without its text chunks, and without ancillary ones that are damaged or whose name is none.

    libpng inflates each compressed text, a few kB to 8 MB, and pyvips fails on keywords that are not UTF-8. Of damaged
    chunks, libpng uses some, and refuses the file for others. Of several EXIF blocks the first is left. Palettes are as
    `Palette.usable` has them. The same object is returned where all are usable. Raises `SourceOverLimit` for too many
    chunks. The chunks that are kept are copied once, all together.
    """
    kept: list[bytes | memoryview] = []
    view, start, at, has_exif = memoryview(data), 0, len(PNG), False
    palette = read_palette(data)
    for _ in range(MAX_PNG_CHUNKS):
        name = data[at + 4 : at + 8]
        if len(name) < 4 or name == _END:
            return b"".join((*kept, view[start:])) if kept else data
        after = at + 12 + int.from_bytes(data[at : at + 4], "big")
        if name != _PIXELS and name[0] & _ANCILLARY:
            if name in _TEXT_CHUNKS or (name == _EXIF and has_exif) or not _is_usable(view, at, after):
                kept.append(view[start:at])
                start = after
            has_exif = has_exif or (name == _EXIF and start != after)
        if name in (PALETTE, TRANSPARENCY) and start != after and _is_usable(view, at, after):
            content = data[at + 8 : after - 4]
            used = palette.usable(name, content)
            if used != content:
                kept += view[start:at], b"" if used is None else chunk(name, used)
                start = after
        at = after
    raise SourceOverLimit


def with_known_rows(image: pyvips.Image, bands: Bands) -> pyvips.Image:
    """`image` as browsers show a picture that is cut off: blocks of one color, and transparent rows below all bands.

    libvips decodes anything where pixels are missing.
    """
    width, height = image.width, image.height
    image = image if image.hasalpha() else image.bandjoin(_OPAQUE[image.format])
    shown, top = None, 0
    for end, block in bands:
        if end > top:
            part = _in_blocks(image.extract_area(0, top, width, end - top), *block)
            shown = part if shown is None else shown.join(part, "vertical")
            top = end
    if shown is None:
        return (image * 0).cast(image.format).copy(interpretation=image.interpretation)
    return shown if top == height else shown.embed(0, 0, width, height)


def _in_blocks(image: pyvips.Image, across: int, down: int) -> pyvips.Image:
    """`image` with the first pixel of each block in all of it."""
    if (across, down) == (1, 1):
        return image
    width, height = image.width, image.height
    whole = image.embed(0, 0, width + -width % across, height + -height % down)
    return whole.subsample(across, down).zoom(across, down).extract_area(0, 0, width, height)


def _is_usable(data: memoryview, at: int, after: int) -> bool:
    """Whether a chunk has a name and the right checksum; one that ends behind the data has none."""
    if not _NAME.fullmatch(data[at + 4 : at + 8]):
        return False
    return zlib.crc32(data[at + 4 : after - 4]) == int.from_bytes(data[after - 4 : after], "big")
