"""JPEGs: scans, profiles and metadata that are false, many or endless."""

import struct
from collections.abc import Iterator
from functools import partial

from PIL import Image

from tests.support.hostile.parts import (
    BROKEN,
    EITHER,
    FALSE_PROFILE,
    FINE,
    HUGE,
    HUGE_COUNTS,
    LARGE,
    LOOP,
    Hostile,
    good_file,
    ifd,
    replaced,
    rubbish,
)
from tests.support.pictures import encoded, noise


def _segment(marker: int, data: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, marker, len(data) + 2) + data


def _jpeg_with(*segments: bytes) -> bytes:
    return good_file("jpeg")[:2] + b"".join(segments) + good_file("jpeg")[2:]


def _jpeg_of(width: int, height: int) -> bytes:
    return replaced(good_file("jpeg"), struct.pack(">HH", 150, 200), struct.pack(">HH", height, width))


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


def jpegs() -> Iterator[Hostile]:
    good = partial(good_file, "jpeg")
    for width, height in ((30_000, 30_000), (65_500, 65_500), (0, 0), (65_535, 1), (1, 65_535)):
        yield Hostile(f"jpeg-announcing-{width}x{height}", BROKEN, partial(_jpeg_of, width, height))
    # It is not cut short: its own data ends the picture. The rest is gray.
    yield Hostile("jpeg-announcing-7000x7000", HUGE, lambda: _jpeg_of(7000, 7000))
    for size in ((65_500, 1), (1, 65_500)):
        build = partial(lambda size: encoded(Image.new("RGB", size), "JPEG"), size)
        yield Hostile(f"jpeg-of-{size[0]}x{size[1]}", LARGE, build)
    for orientation in (0, 9, 65535):
        yield Hostile(f"jpeg-turned-{orientation}", FINE, partial(_exif, ifd((0x112, 3, 1, orientation))))
    yield Hostile("jpeg-exif-that-loops", FINE, lambda: _exif(LOOP))
    yield Hostile("jpeg-exif-of-huge-counts", FINE, lambda: _exif(HUGE_COUNTS))
    yield Hostile("jpeg-exif-that-is-elsewhere", FINE, lambda: _exif(b"II*\0" + b"\xff" * 4))
    yield Hostile("jpeg-profile-of-rubbish", EITHER, lambda: _icc(rubbish(3000)))
    yield Hostile("jpeg-profile-that-lies", EITHER, lambda: _icc(FALSE_PROFILE))
    yield Hostile("jpeg-profile-of-16-MB", EITHER, lambda: _icc(*(FALSE_PROFILE + bytes(64000) for _ in range(255))))
    yield Hostile("jpeg-cmyk", FINE, lambda: encoded(noise(200, 150).convert("CMYK"), "JPEG"))
    yield Hostile(
        "jpeg-cmyk-that-says-ycck",
        FINE,
        lambda: replaced(
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
        build = partial(lambda new: replaced(good(), b"\xff\xc0", new), bytes((0xFF, marker)))
        yield Hostile(f"jpeg-{name}", EITHER, build)
    yield Hostile("jpeg-of-12-bits", BROKEN, lambda: replaced(good(), b"\xff\xc0\0\x11\x08", b"\xff\xc1\0\x11\x0c"))
    yield Hostile(
        "jpeg-of-255-colors", BROKEN, lambda: _jpeg_with(_segment(0xC0, b"\x08\0\x10\0\x10\xff" + b"\1\x11\0" * 255))
    )
    yield Hostile("jpeg-restart-intervals-that-never-come", BROKEN, lambda: _jpeg_with(_segment(0xDD, b"\0\1")))
    yield Hostile("jpeg-begun-only", BROKEN, lambda: b"\xff\xd8\xff")
    yield Hostile("jpeg-filled-up", BROKEN, lambda: b"\xff\xd8" + b"\xff" * 2_000_000)
    yield Hostile("jpeg-then-a-png", BROKEN, lambda: b"\xff\xd8\xff" + good_file("png"))
    yield Hostile("jpeg-and-a-zip", FINE, lambda: good() + b"PK\3\4" + rubbish(100_000))
    yield Hostile("jpeg-and-php", FINE, lambda: _jpeg_with(_segment(0xFE, b"<?php system($_GET[0]); ?><script>")))
