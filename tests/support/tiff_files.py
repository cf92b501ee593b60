"""Writes TIFF files tag by tag (TIFF 6.0 and BigTIFF), for pictures that no library of the tests can write."""

import math
import struct
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

# A value of a tag: the type (TIFF 6.0, section 2) and the numbers, or bytes.
Value = tuple[int, Sequence[float] | bytes]
BYTE, ASCII, SHORT, LONG, RATIONAL, FLOAT, DOUBLE, LONG8 = 1, 2, 3, 4, 5, 11, 12, 16
_DIRECTORY = 13
UNSIGNED, SIGNED, FLOATING, VOID, COMPLEX_INT, COMPLEX_FLOAT = 1, 2, 3, 4, 5, 6
MIN_IS_WHITE, MIN_IS_BLACK, RGB, PALETTE, MASK, SEPARATED, YCBCR, CIELAB, ICCLAB, ITULAB = 0, 1, 2, 3, 4, 5, 6, 8, 9, 10
LOG_L, LOG_LUV = 32844, 32845
UNSPECIFIED, ASSOCIATED, UNASSOCIATED = 0, 1, 2
NONE, DEFLATE, ADOBE_DEFLATE, SGI_LOG = 1, 32946, 8, 34676
_CODES = {
    BYTE: "B",
    ASCII: "s",
    SHORT: "H",
    LONG: "I",
    FLOAT: "f",
    DOUBLE: "d",
    LONG8: "Q",
    RATIONAL: "I",
    _DIRECTORY: "I",
}
_SAMPLE_CODES = {
    (UNSIGNED, 8): "B",
    (UNSIGNED, 16): "H",
    (UNSIGNED, 32): "I",
    (UNSIGNED, 64): "Q",
    (SIGNED, 8): "b",
    (SIGNED, 16): "h",
    (SIGNED, 32): "i",
    (SIGNED, 64): "q",
    (FLOATING, 16): "e",
    (FLOATING, 32): "f",
    (FLOATING, 64): "d",
}
Pixel = Sequence[float]


@dataclass(frozen=True)
class Tiff:
    """A picture as rows of pixels, each of which has `len(pixel)` samples of `bits` bits, and how it is stored.

    `extra` is the ExtraSamples tag, None without one. `tags` replace or add tags; a None removes one. `tile` is the
    side of square tiles, `strip` the rows of a strip. `big` is BigTIFF.
    """

    rows: Sequence[Sequence[Pixel]]
    photometric: int = RGB
    bits: int = 8
    sample_format: int | None = None
    extra: Sequence[int] | None = None
    planar: bool = False
    tile: int = 0
    strip: int = 0
    compression: int = NONE
    order: str = "<"
    big: bool = False
    tags: Mapping[int, Value | None] = field(default_factory=dict)

    @property
    def samples(self) -> int:
        return len(self.rows[0][0])

    @property
    def size(self) -> tuple[int, int]:
        return len(self.rows[0]), len(self.rows)


def tiff(*pages: Tiff) -> bytes:
    """The file of `pages`, in the byte order and kind of the first."""
    order, big = pages[0].order, pages[0].big
    magic = b"II" if order == "<" else b"MM"
    head = magic + (struct.pack(f"{order}HHHQ", 43, 8, 0, 16) if big else struct.pack(f"{order}HI", 42, 8))
    data = head
    for number, page in enumerate(pages):
        data += _directory(page, len(data), last=number == len(pages) - 1)
    return data


def tiff_with_level(page: Tiff, level: Tiff) -> bytes:
    """The file of one page whose tag SubIFDs names the directory of another picture."""

    def naming(place: int) -> bytes:
        return tiff(replace(page, tags={**page.tags, 330: (_DIRECTORY, [place])}))

    place = len(naming(0))
    place += place % 2
    return naming(place).ljust(place, b"\0") + _directory(level, place, last=True)


def packed(page: Tiff, rows: Sequence[Sequence[Pixel]], band: int | None = None) -> bytes:
    """`rows` as they are stored uncompressed; with `band`, only that sample of each pixel."""
    flat = [[sample for pixel in row for sample in (pixel if band is None else pixel[band : band + 1])] for row in rows]
    kind = page.sample_format if page.sample_format in (SIGNED, FLOATING) else UNSIGNED
    code = _SAMPLE_CODES.get((kind, page.bits))
    if code is not None:
        whole = [sample if kind == FLOATING else int(sample) for row in flat for sample in row]
        return struct.pack(f"{page.order}{len(whole)}{code}", *whole)
    return b"".join(_bits(row, page.bits) for row in flat)


