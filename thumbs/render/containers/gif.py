"""The blocks of a GIF: its canvas, its frames, and a small file of each that libvips reads. Decodes no pixels.

Where files differ from the specification (GIF89a, W3C), this follows what browsers show.
"""

import struct
from array import array
from dataclasses import dataclass, replace
from enum import IntEnum
from typing import Self

from thumbs.render.containers.gif_codes import LEAST_CODE_BITS, rewritten
from thumbs.render.containers.limits import (
    MAX_GIF_BLOCKS,
    MAX_GIF_FRAMES,
    MAX_GIF_INTERLACED_PIXELS,
    MAX_GIF_WRITTEN_PIXELS,
)

Size = tuple[int, int]
_HEADER_BYTES = 13  # signature and logical screen descriptor
_EXTENSION, _IMAGE = 0x21, 0x2C
_GRAPHIC_CONTROL, _APPLICATION = 0xF9, 0xFF
_CONTROL = struct.Struct("<BHB")  # flags, delay in hundredths of a second, transparent index
_DESCRIPTOR = struct.Struct("<xHHHHB")  # left, top, width, height, flags
_HAS_TABLE, _INTERLACED, _HAS_TRANSPARENT = 0x80, 0x40, 0x01
_TABLE_BYTES = 768
_LONGEST_RUN = 4096  # sub-blocks that are looked at together
_DEFAULT_DELAY = 100  # milliseconds, as libvips has it
# An extension with a repeat count: its block size, name and authentication code, and a sub-block of three bytes.
_LOOPS = (b"\x0bNETSCAPE2.0\x03\x01", b"\x0bANIMEXTS1.0\x03\x01")
_SMALL_SCREEN = b"GIF89a" + struct.pack("<HHBBB", 1, 1, 0, 0, 0)
# One transparent pixel: a graphic control extension; then a color table of two colors and the coded index 0.
_DOT_CONTROL, _DOT_PIXELS = b"!\xf9\x04\x01\0\0\0\0", bytes(6) + b"\x02\x02\x44\x01\0"


class Unreadable(Exception):
    """There is no GIF, or no frame in it, or the data end before the pixels of a frame."""


class TooManyBlocks(Exception):
    """The file has more frames or blocks than are read."""


class Disposal(IntEnum):
    """What becomes of the area of a frame before the next one is drawn. In every browser, `CLEAR` is transparent."""

    KEEP = 0
    CLEAR = 1
    RESTORE = 2


# By the three bits of the file; all other values keep. 4 is not in the specification: files have it for 3.
_DISPOSALS = {2: Disposal.CLEAR, 3: Disposal.RESTORE, 4: Disposal.RESTORE}


