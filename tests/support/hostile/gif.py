"""GIFs: frames that are many, or larger than what they are drawn on."""

import struct
from collections.abc import Iterator
from functools import partial

from PIL import Image

from tests.support.hostile.parts import (
    BROKEN,
    EITHER,
    HUGE,
    LARGE,
    Hostile,
    rubbish,
)
from tests.support.pictures import encoded


def _gif(screen: int, frame: int, *, frames: int = 1, at: int = 0, data: bytes = b"\2\2\x44\1\0") -> bytes:
    """A square of `screen` pixels a side, and on it frames of one transparent pixel that may say that they are more."""
    head = b"GIF89a" + struct.pack("<HHBBB", screen, screen, 0x80, 0, 0) + b"\0\0\0\xff\xff\xff"
    one = b"!\xf9\4\0\1\0\0\0," + struct.pack("<HHHHB", at, at, frame, frame, 0) + data
    return head + one * frames + b";"


def gifs() -> Iterator[Hostile]:
    yield Hostile("gif-of-50000-frames", EITHER, lambda: _gif(100, 1, frames=50_000))
    yield Hostile("gif-of-50000-huge-frames", HUGE, lambda: _gif(7000, 1, frames=50_000), heavy=True)
    yield Hostile("gif-of-900-frames", LARGE, lambda: _gif(100, 1, frames=900))
    for side in (65_535, 30_000):
        yield Hostile(f"gif-announcing-{side}x{side}", BROKEN, partial(_gif, side, side))
        yield Hostile(f"gif-screen-of-{side}x{side}", BROKEN, partial(_gif, side, 1))
    of_one_color = partial(Image.new, "P", (7000, 7000))
    yield Hostile("gif-of-49-megapixels", HUGE, lambda: encoded(of_one_color(), "GIF", interlace=0), heavy=True)
    yield Hostile("gif-announcing-7000x7000", HUGE, lambda: _gif(7000, 7000), heavy=True)
    yield Hostile("gif-frame-larger-than-its-screen", BROKEN, lambda: _gif(1, 65_535))
    yield Hostile("gif-frame-larger-than-its-data", EITHER, lambda: _gif(1000, 1000))
    yield Hostile("gif-of-nothing", EITHER, lambda: _gif(0, 1))
    yield Hostile("gif-of-nothing-and-a-frame-of-7000", HUGE, lambda: _gif(0, 7000), heavy=True)
    yield Hostile("gif-frame-off-its-screen", HUGE, lambda: _gif(100, 1, at=65_000))
    yield Hostile("gif-without-frames", BROKEN, lambda: _gif(100, 1, frames=0))
    yield Hostile("gif-codes-of-12-bits", EITHER, lambda: _gif(100, 100, data=b"\x0c\2\x44\1\0"))
    yield Hostile("gif-codes-of-255-bits", EITHER, lambda: _gif(100, 100, data=b"\xff\2\x44\1\0"))
    yield Hostile("gif-codes-of-rubbish", EITHER, lambda: _gif(100, 100, data=b"\x08\xff" + rubbish(255) + b"\0"))
    yield Hostile(
        "gif-comments-of-25-MB",
        BROKEN,
        lambda: _gif(100, 1, frames=0)[:-1] + (b"!\xfe\xff" + b"x" * 255 + b"\0") * 100_000 + b";",
    )
    yield Hostile("gif-and-javascript", BROKEN, lambda: b"GIF89a/*" + b"x" * 200 + b"*/=1;alert(1)//;")
