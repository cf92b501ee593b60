"""How many rows of a PNG are in its compressed data, whatever its checksums say (PNG Third Edition, 7, 8 and 10)."""

import contextlib
import itertools
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from thumbs.render.bombs.limits import MAX_PADDED_PNG_BYTES, MAX_PNG_CHUNKS

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_PIXELS, _END = b"IDAT", b"IEND"
_HEADER = struct.Struct(">IIBBBBB")  # width, height, depth, color type, compression, filter, interlacing
_HEADER_AT = 16
_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}  # by color type
# Adam7: the first column and row of each pass, and the steps to the next ones.
_ADAM7 = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))
_WHOLE = ((0, 0, 1, 1),)
# The block of the picture whose first pixel is known after each pass: its width and height.
_BLOCKS = ((8, 8), (4, 8), (4, 4), (2, 4), (2, 2), (1, 2), (1, 1))
_MOST_FILTER = 4
_DEFLATE, _MOST_WINDOW, _DICTIONARY = 8, 7, 0x20  # of the header of zlib (RFC 1950)
_ZLIB_HEADER = b"\x78\x9c"
_PIECE = 16_384  # bytes that are inflated at once
_BLOCK = 4 * _PIECE  # the most that come of them
_MOST_EXTRA_BLOCKS = 16


class Band(NamedTuple):
    """The rows before `end`, of which the first pixel of each block of this width and height is there."""

    end: int
    block: tuple[int, int] = (1, 1)


Bands = tuple[Band, ...]


@dataclass(frozen=True, slots=True)
class Pixels:
    """What there is of the pixels, and a file to decode.

    `bands` are the rows that are there, from the top on: one band, or two of an interlaced PNG, of which the first has
    smaller blocks. `mended` has all chunks before the pixels, and the pixels in one chunk with right checksums; libpng
    reads an interlaced one only where it is whole, so that it has zeros for what is missing; one of more than
    `MAX_PADDED_PNG_BYTES` has none, and libpng refuses it.
    """

    is_complete: bool
    bands: Bands
    mended: bytes


