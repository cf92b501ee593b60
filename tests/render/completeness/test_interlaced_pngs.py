"""An interlaced PNG that is cut off is refused, or shown in blocks as Chromium 156 shows it."""

import io
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from tests.support.pixels import LIMITS, rendered
from tests.support.png_files import ADAM7, GRAY, INDEXED, RGB, RGBA, Rows, interlaced, palette
from tests.support.strategies import examples
from thumbs.errors import SourceBroken
from thumbs.image.transforms import Crop, Transform
from thumbs.render.completeness.png import read_pixels

WHOLE = Transform(format="png")
SHOWN = replace(LIMITS, truncated=True)
MISSING = (0, 0, 0, 0)
COLORS = [(9 * number, 255 - 7 * number, 3 * number) for number in range(16)]
# The part of the picture that a pixel of each pass fills until a later pass has more of it.
BLOCKS = ((8, 8), (4, 8), (4, 4), (2, 4), (2, 2), (1, 2), (1, 1))
Rgba = tuple[int, int, int, int]


def pixels(size: tuple[int, int], color_type: int) -> list[list[int]]:
    """Different ones side by side and below each other."""
    values = [[(7 * x + 5 * y) % 251 for x in range(size[0])] for y in range(size[1])]
    if color_type == INDEXED:
        return [[value % 16 for value in row] for row in values]
    if color_type == GRAY:
        return values
    channels = (1, 3, 5) if color_type == RGB else (1, 3, 5, 7)
    return [[int.from_bytes(bytes(value * each % 256 for each in channels)) for value in row] for row in values]


def color(value: int, color_type: int) -> Rgba:
    if color_type == INDEXED:
        return (*COLORS[value], 255)
    if color_type == GRAY:
        return value, value, value, 255
    levels = value.to_bytes(4) if color_type == RGBA else value.to_bytes(3) + b"\xff"
    return levels[0], levels[1], levels[2], levels[3]


def painted(rows: Rows, color_type: int, passes: int, last_rows: int) -> list[Rgba]:
    """Each pixel fills its block, pass after pass."""
    width, height = len(rows[0]), len(rows)
    canvas = [[MISSING] * width for _ in range(height)]
    for number, (left, top, across, down) in enumerate(ADAM7[:passes], 1):
        found = list(range(top, height, down))
        for y in found[:last_rows] if number == passes else found:
            for x in range(left, width, across):
                block = BLOCKS[number - 1]
                for row in canvas[y : y + block[1]]:
                    part = row[x : x + block[0]]
                    row[x : x + block[0]] = [color(rows[y][x], color_type)] * len(part)
    return [pixel if pixel[3] else MISSING for row in canvas for pixel in row]


def shown(data: bytes, transform: Transform = WHOLE) -> list[Rgba]:
    levels = Image.open(io.BytesIO(rendered(data, transform, limits=SHOWN).body)).convert("RGBA").tobytes()
    found = [(levels[at], levels[at + 1], levels[at + 2], levels[at + 3]) for at in range(0, len(levels), 4)]
    return [pixel if pixel[3] else MISSING for pixel in found]


def cut(rows: Rows, color_type: int, passes: int, last_rows: int) -> bytes:
    depth, before = (4, palette(COLORS)) if color_type == INDEXED else (8, b"")
    return interlaced(rows, depth, color_type, before=before, passes=passes, last_rows=last_rows)


@pytest.mark.parametrize("last_rows", [0, 1, 2])
@pytest.mark.parametrize("passes", range(1, 8))
def test_each_pixel_fills_its_block(passes: int, last_rows: int) -> None:
    rows = pixels((24, 20), GRAY)
    assert shown(cut(rows, GRAY, passes, last_rows)) == painted(rows, GRAY, passes, last_rows)


@settings(max_examples=examples(60))
@given(
    st.tuples(st.integers(1, 18), st.integers(1, 18)),
    st.sampled_from([GRAY, RGB, RGBA, INDEXED]),
    st.integers(1, 7),
    st.integers(0, 6),
)
def test_pictures_of_any_size_and_kind_are_shown_as_far_as_they_go(
    size: tuple[int, int], color_type: int, passes: int, last_rows: int
) -> None:
    rows = pixels(size, color_type)
    assert shown(cut(rows, color_type, passes, last_rows)) == painted(rows, color_type, passes, last_rows)


def test_a_part_of_it_has_its_own_pixels() -> None:
    rows = pixels((24, 20), RGB)
    whole = painted(rows, RGB, 5, 2)
    part = shown(cut(rows, RGB, 5, 2), Transform(format="png", crop=Crop(3, 5, 19, 17)))
    assert part == [whole[y * 24 + x] for y in range(5, 17) for x in range(3, 19)]


@pytest.mark.parametrize("passes", [1, 4, 7])
def test_it_is_refused_where_the_storage_does_not_render_it(passes: int) -> None:
    with pytest.raises(SourceBroken):
        rendered(cut(pixels((24, 20), GRAY), GRAY, passes, 1), WHOLE)


def test_a_file_that_ends_within_a_row_lacks_that_row() -> None:
    rows = [[(x * y * 37 + x) % 256 for x in range(24)] for y in range(20)]
    data = cut(rows, GRAY, 7, 10)
    damaged = data[: data.index(b"IDAT") + 4 + 120]
    found = shown(damaged)
    models = [painted(rows, GRAY, passes, count) for passes in range(1, 8) for count in range(11)]
    assert found in models
    assert found != models[-1]


@pytest.mark.parametrize("side", [20_000, 2**31 - 1])
def test_what_is_missing_of_a_picture_that_says_it_is_huge_is_not_filled(side: int) -> None:
    data = interlaced(pixels((30, 20), RGBA), 8, RGBA)
    huge = data[:16] + side.to_bytes(4) * 2 + data[24:]
    found = read_pixels(huge)
    assert found is not None
    assert not found.is_complete
    assert len(found.mended) <= len(data)


@pytest.mark.parametrize("size", [(0, 20), (30, 0)])
def test_a_picture_without_pixels_lacks_none(size: tuple[int, int]) -> None:
    data = interlaced(pixels((30, 20), RGBA), 8, RGBA)
    assert read_pixels(data[:16] + size[0].to_bytes(4) + size[1].to_bytes(4) + data[24:]) is None
