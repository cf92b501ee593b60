"""Margins: what `trim` leaves is what a plain loop over the pixels says."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from tests.support.pictures import encoded, stored_turned
from tests.support.pixels import picture, rendered
from tests.support.strategies import examples
from thumbs.errors import SizeOverLimit, SourceOverLimit
from thumbs.image.geometry import OutputLimits
from thumbs.image.transforms import Color, Crop, Fit, Transform, Trim
from thumbs.render.values import RenderLimits, SourceLimits

Rect = tuple[int, int, int, int]


def framed(margin: tuple[int, ...], inner: tuple[int, ...], box: Rect, mode: str = "RGB") -> Image.Image:
    """A picture of 60×40 in the color `margin`, with `box` in the color `inner`."""
    image = Image.new(mode, (60, 40), margin if len(margin) > 1 else margin[0])
    image.paste(inner if len(inner) > 1 else inner[0], box)
    return image


def trimmed(image: Image.Image, trim: Trim, **fields: object) -> Image.Image:
    return picture(encoded(image, "PNG"), Transform(format="png", trim=trim, **fields))  # type: ignore[arg-type]


def kept(image: Image.Image, margin: tuple[int, ...], tolerance: int) -> Rect:
    """The oracle: the smallest box around all pixels with a channel that is further from the margin's."""
    rgb = image.convert("RGB")
    unlike = [
        (x, y)
        for y in range(rgb.height)
        for x in range(rgb.width)
        if any(abs(a - b) > tolerance for a, b in zip(rgb.getpixel((x, y)), margin, strict=True))  # type: ignore[arg-type]
    ]
    if not unlike:
        return 0, 0, rgb.width, rgb.height
    columns, rows = zip(*unlike, strict=True)
    return min(columns), min(rows), max(columns) + 1, max(rows) + 1


def test_a_margin_of_the_corners_color_is_cut_off() -> None:
    made = trimmed(framed((250, 250, 250), (200, 30, 30), (10, 5, 40, 30)), Trim(0))
    assert made.size == (30, 25)
    assert made.convert("RGB").getcolors() == [(30 * 25, (200, 30, 30))]


@settings(max_examples=examples(40))
@given(
    st.integers(0, 255), st.lists(st.tuples(st.integers(0, 29), st.integers(0, 19), st.integers(0, 255)), max_size=9)
)
def test_any_picture_is_trimmed_as_a_loop_over_its_pixels_says(
    tolerance: int, dots: list[tuple[int, int, int]]
) -> None:
    image = Image.new("RGB", (30, 20), (100, 150, 200))
    for x, y, level in dots:
        image.putpixel((x, y), (level, 150, 200))
    corner = image.getpixel((0, 0))
    assert isinstance(corner, tuple)
    wanted = image.crop(kept(image, corner, tolerance))
    made = trimmed(image, Trim(tolerance)).convert("RGB")
    assert made.size == wanted.size
    assert made.tobytes() == wanted.tobytes()


def test_a_color_that_is_named_is_the_margin_whatever_the_corner_is() -> None:
    image = framed((255, 255, 255), (30, 30, 30), (10, 10, 20, 20))
    image.putpixel((0, 0), (0, 0, 255))
    assert trimmed(image, Trim(8, Color(255, 255, 255))).size == (20, 20)
    assert trimmed(image, Trim(8, Color(0, 255, 0))).size == (60, 40)


def test_a_picture_of_one_color_stays_as_it_is() -> None:
    assert trimmed(Image.new("RGB", (60, 40), (1, 2, 3)), Trim(0)).size == (60, 40)


@pytest.mark.parametrize("color", [None, Color(0, 0, 0, 0)])
def test_a_transparent_margin_is_found_by_transparency_alone(color: Color | None) -> None:
    """Otherwise a black drawing on transparent black would be all margin."""
    image = framed((0, 0, 0, 0), (0, 0, 0, 255), (4, 6, 20, 30), "RGBA")
    made = trimmed(image, Trim(10, color))
    assert made.size == (16, 24)
    assert made.convert("RGBA").getchannel("A").getextrema() == (255, 255)


@pytest.mark.parametrize("mode", ["RGB", "L"])
def test_a_picture_without_alpha_has_no_transparent_margin(mode: str) -> None:
    """The color behind `transparent` is black, and black is not what was meant."""
    image = framed((0, 0, 0), (200, 200, 200), (4, 6, 20, 30)).convert(mode)
    assert trimmed(image, Trim(10, Color(0, 0, 0, 0))).size == (60, 40)
    assert trimmed(image, Trim(10, Color(0, 0, 0))).size == (16, 24)


def test_a_gray_picture_is_trimmed_by_its_gray_and_by_a_color() -> None:
    image = framed((240,), (10,), (3, 3, 9, 9), "L")
    assert trimmed(image, Trim(5)).size == (6, 6)
    assert trimmed(image, Trim(5, Color(240, 240, 240))).size == (6, 6)


def test_trimming_comes_after_the_crop_and_before_the_size() -> None:
    image = framed((255, 255, 255), (200, 30, 30), (20, 10, 40, 30))
    made = trimmed(image, Trim(0), crop=Crop(10, 0, 60, 25), width=40, height=30, fit=Fit.STRETCH)
    assert made.size == (40, 30)
    assert made.convert("RGB").getcolors() == [(40 * 30, (200, 30, 30))]


def test_the_upright_picture_is_trimmed() -> None:
    upright = framed((255, 255, 255), (200, 30, 30), (0, 0, 60, 10))
    for orientation in range(1, 9):
        data = stored_turned(upright, orientation)
        made = picture(data, Transform(format="png", trim=Trim(60, Color(255, 255, 255))))
        assert made.width == 60
        assert abs(made.height - 10) <= 1  # JPEG's edges are soft


def test_what_must_be_held_whole_to_be_trimmed_has_its_own_limit() -> None:
    data = encoded(framed((255, 255, 255), (0, 0, 0), (5, 5, 9, 9)), "PNG")
    limits = RenderLimits(source=SourceLimits(whole_pixels=60 * 40 - 1))
    assert rendered(data, Transform(format="png"), limits=limits)
    with pytest.raises(SourceOverLimit):
        rendered(data, Transform(format="png", trim=Trim(1)), limits=limits)


def test_a_size_that_follows_from_trimming_is_held_against_the_limits() -> None:
    """One row of 60 pixels is left: 20 of height would make 1200 of width."""
    image = framed((255, 255, 255), (0, 0, 0), (0, 39, 60, 40))
    limits = RenderLimits(output=OutputLimits(side=1000))
    asked = Transform(height=20, format="png", upscale=True, trim=Trim(1))
    with pytest.raises(SizeOverLimit):
        rendered(encoded(image, "PNG"), asked, limits=limits)
