"""Hostile files, each with the statuses that are right for it. They are built in every run, always the same."""

import random
import struct
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cache, partial

from PIL import Image

from tests.support.avif_files import assembled, box, full_box, grid, parts_of, tiles_of_grid
from tests.support.pictures import encoded, noise

FINE, BROKEN, EITHER, FOREIGN = {200}, {422}, {200, 422}, {415}
# Some thumbnails of it would be too large to make, or more than is held whole.
LARGE = {200, 400}
HUGE = {200, 400, 422}
_MILLION = 1_000_000


@dataclass(frozen=True, slots=True)
class Hostile:
    """`right` are the statuses that may be answered for it. A `wide` one is for a server that reads SVG and TIFF, too.

    In its bytes, `LISTENER` stands for an address that a render must never connect to.
    """

    name: str
    right: set[int]
    build: Callable[[], bytes]
    wide: bool = False
    slow: bool = False


LISTENER = b"listener.invalid:0"

# --------------------------------------------------------------------------------- what they are made of


@cache
def _good(kind: str) -> bytes:
    """A file that nothing is wrong with: noise of 200 x 150."""
    if kind == "progressive":
        return encoded(noise(200, 150), "JPEG", progressive=True)
    return encoded(noise(200, 150), kind.upper())


def _cut(kind: str, percent: int) -> bytes:
    return _good(kind)[: len(_good(kind)) * percent // 100]


def _flipped(kind: str, bits: int) -> bytes:
    """`bits` bits flipped, none of them in the bytes that name the format."""
    data = bytearray(_good(kind))
    chance = random.Random(bits)
    for _ in range(bits):
        data[chance.randrange(64, len(data))] ^= 1 << chance.randrange(8)
    return bytes(data)


def _false_header(kind: str) -> bytes:
    data = bytearray(_good(kind))
    chance = random.Random(kind)
    for _ in range(6):
        data[chance.randrange(32, 160)] = chance.choice((0, 127, 128, 255))
    return bytes(data)


@cache
def _zeros(count: int) -> bytes:
    """A zlib stream of that many zeros."""
    packer = zlib.compressobj(1)
    parts = [packer.compress(bytes(_MILLION)) for _ in range(count // _MILLION)]
    return b"".join((*parts, packer.compress(bytes(count % _MILLION)), packer.flush()))


def _replaced(data: bytes, old: bytes, new: bytes) -> bytes:
    """The first `old` as `new`: a mistake in a builder must not go unseen."""
    assert old in data
    return data.replace(old, new, 1)


def _rubbish(count: int, seed: int = 1) -> bytes:
    return random.Random(seed).randbytes(count)


def _ifd(*entries: tuple[int, int, int, int], following: int = 0) -> bytes:
    """A little-endian TIFF header and a directory of (tag, type, count, value)."""
    rows = b"".join(struct.pack("<HHII", *entry) for entry in sorted(entries))
    return b"II*\0\x08\0\0\0" + struct.pack("<H", len(entries)) + rows + struct.pack("<I", following)


_LOOP = _ifd((0x8769, 4, 1, 8), (0xA005, 4, 1, 8), following=8)
_HUGE_COUNTS = _ifd(*((0x0100 + number, 7, 0xFFFFFFF0, 8) for number in range(3000)))
_PROFILE = struct.pack(">I", 400) + b"lcms\x04\x30\0\0mntrRGB XYZ " + bytes(12) + b"acsp" + bytes(88)
_FALSE_PROFILE = _PROFILE + b"\xff" * 4 + _rubbish(400 - len(_PROFILE) - 4)


# -------------------------------------------------------------------------------------------------- JPEG


def _segment(marker: int, data: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, marker, len(data) + 2) + data


def _jpeg_with(*segments: bytes) -> bytes:
    return _good("jpeg")[:2] + b"".join(segments) + _good("jpeg")[2:]


def _jpeg_of(width: int, height: int) -> bytes:
    return _replaced(_good("jpeg"), struct.pack(">HH", 150, 200), struct.pack(">HH", height, width))


def _exif(body: bytes) -> bytes:
    return _jpeg_with(_segment(0xE1, b"Exif\0\0" + body))


def _icc(*parts: bytes) -> bytes:
    total = len(parts)
    return _jpeg_with(*(_segment(0xE2, b"ICC_PROFILE\0" + bytes((n + 1, total)) + p) for n, p in enumerate(parts)))


def _scans(count: int, side: int) -> bytes:
    """A black progressive JPEG of that many scans, all in order: after the first, each has one bit of one coefficient.

    ITU T.81, G.1: there may be 63 x 14 for each of three colors, and each is a walk over the whole picture. Of 16,384
    blocks at a time it says that they are empty, with a code of one bit and fourteen more.
    """
    blocks = (side // 8) ** 2
    empty = bytes(-(-(-(-blocks // 16_384) * 15) // 8))
    one_code = bytes([1] + [0] * 15)
    colors = b"".join(bytes((color, 0x11, 0)) for color in (1, 2, 3))
    parts = [
        *(b"\xff\xd8", _segment(0xDB, b"\0" + b"\1" * 64)),
        _segment(0xC2, struct.pack(">BHHB", 8, side, side, 3) + colors),
        *(_segment(0xC4, b"\0" + one_code + b"\0"), _segment(0xC4, b"\x10" + one_code + b"\xe0")),
        *(_segment(0xDA, b"\3\1\0\2\0\3\0\0\0\0"), bytes(-(-blocks * 3 // 8))),
    ]
    steps = (0x0D, *((low + 1) << 4 | low for low in range(12, -1, -1)))
    scans = [bytes((1, color, 0, at, at, step)) for at in range(1, 64) for color in (1, 2, 3) for step in steps]
    parts += [_segment(0xDA, scan) + empty for scan in scans[:count]]
    return b"".join((*parts, b"\xff\xd9"))


def _jpegs() -> Iterator[Hostile]:
    good = partial(_good, "jpeg")
    for width, height in ((30_000, 30_000), (65_500, 65_500), (0, 0), (65_535, 1), (1, 65_535)):
        yield Hostile(f"jpeg-announcing-{width}x{height}", BROKEN, partial(_jpeg_of, width, height))
    # It is not cut short: its own data ends the picture. The rest is gray.
    yield Hostile("jpeg-announcing-7000x7000", HUGE, lambda: _jpeg_of(7000, 7000))
    for size in ((65_500, 1), (1, 65_500)):
        build = partial(lambda size: encoded(Image.new("RGB", size), "JPEG"), size)
        yield Hostile(f"jpeg-of-{size[0]}x{size[1]}", LARGE, build)
    for orientation in (0, 9, 65535):
        yield Hostile(f"jpeg-turned-{orientation}", FINE, partial(_exif, _ifd((0x112, 3, 1, orientation))))
    yield Hostile("jpeg-exif-that-loops", FINE, lambda: _exif(_LOOP))
    yield Hostile("jpeg-exif-of-huge-counts", FINE, lambda: _exif(_HUGE_COUNTS))
    yield Hostile("jpeg-exif-that-is-elsewhere", FINE, lambda: _exif(b"II*\0" + b"\xff" * 4))
    yield Hostile("jpeg-profile-of-rubbish", EITHER, lambda: _icc(_rubbish(3000)))
    yield Hostile("jpeg-profile-that-lies", EITHER, lambda: _icc(_FALSE_PROFILE))
    yield Hostile("jpeg-profile-of-16-MB", EITHER, lambda: _icc(*(_FALSE_PROFILE + bytes(64000) for _ in range(255))))
    yield Hostile("jpeg-cmyk", FINE, lambda: encoded(noise(200, 150).convert("CMYK"), "JPEG"))
    yield Hostile(
        "jpeg-cmyk-that-says-ycck",
        FINE,
        lambda: _replaced(
            encoded(noise(200, 150).convert("CMYK"), "JPEG"), b"Adobe\0d\0\0\0\0\0", b"Adobe\0d\0\0\0\0\2"
        ),
    )
    yield Hostile("jpeg-scans-90", EITHER, lambda: _scans(90, 1000))
    yield Hostile("jpeg-scans-2647", EITHER, lambda: _scans(2646, 800))
    yield Hostile("jpeg-scans-2647-of-25-megapixels", HUGE, lambda: _scans(2646, 4992), slow=True)
    yield Hostile("jpeg-comments-100000", FINE, lambda: _jpeg_with(_segment(0xFE, b"harm") * 100_000))
    yield Hostile(
        "jpeg-xmp-of-20-MB",
        FINE,
        lambda: _jpeg_with(_segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0".ljust(65_000, b"<")) * 300),
    )
    yield Hostile(
        "jpeg-without-tables",
        BROKEN,
        lambda: b"".join(
            (
                *(b"\xff\xd8", _segment(0xC0, b"\x08\0\x10\0\x10\1\1\x11\0"), _segment(0xDA, b"\1\1\0\0\x3f\0")),
                *(bytes(50), b"\xff\xd9"),
            )
        ),
    )
    for name, marker in (("arithmetic", 0xC9), ("lossless", 0xC3), ("hierarchical", 0xC5)):
        build = partial(lambda new: _replaced(good(), b"\xff\xc0", new), bytes((0xFF, marker)))
        yield Hostile(f"jpeg-{name}", EITHER, build)
    yield Hostile("jpeg-of-12-bits", BROKEN, lambda: _replaced(good(), b"\xff\xc0\0\x11\x08", b"\xff\xc1\0\x11\x0c"))
    yield Hostile(
        "jpeg-of-255-colors", BROKEN, lambda: _jpeg_with(_segment(0xC0, b"\x08\0\x10\0\x10\xff" + b"\1\x11\0" * 255))
    )
    yield Hostile("jpeg-restart-intervals-that-never-come", BROKEN, lambda: _jpeg_with(_segment(0xDD, b"\0\1")))
    yield Hostile("jpeg-begun-only", BROKEN, lambda: b"\xff\xd8\xff")
    yield Hostile("jpeg-filled-up", BROKEN, lambda: b"\xff\xd8" + b"\xff" * 2_000_000)
    yield Hostile("jpeg-then-a-png", BROKEN, lambda: b"\xff\xd8\xff" + _good("png"))
    yield Hostile("jpeg-and-a-zip", FINE, lambda: good() + b"PK\3\4" + _rubbish(100_000))
    yield Hostile("jpeg-and-php", FINE, lambda: _jpeg_with(_segment(0xFE, b"<?php system($_GET[0]); ?><script>")))


# --------------------------------------------------------------------------------------------------- PNG

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
_ITXT, _ZTXT = b"a\0\1\0\0\0", b"a\0\0"


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def _ihdr(width: int, height: int, *, color: int = 0, depth: int = 8, rest: bytes = b"\0\0\0") -> bytes:
    return _chunk(b"IHDR", struct.pack(">IIBB", width, height, depth, color) + rest)


def _row(width: int, color: int, depth: int) -> int:
    return 1 + (width * _CHANNELS.get(color, 1) * depth + 7) // 8


def _png(
    width: int, height: int, *, color: int = 0, depth: int = 8, extra: bytes = b"", rows: int | None = None
) -> bytes:
    """A black PNG, complete or with only that many rows."""
    pixels = _zeros(_row(width, color, depth) * (height if rows is None else rows))
    parts = (_ihdr(width, height, color=color, depth=depth), extra, _chunk(b"IDAT", pixels), _chunk(b"IEND", b""))
    return _SIGNATURE + b"".join(parts)


def _interlaced(width: int, height: int, *, color: int = 2, depth: int = 8, rows: int = 0) -> bytes:
    """RFC 2083, 2.6: seven pictures one after the other, black ones; `rows` cuts them short."""
    passes = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))
    sizes = ((-(-(width - x) // across), -(-(height - y) // down)) for x, y, across, down in passes)
    count = sum(_row(wide, color, depth) * high for wide, high in sizes if wide > 0 and high > 0)
    pixels = _zeros(_row(width, color, depth) * rows or count)
    header = _ihdr(width, height, color=color, depth=depth, rest=b"\0\0\1")
    return _SIGNATURE + header + _chunk(b"IDAT", pixels) + _chunk(b"IEND", b"")


def _texts(kind: bytes, rest: bytes, count: int) -> bytes:
    """As many texts, each as long as libraries let one be, and not of zeros, where C ends them."""
    text = rest + zlib.compress(b"x" * 7_900_000)
    return _png(300, 200, extra=b"".join(_chunk(kind, b"k%d" % number + text) for number in range(count)))


def _spoilt_crc(kind: bytes) -> bytes:
    data = _good("png")
    at = data.index(kind)
    end = at + 4 + struct.unpack(">I", data[at - 4 : at])[0]
    return data[:end] + bytes(byte ^ 0xFF for byte in data[end : end + 4]) + data[end + 4 :]


def _frames(kind: str, count: int, **options: object) -> bytes:
    pictures = [Image.new("RGB", (60, 40), (number % 256, 9, 99)) for number in range(count)]
    return encoded(pictures[0], kind, save_all=True, append_images=pictures[1:], **options)


def _pngs() -> Iterator[Hostile]:
    for width, height in ((30_000, 30_000), (0x7FFFFFFF, 0x7FFFFFFF), (0xFFFFFFFF, 1), (0, 0)):
        build = partial(_png, width, height, color=2, rows=0)
        yield Hostile(f"png-announcing-{width}x{height}", BROKEN, build)
    yield Hostile("png-announcing-7000x7000", BROKEN | {400}, lambda: _png(7000, 7000, color=2, rows=0))
    yield Hostile("png-of-144-megapixels", BROKEN, lambda: _png(12_000, 12_000))
    yield Hostile("png-of-400-megapixels-of-1-bit", BROKEN, lambda: _png(20_000, 20_000, depth=1))
    yield Hostile("png-of-49-megapixels-of-1-bit", HUGE, lambda: _png(7000, 7000, depth=1))
    yield Hostile("png-of-49-megapixels-of-64-bits", HUGE, lambda: _png(7000, 7000, color=6, depth=16))
    yield Hostile("png-of-49000000x1", BROKEN, lambda: _png(49_000_000, 1, depth=1))
    yield Hostile("png-of-1x49000000", BROKEN, lambda: _png(1, 49_000_000, depth=1))
    yield Hostile("png-of-49000000x1-of-64-bits", BROKEN, lambda: _png(49_000_000, 1, color=6, depth=16))
    yield Hostile("png-of-65535x1", LARGE, lambda: _png(65_535, 1))
    yield Hostile("png-of-1x65535", LARGE, lambda: _png(1, 65_535))
    yield Hostile("png-interlaced", FINE, lambda: _interlaced(200, 150))
    yield Hostile("png-interlaced-of-49-megapixels", BROKEN, lambda: _interlaced(7000, 7000))
    yield Hostile("png-interlaced-of-24-megapixels", LARGE, lambda: _interlaced(4900, 4900, depth=16))
    yield Hostile("png-interlaced-of-few-rows", BROKEN, lambda: _interlaced(4900, 4900, rows=10))
    for color, depth in ((0, 1), (0, 2), (0, 4), (0, 16), (2, 16), (4, 8), (4, 16), (6, 8), (6, 16)):
        build = partial(_png, 200, 150, color=color, depth=depth)
        yield Hostile(f"png-of-{depth}-bits-in-color-type-{color}", FINE, build)
    for color, depth in ((0, 3), (2, 4), (5, 8), (7, 8), (6, 255)):
        build = partial(_png, 200, 150, color=color, depth=depth)
        yield Hostile(f"png-of-{depth}-bits-in-false-color-type-{color}", BROKEN, build)
    for kind, data in ((b"iTXt", _ITXT), (b"zTXt", _ZTXT), (b"iCCP", _ZTXT)):
        build = partial(
            lambda kind, data: _png(300, 200, extra=_chunk(kind, data + _zeros(400 * _MILLION))), kind, data
        )
        yield Hostile(f"png-bomb-in-{kind.decode()}", EITHER, build)
    for kind, rest in ((b"iTXt", _ITXT[1:]), (b"zTXt", _ZTXT[1:])):
        for count in (3, 30, 300):
            build = partial(_texts, kind, rest, count)
            yield Hostile(f"png-bombs-in-{count}-{kind.decode()}", EITHER, build, slow=count > 3)
    yield Hostile(
        "png-texts-100000",
        EITHER,
        lambda: _png(300, 200, extra=b"".join(_chunk(b"tEXt", b"k%d\0v" % number) for number in range(100_000))),
    )
    # As the specification has it; a library that takes such names for UTF-8 cannot even list them.
    named = _chunk(b"tEXt", "Schöpfer\0Zoë".encode("latin-1"))
    yield Hostile("png-text-named-in-latin-1", FINE, lambda: _png(300, 200, extra=named))
    yield Hostile("png-bomb-behind-the-pixels", EITHER, lambda: _png(300, 200, rows=2 * _MILLION))
    yield Hostile(
        "png-profile-of-rubbish",
        EITHER,
        lambda: _png(300, 200, color=2, extra=_chunk(b"iCCP", _ZTXT + zlib.compress(_rubbish(3000)))),
    )
    yield Hostile(
        "png-profile-that-lies",
        EITHER,
        lambda: _png(300, 200, color=2, extra=_chunk(b"iCCP", _ZTXT + zlib.compress(_FALSE_PROFILE))),
    )
    yield Hostile("png-exif-that-loops", FINE, lambda: _png(300, 200, extra=_chunk(b"eXIf", _LOOP)))
    yield Hostile(
        "png-colors-that-are-not-there",
        EITHER,
        lambda: _replaced(encoded(noise(200, 150).convert("P"), "PNG"), b"PLTE", b"pLTE"),
    )
    yield Hostile(
        "png-colors-out-of-range",
        EITHER,
        lambda: (
            _SIGNATURE
            + b"".join(
                (
                    *(_ihdr(200, 150, color=3), _chunk(b"PLTE", b"\1\2\3\4\5\6"), _chunk(b"tRNS", bytes(256))),
                    *(_chunk(b"IDAT", zlib.compress((b"\0" + b"\xff" * 200) * 150)), _chunk(b"IEND", b"")),
                )
            )
        ),
    )
    yield Hostile("png-colors-300", EITHER, lambda: _png(200, 150, color=3, extra=_chunk(b"PLTE", bytes(900))))
    yield Hostile("png-colors-and-a-half", EITHER, lambda: _png(200, 150, color=3, extra=_chunk(b"PLTE", bytes(4))))
    yield Hostile(
        "png-gamma-of-nothing",
        EITHER,
        lambda: _png(200, 150, extra=_chunk(b"gAMA", bytes(4)) + _chunk(b"cHRM", b"\xff" * 32)),
    )
    yield Hostile(
        "png-filters-that-do-not-exist",
        BROKEN,
        lambda: (
            _SIGNATURE
            + b"".join(
                (
                    *(_ihdr(200, 150), _chunk(b"IDAT", zlib.compress((b"\x09" + bytes(200)) * 150))),
                    *(_chunk(b"IEND", b""),),
                )
            )
        ),
    )
    for kind in (b"IHDR", b"IDAT"):
        yield Hostile(f"png-wrong-sum-of-{kind.decode()}", BROKEN, partial(_spoilt_crc, kind))
    yield Hostile("png-wrong-sum-of-IEND", EITHER, lambda: _spoilt_crc(b"IEND"))
    yield Hostile("png-without-pixels", BROKEN, lambda: _SIGNATURE + _ihdr(30, 30) + _chunk(b"IEND", b""))
    yield Hostile("png-headers-twice", EITHER, lambda: _png(200, 150, extra=_ihdr(30_000, 30_000)))
    yield Hostile("png-chunk-of-4-GB", BROKEN, lambda: _png(200, 150, extra=b"\xff\xff\xff\xfftEXt"))
    yield Hostile(
        "png-frames-announced", EITHER, lambda: _png(300, 200, extra=_chunk(b"acTL", struct.pack(">II", 0xFFFF, 0)))
    )
    yield Hostile("png-frames-20", FINE, lambda: _frames("PNG", 20))
    yield Hostile("png-and-html", FINE, lambda: _good("png") + b"<html><script>alert(1)</script></html>")
    yield Hostile("png-and-a-pdf", FINE, lambda: _good("png") + b"%PDF-1.4\n%%EOF")


# --------------------------------------------------------------------------------------------------- GIF


def _gif(screen: int, frame: int, *, frames: int = 1, at: int = 0, data: bytes = b"\2\2\x44\1\0") -> bytes:
    """A square of `screen` pixels a side, and on it frames of one transparent pixel that may say that they are more."""
    head = b"GIF89a" + struct.pack("<HHBBB", screen, screen, 0x80, 0, 0) + b"\0\0\0\xff\xff\xff"
    one = b"!\xf9\4\0\1\0\0\0," + struct.pack("<HHHHB", at, at, frame, frame, 0) + data
    return head + one * frames + b";"


def _gifs() -> Iterator[Hostile]:
    yield Hostile("gif-of-50000-frames", EITHER, lambda: _gif(100, 1, frames=50_000))
    yield Hostile("gif-of-50000-huge-frames", HUGE, lambda: _gif(7000, 1, frames=50_000))
    yield Hostile("gif-of-900-frames", LARGE, lambda: _gif(100, 1, frames=900))
    for side in (65_535, 30_000):
        yield Hostile(f"gif-announcing-{side}x{side}", BROKEN, partial(_gif, side, side))
        yield Hostile(f"gif-screen-of-{side}x{side}", BROKEN, partial(_gif, side, 1))
    yield Hostile("gif-of-49-megapixels", HUGE, lambda: encoded(Image.new("P", (7000, 7000)), "GIF", interlace=0))
    yield Hostile("gif-announcing-7000x7000", HUGE, lambda: _gif(7000, 7000))
    yield Hostile("gif-frame-larger-than-its-screen", BROKEN, lambda: _gif(1, 65_535))
    yield Hostile("gif-frame-larger-than-its-data", EITHER, lambda: _gif(1000, 1000))
    yield Hostile("gif-of-nothing", EITHER, lambda: _gif(0, 1))
    yield Hostile("gif-of-nothing-and-a-frame-of-7000", HUGE, lambda: _gif(0, 7000))
    yield Hostile("gif-frame-off-its-screen", HUGE, lambda: _gif(100, 1, at=65_000))
    yield Hostile("gif-without-frames", BROKEN, lambda: _gif(100, 1, frames=0))
    yield Hostile("gif-codes-of-12-bits", EITHER, lambda: _gif(100, 100, data=b"\x0c\2\x44\1\0"))
    yield Hostile("gif-codes-of-255-bits", EITHER, lambda: _gif(100, 100, data=b"\xff\2\x44\1\0"))
    yield Hostile("gif-codes-of-rubbish", EITHER, lambda: _gif(100, 100, data=b"\x08\xff" + _rubbish(255) + b"\0"))
    yield Hostile(
        "gif-comments-of-25-MB",
        BROKEN,
        lambda: _gif(100, 1, frames=0)[:-1] + (b"!\xfe\xff" + b"x" * 255 + b"\0") * 100_000 + b";",
    )
    yield Hostile("gif-and-javascript", BROKEN, lambda: b"GIF89a/*" + b"x" * 200 + b"*/=1;alert(1)//;")


# -------------------------------------------------------------------------------------------------- WebP


def _u24(number: int) -> bytes:
    return struct.pack("<I", number)[:3]


def _riff(*chunks: tuple[bytes, bytes]) -> bytes:
    body = b"".join(kind + struct.pack("<I", len(data)) + data + bytes(len(data) % 2) for kind, data in chunks)
    return b"RIFF" + struct.pack("<I", len(body) + 4) + b"WEBP" + body


def _canvas(width: int, height: int, flags: int = 0) -> tuple[bytes, bytes]:
    return b"VP8X", bytes((flags, 0, 0, 0)) + _u24(width - 1) + _u24(height - 1)


def _vp8() -> tuple[bytes, bytes]:
    """The bitstream of the good one."""
    data = _good("webp")
    return b"VP8 ", data[20 : 20 + struct.unpack("<I", data[16:20])[0]]


def _vp8l(width: int, height: int) -> bytes:
    """A lossless bitstream of that size (RFC 9649, 3.4), of which there is not more than its header."""
    return _riff((b"VP8L", b"\x2f" + struct.pack("<I", (width - 1) | (height - 1) << 14) + bytes(20)))


def _animation(frames: int, width: int = 60, height: int = 40) -> bytes:
    data = encoded(noise(60, 40), "WEBP")
    kind, data = data[12:16], data[20 : 20 + struct.unpack("<I", data[16:20])[0]]
    place = _u24(0) * 2 + _u24(59) + _u24(39) + _u24(10) + b"\0"
    frame = (b"ANMF", place + kind + struct.pack("<I", len(data)) + data)
    return _riff(_canvas(width, height, 0x02), (b"ANIM", bytes(6)), *[frame] * frames)


def _webps() -> Iterator[Hostile]:
    yield Hostile("webp-announcing-30000x30000", BROKEN, lambda: _riff(_canvas(30_000, 30_000), _vp8()))
    yield Hostile("webp-announcing-16777216x16777216", BROKEN, lambda: _riff(_canvas(2**24, 2**24), _vp8()))
    yield Hostile("webp-announcing-less-than-it-has", EITHER, lambda: _riff(_canvas(1, 1), _vp8()))
    yield Hostile("webp-lossless-announcing-16384x16384", BROKEN, lambda: _vp8l(16_384, 16_384))
    yield Hostile("webp-lossless-announcing-7000x7000", HUGE, lambda: _vp8l(7000, 7000))
    for size in ((16_383, 1), (1, 16_383)):
        build = partial(lambda size: encoded(Image.new("RGB", size), "WEBP"), size)
        yield Hostile(f"webp-of-{size[0]}x{size[1]}", LARGE, build)
    yield Hostile("webp-of-5000-frames", EITHER, lambda: _animation(5000))
    yield Hostile("webp-of-900-frames", LARGE, lambda: _animation(900))
    yield Hostile("webp-frames-on-49-megapixels", HUGE, lambda: _animation(3, 7000, 7000))
    yield Hostile("webp-frames-on-16777215x256", BROKEN, lambda: _animation(1, 2**24 - 1, 256))
    yield Hostile("webp-frames-off-their-canvas", BROKEN, lambda: _animation(3, 10, 10))
    yield Hostile(
        "webp-profile-of-rubbish", EITHER, lambda: _riff(_canvas(200, 150, 0x20), (b"ICCP", _rubbish(3000)), _vp8())
    )
    yield Hostile(
        "webp-profile-that-lies", EITHER, lambda: _riff(_canvas(200, 150, 0x20), (b"ICCP", _FALSE_PROFILE), _vp8())
    )
    yield Hostile(
        "webp-profile-of-20-MB",
        EITHER,
        lambda: _riff(_canvas(200, 150, 0x20), (b"ICCP", _FALSE_PROFILE + bytes(20 * _MILLION)), _vp8()),
    )
    yield Hostile("webp-exif-that-loops", FINE, lambda: _riff(_canvas(200, 150, 0x08), _vp8(), (b"EXIF", _LOOP)))
    yield Hostile(
        "webp-alpha-of-rubbish",
        EITHER,
        lambda: _riff(_canvas(200, 150, 0x10), (b"ALPH", b"\1" + _rubbish(500)), _vp8()),
    )
    yield Hostile("webp-longer-than-it-is", EITHER, lambda: b"RIFF\xff\xff\xff\xff" + _good("webp")[8:])
    yield Hostile("webp-of-no-length", BROKEN, lambda: b"RIFF" + bytes(4) + _good("webp")[8:])


# -------------------------------------------------------------------------------------------------- AVIF


def _sized(data: bytes, width: int, height: int) -> bytes:
    """The image spatial extents of ISO/IEC 23008-12, 6.5.3, as they are not."""
    at = data.index(b"ispe") + 8
    return data[:at] + struct.pack(">II", width, height) + data[at + 8 :]


@cache
def _large_avif() -> bytes:
    return encoded(Image.new("L", (5200, 5200), 99), "AVIF", speed=10, quality=20)


def _box(kind: bytes, data: bytes, version: int | None = None) -> bytes:
    """A box of ISO/IEC 14496-12, 4.2; a full one when it has a version."""
    return box(kind, data) if version is None else full_box(kind, data, version=version)


def _inside(data: bytes, kind: bytes) -> bytes:
    """What is in the first box of that kind."""
    at = data.index(kind)
    return data[at + 4 : at - 4 + struct.unpack(">I", data[at - 4 : at])[0]]


def _metadata(items: int, extents: int, count: int) -> bytes:
    """The good picture with items of EXIF data, each put together of the same `count` bytes again and again."""
    pixels, properties = _inside(_good("avif"), b"mdat"), _inside(_good("avif"), b"iprp")
    numbers = range(2, items + 2)
    names = [struct.pack(">HH4sx", 1, 0, b"av01"), *(struct.pack(">HH4sx", number, 0, b"Exif") for number in numbers)]

    def meta(at: int) -> bytes:
        repeated = struct.pack(">II", at + len(pixels), count) * extents
        places = (
            struct.pack(">HHHII", 1, 0, 1, at, len(pixels)),
            *(struct.pack(">HHH", number, 0, extents) + repeated for number in numbers),
        )
        boxes = (
            *(_box(b"hdlr", bytes(4) + b"pict" + bytes(13), 0), _box(b"pitm", struct.pack(">H", 1), 0)),
            _box(b"iloc", b"\x44\0" + struct.pack(">H", items + 1) + b"".join(places), 0),
            _box(b"iinf", struct.pack(">H", items + 1) + b"".join(_box(b"infe", name, 2) for name in names), 0),
            _box(b"iref", b"".join(_box(b"cdsc", struct.pack(">HHH", number, 1, 1)) for number in numbers), 0),
            _box(b"iprp", properties),
        )
        return _box(b"meta", b"".join(boxes), 0)

    head = _box(b"ftyp", b"avif\0\0\0\0avifmif1miaf")
    return head + meta(len(head) + len(meta(0)) + 8) + _box(b"mdat", pixels + bytes(count))


def _pictures(count: int, kind: bytes | None, *, repeated: int = 1) -> bytes:
    """The good picture, and as many more of the same megabyte, to which it is bound; or it is a grid of them."""
    good = parts_of(_good("avif"))[0]
    large = replace(good, data=good.data + box(b"free", bytes(_MILLION)))
    if kind is None:
        return assembled(grid([large] * count, (200 * count, 150), columns=count), [tiles_of_grid(count)])
    references = [(kind, number, (1,)) for number in range(2, count + 2)]
    return assembled([good, *[large] * count], references, repeated=repeated)


def _misspelled() -> bytes:
    """Turned by a property of an unknown type."""
    exif = Image.Exif()
    exif[0x112] = 6
    return _replaced(encoded(noise(200, 150), "AVIF", exif=exif), b"irot", b"\xff\xc3(\xfe")


def _avifs() -> Iterator[Hostile]:
    good = partial(_good, "avif")
    for width, height in ((30_000, 30_000), (0xFFFFFFFF, 0xFFFFFFFF), (0, 0)):
        build = partial(lambda size: _sized(good(), *size), (width, height))
        yield Hostile(f"avif-announcing-{width}x{height}", BROKEN, build)
    yield Hostile("avif-announcing-more-than-it-has", HUGE, lambda: _sized(good(), 4900, 4900))
    yield Hostile("avif-announcing-less-than-it-has", EITHER, lambda: _sized(good(), 10, 10))
    yield Hostile("avif-of-27-megapixels", BROKEN, _large_avif)
    yield Hostile("avif-of-27-megapixels-announcing-few", EITHER, lambda: _sized(_large_avif(), 100, 100))
    yield Hostile("avif-sequence", FINE, lambda: _frames("AVIF", 30, speed=10))
    yield Hostile("avif-metadata-of-200-MB", EITHER, lambda: _metadata(20, 32, 300_000))
    yield Hostile("avif-metadata-of-2-GB", EITHER, lambda: _metadata(62, 32, _MILLION), slow=True)
    yield Hostile("avif-metadata-of-8-GB", EITHER, lambda: _metadata(255, 32, _MILLION), slow=True)
    yield Hostile("avif-tiles-of-100-MB", EITHER, lambda: _pictures(100, None))
    yield Hostile("avif-thumbnails-of-1-GB", EITHER, lambda: _pictures(50, b"thmb", repeated=20))
    yield Hostile("avif-metadata-behind-others", EITHER, lambda: good() + _metadata(62, 32, _MILLION)[28:], slow=True)
    yield Hostile("avif-begun-only", BROKEN, lambda: b"\0\0\0\x1cftypavif\0\0\0\0avifmif1miaf")
    yield Hostile("avif-box-of-4-GB", BROKEN, lambda: good()[:32] + b"\xff" * 4 + good()[36:])
    yield Hostile("avif-box-without-end", EITHER, lambda: good()[:32] + bytes(4) + good()[36:])
    yield Hostile("avif-pixels-elsewhere", BROKEN, lambda: _replaced(good(), b"iloc", b"iLOC"))
    yield Hostile(
        "avif-pixels-of-rubbish",
        BROKEN,
        lambda: good()[: good().index(b"mdat") + 4] + _rubbish(len(good()) - good().index(b"mdat") - 4),
    )
    yield Hostile("avif-that-says-heic", FOREIGN, lambda: _replaced(good(), b"ftypavif", b"ftypheic"))
    # A library quotes this in what it says of the error; it must not be taken for UTF-8, now or at the next error.
    yield Hostile("avif-property-that-is-not-utf-8", BROKEN, _misspelled)
    yield Hostile("avif-cut-short-after-that", BROKEN, lambda: _cut("avif", 40))
    yield Hostile("avif-unharmed-after-that", FINE, good)


# ----------------------------------------------------------------------------------- what is no picture


def _other_formats() -> Iterator[Hostile]:
    laughs = b"".join(b'<!ENTITY l%d "%s">' % (number, b"&l%d;" % (number - 1) * 10) for number in range(1, 10))
    files = {
        "empty": b"",
        "one-byte": b"\xff",
        "text": b"This is not a picture, whatever its name says.\n" * 20,
        "html": b"<html><script>alert(1)</script></html>",
        "svg": _svg(b"<circle r='9'/>"),
        "svg-of-entities": b'<?xml version="1.0"?><!DOCTYPE svg [<!ENTITY l0 "lol">' + laughs + b"]><svg>&l9;</svg>",
        "svgz": b"\x1f\x8b\x08\0\0\0\0\0\0\3" + zlib.compress(_svg(b""))[2:],
        "csv": b"1,2,3\n4,5,6\n" * 100,
        "vips": b"\x08\xf2\xa6\xb6" + struct.pack("<III", 100_000, 100_000, 3) + bytes(500_000),
        "pdf": b"%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF",
        "tiff": encoded(noise(60, 40), "TIFF"),
        "heic": b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + _rubbish(500),
        "ppm": b"P6\n100000 100000\n255\n" + b"x" * 100,
        "pfm": b"PF\n10 10\n-1\n" + b"x" * 1200,
        "bmp": encoded(noise(60, 40), "BMP"),
        "ico": encoded(noise(32, 32), "ICO"),
        "jpeg-2000": b"\0\0\0\x0cjP  \r\n\x87\n" + bytes(200),
        "jpeg-xl": b"\xff\x0a" + bytes(200),
        "exr": b"v/1\x01" + bytes(200),
        "hdr": b"#?RADIANCE\n\n-Y 10 +X 10\n" + bytes(400),
        "fits": b"SIMPLE  =                    T".ljust(2880) + bytes(2880),
        "matlab": b"MATLAB 5.0 MAT-file".ljust(500),
        "mvg": b'push graphic-context\nimage over 0,0 0,0 "http://' + LISTENER + b'/x"\npop graphic-context\n',
        "zip": b"PK\3\4" + _rubbish(500),
        "nul": bytes(_MILLION),
        "rubbish": _rubbish(_MILLION),
    }
    for name, data in files.items():
        yield Hostile(f"{name}-named-jpg", FOREIGN, partial(bytes, data))


# -------------------------------------------------------------- what a server reads only when configured to


def _svg(body: bytes, *, attributes: bytes = b"width='200' height='150'", before: bytes = b"") -> bytes:
    namespaces = b"xmlns='http://www.w3.org/2000/svg' xmlns:xlink='http://www.w3.org/1999/xlink'"
    return before + b"<svg " + namespaces + b" " + attributes + b">" + body + b"</svg>"


def _nested(count: int) -> bytes:
    """Each group uses the one before it ten times."""
    groups = (b"<g id='g%d'>" % n + b"<use xlink:href='#g%d'/>" % (n - 1) * 10 + b"</g>" for n in range(1, count))
    return (
        b"<defs><rect id='g0' width='9' height='9'/>"
        + b"".join(groups)
        + b"</defs><use xlink:href='#g%d'/>" % (count - 1)
    )


def _svgs() -> Iterator[Hostile]:
    outside = b"http://" + LISTENER
    doctype = b"<?xml version='1.0'?><!DOCTYPE svg [%s]>"
    laughs = b"".join(b"<!ENTITY l%d '%s'>" % (number, b"&l%d;" % (number - 1) * 10) for number in range(1, 10))
    rows: dict[str, tuple[set[int], bytes]] = {
        "plain": (FINE, _svg(b"<circle r='90'/>")),
        "of-100000x100000": (BROKEN, _svg(b"", attributes=b"width='100000' height='100000'")),
        "of-1000-km": (BROKEN, _svg(b"", attributes=b"width='99999999cm' height='99999999cm'")),
        "of-nothing": (EITHER, _svg(b"", attributes=b"width='0' height='0'")),
        "of-less-than-nothing": (EITHER, _svg(b"", attributes=b"width='-9' height='-9'")),
        "without-size": (EITHER, _svg(b"<circle r='90'/>", attributes=b"")),
        "view-of-1e30": (EITHER, _svg(b"<circle r='90'/>", attributes=b"viewBox='0 0 1e30 1e30'")),
        "image-outside": (EITHER, _svg(b"<image width='9' height='9' xlink:href='%s/a.png'/>" % outside)),
        "image-of-a-file": (EITHER, _svg(b"<image width='9' height='9' xlink:href='file:///etc/passwd'/>")),
        "style-outside": (EITHER, _svg(b"<style>@import url('%s/a.css');</style><circle r='9'/>" % outside)),
        "use-outside": (EITHER, _svg(b"<use xlink:href='%s/a.svg#a'/>" % outside)),
        "script": (EITHER, _svg(b"<script>alert(1)</script><circle r='9'/>")),
        "entity-of-a-file": (
            EITHER,
            _svg(b"<text y='20'>&x;</text>", before=doctype % b"<!ENTITY x SYSTEM 'file:///etc/passwd'>"),
        ),
        "entity-outside": (
            EITHER,
            _svg(b"<text y='20'>&x;</text>", before=doctype % (b"<!ENTITY x SYSTEM '%s/x'>" % outside)),
        ),
        "document-type-outside": (EITHER, _svg(b"", before=b"<!DOCTYPE svg SYSTEM '%s/x.dtd'>" % outside)),
        "laughs": (EITHER, _svg(b"<text y='20'>&l9;</text>", before=doctype % (b"<!ENTITY l0 'lol'>" + laughs))),
        "uses-10000": (EITHER, _svg(_nested(5))),
        "groups-100000-deep": (EITHER, _svg(b"<g>" * 100_000 + b"</g>" * 100_000)),
        "pattern-of-itself": (
            EITHER,
            _svg(
                b"<pattern id='a' width='9' height='9'><rect width='9' height='9' fill='url(#a)'/></pattern>"
                b"<rect width='90' height='90' fill='url(#a)'/>"
            ),
        ),
        "blur-of-1e9": (
            EITHER,
            _svg(b"<filter id='a'><feGaussianBlur stdDeviation='1e9'/></filter><circle r='90' filter='url(#a)'/>"),
        ),
        "turbulence": (
            EITHER,
            _svg(
                b"<filter id='a'><feTurbulence baseFrequency='0.5' numOctaves='1000000'/></filter>"
                b"<rect width='200' height='150' filter='url(#a)'/>"
            ),
        ),
        "cut-short": (BROKEN, _svg(b"<circle r='90'/>")[:-12]),
    }
    for name, (right, data) in rows.items():
        yield Hostile(f"svg-{name}", right, partial(bytes, data), wide=True)
    yield Hostile("svg-uses-10-to-the-11", EITHER, lambda: _svg(_nested(12)), wide=True, slow=True)
    namespace = b"xmlns:a='http://" + b"\xff" * 5000 + b"'"
    yield Hostile("svg-namespace-that-is-not-utf-8", BROKEN, partial(_svg, b"", attributes=namespace), wide=True)


def _tiff(*entries: tuple[int, int, int, int], data: bytes = b"", following: int = 0) -> bytes:
    """One gray picture of 8 bits in one strip behind its directory; `entries` come in place of what is said of it."""
    said = {256: (3, 1, 200), 257: (3, 1, 150), 258: (3, 1, 8), 259: (3, 1, 1), 262: (3, 1, 1), 277: (3, 1, 1)}
    said |= {273: (4, 1, 0), 278: (4, 1, 0xFFFFFFFF), 279: (4, 1, len(data))}
    said |= {tag: (kind, count, value) for tag, kind, count, value in entries}
    if said[273][2] == 0:
        said[273] = (4, 1, len(_ifd(*((tag, *row) for tag, row in said.items()))))
    return _ifd(*((tag, *row) for tag, row in said.items()), following=following) + data


def _tiffs() -> Iterator[Hostile]:
    def good() -> bytes:
        return encoded(noise(200, 150), "TIFF")

    rows: dict[str, tuple[set[int], Callable[[], bytes]]] = {
        "plain": (FINE, lambda: _tiff(data=bytes(30_000))),
        "cut-at-1": (BROKEN, lambda: good()[: len(good()) // 100]),
        "cut-at-50": (BROKEN, lambda: good()[: len(good()) // 2]),
        "cut-at-99": (EITHER, lambda: good()[: len(good()) * 99 // 100]),
        "begun-only": (BROKEN, lambda: b"II*\0"),
        "that-loops": (EITHER, lambda: _tiff(data=bytes(30_000), following=8)),
        "announcing-30000x30000": (BROKEN, lambda: _tiff((256, 4, 1, 30_000), (257, 4, 1, 30_000), data=bytes(100))),
        "announcing-4-G": (BROKEN, lambda: _tiff((256, 4, 1, 0xFFFFFFFF), (257, 4, 1, 0xFFFFFFFF), data=bytes(100))),
        "of-nothing": (BROKEN, lambda: _tiff((256, 4, 1, 0), (257, 4, 1, 0))),
        "pixels-elsewhere": (BROKEN, lambda: _tiff((273, 4, 1, 0xFFFFFF00), (279, 4, 1, 0xFFFFFFFF))),
        "of-65535-channels": (FOREIGN, lambda: _tiff((277, 3, 1, 65_535), data=bytes(30_000))),
        "of-64-bits": (FOREIGN, lambda: _tiff((258, 3, 1, 64), (339, 3, 1, 3), data=bytes(8 * 30_000))),
        "of-tiles-of-4-G": (BROKEN, lambda: _tiff((322, 4, 1, 0xFFFFFFF0), (323, 4, 1, 0xFFFFFFF0), (324, 4, 1, 200))),
        "counts-of-4-G": (BROKEN, lambda: _tiff((273, 4, 0xFFFFFFFF, 200), (279, 4, 0xFFFFFFFF, 200))),
        "bomb": (
            BROKEN,
            lambda: _tiff((256, 4, 1, 12_000), (257, 4, 1, 12_000), (259, 3, 1, 8), data=_zeros(144 * _MILLION)),
        ),
        "bomb-behind-the-pixels": (EITHER, lambda: _tiff((259, 3, 1, 8), data=_zeros(144 * _MILLION))),
        "of-unknown-compression": (FOREIGN, lambda: _tiff((259, 3, 1, 60_000), data=bytes(30_000))),
        "of-old-jpeg": (FOREIGN, lambda: _tiff((259, 3, 1, 6), data=bytes(30_000))),
        "of-5-channels": (FINE, lambda: _tiff((277, 3, 1, 5), data=bytes(150_000))),
        "of-900-channels": (FINE, lambda: _tiff((277, 3, 1, 900), data=bytes(900 * 30_000))),
        "of-signed-samples": (FINE, lambda: _tiff((339, 3, 1, 2), data=bytes(30_000))),
        "of-5000-pages": (FINE, lambda: _pages(5000)),
        "description-of-20-MB": (EITHER, lambda: _described(20 * _MILLION)),
        "description-of-40-MB": (EITHER, lambda: _described(40 * _MILLION)),
        "profile-that-lies": (EITHER, lambda: encoded(noise(200, 150), "TIFF", icc_profile=_FALSE_PROFILE)),
    }
    for name, (right, build) in rows.items():
        yield Hostile(f"tiff-{name}", right, build, wide=True)


def _described(count: int) -> bytes:
    """A picture with a longer description than some libraries accept."""
    pixels = bytes(30_000)
    start = len(_tiff((270, 2, count, 0)))
    return _tiff((270, 2, count, start + len(pixels)), data=pixels) + b"x" * (count - 1) + b"\0"


def _pages(count: int) -> bytes:
    """The same picture again and again: directories that differ only in where the next one is."""
    pixels = bytes(30_000)
    one = _tiff(data=pixels)
    directory = one[8 : -len(pixels) - 4]
    places = [len(one) + number * (len(directory) + 4) for number in range(count - 1)]
    first, *others = [directory + struct.pack("<I", place) for place in (*places, 0)]
    return one[:8] + first + pixels + b"".join(others)


def _damaged() -> Iterator[Hostile]:
    for kind in ("jpeg", "progressive", "png", "webp", "gif", "avif"):
        for percent in (1, 10, 50, 75, 90, 99):
            # What is missing may lie in rows that the thumbnail does not need.
            right = BROKEN if percent < 75 else EITHER
            yield Hostile(f"{kind}-cut-at-{percent}-percent", right, partial(_cut, kind, percent))
        for bits in (1, 8, 64):
            yield Hostile(f"{kind}-with-{bits}-bits-flipped", EITHER, partial(_flipped, kind, bits))
        yield Hostile(f"{kind}-with-a-false-header", HUGE, partial(_false_header, kind))


def _all() -> Iterable[Hostile]:
    for group in (_damaged, _jpegs, _pngs, _gifs, _webps, _other_formats, _avifs, _tiffs, _svgs):
        yield from group()


FILES: tuple[Hostile, ...] = tuple(_all())