@dataclass(frozen=True, slots=True)
class Frame:
    """One picture of a GIF, in pixels of the canvas. `cut`: the file ends within it.

    `table` is its color table: 256 colors, those that the file lacks are black. `pixels` are the coded pixels.
    """

    left: int
    top: int
    size: Size
    interlaced: bool
    disposal: Disposal
    transparent: int | None
    table: bytes
    pixels: bytes
    cut: bool

    def visible(self, canvas: Size) -> Size:
        """The size of its part within `canvas`; a side of it is 0 or less for a frame outside."""
        return min(self.size[0], canvas[0] - self.left), min(self.size[1], canvas[1] - self.top)

    def coded(self, visible: Size) -> Size:
        """The part that `file` must show for the `visible` one: nsgif puts interlaced rows right only if it has all.

        Raises `Unreadable` for an interlaced frame far larger than its canvas.
        """
        if not self.interlaced:
            return visible
        if visible[1] < self.size[1] and visible[0] * self.size[1] > MAX_GIF_INTERLACED_PIXELS:
            raise Unreadable
        return visible[0], self.size[1]

    def last_row(self, height: int) -> int:
        """Which of the first `height` rows comes last in the file (GIF89a, Appendix E)."""
        passes = ((0, 8), (4, 8), (2, 4), (1, 2)) if self.interlaced else ((0, 1),)
        start, step = next(each for each in reversed(passes) if each[0] < height)
        return start + (height - 1 - start) // step * step

    def file(self, part: Size, *, opaque: bool = False) -> bytes:
        """A GIF of two frames: the second one shows the first `part` pixels on a transparent canvas of that size.

        The first one is a transparent pixel in the corner. libvips makes the canvas just large enough for the first
        frame, where a screen of some sizes would be ignored, and has an alpha channel for the sake of one frame. With
        `opaque`, the transparent index is a color as any other, and only pixels that are missing stay transparent.
        """
        dot = _DOT_CONTROL + _descriptor(part[0] - 1, part[1] - 1, (1, 1), _HAS_TABLE) + _DOT_PIXELS
        return b"".join((_SMALL_SCREEN, dot, self._head(None if opaque else self.transparent), *self._tail()))

    def alone(self) -> bytes:
        """A GIF of the frame on a canvas of its size, without an alpha channel: pixels that are missing are black."""
        return b"".join((_SMALL_SCREEN, self._head(None), *self._tail()))

    def rewritten(self) -> Self:
        """The frame with codes that nsgif reads: those up to a damaged one. Raises `Unreadable` for too many pixels."""
        count = self.size[0] * self.size[1]
        if count > MAX_GIF_WRITTEN_PIXELS:
            raise Unreadable
        return replace(self, pixels=rewritten(self.pixels, count))

    def _tail(self) -> tuple[bytes | memoryview, bytes]:
        """The pixels and the trailer, with the byte that nsgif needs to read a last code without an end code.

        Where pixels are missing, that byte adds some of the first color. An opaque frame can be read without it, as it
        shows whether pixels are missing.
        """
        if self.cut or self.transparent is None:
            return self.pixels, b";"
        return memoryview(self.pixels)[:-1], b"\x01\0\0;"

    def _head(self, transparent: int | None) -> bytes:
        """What stands before the pixels."""
        flags = 0 if transparent is None else _HAS_TRANSPARENT
        control = b"!\xf9\x04" + _CONTROL.pack(flags, 0, transparent or 0) + b"\0"
        shape = _HAS_TABLE | 0x07 | (_INTERLACED if self.interlaced else 0)
        return control + _descriptor(0, 0, self.size, shape) + self.table


@dataclass(frozen=True, slots=True, eq=False)
class Gif:
    """The structure of a file. `size` is the canvas; `loop` is how often all frames are shown, 0 for ever.

    `offsets` are four for each frame: of its graphic control extension (0 for none), of its image descriptor, of its
    last sub-block, and of its end (0 where the file ends before).
    """

    size: Size
    loop: int
    interlaced: bool
    offsets: "array[int]"

    def __len__(self) -> int:
        return len(self.offsets) // 4

    def delays(self, data: bytes) -> tuple[int, ...]:
        """The milliseconds that each frame is shown."""
        controls = self.offsets[::4]
        return tuple(10 * _CONTROL.unpack_from(data, at + 3)[1] if at else _DEFAULT_DELAY for at in controls)

    def may_be_transparent(self, data: bytes) -> bool:
        """Whether a frame with nothing below it leaves pixels transparent, as far as its blocks say it."""
        is_empty = True
        for control, image in zip(self.offsets[::4], self.offsets[1::4], strict=True):
            if image + _DESCRIPTOR.size > len(data):
                break
            flags = data[control + 3] if control else 0
            left, top, width, height, _ = _DESCRIPTOR.unpack_from(data, image)
            covers = (left, top) == (0, 0) and width >= self.size[0] and height >= self.size[1]
            if is_empty and (flags & _HAS_TRANSPARENT or not covers):
                return True
            disposal = _DISPOSALS.get(flags >> 2 & 7, Disposal.KEEP)
            is_empty = disposal is Disposal.CLEAR or (is_empty and disposal is Disposal.RESTORE)
        return False

    def frame(self, data: bytes, number: int) -> Frame:
        """A frame of the file `data`, with codes that nsgif reads.

        Raises `Unreadable` where the file ends before its pixels begin, and as `rewritten` does.
        """
        control, image, last, end = self.offsets[4 * number : 4 * number + 4]
        flags, _, transparent = _CONTROL.unpack_from(data, control + 3) if control else (0, 0, 0)
        try:
            left, top, width, height, shape = _DESCRIPTOR.unpack_from(data, image)
        except struct.error as error:
            raise Unreadable from error
        start = image + _DESCRIPTOR.size
        table = _table(data, start, shape) if shape & _HAS_TABLE else _table(data, _HEADER_BYTES, data[10])
        start += _table_bytes(shape)
        if start >= len(data):
            raise Unreadable
        frame = Frame(
            left,
            top,
            (width, height),
            bool(shape & _INTERLACED),
            _DISPOSALS.get(flags >> 2 & 7, Disposal.KEEP),
            transparent if flags & _HAS_TRANSPARENT else None,
            table,
            data[start:end] if end else _closed(data, start, last),
            not end,
        )
        return frame.rewritten() if data[start] < LEAST_CODE_BITS else frame


