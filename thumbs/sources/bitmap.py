"""Draws a PNG of two colors with lines of text, without libvips and without fonts, which a machine may not have."""

import struct
import zlib
from collections.abc import Iterator, Sequence
from typing import NamedTuple

Color = tuple[int, int, int]

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_TITLE = b"Title\0\0\0\0\0"  # an iTXt chunk: keyword, not compressed, no language
_FRAME = 4  # pixels around the picture, so that the result shows where it was cut
_WIDTH, _HEIGHT = 5, 7  # of a glyph
_ADVANCE, _LEADING = _WIDTH + 1, _HEIGHT + 3
_FILL = 0.7  # of the width and the height of the box, for the text

# The dots of each row of a glyph, as five bits: the font of the HD44780, the common controller of text displays.
_GLYPHS: dict[str, bytes] = {
    char: bytes.fromhex(rows)
    for char, rows in (
        *(("0", "0e11131519110e"), ("1", "040c040404040e"), ("2", "0e11010204081f"), ("3", "1f02040201110e")),
        *(("4", "02060a121f0202"), ("5", "1f101e0101110e"), ("6", "0608101e11110e"), ("7", "1f010204080808")),
        *(("8", "0e11110e11110e"), ("9", "0e11110f01020c"), ("A", "0e11111f111111"), ("B", "1e11111e11111e")),
        *(("C", "0e11101010110e"), ("D", "1c12111111121c"), ("E", "1f10101e10101f"), ("F", "1f10101e101010")),
        *(("G", "0e11101711110f"), ("H", "1111111f111111"), ("I", "0e04040404040e"), ("J", "0702020202120c")),
        *(("K", "11121418141211"), ("L", "1010101010101f"), ("M", "111b1515111111"), ("N", "11111915131111")),
        *(("O", "0e11111111110e"), ("P", "1e11111e101010"), ("Q", "0e11111115120d"), ("R", "1e11111e141211")),
        *(("S", "0f10100e01011e"), ("T", "1f040404040404"), ("U", "1111111111110e"), ("V", "11111111110a04")),
        *(("W", "1111111515150a"), ("X", "11110a040a1111"), ("Y", "1111110a040404"), ("Z", "1f01020408101f")),
        *((" ", "00000000000000"), ("-", "0000001f000000"), (".", "00000000000c0c"), ("_", "0000000000001f")),
        *(("/", "00010204081000"), ("×", "00110a040a1100")),
    )
}
_UNKNOWN = bytes.fromhex("1f11111111111f")


class Area(NamedTuple):
    """A rectangle of pixels."""

    left: int
    top: int
    width: int
    height: int


class Colors(NamedTuple):
    paper: Color
    ink: Color


def draw(
    size: tuple[int, int], colors: Colors, title: str, lines: Sequence[str] = (), area: Area | None = None
) -> bytes:
    """A PNG of `size` in pixels with a frame, and with `lines` as large as they fit into the middle of `area`.

    `title` is in the file only, for `title_of`.
    """
    width, height = size
    rows = list(_rows(width, height))
    for top, row in _text_rows(lines, area or Area(0, 0, width, height), width, height):
        rows[top] |= row
    count = (width + 7) // 8
    padding = count * 8 - width
    pixels = b"".join(b"\0" + (row << padding).to_bytes(count, "big") for row in rows)
    return _SIGNATURE + b"".join(
        (
            _chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 1, 3, 0, 0, 0)),
            _chunk(b"PLTE", bytes((*colors.paper, *colors.ink))),
            _chunk(b"iTXt", _TITLE + title.encode("utf-8", "replace")),
            _chunk(b"IDAT", zlib.compress(pixels, 1)),
            _chunk(b"IEND", b""),
        )
    )


def title_of(drawn: bytes) -> str:
    """The title of a file that `draw` made; empty for any other."""
    start = drawn.find(b"iTXt" + _TITLE)
    if start < 4:
        return ""
    (length,) = struct.unpack_from(">I", drawn, start - 4)
    return drawn[start + 4 + len(_TITLE) : start + 4 + length].decode("utf-8", "replace")


def _rows(width: int, height: int) -> Iterator[int]:
    """Each row as one number, its leftmost pixel the highest bit; a one is ink."""
    full = (1 << width) - 1
    edge = min(_FRAME, width)
    sides = full if width <= 2 * edge else full ^ (((1 << (width - 2 * edge)) - 1) << edge)
    for row in range(height):
        yield full if row < _FRAME or row >= height - _FRAME else sides


def _text_rows(lines: Sequence[str], area: Area, width: int, height: int) -> Iterator[tuple[int, int]]:
    """The number of a row, and its dots."""
    columns = max((len(line) * _ADVANCE - 1 for line in lines), default=0)
    if not columns:
        return
    scale = int(min(area.width * _FILL / columns, area.height * _FILL / (len(lines) * _LEADING)))
    top = area.top + (area.height - scale * (len(lines) * _LEADING - 3)) // 2
    for line in lines:
        left = area.left + (area.width - scale * (len(line) * _ADVANCE - 1)) // 2
        for row in range(_HEIGHT):
            dots = _dots(line, row, scale)
            shift = width - left - len(line) * _ADVANCE * scale
            for number in range(scale):
                y = top + row * scale + number
                if 0 <= y < height:
                    yield y, dots << shift if shift >= 0 else dots >> -shift
        top += _LEADING * scale


def _dots(line: str, row: int, scale: int) -> int:
    """A row of the line's dots, each `scale` pixels wide."""
    dots = 0
    for char in line.upper():
        glyph = _GLYPHS.get(char, _UNKNOWN)[row] << (_ADVANCE - _WIDTH)
        for bit in range(_ADVANCE - 1, -1, -1):
            dots = (dots << scale) | (((1 << scale) - 1) if glyph >> bit & 1 else 0)
    return dots


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
