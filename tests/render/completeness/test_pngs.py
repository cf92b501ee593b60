"""A PNG is refused when pixels are missing, and only then: damaged checksums refuse no picture."""

import functools
import random
import struct
import zlib
from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from tests.support.pictures import decoded, encoded, noise
from tests.support.pixels import LIMITS, rendered
from tests.support.signaled_colors import chunk
from tests.support.strategies import examples
from thumbs.errors import SourceBroken
from thumbs.image.transforms import Crop, Transform
from thumbs.render.completeness.png import read_pixels

WHOLE = Transform(format="png")
SHOWN = replace(LIMITS, truncated=True)
SIZE = (61, 47)
SIGNATURE = b"\x89PNG\r\n\x1a\n"
_ADAM7 = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))


def drawing(mode: str) -> Image.Image:
    image = noise(*SIZE)
    if mode == "P":
        return image.quantize(50)
    if mode in ("RGBA", "LA"):
        image.putalpha(Image.linear_gradient("L").resize(SIZE))
    return image.convert(mode)


def interlaced() -> bytes:
    """RGB, as Adam7 has it."""
    image = drawing("RGB")
    raw = b""
    for left, top, across, down in _ADAM7:
        for y in range(top, SIZE[1], down):
            raw += b"\0" + b"".join(bytes(image.getpixel((x, y))) for x in range(left, SIZE[0], across))  # type: ignore[arg-type]
    header = struct.pack(">IIBBBBB", *SIZE, 8, 2, 0, 0, 1)
    return SIGNATURE + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(raw)) + chunk(b"IEND", b"")


FILES = {mode: encoded(drawing(mode), "PNG") for mode in ("RGB", "RGBA", "L", "LA", "P", "1")} | {"Adam7": interlaced()}


def parts(data: bytes) -> tuple[bytes, bytes]:
    """What is before the pixels, and the compressed data."""
    at = data.index(b"IDAT") - 4
    content, start = b"", at
    while data[at + 4 : at + 8] == b"IDAT":
        length = int.from_bytes(data[at : at + 4], "big")
        content += data[at + 8 : at + 8 + length]
        at += 12 + length
    return data[:start], content


def wrong(name: bytes, content: bytes) -> bytes:
    made = chunk(name, content)
    return made[:-1] + bytes([made[-1] ^ 1])


