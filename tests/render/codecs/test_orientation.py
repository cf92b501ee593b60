"""An odd EXIF block refuses no picture, and turns none: only what EXIF 2.32 defines counts, as in Chromium."""

import random
import struct
import zlib

import pytest

from tests.support.pictures import decoded, encoded, quarters
from tests.support.pixels import difference, rendered
from tests.support.strategies import examples
from thumbs.image.transforms import Crop, Transform

BYTE, SHORT, LONG = 1, 3, 4
UPRIGHT = quarters(60, 40)
TRANSFORMS = (Transform(format="png"), Transform(30, 20, "png"), Transform(format="png", crop=Crop(0, 0, 30, 20)))


def block(orientation: int, *, order: str = "<", kind: int = SHORT, numbers: int = 1, rest: bytes = b"") -> bytes:
    value = struct.pack(f"{order}I", orientation) if kind == LONG else struct.pack(f"{order}Hxx", orientation)
    head = {"<": b"II*\0", ">": b"MM\0*"}[order] + struct.pack(f"{order}IH", 8, 1)
    return head + struct.pack(f"{order}HHI", 0x112, kind, numbers) + value + bytes(4) + rest


def jpeg_with(exif: bytes, prefix: bytes = b"Exif\0\0") -> bytes:
    data, content = encoded(UPRIGHT, "JPEG", quality=95), prefix + exif
    return data[:2] + b"\xff\xe1" + struct.pack(">H", len(content) + 2) + content + data[2:]


def png_with(exif: bytes) -> bytes:
    data, chunk = encoded(UPRIGHT, "PNG"), b"eXIf" + exif
    chunk = struct.pack(">I", len(exif)) + chunk + struct.pack(">I", zlib.crc32(chunk))
    return data[:33] + chunk + data[33:]


ODD = {
    "zero": block(0),
    "nine": block(9),
    "much": block(65535, order=">"),
    "a long": block(6, kind=LONG),
    "a long of the other order": block(6, order=">", kind=LONG),
    "a byte": block(6, kind=BYTE),
    "no numbers": block(6, numbers=0),
    "two numbers": block(6, numbers=2),
    "many numbers": block(6, numbers=100_000),
    "the wrong order": b"MM\0*" + block(6)[4:],
    "no order": b"XX*\0" + block(6)[4:],
    "nothing": b"",
    "cut short": block(6)[:15],
    "a directory outside": b"II*\0" + struct.pack("<I", 99_999),
    "directories in a circle": b"II*\0" + struct.pack("<IHI", 8, 0, 8),
    "zeros": bytes(100),
}


@pytest.mark.parametrize("name", ODD)
@pytest.mark.parametrize("original", [jpeg_with, png_with])
@pytest.mark.parametrize("transform", TRANSFORMS, ids=["whole", "small", "cut"])
def test_an_odd_orientation_counts_as_absent(name: str, original: object, transform: Transform) -> None:
    assert callable(original)
    plain = decoded(rendered(original(block(1)), transform).body)
    assert difference(decoded(rendered(original(ODD[name]), transform).body), plain) < 2


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("original", [jpeg_with, png_with])
@pytest.mark.parametrize("rest", [b"", bytes(60_000)], ids=["small", "large"])
def test_one_that_is_defined_turns_the_picture(orientation: int, order: str, original: object, rest: bytes) -> None:
    assert callable(original)
    shown = decoded(rendered(original(block(orientation, order=order, rest=rest)), TRANSFORMS[0]).body)
    assert shown.size == ((40, 60) if orientation > 4 else (60, 40))
    red_is_at = {1: (0, 0), 2: (1, 0), 3: (1, 1), 4: (0, 1), 5: (0, 0), 6: (1, 0), 7: (1, 1), 8: (0, 1)}[orientation]
    at = tuple(side // 4 + far * side // 2 for side, far in zip(shown.size, red_is_at, strict=True))
    pixel = shown.convert("RGB").getpixel((at[0], at[1]))
    assert isinstance(pixel, tuple)
    assert pixel[0] > 180
    assert pixel[1] < 90


def test_a_block_without_its_name_is_none() -> None:
    plain = decoded(rendered(jpeg_with(b""), TRANSFORMS[0]).body)
    for prefix in (b"", b"Exif", b"exif\0\0", b"http://"):
        assert difference(decoded(rendered(jpeg_with(block(6), prefix), TRANSFORMS[0]).body), plain) < 2


def test_no_damage_of_a_block_refuses_a_picture() -> None:
    chance = random.Random(3)
    for _ in range(examples(150)):
        damaged = bytearray(block(6, rest=chance.randbytes(30)))
        for _ in range(3):
            damaged[chance.randrange(len(damaged))] = chance.randrange(256)
        for original in (jpeg_with, png_with):
            assert decoded(rendered(original(bytes(damaged)), TRANSFORMS[0]).body).size in ((60, 40), (40, 60))
