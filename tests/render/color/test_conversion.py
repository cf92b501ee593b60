"""Colors with code points, gamma and chromaticities come out as the formulas of the standards say."""

import pytest
import pyvips
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from tests.support.color import PATCHES, PROFILES
from tests.support.pixels import picture
from tests.support.signaled_colors import (
    CHROMATICITIES,
    DISPLAY_P3,
    PNG_LIGHT,
    SRGB,
    chrm,
    cicp,
    clli,
    gama,
    iccp,
    png,
    shown,
    shown_in_high_range,
)
from tests.support.strategies import examples
from thumbs.image.transforms import Crop, Fit, Transform, Trim
from thumbs.render.color.conversion import to_srgb_picture
from thumbs.render.color.primaries import PRIMARIES as POINTS
from thumbs.render.color.values import ColorSpace, Power

SIDE, COLUMNS, ROWS = 12, 6, 4
CHART = [[tuple(value / 255 for value in PATCHES[row * COLUMNS + at]) for at in range(COLUMNS)] for row in range(ROWS)]
WHOLE = Transform(SIDE * COLUMNS, SIDE * ROWS, "png")
DARK = [[(step / 4096,) * 3 for step in range(0, 96, 8)]]

levels = st.integers(0, 65535).map(lambda value: value / 65535)


def pixels(image: Image.Image) -> list[tuple[int, ...]]:
    return [pixel if isinstance(pixel, tuple) else (pixel,) for pixel in image.get_flattened_data()]  # type: ignore[misc]


def near(made: tuple[float, ...], wanted: tuple[float, ...], by: float) -> bool:
    return all(abs(a - b) <= by for a, b in zip(made, wanted, strict=True))


def rounded(color: tuple[float, ...], depth: int) -> tuple[float, ...]:
    return tuple(round(value * (2**depth - 1)) / (2**depth - 1) for value in color)


@st.composite
def signaled(draw: st.DrawFn) -> tuple[bytes, tuple[float, ...], int]:
    """Chunks, the chromaticities that they mean, and the transfer function: a code point, or minus a gamma."""
    if draw(st.booleans()):
        primaries, transfer = draw(st.sampled_from(list(CHROMATICITIES))), draw(st.sampled_from(list(PNG_LIGHT)))
        return cicp(primaries, transfer), CHROMATICITIES[primaries], transfer
    gamma = draw(st.integers(20_000, 120_000))
    numbers = draw(st.sampled_from(list(CHROMATICITIES.values())))
    return gama(gamma / 100_000) + chrm(numbers), numbers, -gamma


@settings(max_examples=examples(300))
@given(
    signaled(),
    st.sampled_from([8, 16]),
    st.booleans(),
    st.booleans(),
    st.lists(st.tuples(levels, levels, levels, levels), min_size=1, max_size=12),
)
def test_a_picture_comes_out_in_its_colors(
    said: tuple[bytes, tuple[float, ...], int],
    depth: int,
    gray: bool,
    alpha: bool,
    colors: list[tuple[float, float, float, float]],
) -> None:
    chunks, numbers, transfer = said
    light = PNG_LIGHT.get(transfer, lambda value: value ** (100_000 / -transfer))
    row = [(*(color[:1] if gray else color[:3]), *((color[3],) if alpha else ())) for color in colors]
    made = pixels(picture(png([row], chunks, depth=depth), Transform(len(row), 1, "png")))
    for pixel, color in zip(made, (rounded(each, depth) for each in row), strict=True):
        full = (color[0],) * 3 if gray else color[:3]
        wanted = shown(full, numbers, light)  # type: ignore[arg-type]
        assert near(pixel[:1] if gray else pixel[:3], wanted[:1] if gray else wanted, 1), (color, pixel, wanted)
        if alpha:
            assert abs(pixel[-1] - 255 * color[-1]) <= 1
        assert len(pixel) == len(color)


