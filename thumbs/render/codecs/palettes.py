"""The palette and the transparency of a PNG (PNG Third Edition, 11.2.2 and 11.3.1.1) as browsers use them.

A pixel whose index is beyond the palette has the last color of it. What is too long in either chunk does not count.
"""

import zlib
from dataclasses import dataclass

PALETTE, TRANSPARENCY = b"PLTE", b"tRNS"
_DEPTH_AT, _COLOR_TYPE_AT = 24, 25
_GRAY, _RGB, _INDEXED = 0, 2, 3
_COLOR_BYTES = 3
_MOST_COLORS = 256
_WHOLE_BYTE = 8  # bits
_INDEXED_DEPTHS = (1, 2, 4, 8)
# The bytes of the transparent color, by color type.
_KEY_BYTES = {_GRAY: 2, _RGB: 6}


@dataclass(slots=True)
class Palette:
    """The colors of a PNG with the bit depth `depth`. `count` is the number of them so far."""

    depth: int
    color_type: int
    count: int = 0

    def usable(self, name: bytes, content: bytes) -> bytes | None:
        """What libpng must read in place of a chunk for the same pixels as in browsers; None for no chunk."""
        if name == PALETTE and self.color_type == _INDEXED:
            return self._colors(content)
        if name == TRANSPARENCY and self.color_type == _INDEXED:
            return self._alphas(content)
        if name == TRANSPARENCY and self.color_type in _KEY_BYTES:
            return self._key(content[: _KEY_BYTES[self.color_type]])
        return content

    def _colors(self, content: bytes) -> bytes:
        count = len(content) // _COLOR_BYTES
        if not 0 < count <= _MOST_COLORS:
            return content
        self.count = count
        colors = content[: count * _COLOR_BYTES]
        return colors + colors[-_COLOR_BYTES:] * ((1 << self.depth) - count)

    def _alphas(self, content: bytes) -> bytes:
        if not 0 < self.count <= len(content) <= _MOST_COLORS:
            return content
        alphas = content[: self.count]
        return alphas + alphas[-1:] * ((1 << self.depth) - self.count)

    def _key(self, content: bytes) -> bytes | None:
        """The transparent color, which no gray of less than 8 bits is where it has more bits; of 8 bits it has 8."""
        return None if self.depth < _WHOLE_BYTE and int.from_bytes(content, "big") >> self.depth else content


def read_palette(data: bytes) -> Palette:
    """The palette of the file `data`, as its header says it, before the first chunk with colors.

    Of a header that no file can have, which libpng refuses, no chunk is changed.
    """
    if len(data) <= _COLOR_TYPE_AT:
        return Palette(_WHOLE_BYTE, _RGB)
    depth, color_type = data[_DEPTH_AT], data[_COLOR_TYPE_AT]
    if color_type == _INDEXED and depth not in _INDEXED_DEPTHS:
        return Palette(_WHOLE_BYTE, _RGB)
    return Palette(depth, color_type)


def chunk(name: bytes, content: bytes) -> bytes:
    """A whole chunk, with its length and its checksum."""
    checksum = zlib.crc32(content, zlib.crc32(name))
    return b"".join((len(content).to_bytes(4, "big"), name, content, checksum.to_bytes(4, "big")))
