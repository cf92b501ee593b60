"""GIF files of any shape, written block by block, and a reference for what each of their frames shows.

The reference composes the frames as browsers do, from the description and not from the file: it shares no code with
the renderer, and needs no decoder.
"""

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from PIL import Image

Rgb = tuple[int, int, int]
_CLEAR_LIMIT = 4096  # codes of a table
_OPAQUE_BLACK = (0, 0, 0, 255)
_NOTHING = (0, 0, 0, 0)
KEEP, CLEAR, RESTORE = 1, 2, 3  # disposal methods (GIF89a, 23)


@dataclass(frozen=True)
class Frame:
    """One picture of a GIF. `indices` are its pixels, row by row; `palette` is its own color table."""

    size: tuple[int, int]
    indices: bytes
    at: tuple[int, int] = (0, 0)
    palette: tuple[Rgb, ...] | None = None
    transparent: int | None = None
    disposal: int = 0
    delay: int = 10
    interlaced: bool = False


@dataclass(frozen=True)
class Gif:
    """A whole file. `background` is an index of the global color table; `loop` is None without that extension."""

    screen: tuple[int, int]
    frames: tuple[Frame, ...]
    palette: tuple[Rgb, ...] | None
    background: int = 0
    loop: int | None = None
    trailer: bool = True

    def data(self) -> bytes:
        flags = 0 if self.palette is None else 0x80 | _table_bits(self.palette)
        head = b"GIF89a" + struct.pack("<HHBBB", *self.screen, flags, self.background, 0)
        loop = b"" if self.loop is None else b"!\xff\x0bNETSCAPE2.0\x03\x01" + struct.pack("<HB", self.loop, 0)
        frames = b"".join(block(frame, self.palette) for frame in self.frames)
        return head + _table(self.palette) + loop + frames + (b";" if self.trailer else b"")


def block(frame: Frame, palette: Sequence[Rgb] | None = None) -> bytes:
    """A frame as it stands in a file, with its graphic control extension."""
    flags = frame.disposal << 2 | (frame.transparent is not None)
    control = b"!\xf9\x04" + struct.pack("<BHBB", flags, frame.delay, frame.transparent or 0, 0)
    own = 0 if frame.palette is None else 0x80 | _table_bits(frame.palette)
    descriptor = b"," + struct.pack("<HHHHB", *frame.at, *frame.size, own | frame.interlaced << 6)
    colors = frame.palette or palette or ((0, 0, 0),) * 2
    bits = max(2, _table_bits(colors) + 1, max(frame.indices, default=0).bit_length())
    return control + descriptor + _table(frame.palette) + bytes([bits]) + sub_blocks(compressed(stored(frame), bits))


def stored(frame: Frame) -> bytes:
    """The pixels in the order of the file (GIF89a, Appendix E)."""
    width, height = frame.size
    rows = [frame.indices[y * width : (y + 1) * width] for y in range(height)]
    if not frame.interlaced:
        return b"".join(rows)
    return b"".join(row for start, step in ((0, 8), (4, 8), (2, 4), (1, 2)) for row in rows[start::step])


def sub_blocks(data: bytes, size: int = 255) -> bytes:
    pieces = [data[at : at + size] for at in range(0, len(data), size)]
    return b"".join(bytes([len(piece)]) + piece for piece in pieces) + b"\0"


def compressed(indices: bytes, bits: int) -> bytes:
    """Variable-length-code LZW (GIF89a, Appendix F), with the end code."""
    clear, end = 1 << bits, (1 << bits) + 1
    packed, count = 0, 0

    def put(code: int, width: int) -> None:
        nonlocal packed, count
        packed |= code << count
        count += width

    table = {bytes([index]): index for index in range(clear)}
    following, width = end + 1, bits + 1
    put(clear, width)
    seen, pieces = b"", bytearray()
    for index in indices:
        longer = seen + bytes([index])
        if longer in table:
            seen = longer
            continue
        put(table[seen], width)
        if following < _CLEAR_LIMIT:
            table[longer] = following
            width = max(width, following.bit_length())
            following += 1
        else:
            put(clear, width)
            table = {bytes([index]): index for index in range(clear)}
            following, width = end + 1, bits + 1
        seen = bytes([index])
        if count > 4096:
            whole = count // 8
            pieces += (packed & (1 << whole * 8) - 1).to_bytes(whole, "little")
            packed, count = packed >> whole * 8, count - whole * 8
    if seen:
        put(table[seen], width)
    put(end, min(12, max(width, following.bit_length())) if seen else width)
    return bytes(pieces) + packed.to_bytes((count + 7) // 8, "little")


def composed(gif: Gif) -> Iterator[Image.Image]:
    """What each frame shows, RGBA: canvas that no frame covers is transparent, and so is what a frame has cleared.

    The first frame enlarges the screen to its own right and bottom edge. An index without a color is opaque black.
    """
    size = canvas_size(gif)
    canvas = [[_NOTHING] * size[0] for _ in range(size[1])]
    for frame in gif.frames:
        before = [list(row) for row in canvas]
        colors = frame.palette or gif.palette or ()
        for y in range(frame.size[1]):
            for x in range(frame.size[0]):
                index = frame.indices[y * frame.size[0] + x]
                column, row = frame.at[0] + x, frame.at[1] + y
                if index == frame.transparent or column >= size[0] or row >= size[1]:
                    continue
                canvas[row][column] = (*colors[index], 255) if index < len(colors) else _OPAQUE_BLACK
        yield _image(canvas, size)
        if frame.disposal == CLEAR:
            for row in range(frame.at[1], min(frame.at[1] + frame.size[1], size[1])):
                for column in range(frame.at[0], min(frame.at[0] + frame.size[0], size[0])):
                    canvas[row][column] = _NOTHING
        elif frame.disposal in (RESTORE, 4):  # 4 is another word for it
            canvas = before


def canvas_size(gif: Gif) -> tuple[int, int]:
    first = gif.frames[0]
    return (
        max(gif.screen[0], first.at[0] + first.size[0]),
        max(gif.screen[1], first.at[1] + first.size[1]),
    )


def _image(canvas: list[list[tuple[int, int, int, int]]], size: tuple[int, int]) -> Image.Image:
    return Image.frombytes("RGBA", size, bytes(value for row in canvas for pixel in row for value in pixel))


def _table_bits(colors: Sequence[Rgb]) -> int:
    """The size field of a color table: it has 2 to the power of this plus one entries."""
    return max(0, (len(colors) - 1).bit_length() - 1)


def _table(colors: Sequence[Rgb] | None) -> bytes:
    if colors is None:
        return b""
    entries = [*colors, *[(0, 0, 0)] * ((2 << _table_bits(colors)) - len(colors))]
    return bytes(value for color in entries for value in color)
