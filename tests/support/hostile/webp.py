"""WebPs: announcements that are false, frames and profiles."""

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
    LARGE,
    LOOP,
    MILLION,
    Hostile,
    good_file,
    rubbish,
)
from tests.support.pictures import encoded, noise


def _u24(number: int) -> bytes:
    return struct.pack("<I", number)[:3]


def _riff(*chunks: tuple[bytes, bytes]) -> bytes:
    body = b"".join(kind + struct.pack("<I", len(data)) + data + bytes(len(data) % 2) for kind, data in chunks)
    return b"RIFF" + struct.pack("<I", len(body) + 4) + b"WEBP" + body


def _canvas(width: int, height: int, flags: int = 0) -> tuple[bytes, bytes]:
    return b"VP8X", bytes((flags, 0, 0, 0)) + _u24(width - 1) + _u24(height - 1)


def _vp8() -> tuple[bytes, bytes]:
    """The bitstream of the good one."""
    data = good_file("webp")
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


def webps() -> Iterator[Hostile]:
    yield Hostile("webp-announcing-30000x30000", BROKEN, lambda: _riff(_canvas(30_000, 30_000), _vp8()))
    yield Hostile("webp-announcing-16777216x16777216", BROKEN, lambda: _riff(_canvas(2**24, 2**24), _vp8()))
    yield Hostile("webp-announcing-less-than-it-has", EITHER, lambda: _riff(_canvas(1, 1), _vp8()))
    yield Hostile("webp-lossless-announcing-16384x16384", BROKEN, lambda: _vp8l(16_384, 16_384))
    yield Hostile("webp-lossless-announcing-7000x7000", HUGE, lambda: _vp8l(7000, 7000), heavy=True)
    for size in ((16_383, 1), (1, 16_383)):
        build = partial(lambda size: encoded(Image.new("RGB", size), "WEBP"), size)
        yield Hostile(f"webp-of-{size[0]}x{size[1]}", LARGE, build)
    yield Hostile("webp-of-5000-frames", EITHER, lambda: _animation(5000))
    yield Hostile("webp-of-900-frames", LARGE, lambda: _animation(900))
    yield Hostile("webp-frames-on-49-megapixels", HUGE, lambda: _animation(3, 7000, 7000), heavy=True)
    yield Hostile("webp-frames-on-16777215x256", BROKEN, lambda: _animation(1, 2**24 - 1, 256))
    yield Hostile("webp-frames-off-their-canvas", BROKEN, lambda: _animation(3, 10, 10))
    yield Hostile(
        "webp-profile-of-rubbish", EITHER, lambda: _riff(_canvas(200, 150, 0x20), (b"ICCP", rubbish(3000)), _vp8())
    )
    yield Hostile(
        "webp-profile-that-lies", EITHER, lambda: _riff(_canvas(200, 150, 0x20), (b"ICCP", FALSE_PROFILE), _vp8())
    )
    yield Hostile(
        "webp-profile-of-20-MB",
        EITHER,
        lambda: _riff(_canvas(200, 150, 0x20), (b"ICCP", FALSE_PROFILE + bytes(20 * MILLION)), _vp8()),
    )
    yield Hostile("webp-exif-that-loops", FINE, lambda: _riff(_canvas(200, 150, 0x08), _vp8(), (b"EXIF", LOOP)))
    yield Hostile(
        "webp-alpha-of-rubbish",
        EITHER,
        lambda: _riff(_canvas(200, 150, 0x10), (b"ALPH", b"\1" + rubbish(500)), _vp8()),
    )
    yield Hostile("webp-longer-than-it-is", EITHER, lambda: b"RIFF\xff\xff\xff\xff" + good_file("webp")[8:])
    yield Hostile("webp-of-no-length", BROKEN, lambda: b"RIFF" + bytes(4) + good_file("webp")[8:])
