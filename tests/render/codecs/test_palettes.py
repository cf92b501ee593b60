"""Palettes and transparency of PNGs that are too short or too long show what browsers show: Chromium 156 showed it."""

import io

import pytest
from PIL import Image

from tests.support.pixels import rendered
from tests.support.png_files import GRAY, INDEXED, RGB, interlaced, palette, png, transparency
from tests.support.signaled_colors import chunk
from thumbs.errors import SourceBroken
from thumbs.image.transforms import Transform
from thumbs.render.codecs.palettes import read_palette
from thumbs.render.codecs.png import with_usable_chunks

COLORS = ((20, 10, 255), (70, 100, 225), (120, 190, 195), (170, 24, 165))
Rgba = tuple[int, int, int, int]


def indices(count: int) -> list[list[int]]:
    return [[(x + y) % count for x in range(16)] for y in range(6)]


def shown(data: bytes) -> list[Rgba]:
    levels = Image.open(io.BytesIO(rendered(data, Transform(format="png")).body)).convert("RGBA").tobytes()
    return [(levels[at], levels[at + 1], levels[at + 2], levels[at + 3]) for at in range(0, len(levels), 4)]


def expected(rows: list[list[int]], alphas: bytes = b"", colors: int = 4) -> list[Rgba]:
    """Indices beyond the palette have its last color, with the alpha of that color."""
    all_alphas = alphas.ljust(colors, b"\xff")
    at = [min(value, colors - 1) for row in rows for value in row]
    return [(*COLORS[value], all_alphas[value]) for value in at]


@pytest.mark.parametrize("alphas", [b"", b"\x40", b"\xff\x80\x40", b"\xff\x80\x40\x64", b"\xff\x80\x40\0\x09\x08\x07"])
@pytest.mark.parametrize("depth", [4, 8])
def test_an_index_beyond_the_palette_has_its_last_color(depth: int, alphas: bytes) -> None:
    rows = indices(9)
    before = palette(COLORS) + (transparency(alphas) if alphas else b"")
    assert shown(png(rows, depth, INDEXED, before=before)) == expected(rows, alphas[:4])


@pytest.mark.parametrize(("depth", "colors"), [(1, 1), (2, 1), (2, 3)])
def test_a_palette_of_few_bits_may_be_too_short(depth: int, colors: int) -> None:
    rows = indices(1 << depth)
    for made in (png, interlaced):
        assert shown(made(rows, depth, INDEXED, before=palette(COLORS[:colors]))) == expected(rows, colors=colors)


@pytest.mark.parametrize(("depth", "colors"), [(1, 4), (2, 256), (4, 40)])
def test_colors_beyond_the_bits_of_an_index_do_not_count(depth: int, colors: int) -> None:
    rows = indices(min(1 << depth, 4))
    assert shown(png(rows, depth, INDEXED, before=palette((*COLORS, *[(9, 9, 9)] * (colors - 4))))) == expected(rows)


def test_alphas_beyond_the_palette_do_not_count() -> None:
    alphas, rows = b"\xff\x80\x40\x05", indices(4)
    for extra in (3, 252):
        before = palette(COLORS) + transparency(alphas + bytes(extra))
        assert shown(png(rows, 8, INDEXED, before=before)) == expected(rows, alphas)
    too_many = palette(COLORS) + transparency(alphas + bytes(253))
    assert shown(png(rows, 8, INDEXED, before=too_many)) == expected(rows)


def test_bytes_behind_the_last_whole_color_do_not_count() -> None:
    rows = indices(9)
    content = bytes(level for color in COLORS for level in color)
    assert shown(png(rows, 8, INDEXED, before=chunk(b"PLTE", content + b"\x09"))) == expected(rows)


@pytest.mark.parametrize("content", [None, b"", b"\1\2", bytes(257 * 3)])
def test_a_picture_without_a_palette_is_refused(content: bytes | None) -> None:
    before = b"" if content is None else chunk(b"PLTE", content)
    with pytest.raises(SourceBroken):
        shown(png(indices(4), 8, INDEXED, before=before))


@pytest.mark.parametrize(
    ("depth", "content", "gray"),
    [
        (2, b"\0\1", 1),
        (2, b"\0\5", None),
        (4, b"\0\x13", None),
        (4, b"\0\x03\0\0", 3),
        (8, b"\1\x03", 3),
        (8, b"\0\x03\0", 3),
        (8, b"\3", None),
    ],
)
def test_a_gray_is_transparent_if_all_its_bits_are_named(depth: int, content: bytes, gray: int | None) -> None:
    rows = indices(4)
    alphas = [0 if value == gray else 255 for row in rows for value in row]
    assert [pixel[3] for pixel in shown(png(rows, depth, GRAY, before=transparency(content)))] == alphas


@pytest.mark.parametrize("content", [b"\0\0\0\0\0\x07", b"\0\0\0\0\0\x07\0\0", b"\1\0\0\0\0\x07"])
def test_a_color_is_transparent_whatever_follows_its_name(content: bytes) -> None:
    data = png([[7, 8]], 8, RGB, before=transparency(content))
    assert [pixel[3] for pixel in shown(data)] == [0, 255]


@pytest.mark.parametrize("alphas", [b"", b"\x07\x08"])
def test_a_file_with_a_whole_palette_is_the_same_object(alphas: bytes) -> None:
    data = png(indices(4), 2, INDEXED, before=palette(COLORS) + transparency(alphas))
    assert with_usable_chunks(data) is data


@pytest.mark.parametrize("depth", [0, 3, 7, 9, 16, 32, 64, 255])
def test_a_depth_that_no_palette_has_makes_no_colors(depth: int) -> None:
    palette = read_palette(b"\x89PNG\r\n\x1a\n" + bytes(16) + bytes([depth, 3]) + bytes(20))
    colors = bytes(range(12))
    assert palette.usable(b"PLTE", colors) == colors
    assert palette.usable(b"tRNS", b"\0\1\2") == b"\0\1\2"