def read_gif(data: bytes) -> Gif:
    """The structure of a GIF: everything up to the trailer, or to what is no block, or to the end of the data.

    Raises `Unreadable` for a file without a frame or with an empty canvas, and `TooManyBlocks`.
    """
    if len(data) < _HEADER_BYTES:
        raise Unreadable
    offsets, control, loop, interlaced = array("Q"), 0, 1, False
    blocks = _Blocks(data)
    at = _HEADER_BYTES + _table_bytes(data[10])
    while at and at < len(data):
        if data[at] == _EXTENSION:
            label = data[at + 1] if at + 1 < len(data) else 0
            if label == _GRAPHIC_CONTROL and at + 7 < len(data):
                control = at
            elif label == _APPLICATION:
                loop = _loop(data, at + 2, loop)
            at = blocks.end(at + 2)
        elif data[at] == _IMAGE:
            image, shape = at, data[at + 9] if at + 9 < len(data) else 0
            at = blocks.end(at + _DESCRIPTOR.size + _table_bytes(shape) + 1)
            offsets.extend((control, image, blocks.last, at))
            control, interlaced = 0, interlaced or bool(shape & _INTERLACED)
            if len(offsets) > 4 * MAX_GIF_FRAMES:
                raise TooManyBlocks
        else:
            break
    return Gif(_canvas(data, offsets), loop, interlaced, offsets)


class _Blocks:
    """Walks over sequences of sub-blocks, within one bound for all of them."""

    def __init__(self, data: bytes) -> None:
        self.last = 0
        self._data = data
        self._left = MAX_GIF_BLOCKS

    def end(self, at: int) -> int:
        """The offset behind the terminator of the sub-blocks at `at`; 0 where the data end before it.

        `last` is the offset of the last sub-block then. Raises `TooManyBlocks`.
        """
        self.last, most = at, 1
        while at < len(self._data):
            self._left -= 1
            if self._left < 0:
                raise TooManyBlocks
            size = self._data[at]
            if size == 0:
                return at + 1
            # Encoders fill all sub-blocks but the last one: look at twice as many as were alike before.
            sizes = self._data[at : at + (size + 1) * most : size + 1]
            alike = len(sizes) - len(sizes.lstrip(bytes([size])))
            self.last = at + (size + 1) * (alike - 1)
            at, most = self.last + size + 1, min(2 * most, _LONGEST_RUN) if alike == most else 1
        return 0


def _canvas(data: bytes, offsets: "array[int]") -> Size:
    """The screen, enlarged to the right and bottom edge of the first frame. Later frames are cut off at it."""
    if not offsets or offsets[1] + _DESCRIPTOR.size > len(data):
        raise Unreadable
    left, top, width, height, _ = _DESCRIPTOR.unpack_from(data, offsets[1])
    screen = struct.unpack_from("<HH", data, 6)
    size = max(screen[0], left + width), max(screen[1], top + height)
    if 0 in size:
        raise Unreadable
    return size


def _loop(data: bytes, at: int, otherwise: int) -> int:
    """How often the frames are shown, by the application extension at `at`; the file has the number of repeats."""
    if len(data) < at + 16 or data[at : at + 14] not in _LOOPS:
        return otherwise
    (repeats,) = struct.unpack_from("<H", data, at + 14)
    return int(repeats) + 1 if repeats else 0


def _descriptor(left: int, top: int, size: Size, flags: int) -> bytes:
    return b"," + _DESCRIPTOR.pack(left, top, *size, flags)[1:]


def _table_bytes(flags: int) -> int:
    return 6 << (flags & 7) if flags & _HAS_TABLE else 0


def _table(data: bytes, at: int, flags: int) -> bytes:
    return data[at : at + _table_bytes(flags)].ljust(_TABLE_BYTES, b"\0")


def _closed(data: bytes, start: int, last: int) -> bytes:
    """The coded pixels from `start` to the end of the file, with a length and a terminator that fit."""
    rest = data[last + 1 :]
    return data[start:last] + (bytes([len(rest)]) + rest if rest else b"") + b"\0"