END = chunk(b"IEND", b"")
Damage = Callable[[bytes], bytes]
# Each gives what stands in place of the chunks of pixels. Chromium shows all of them whole.
HARMLESS: dict[str, Damage] = {
    "another checksum": lambda data: chunk(b"IDAT", data[:-4] + bytes(4)),
    "no checksum": lambda data: chunk(b"IDAT", data[:-4]),
    "half a checksum": lambda data: chunk(b"IDAT", data[:-2]),
    "no end": lambda data: chunk(b"IDAT", without_end(data)),
    "another checksum in a chunk of its own": lambda data: chunk(b"IDAT", data[:-4]) + chunk(b"IDAT", bytes(4)),
    "a damaged last chunk": lambda data: chunk(b"IDAT", data[:50]) + wrong(b"IDAT", data[50:]),
    "a damaged only chunk": lambda data: wrong(b"IDAT", data),
    "more behind it": lambda data: chunk(b"IDAT", data + b"more"),
    "another checksum and more": lambda data: chunk(b"IDAT", data[:-4] + b"nonemore"),
    "a damaged chunk behind it": lambda data: chunk(b"IDAT", data) + wrong(b"IDAT", b"more"),
    "more rows": lambda data: chunk(b"IDAT", zlib.compress(zlib.decompress(data) + bytes(5000))),
    "a window that is too small": lambda data: chunk(b"IDAT", b"\x08\x1d" + data[2:]),
    "text behind it": lambda data: chunk(b"IDAT", data) + wrong(b"tEXt", b"a\0b"),
}
HARMFUL: dict[str, Damage] = {
    "half": lambda data: chunk(b"IDAT", data[: len(data) // 2]),
    "a byte less": lambda data: chunk(b"IDAT", zlib.compress(zlib.decompress(data)[:-1])),
    "a damaged first chunk": lambda data: wrong(b"IDAT", data[:50]) + chunk(b"IDAT", data[50:]),
    "no zlib": lambda data: chunk(b"IDAT", data[2:]),
    "another method": lambda data: chunk(b"IDAT", b"\x77\x0d" + data[2:]),
    "a dictionary": lambda data: chunk(b"IDAT", b"\x78\xbb\0\0\0\1" + data[2:]),
    "a filter that is none": lambda data: chunk(b"IDAT", zlib.compress(with_filter(zlib.decompress(data)))),
    "nothing": lambda _: chunk(b"IDAT", b""),
}


def without_end(data: bytes) -> bytes:
    """Compressed data in which the last block does not end: it is flushed there."""
    packer = zlib.compressobj()
    return packer.compress(zlib.decompress(data)) + packer.flush(zlib.Z_SYNC_FLUSH)


def with_filter(raw: bytes) -> bytes:
    return b"\x05" + raw[1:]


def damaged(name: str, damage: Damage) -> bytes:
    head, content = parts(FILES[name])
    return head + damage(content) + END


@functools.cache
def of_whole_pixels(name: str, transform: Transform) -> bytes:
    return rendered(FILES[name], transform).body


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("kind", HARMLESS)
def test_whole_pixels_are_shown_whatever_is_wrong_around_them(kind: str, name: str) -> None:
    data = damaged(name, HARMLESS[kind])
    for transform in (WHOLE, Transform(20, 15, "png"), Transform(format="png", crop=Crop(3, 5, 50, 47))):
        assert rendered(data, transform).body == of_whole_pixels(name, transform)
        assert not rendered(data, transform, limits=SHOWN).truncated


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("kind", HARMFUL)
def test_pixels_that_are_missing_refuse_the_picture(kind: str, name: str) -> None:
    with pytest.raises(SourceBroken):
        rendered(damaged(name, HARMFUL[kind]), WHOLE)


@pytest.mark.parametrize("name", ["RGB", "RGBA", "L", "LA", "P"])
@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_missing_rows_are_transparent_as_in_browsers(name: str, share: float) -> None:
    head, content = parts(FILES[name])
    raw = zlib.decompress(content)
    length = len(raw) // SIZE[1]
    rows = round(SIZE[1] * share)
    for cut in (zlib.compress(raw[: rows * length]), zlib.compress(raw[: (rows + 1) * length - 1])):
        made = rendered(head + chunk(b"IDAT", cut) + END, WHOLE, limits=SHOWN)
        assert made.truncated
        shown, whole = decoded(made.body).convert("RGBA"), drawing(name).convert("RGBA")
        above = (0, 0, SIZE[0], rows)
        assert shown.crop(above).tobytes() == whole.crop(above).tobytes()
        assert shown.getchannel("A").crop((0, rows, *SIZE)).getextrema() == (0, 0)


def test_a_thumbnail_of_missing_rows_has_no_black_edge() -> None:
    head, content = parts(encoded(Image.new("RGB", SIZE, (250, 200, 100)), "PNG"))
    raw = zlib.decompress(content)
    data = head + chunk(b"IDAT", zlib.compress(raw[: len(raw) // 2])) + END
    small = decoded(rendered(data, Transform(30, 23, "png"), limits=SHOWN).body)
    # The kernel overshoots beside an edge.
    for color in (small.getpixel((15, y)) for y in range(23)):
        assert isinstance(color, tuple)
        assert color[3] < 64 or max(abs(a - b) for a, b in zip(color[:3], (250, 200, 100), strict=True)) <= 15
    shown = decoded(rendered(data, Transform(30, 23, "jpeg", 90), limits=SHOWN).body)
    below = shown.getpixel((15, 22))
    assert isinstance(below, tuple)
    assert min(below) > 245  # white, as everything transparent in a JPEG


@settings(max_examples=examples(150))
@given(st.sampled_from([*FILES]), st.integers(0, 10_000), st.integers(1, 60), st.randoms())
def test_the_rows_before_a_damage_are_found_to_the_last(name: str, at: int, piece: int, chance: random.Random) -> None:
    """Bits of the compressed data flip: as many rows are found as zlib inflates byte by byte."""
    head, content = parts(FILES[name])
    data = bytearray(content)
    data[2 + at % (len(data) - 2)] ^= 1 << chance.randrange(8)
    split = b"".join(chunk(b"IDAT", bytes(data[start : start + piece])) for start in range(0, len(data), piece))
    pixels = read_pixels(head + split + END)
    assert pixels is not None
    inflater, raw = zlib.decompressobj(-15), b""
    try:
        for byte in data[2:]:
            raw += inflater.decompress(bytes([byte]))
    except zlib.error:
        pass
    if name != "Adam7":
        _, bits = {"RGB": (0, 24), "RGBA": (0, 32), "L": (0, 8), "LA": (0, 16), "P": (0, 8), "1": (0, 1)}[name]
        length = 1 + (SIZE[0] * bits + 7) // 8
        filters = raw[::length]
        good = next((number for number, each in enumerate(filters) if each > 4), len(filters))
        assert pixels.bands[0].end >= min(good, len(raw) // length, SIZE[1])


@settings(max_examples=examples(200))
@given(st.sampled_from([*FILES]), st.binary(max_size=40), st.integers(0, 400), st.integers(0, 40))
def test_no_bytes_whatever_make_it_fail(name: str, put_in: bytes, at: int, taken_out: int) -> None:
    read_pixels(FILES[name][:at] + put_in + FILES[name][at + taken_out :])
