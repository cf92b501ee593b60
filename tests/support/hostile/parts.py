"""What a hostile file is, and what several of them are made of."""

import random
import struct
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

from PIL import Image

from tests.support.pictures import encoded, noise

FINE, BROKEN, EITHER, FOREIGN = {200}, {422}, {200, 422}, {415}
# Some thumbnails of it would be too large to make, or more than is held whole.
LARGE = {200, 400}
HUGE = {200, 400, 422}
MILLION = 1_000_000


@dataclass(frozen=True, slots=True)
class Hostile:
    """`right` are the statuses that may be answered for it. A `wide` one is for a server that reads SVG and TIFF, too.

    In its bytes, `LISTENER` stands for an address that a render must never connect to. `heavy`: each render takes a
    quarter of a second or more.
    """

    name: str
    right: set[int]
    build: Callable[[], bytes]
    wide: bool = False
    slow: bool = False
    heavy: bool = False


LISTENER = b"listener.invalid:0"


@cache
def good_file(kind: str) -> bytes:
    """A file that nothing is wrong with: noise of 200 x 150."""
    if kind == "progressive":
        return encoded(noise(200, 150), "JPEG", progressive=True)
    return encoded(noise(200, 150), kind.upper())


def cut(kind: str, percent: int) -> bytes:
    return good_file(kind)[: len(good_file(kind)) * percent // 100]


def flipped(kind: str, bits: int) -> bytes:
    """`bits` bits flipped, none of them in the bytes that name the format."""
    data = bytearray(good_file(kind))
    chance = random.Random(bits)
    for _ in range(bits):
        data[chance.randrange(64, len(data))] ^= 1 << chance.randrange(8)
    return bytes(data)


def false_header(kind: str) -> bytes:
    data = bytearray(good_file(kind))
    chance = random.Random(kind)
    for _ in range(6):
        data[chance.randrange(32, 160)] = chance.choice((0, 127, 128, 255))
    return bytes(data)


@cache
def zeros(count: int) -> bytes:
    """A zlib stream of that many zeros."""
    packer = zlib.compressobj(1)
    parts = [packer.compress(bytes(MILLION)) for _ in range(count // MILLION)]
    return b"".join((*parts, packer.compress(bytes(count % MILLION)), packer.flush()))


def replaced(data: bytes, old: bytes, new: bytes) -> bytes:
    """The first `old` as `new`: a mistake in a builder must not go unseen."""
    assert old in data
    return data.replace(old, new, 1)


def rubbish(count: int, seed: int = 1) -> bytes:
    return random.Random(seed).randbytes(count)


def ifd(*entries: tuple[int, int, int, int], following: int = 0) -> bytes:
    """A little-endian TIFF header and a directory of (tag, type, count, value)."""
    rows = b"".join(struct.pack("<HHII", *entry) for entry in sorted(entries))
    return b"II*\0\x08\0\0\0" + struct.pack("<H", len(entries)) + rows + struct.pack("<I", following)


LOOP = ifd((0x8769, 4, 1, 8), (0xA005, 4, 1, 8), following=8)
HUGE_COUNTS = ifd(*((0x0100 + number, 7, 0xFFFFFFF0, 8) for number in range(3000)))
_PROFILE = struct.pack(">I", 400) + b"lcms\x04\x30\0\0mntrRGB XYZ " + bytes(12) + b"acsp" + bytes(88)
FALSE_PROFILE = _PROFILE + b"\xff" * 4 + rubbish(400 - len(_PROFILE) - 4)


def frames(kind: str, count: int, **options: object) -> bytes:
    pictures = [Image.new("RGB", (60, 40), (number % 256, 9, 99)) for number in range(count)]
    return encoded(pictures[0], kind, save_all=True, append_images=pictures[1:], **options)
