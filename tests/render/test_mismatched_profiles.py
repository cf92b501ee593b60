"""Profiles for other channels than the picture has: that of RGB converts gray too, all others count as absent."""

import struct
from dataclasses import replace

import pytest

from tests.support.color import HALF, PATCHES, PROFILES, chart, gamma_curve, middles, profile, srgb_value
from tests.support.pictures import decoded, encoded
from tests.support.pixels import LIMITS, picture, rendered
from tests.support.signaled_colors import gama, iccp, png
from thumbs.image.transforms import Crop, Transform, Trim
from thumbs.render.renderer import Renderer

GRAY_PROFILE = profile(b"mntr", b"GRAY", {b"kTRC": gamma_curve(1.0)})
# Of one grid point for each ink: all inks are the same gray.
_TABLE = b"mft1\0\0\0\0" + bytes((4, 3, 2, 0)) + struct.pack(">9i", *(65536 * (at % 4 == 0) for at in range(9)))
PRESS_PROFILE = profile(
    b"prtr", b"CMYK", {b"A2B0": _TABLE + bytes(range(256)) * 4 + bytes([128]) * 48 + bytes(range(256)) * 3}, pcs=b"Lab "
)
LINEAR_PROFILE = PROFILES["adobe"].replace(gamma_curve(563 / 256), gamma_curve(1.0))
RENDERER = Renderer(inputs=frozenset(("jpeg", "png", "webp", "tiff")))
GRAYS = [(255 - step * 10,) * 3 for step in range(24)]  # a corner that is not black: `trim` removes nothing else
GRAY = chart(GRAYS).convert("L")
TRANSFORMS = (
    HALF,
    replace(HALF, crop=Crop(0, 0, 200, 150)),
    Transform(100, 75, "png", trim=Trim(1)),
    Transform(format="png"),
)


@pytest.mark.parametrize("transform", TRANSFORMS)
@pytest.mark.parametrize("container", ["JPEG", "PNG", "WEBP", "TIFF"])
@pytest.mark.parametrize("other", [GRAY_PROFILE, PRESS_PROFILE])
def test_a_picture_of_colors_ignores_a_profile_of_other_channels(
    other: bytes, container: str, transform: Transform
) -> None:
    image = chart(PATCHES)
    plain, mismatched = encoded(image, container), encoded(image, container, icc_profile=other)
    assert RENDERER.render(mismatched, transform, LIMITS).body == RENDERER.render(plain, transform, LIMITS).body


@pytest.mark.parametrize("container", ["JPEG", "TIFF"])
@pytest.mark.parametrize("other", [GRAY_PROFILE, PROFILES["adobe"]])
def test_a_picture_of_inks_ignores_a_profile_of_other_channels(other: bytes, container: str) -> None:
    image = chart(PATCHES).convert("CMYK")
    plain, mismatched = encoded(image, container), encoded(image, container, icc_profile=other)
    assert RENDERER.render(mismatched, HALF, LIMITS).body == RENDERER.render(plain, HALF, LIMITS).body


@pytest.mark.parametrize("transform", [HALF, replace(HALF, crop=Crop(0, 0, *GRAY.size)), replace(HALF, trim=Trim(0))])
@pytest.mark.parametrize(("container", "mode"), [("JPEG", "L"), ("PNG", "L"), ("PNG", "LA"), ("TIFF", "L")])
def test_gray_is_converted_by_a_profile_of_colors(container: str, mode: str, transform: Transform) -> None:
    data = encoded(GRAY.convert(mode), container, icc_profile=LINEAR_PROFILE)
    made = decoded(RENDERER.render(data, transform, LIMITS).body)
    assert made.mode == ("RGBA" if mode == "LA" else "RGB")
    for pixel, gray in zip(middles(made), GRAYS, strict=True):
        assert pixel == pytest.approx([255 * srgb_value(gray[0] / 255)] * 3, abs=1.5)


def test_sixteen_bits_of_gray_are_converted_by_a_profile_of_colors() -> None:
    made = picture(png([[(0.002,), (0.5,)]], iccp(LINEAR_PROFILE), depth=16), Transform(2, 1, "png")).convert("L")
    for at, light in enumerate((0.002, 0.5)):
        assert made.getpixel((at, 0)) == pytest.approx(255 * srgb_value(light), abs=1.5)


def test_behind_a_profile_of_other_channels_the_next_description_counts() -> None:
    rows = [[(0.2, 0.5, 0.7)] * 2]
    wanted = rendered(png(rows, gama(1)), Transform(2, 1, "png")).body
    assert rendered(png(rows, iccp(GRAY_PROFILE) + gama(1)), Transform(2, 1, "png")).body == wanted
