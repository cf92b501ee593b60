"""PNGs: chunks that are false, many or large when unpacked."""

import struct
import zlib
from collections.abc import Iterator
from functools import partial

from tests.support.hostile.parts import (
    BROKEN,
    EITHER,
    FALSE_PROFILE,
    FINE,
    HUGE,
    LARGE,
    LOOP,
    MILLION,
    Hostile,
    frames,
    good_file,
    replaced,
    rubbish,
    zeros,
)
from tests.support.pictures import encoded, noise

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
    pixels = zeros(_row(width, color, depth) * (height if rows is None else rows))
    parts = (_ihdr(width, height, color=color, depth=depth), extra, _chunk(b"IDAT", pixels), _chunk(b"IEND", b""))
    return _SIGNATURE + b"".join(parts)


def _interlaced(width: int, height: int, *, color: int = 2, depth: int = 8, rows: int = 0) -> bytes:
    """RFC 2083, 2.6: seven pictures one after the other, black ones; `rows` cuts them short."""
    passes = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))
    sizes = ((-(-(width - x) // across), -(-(height - y) // down)) for x, y, across, down in passes)
    count = sum(_row(wide, color, depth) * high for wide, high in sizes if wide > 0 and high > 0)
    pixels = zeros(_row(width, color, depth) * rows or count)
    header = _ihdr(width, height, color=color, depth=depth, rest=b"\0\0\1")
    return _SIGNATURE + header + _chunk(b"IDAT", pixels) + _chunk(b"IEND", b"")


def _texts(kind: bytes, rest: bytes, count: int) -> bytes:
    """As many texts, each as long as libraries let one be, and not of zeros, where C ends them."""
    text = rest + zlib.compress(b"x" * 7_900_000)
    return _png(300, 200, extra=b"".join(_chunk(kind, b"k%d" % number + text) for number in range(count)))


def _spoilt_crc(kind: bytes) -> bytes:
    data = good_file("png")
    at = data.index(kind)
    end = at + 4 + struct.unpack(">I", data[at - 4 : at])[0]
    return data[:end] + bytes(byte ^ 0xFF for byte in data[end : end + 4]) + data[end + 4 :]


def pngs() -> Iterator[Hostile]:
    for width, height in ((30_000, 30_000), (0x7FFFFFFF, 0x7FFFFFFF), (0xFFFFFFFF, 1), (0, 0)):
        build = partial(_png, width, height, color=2, rows=0)
        yield Hostile(f"png-announcing-{width}x{height}", BROKEN, build)
    yield Hostile("png-announcing-7000x7000", BROKEN | {400}, lambda: _png(7000, 7000, color=2, rows=0))
    yield Hostile("png-of-144-megapixels", BROKEN, lambda: _png(12_000, 12_000))
    yield Hostile("png-of-400-megapixels-of-1-bit", BROKEN, lambda: _png(20_000, 20_000, depth=1))
    yield Hostile("png-of-49-megapixels-of-1-bit", HUGE, lambda: _png(7000, 7000, depth=1))
    yield Hostile("png-of-49-megapixels-of-64-bits", HUGE, lambda: _png(7000, 7000, color=6, depth=16), heavy=True)
    yield Hostile("png-of-49000000x1", BROKEN, lambda: _png(49_000_000, 1, depth=1))
    yield Hostile("png-of-1x49000000", BROKEN, lambda: _png(1, 49_000_000, depth=1))
    yield Hostile("png-of-49000000x1-of-64-bits", BROKEN, lambda: _png(49_000_000, 1, color=6, depth=16))
    yield Hostile("png-of-65535x1", LARGE, lambda: _png(65_535, 1))
    yield Hostile("png-of-1x65535", LARGE, lambda: _png(1, 65_535))
    yield Hostile("png-interlaced", FINE, lambda: _interlaced(200, 150))
    yield Hostile("png-interlaced-of-49-megapixels", BROKEN, lambda: _interlaced(7000, 7000))
    yield Hostile("png-interlaced-of-24-megapixels", LARGE, lambda: _interlaced(4900, 4900, depth=16), heavy=True)
    yield Hostile("png-interlaced-of-few-rows", BROKEN, lambda: _interlaced(4900, 4900, rows=10))
    for color, depth in ((0, 1), (0, 2), (0, 4), (0, 16), (2, 16), (4, 8), (4, 16), (6, 8), (6, 16)):
        build = partial(_png, 200, 150, color=color, depth=depth)
        yield Hostile(f"png-of-{depth}-bits-in-color-type-{color}", FINE, build)
    for color, depth in ((0, 3), (2, 4), (5, 8), (7, 8), (6, 255)):
        build = partial(_png, 200, 150, color=color, depth=depth)
        yield Hostile(f"png-of-{depth}-bits-in-false-color-type-{color}", BROKEN, build)
    for kind, data in ((b"iTXt", _ITXT), (b"zTXt", _ZTXT), (b"iCCP", _ZTXT)):
        build = partial(lambda kind, data: _png(300, 200, extra=_chunk(kind, data + zeros(400 * MILLION))), kind, data)
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
    yield Hostile("png-bomb-behind-the-pixels", EITHER, lambda: _png(300, 200, rows=2 * MILLION))
    yield Hostile(
        "png-profile-of-rubbish",
        EITHER,
        lambda: _png(300, 200, color=2, extra=_chunk(b"iCCP", _ZTXT + zlib.compress(rubbish(3000)))),
    )
    yield Hostile(
        "png-profile-that-lies",
        EITHER,
        lambda: _png(300, 200, color=2, extra=_chunk(b"iCCP", _ZTXT + zlib.compress(FALSE_PROFILE))),
    )
    yield Hostile("png-exif-that-loops", FINE, lambda: _png(300, 200, extra=_chunk(b"eXIf", LOOP)))
    yield Hostile(
        "png-colors-that-are-not-there",
        EITHER,
        lambda: replaced(encoded(noise(200, 150).convert("P"), "PNG"), b"PLTE", b"pLTE"),
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
    yield Hostile("png-frames-20", FINE, lambda: frames("PNG", 20))
    yield Hostile("png-and-html", FINE, lambda: good_file("png") + b"<html><script>alert(1)</script></html>")
    yield Hostile("png-and-a-pdf", FINE, lambda: good_file("png") + b"%PDF-1.4\n%%EOF")