def read_pixels(data: bytes) -> Pixels | None:
    """The pixels of a PNG; None where no header is in its place. Nothing is kept of what is inflated."""
    if len(data) < _HEADER_AT + _HEADER.size:
        return None
    width, height, depth, color_type, _, _, interlaced = _HEADER.unpack_from(data, _HEADER_AT)
    bits = depth * _CHANNELS.get(color_type, 0)
    if bits == 0 or 0 in (width, height):
        return None
    shapes = [
        (-(-(height - top) // down), 1 + (-(-(width - left) // across) * bits + 7) // 8)
        if left < width and top < height
        else (0, 1)
        for left, top, across, down in (_ADAM7 if interlaced else _WHOLE)
    ]
    start, parts = _pixel_chunks(data)
    stream = _Stream(parts)
    found = _found_rows(stream, shapes)
    is_complete = found == [rows for rows, _ in shapes]
    size = padding = 0
    if is_complete or interlaced:
        size = sum(rows * row_bytes for rows, (_, row_bytes) in zip(found, shapes, strict=True))
        padding = sum(rows * row_bytes for rows, row_bytes in shapes) - size
        if padding and size + padding > MAX_PADDED_PNG_BYTES:
            size = padding = 0
    mended = b"".join((data[:start], _chunk(_PIXELS, stream.mended(size, padding)), _chunk(_END, b"")))
    return Pixels(is_complete, _bands(found, shapes, height) if interlaced else (Band(found[0]),), mended)


def _bands(found: list[int], shapes: list[tuple[int, int]], height: int) -> Bands:
    """The bands of an interlaced picture: passes that are complete, and the rows of the next one."""
    complete = next((number for number, (rows, _) in enumerate(shapes) if found[number] < rows), len(shapes))
    bands = [Band(height, _BLOCKS[complete - 1])] if complete else []
    if complete < len(shapes) and found[complete]:
        bands.insert(0, Band(min(height, found[complete] * _ADAM7[complete][3]), _BLOCKS[complete]))
    return tuple(bands)


def _pixel_chunks(data: bytes) -> tuple[int, list[memoryview]]:
    """Where the first chunk of pixels begins, and the contents of all that follow each other.

    As in browsers, the one with a wrong checksum is the last.
    """
    view, at, start = memoryview(data), len(_SIGNATURE), 0
    parts: list[memoryview] = []
    for _ in range(MAX_PNG_CHUNKS):
        length, name = int.from_bytes(data[at : at + 4], "big"), data[at + 4 : at + 8]
        if len(name) < 4 or (parts and name != _PIXELS):
            break
        if name == _PIXELS:
            start = start or at
            parts.append(view[at + 8 : at + 8 + length])
            checksum = int.from_bytes(data[at + 8 + length : at + 12 + length], "big")
            if zlib.crc32(view[at + 4 : at + 8 + length]) != checksum:
                break
        at += 12 + length
    return start or at, parts


def _found_rows(stream: "_Stream", shapes: list[tuple[int, int]]) -> list[int]:
    """How many rows of each pass there are, up to the first row with a filter that does not exist.

    A shape has the rows of a pass and the bytes of each, with the one for its filter.
    """
    found = [0] * len(shapes)
    blocks, block = stream.blocks(), b""
    for number, (rows, row_bytes) in enumerate(shapes):
        at, total = 0, rows * row_bytes
        while at < total:
            block = block or next(blocks, b"")
            if not block:
                break
            part, block = block[: total - at], block[total - at :]
            filters = part[-at % row_bytes :: row_bytes]
            if filters and max(filters) > _MOST_FILTER:
                whole = next(index for index, each in enumerate(filters) if each > _MOST_FILTER)
                found[number] = -(-at // row_bytes) + whole
                return found
            at += len(part)
        found[number] = at // row_bytes
        if at < total:
            return found
    stream.finish(blocks)
    return found


class _Stream:
    """The compressed data, inflated block by block up to its end, or to what is wrong in it."""

    def __init__(self, parts: list[memoryview]) -> None:
        self._data = b"".join(parts)
        self._checksum = zlib.adler32(b"")
        self._end: int | None = None  # of the compressed data

    def blocks(self) -> Iterator[bytes]:
        """What is inflated, none of it empty."""
        if not self._is_compressed():
            return
        inflater, at = zlib.decompressobj(-zlib.MAX_WBITS), 2
        while not inflater.eof:
            piece = inflater.unconsumed_tail
            if not piece:
                piece = self._data[at : at + _PIECE]
                at += len(piece)
            before = inflater.copy()
            try:
                block = inflater.decompress(piece, _BLOCK)
            except zlib.error:
                if block := _until_failure(before, piece):
                    yield block
                return
            if block:
                self._checksum = zlib.adler32(block, self._checksum)
                yield block
            elif not piece:
                return
        self._end = at - len(inflater.unused_data)

    def finish(self, blocks: Iterator[bytes]) -> None:
        """Look for the end of the compressed data, which may go on for a little while after the pixels."""
        for _ in itertools.islice(blocks, _MOST_EXTRA_BLOCKS):
            pass

    def mended(self, size: int, padding: int) -> bytes:
        """The data up to its end, with the largest window and the right checksum.

        Without an end, which libpng needs, the first `size` bytes are compressed again, and so with a `padding` of as
        many zeros; with 0 for both, the data is as it is.
        """
        if self._end is not None and not padding:
            return b"".join((_ZLIB_HEADER, self._data[2 : self._end], self._checksum.to_bytes(4, "big")))
        if size + padding == 0:
            return self._data
        packer, parts, left = zlib.compressobj(1), [], size
        for block in self.blocks() if size else ():
            parts.append(packer.compress(block[:left]))
            left -= len(block)
            if left <= 0:
                break
        parts += (packer.compress(bytes(min(_BLOCK, padding - at))) for at in range(0, padding, _BLOCK))
        return b"".join((*parts, packer.flush()))

    def _is_compressed(self) -> bool:
        """Whether there is a header of zlib (RFC 1950, 2.2). The size of the window, which it says, is ignored."""
        if len(self._data) < 2:
            return False
        method, flags = self._data[:2]
        is_usable = method & 15 == _DEFLATE and method >> 4 <= _MOST_WINDOW and not flags & _DICTIONARY
        return is_usable and (method << 8 | flags) % 31 == 0


def _until_failure(inflater: "zlib._Decompress", piece: bytes) -> bytes:
    """What comes before the byte of `piece` at which `inflater` fails: the call that fails returns nothing."""
    found = bytearray()
    with contextlib.suppress(zlib.error):
        for at in range(len(piece)):
            found += inflater.decompress(piece[at : at + 1])
    return bytes(found)


def _chunk(name: bytes, content: bytes) -> bytes:
    checksum = zlib.crc32(content, zlib.crc32(name))
    return b"".join((len(content).to_bytes(4, "big"), name, content, checksum.to_bytes(4, "big")))