def _bits(row: Sequence[float], bits: int) -> bytes:
    """Samples of any number of bits, each row filled up to a whole byte, the highest bits first."""
    count = -(-len(row) * bits // 8)
    number = 0
    for sample in row:
        number = number << bits | int(sample)
    return (number << (count * 8 - len(row) * bits)).to_bytes(count, "big")


def _directory(page: Tiff, start: int, *, last: bool) -> bytes:
    chunks = [_compressed(page, chunk) for chunk in _chunks(page)]
    width, height = page.size
    offset = LONG8 if page.big else LONG
    tags: dict[int, Value] = {
        256: (LONG, [width]),
        257: (LONG, [height]),
        258: (SHORT, [page.bits] * page.samples),
        259: (SHORT, [page.compression]),
        262: (SHORT, [page.photometric]),
        277: (SHORT, [page.samples]),
        284: (SHORT, [2 if page.planar else 1]),
        **({338: (SHORT, page.extra)} if page.extra is not None else {}),
        **({339: (SHORT, [page.sample_format] * page.samples)} if page.sample_format is not None else {}),
    }
    places, counts = (324, 325) if page.tile else (273, 279)
    sized: dict[int, Value] = {322: (LONG, [page.tile]), 323: (LONG, [page.tile])} if page.tile else {}
    tags |= sized or {278: (LONG, [page.strip or height])}
    tags |= {places: (offset, [0] * len(chunks)), counts: (offset, list(map(len, chunks)))}
    tags |= {tag: value for tag, value in page.tags.items() if value is not None}
    for tag in (tag for tag, value in page.tags.items() if value is None):
        tags.pop(tag, None)
    # The length of the directory does not depend on the offsets in it.
    if places in tags and places not in page.tags:
        at = start + len(_entries(page, tags, start, following=0))
        tags[places] = offset, [at + sum(map(len, chunks[:number])) for number in range(len(chunks))]
    end = start + len(_entries(page, tags, start, following=0)) + sum(map(len, chunks))
    padding = end % 2
    following = 0 if last else end + padding
    return _entries(page, tags, start, following=following) + b"".join(chunks) + bytes(padding)


def _entries(page: Tiff, tags: Mapping[int, Value], start: int, *, following: int) -> bytes:
    """A directory at `start`, then the values that do not fit into it."""
    order = page.order
    count_code, word, inline = ("Q", "Q", 8) if page.big else ("H", "I", 4)
    length = struct.calcsize(f"={count_code}") + len(tags) * (12 + 2 * (inline - 4)) + struct.calcsize(f"={word}")
    rows, behind = b"", b""
    for tag, (kind, values) in sorted(tags.items()):
        if isinstance(values, bytes):
            value, count = values, len(values)
        else:
            value, count = struct.pack(f"{order}{len(values)}{_CODES[kind]}", *values), len(values)
            count //= 2 if kind == RATIONAL else 1  # above and below the line
        if len(value) > inline:
            place = start + length + len(behind)
            behind += value + bytes(len(value) % 2)
            value = struct.pack(f"{order}{word}", place)
        rows += struct.pack(f"{order}HH{word}", tag, kind, count) + value.ljust(inline, b"\0")
    return struct.pack(f"{order}{count_code}", len(tags)) + rows + struct.pack(f"{order}{word}", following) + behind


def _chunks(page: Tiff) -> list[bytes]:
    """The strips or tiles; of planes one after the other."""
    bands: list[int | None] = list(range(page.samples)) if page.planar else [None]
    if not page.tile:
        rows = page.strip or len(page.rows)
        parts = [page.rows[top : top + rows] for top in range(0, len(page.rows), rows)]
        return [packed(page, part, band) for band in bands for part in parts]
    width, height = page.size
    black = (0,) * page.samples
    tiles = [
        [
            [page.rows[y][x] if y < height and x < width else black for x in range(left, left + page.tile)]
            for y in range(top, top + page.tile)
        ]
        for top in range(0, height, page.tile)
        for left in range(0, width, page.tile)
    ]
    return [packed(page, part, band) for band in bands for part in tiles]


def _compressed(page: Tiff, chunk: bytes) -> bytes:
    if page.compression == SGI_LOG:
        return b"".join(_logarithms(row, page.photometric) for row in page.rows)
    return zlib.compress(chunk) if page.compression in (DEFLATE, ADOBE_DEFLATE) else chunk


def _logarithms(row: Sequence[Pixel], photometric: int) -> bytes:
    """A row of luminances, or of luminances with the coordinates u' and v', as the bytes of each weight in turn.

    G. Ward Larson, "LogLuv encoding for full-gamut, high-dynamic range images": 16 or 32 bits of a pixel. A run of
    bytes that differ begins with their number.
    """
    words = [int(256 * (math.log2(pixel[0]) + 64)) if pixel[0] > 0 else 0 for pixel in row]
    if photometric == LOG_LUV:
        words = [word << 16 | int(410 * u) << 8 | int(410 * v) for word, (_, u, v) in zip(words, row, strict=True)]
    weights = (24, 16, 8, 0) if photometric == LOG_LUV else (8, 0)
    return b"".join(bytes((len(words), *(word >> weight & 255 for word in words))) for weight in weights)
