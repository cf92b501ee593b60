"""PNG files of any shape, written chunk by chunk."""

import struct
import zlib
from collections.abc import Sequence

from tests.support.signaled_colors import chunk

Rows = Sequence[Sequence[int]]
SIGNATURE, END = b"\x89PNG\r\n\x1a\n", chunk(b"IEND", b"")
GRAY, RGB, INDEXED, GRAY_ALPHA, RGBA = 0, 2, 3, 4, 6
CHANNELS = {GRAY: 1, RGB: 3, INDEXED: 1, GRAY_ALPHA: 2, RGBA: 4}
# The first column and row of each pass, and the steps to the next ones (PNG Third Edition, 8).
ADAM7 = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))


def png(
    rows: Rows, depth: int, color_type: int, *, before: bytes = b"", after: bytes = b"", pixels: bytes | None = None
) -> bytes:
    """A file whose samples are pixels as whole numbers, the first channel in the highest bits.

    `before` and `after` are chunks around the pixels. `pixels` are their chunks, in place of the right one.
    """
    data = chunk(b"IDAT", zlib.compress(scanlines(rows, depth * CHANNELS[color_type]), 9)) if pixels is None else pixels
    return head(rows, depth, color_type) + before + data + after + END


def interlaced(
    rows: Rows, depth: int, color_type: int, *, before: bytes = b"", passes: int = 7, last_rows: int | None = None
) -> bytes:
    """As `png`, by Adam7; only the first `passes`, and of the last one of them only the first `last_rows` rows."""
    width, height = len(rows[0]), len(rows)
    parts = []
    for number, (left, top, across, down) in enumerate(ADAM7[:passes], 1):
        part = [row[left::across] for row in rows[top::down]] if left < width and top < height else []
        part = part[:last_rows] if number == passes else part
        parts.append(scanlines(part, depth * CHANNELS[color_type]))
    packer = zlib.compressobj()
    data = packer.compress(b"".join(parts)) + packer.flush(
        zlib.Z_SYNC_FLUSH if passes < len(ADAM7) or last_rows is not None else zlib.Z_FINISH
    )
    return head(rows, depth, color_type, interlace=1) + before + chunk(b"IDAT", data) + END


def head(rows: Rows, depth: int, color_type: int, *, interlace: int = 0) -> bytes:
    fields = struct.pack(">IIBBBBB", len(rows[0]), len(rows), depth, color_type, 0, 0, interlace)
    return SIGNATURE + chunk(b"IHDR", fields)


def scanlines(rows: Rows, bits: int) -> bytes:
    """Rows of pixels of `bits` each, without a filter."""
    found = b""
    for row in rows:
        packed = 0
        for value in row:
            packed = packed << bits | value
        padding = -len(row) * bits % 8
        found += b"\0" + (packed << padding).to_bytes((len(row) * bits + padding) // 8, "big")
    return found


def palette(colors: Sequence[tuple[int, int, int]]) -> bytes:
    return chunk(b"PLTE", bytes(level for color in colors for level in color))


def transparency(content: bytes) -> bytes:
    return chunk(b"tRNS", content)