@settings(max_examples=examples(200))
@given(
    st.sampled_from([1, 9, 12]),
    st.sampled_from([16, 18]),
    st.sampled_from([None, 100, 203, 400, 1000, 4000]),
    st.booleans(),
    st.booleans(),
    st.lists(st.tuples(levels, levels, levels, levels), min_size=1, max_size=12),
)
def test_a_high_dynamic_range_comes_out_within_that_of_srgb(
    primaries: int,
    transfer: int,
    peak: int | None,
    gray: bool,
    alpha: bool,
    colors: list[tuple[float, float, float, float]],
) -> None:
    chunks = cicp(primaries, transfer) + (b"" if peak is None else clli(peak))
    row = [(*(color[:1] if gray else color[:3]), *((color[3],) if alpha else ())) for color in colors]
    made = pixels(picture(png([row], chunks, depth=16), Transform(len(row), 1, "png")))
    for pixel, color in zip(made, (rounded(each, 16) for each in row), strict=True):
        full = (color[0],) * 3 if gray else color[:3]
        wanted = shown_in_high_range(full, CHROMATICITIES[primaries], transfer, peak or 1000)
        assert near(pixel[:1] if gray else pixel[:3], wanted[:1] if gray else wanted, 1), (color, pixel, wanted)


def test_dark_colors_of_sixteen_bits_are_not_rounded_before_they_are_converted() -> None:
    """Of linear light, 8 bits have two values for what are twelve levels of sRGB here."""
    made = pixels(picture(png(DARK, gama(1), depth=16), Transform(len(DARK[0]), 1, "png")))
    for pixel, color in zip(made, DARK[0], strict=True):
        assert near(pixel, shown(color, SRGB, float), 0.6)


def test_dark_colors_of_eight_bits_are_not_rounded_when_they_are_scaled() -> None:
    """Every second column is one level brighter than black: the mean is between the two, and none is left of both."""
    row = [((at % 2) / 255,) * 3 for at in range(64)]
    made = pixels(picture(png([row] * 64, gama(1)), Transform(16, 16, "png")))
    wanted = shown((0.5 / 255,) * 3, SRGB, float)
    for at in range(3 * 16 + 3, 3 * 16 + 13):
        assert near(made[at], wanted, 1.5)


TRANSFORMS = {
    "whole": WHOLE,
    "half": Transform(SIDE * COLUMNS // 2, SIDE * ROWS // 2, "png"),
    "crop": Transform(SIDE * 2, SIDE * 2, "png", crop=Crop(SIDE * 4, SIDE * 2, SIDE * 6, SIDE * 4)),
    "cover": Transform(SIDE * 2, SIDE * 4, "png", fit=Fit.COVER),
    "trim": Transform(SIDE * COLUMNS, SIDE * ROWS, "png", trim=Trim(0)),
    "larger": Transform(SIDE * COLUMNS * 2, SIDE * ROWS * 2, "png", upscale=True),
}


@pytest.mark.parametrize("depth", [8, 16])
@pytest.mark.parametrize("name", TRANSFORMS)
def test_every_way_through_the_decoder_converts(name: str, depth: int) -> None:
    made = picture(png(CHART, cicp(12, 8), depth=depth, side=SIDE), TRANSFORMS[name])
    plain = [[tuple(value / 255 for value in shown(color, DISPLAY_P3, float)) for color in row] for row in CHART]
    wanted = picture(png(plain, side=SIDE), TRANSFORMS[name])
    assert made.size == wanted.size
    compared = 0
    for x in range(1, made.width - 1):
        for y in range(1, made.height - 1):
            # Between two patches, pictures are scaled in their own values.
            around = {wanted.getpixel((x + right, y + down)) for right in (-1, 0, 1) for down in (-1, 0, 1)}
            if len(around) == 1:
                pixel, other = made.getpixel((x, y)), around.pop()
                assert isinstance(pixel, tuple)
                assert isinstance(other, tuple)
                assert near(pixel, other, 1)
                compared += 1
    assert compared > 30


def test_a_profile_that_is_not_used_does_not_convert_either() -> None:
    plain = picture(png(CHART, side=SIDE), WHOLE)
    for chunks in (cicp(1, 13) + iccp(PROFILES["adobe"]), iccp(PROFILES["adobe"]) + cicp(1, 13)):
        assert pixels(picture(png(CHART, chunks, side=SIDE), WHOLE)) == pixels(plain)
    both = picture(png(CHART, cicp(12, 8) + iccp(PROFILES["adobe"]), side=SIDE), WHOLE)
    assert pixels(both) == pixels(picture(png(CHART, cicp(12, 8), side=SIDE), WHOLE))


def test_a_picture_of_floats_is_returned_as_it_is() -> None:
    floats = pyvips.Image.black(2, 2, bands=3).cast("float")
    assert to_srgb_picture(floats, ColorSpace(POINTS[12], Power(2.0))) is floats
