"""Coded pixels of GIFs that encoders wrote in their own way show what browsers show; Chromium 156 showed the same."""

import io
import random
import struct
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from tests.support.gif_files import sub_blocks
from tests.support.pixels import LIMITS, rendered
from tests.support.strategies import examples
from thumbs.errors import SourceBroken
from thumbs.image.transforms import Transform
from thumbs.render.containers.gif_codes import rewritten

WHOLE = Transform(format="png")
SHOWN = replace(LIMITS, truncated=True)
SIZE = WIDTH, HEIGHT = (16, 12)
COUNT = WIDTH * HEIGHT
PALETTE = ((220, 40, 30), (30, 160, 60), (40, 60, 200), (240, 220, 40))
MISSING = (0, 0, 0, 0)
TRANSPARENT_3 = b"!\xf9\x04\x01\0\0\x03\0"


def indices(colors: int, count: int = COUNT) -> bytes:
    return bytes((number * 7 // 3 + number // WIDTH) % colors for number in range(count))


def noise(colors: int, count: int) -> bytes:
    chance = random.Random(1)
    return bytes(chance.randrange(colors) for _ in range(count))


def packed(codes: list[tuple[int, int]]) -> bytes:
    """Codes and their widths, the first one in the lowest bits."""
    bits = at = 0
    for code, width in codes:
        bits |= code << at
        at += width
    return bits.to_bytes((at + 7) // 8, "little")


def literals(values: bytes, bits: int) -> list[tuple[int, int]]:
    """A clear code before each pixel."""
    return [code for value in values for code in ((1 << bits, bits + 1), (value, bits + 1))]


def coded(values: bytes, bits: int, *, clear: bool = True, end: bool = True) -> bytes:
    """LZW that goes on with a full table, without a clear code. `clear`, `end`: with the first code, and the last."""
    table = {bytes([value]): value for value in range(1 << bits)}
    following, width = (1 << bits) + 2, bits + 1
    codes = [(1 << bits, width)] if clear else []
    seen = b""
    for value in values:
        longer = seen + bytes([value])
        if longer not in table:
            codes.append((table[seen], width))
            if following < 4096:
                table[longer] = following
                width = max(width, following.bit_length())
                following += 1
            longer = bytes([value])
        seen = longer
    if seen:
        codes.append((table[seen], width))
        width = min(12, max(width, following.bit_length()))
    return packed([*codes, ((1 << bits) + 1, width)] if end else codes)


def gif(codes: bytes, bits: int, *, control: bytes = b"", size: tuple[int, int] = SIZE) -> bytes:
    palette = bytes(level for color in PALETTE for level in color)
    head = b"GIF89a" + struct.pack("<HHBBB", *size, 0x81, 0, 0) + palette + control
    return head + b"," + struct.pack("<HHHHB", 0, 0, *size, 0) + bytes([bits]) + sub_blocks(codes) + b";"


def shown(data: bytes, *, truncated: bool = False) -> list[tuple[int, ...]]:
    body = rendered(data, WHOLE, limits=SHOWN if truncated else LIMITS).body
    levels = Image.open(io.BytesIO(body)).convert("RGBA").tobytes()
    pixels = [tuple(levels[at : at + 4]) for at in range(0, len(levels), 4)]
    return [pixel if pixel[3] else MISSING for pixel in pixels]


def colors_of(values: bytes, count: int = COUNT) -> list[tuple[int, ...]]:
    """The pixels of these indices, and missing ones."""
    found: list[tuple[int, ...]] = [(*PALETTE[value], 255) for value in values]
    return found + [MISSING] * (count - len(values))


@pytest.mark.parametrize("bits", [1, 2, 3, 8])
@pytest.mark.parametrize("end", [True, False])
@pytest.mark.parametrize("clear", [True, False])
def test_pixels_of_any_code_size_are_shown_with_and_without_clear_and_end_codes(
    bits: int, *, clear: bool, end: bool
) -> None:
    values = indices(min(1 << bits, 4))
    assert shown(gif(coded(values, bits, clear=clear, end=end), bits)) == colors_of(values)


@pytest.mark.parametrize(("bits", "seen"), [(303, 59), (87, 22)])
def test_codes_of_the_size_0_grow_from_one_bit(bits: int, seen: int) -> None:
    """After the clear code, the codes have 1, 2, 3, 3, 3, 3 bits, then 4, and so on; all of them are the color 0."""
    assert shown(gif(packed([(1, 1), (0, bits)]), 0)) == colors_of(bytes(seen))


@pytest.mark.parametrize("bits", [1, 2])
def test_a_full_table_stays_as_it_is(bits: int) -> None:
    size = (220, 200)
    values = noise(1 << bits, size[0] * size[1])
    assert shown(gif(coded(values, bits), bits, size=size)) == colors_of(values)


@pytest.mark.parametrize("control", [b"", TRANSPARENT_3])
@pytest.mark.parametrize("count", range(COUNT - 8, COUNT + 1))
def test_the_last_code_is_read_wherever_it_ends(count: int, control: bytes) -> None:
    """Without an end code: the last code may end with its byte, where nothing follows."""
    found = shown(gif(packed(literals(indices(2, count), 3)), 3, control=control))
    assert found[:count] == colors_of(indices(2, count), count)
    if not control:
        assert found[count:] == [MISSING] * (COUNT - count)


@pytest.mark.parametrize("bits", [1, 2])
def test_a_frame_shows_what_it_has_of_its_pixels(bits: int) -> None:
    half = indices(2, COUNT // 2)
    assert shown(gif(coded(half, bits), bits)) == colors_of(half)
    assert shown(gif(coded(half, bits) + b"\xaa" * 300, bits)) == colors_of(half)
    assert shown(gif(coded(indices(2, 2 * COUNT), bits), bits)) == colors_of(indices(2))


def test_codes_behind_one_that_does_not_exist_are_missing() -> None:
    half = indices(4, COUNT // 2)
    data = gif(packed([*literals(half, 2), (7, 3), *literals(half, 2)]), 2)
    with pytest.raises(SourceBroken):
        shown(data)
    assert shown(data, truncated=True) == colors_of(half)


@pytest.mark.parametrize("codes", [b"", packed([(4, 3), (6, 3)]), packed([(5, 3)])])
def test_a_frame_of_which_nothing_can_be_read_is_refused_or_empty(codes: bytes) -> None:
    try:
        assert shown(gif(codes, 2), truncated=True) == [MISSING] * COUNT
    except SourceBroken:
        assert codes


@settings(max_examples=examples(50))
@given(st.integers(2, 8), st.binary(max_size=700), st.integers(0, 700))
def test_rewritten_codes_are_those_of_the_same_pixels(bits: int, content: bytes, count: int) -> None:
    values = bytes(value % (1 << bits) for value in content)
    once = rewritten(bytes([bits]) + sub_blocks(coded(values, bits)), count)
    assert once == rewritten(b"\x08" + sub_blocks(coded(values[:count], 8)), count)


@settings(max_examples=examples(50))
@given(st.binary(min_size=1, max_size=400), st.integers(0, 5000))
def test_any_bytes_are_rewritten(content: bytes, count: int) -> None:
    assert rewritten(content, count)[0] == 8
