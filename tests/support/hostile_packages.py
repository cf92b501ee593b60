"""Hostile JPEG XL and HEIC files, for servers that read them with the packages of extras."""

import random
import struct
from collections.abc import Iterator
from functools import cache, partial

from tests.support.heic_files import heic
from tests.support.hostile.parts import BROKEN, EITHER, FINE, FOREIGN, HUGE, Hostile
from tests.support.jxl_files import ENUM, Bits, box, codestream, container
from tests.support.pictures import noise
from thumbs.render.codecs import jxl

CHANNELS = ((0, 0), (0, 1), (4, 2), (12, 1))


@cache
def good(kind: str) -> bytes:
    """A file that nothing is wrong with: noise of 200 x 150."""
    if kind == "heic":
        return heic(noise(200, 150))
    codec, numpy = jxl.load()
    return bytes(codec.jpegxl_encode(numpy.asarray(noise(200, 150)), distance=1.0, numthreads=1))


def _cut(kind: str, percent: int) -> bytes:
    return good(kind)[: len(good(kind)) * percent // 100]


def _flipped(kind: str, bits: int) -> bytes:
    data, chance = bytearray(good(kind)), random.Random(bits)
    for _ in range(bits):
        data[chance.randrange(32, len(data))] ^= 1 << chance.randrange(8)
    return bytes(data)


def _announcing(width: int, height: int) -> bytes:
    return codestream(Bits().size(width, height).flags(True, True)) + good("jxl")[12:]


def _with_channels(count: int) -> bytes:
    """Further channels with names of 1071 bytes each."""
    bits = Bits().size(200, 150).flags(False, False, False).put(0, 2).flags(True).choice(count, CHANNELS)
    for _ in range(min(count, 50)):
        bits.flags(False).choice(1, ENUM).flags(False).put(0, 2).put(0, 2).put(3, 2).put(1023, 10).put(0, 8 * 1071)
    return codestream(bits) + bytes(1000)


def _with_a_profile() -> bytes:
    bits = Bits().size(200, 150).flags(False, False, False).put(0, 2).flags(True).put(0, 2)
    return codestream(bits.flags(True, False, True).choice(0, ENUM).flags(True)) + random.Random(1).randbytes(3000)


def _resized_heic(width: int, height: int) -> bytes:
    """Its property `ispe` says another size than its samples have."""
    old = b"ispe" + bytes(4) + struct.pack(">II", 200, 150)
    data = good("heic")
    assert old in data
    return data.replace(old, old[:8] + struct.pack(">II", width, height))


def jxl_files() -> Iterator[Hostile]:
    for percent in (1, 5, 10, 25, 50, 75, 90, 99):
        yield Hostile(f"jxl-cut-{percent}", BROKEN | FOREIGN, partial(_cut, "jxl", percent))
    for bits in (1, 2, 8, 64, 512):
        yield Hostile(f"jxl-flipped-{bits}", EITHER | FOREIGN | {400}, partial(_flipped, "jxl", bits))
    for width, height in ((2**30, 2**30), (65_535, 65_535), (12_000, 12_000), (1, 2**30), (2**30, 1), (70_000, 1)):
        yield Hostile(f"jxl-announcing-{width}x{height}", BROKEN | {400}, partial(_announcing, width, height))
    yield Hostile("jxl-announcing-4990x4990", HUGE, partial(_announcing, 4990, 4990))
    yield Hostile("jxl-announcing-1x1", EITHER, partial(_announcing, 1, 1))
    for count in (1, 17, 256, 4096):
        yield Hostile(f"jxl-with-{count}-channels", BROKEN | FOREIGN, partial(_with_channels, count))
    yield Hostile("jxl-with-a-profile", FOREIGN, _with_a_profile)
    yield Hostile("jxl-begun-only", BROKEN, lambda: b"\xff\x0a")
    yield Hostile("jxl-of-zeros", EITHER | FOREIGN, lambda: b"\xff\x0a" + bytes(100_000))
    yield Hostile("jxl-of-ones", BROKEN | FOREIGN, lambda: b"\xff\x0a" + b"\xff" * 100_000)
    yield Hostile("jxl-and-a-zip", FINE, lambda: good("jxl") + b"PK\3\4" + bytes(100_000))
    yield Hostile("jxl-container", FINE, lambda: container(box(b"jxlc", good("jxl"))))
    yield Hostile("jxl-container-of-nothing", BROKEN, container)
    yield Hostile("jxl-container-of-100000-boxes", BROKEN, lambda: container(*([box(b"free", b"")] * 100_000)))
    yield Hostile("jxl-container-of-two", EITHER, lambda: container(*(box(b"jxlc", good("jxl")) for _ in range(2))))
    yield Hostile("jxl-container-that-loops", BROKEN, lambda: container(b"\0\0\0\0jxlp", b"\0\0\0\1jxlc" + bytes(8)))


def heic_files() -> Iterator[Hostile]:
    for percent in (5, 10, 25, 50, 75, 90, 99):
        yield Hostile(f"heic-cut-{percent}", BROKEN | FOREIGN, partial(_cut, "heic", percent))
    for bits in (1, 2, 8, 64, 512):
        yield Hostile(f"heic-flipped-{bits}", EITHER | FOREIGN | {400}, partial(_flipped, "heic", bits))
    for width, height in ((2**31, 2**31), (65_535, 65_535), (12_000, 12_000), (1, 49_000_000), (0, 0)):
        yield Hostile(f"heic-announcing-{width}x{height}", BROKEN | {400}, partial(_resized_heic, width, height))
    yield Hostile("heic-announcing-4990x4990", HUGE, partial(_resized_heic, 4990, 4990))
    yield Hostile("heic-begun-only", BROKEN, lambda: good("heic")[:24])
    yield Hostile("heic-without-data", BROKEN, lambda: good("heic")[: good("heic").index(b"mdat") + 4])
    yield Hostile("heic-then-zeros", BROKEN, lambda: good("heic")[:24] + bytes(2_000_000))
    yield Hostile("heic-and-a-zip", FINE, lambda: good("heic") + b"PK\3\4" + bytes(100_000))
