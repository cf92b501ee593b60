"""Profiles of presses and of gray, and profiles that are broken or misplaced."""

import functools
import struct
from dataclasses import replace

import pytest
import pyvips
from PIL import Image

from tests.support.color import (
    COLUMNS,
    CONTAINERS,
    HALF,
    JUST_NOTICED,
    OUTPUTS,
    PATCHES,
    PROFILES,
    ROWS,
    SIDE,
    by_littlecms,
    chart,
    delta_e,
    farthest,
    fixed,
    gamma_curve,
    middles,
    profile,
    srgb_value,
    stored,
)
from tests.support.pictures import decoded, encoded
from tests.support.pixels import near, picture, rendered
from thumbs.image.transforms import Crop

# ------------------------------------------------------------------------------------------ CMYK


def strange_press() -> bytes:
    """A CMYK profile in which cyan ink is orange and yellow ink is violet: without the profile the colors are wrong.

    An lut8Type (ICC.1:2001-04, 6.5.8) of two grid points an ink; inks dim what the white of the paper has left.
    """
    inks = ((-35.0, 40.0, 50.0), (-45.0, -30.0, 20.0), (-40.0, 30.0, -50.0), (-90.0, 0.0, 0.0))
    grid = b""
    for point in range(16):
        on = [ink for number, ink in enumerate(inks) if point >> (3 - number) & 1]
        lightness = max(5.0, 100 + sum(ink[0] for ink in on))
        share = lightness / 100 / max(len(on), 1)
        grid += bytes(
            (round(lightness * 2.55), *(round(128 + share * sum(ink[axis] for ink in on)) for axis in (1, 2)))
        )
    straight = bytes(range(256))
    unity = b"".join(map(fixed, (1, 0, 0, 0, 1, 0, 0, 0, 1)))
    table = b"mft1\0\0\0\0" + bytes((4, 3, 2, 0)) + unity + straight * 4 + grid + straight * 3
    return profile(b"prtr", b"CMYK", {b"A2B0": table}, pcs=b"Lab ")


INKS = [
    ((number * 37) % 200 + 10, (number * 59) % 180 + 20, (number * 83) % 190 + 5, (number * 11) % 90)
    for number in range(len(PATCHES))
]
PRESSES = ("vips", "strange")


@functools.cache
def press_profile(press: str) -> bytes:
    """The one that libvips brings along, or our own."""
    return bytes(pyvips.Image.profile_load("cmyk")) if press == "vips" else strange_press()


@pytest.mark.parametrize("output", ["png", "jpeg"])
@pytest.mark.parametrize("press", PRESSES)
@pytest.mark.parametrize("container", ["JPEG", "progressive"])
def test_a_chart_in_ink_comes_out_as_its_press_prints_it(container: str, press: str, output: str) -> None:
    options: dict[str, object] = {"progressive": True} if container == "progressive" else {}
    data = encoded(chart(INKS, "CMYK"), "JPEG", quality=98, icc_profile=press_profile(press), **options)
    wanted = middles(by_littlecms(decoded(data), press_profile(press)))
    quality, by = OUTPUTS[output]
    for transform in (HALF, replace(HALF, crop=Crop(0, 0, COLUMNS * SIDE, ROWS * SIDE))):
        made = picture(data, replace(transform, format=output, quality=quality))
        assert made.mode == "RGB"
        assert farthest(middles(made), wanted) < by


def test_the_two_presses_print_nothing_alike() -> None:
    one, other = (middles(by_littlecms(chart(INKS, "CMYK"), press)) for press in map(press_profile, PRESSES))
    assert min(delta_e(a, b) for a, b in zip(one, other, strict=True)) > JUST_NOTICED


# ------------------------------------------------------------------------------------------ gray


GRAYS = [(number * 11,) for number in range(len(PATCHES))]


def gray_profile(gamma: float) -> bytes:
    return profile(b"mntr", b"GRAY", {b"kTRC": gamma_curve(gamma)})


@pytest.mark.parametrize("name", ["JPEG", "PNG"])
@pytest.mark.parametrize("gamma", [1.0, 1.8, 2.2, 2.6])
def test_gray_goes_through_its_profile(name: str, gamma: float) -> None:
    """The expected values are computed: the light that the gray curve yields, on the curve of sRGB."""
    image = chart(GRAYS, "L")
    options = CONTAINERS[name] if name == "PNG" else {"quality": 98}
    data = encoded(image, name, icc_profile=gray_profile(gamma), **options)
    wanted = [(round(255 * srgb_value((gray / 255) ** (round(gamma * 256) / 256))),) * 3 for (gray,) in GRAYS]
    made = picture(data, HALF)
    for shown, promised in zip(middles(made), wanted, strict=True):
        assert near(shown, promised, by=3)
        assert max(shown) - min(shown) <= 1


def test_gray_with_transparency_goes_through_its_profile() -> None:
    image = chart(GRAYS, "L")
    image.putalpha(200)
    made = picture(encoded(image, "PNG", icc_profile=gray_profile(1.8)), HALF)
    wanted = [(round(255 * srgb_value((gray / 255) ** (461 / 256))),) * 3 for (gray,) in GRAYS]
    assert made.convert("RGBA").getchannel("A").getextrema() == (200, 200)
    for shown, promised in zip(middles(made), wanted, strict=True):
        assert near(shown, promised, by=4)


# --------------------------------------------------------------------------- broken and misplaced


BROKEN = {
    "garbage": b"This is not a profile. " * 20,
    "zeros": bytes(500),
    "short": PROFILES["p3"][:200],
    "no tags": PROFILES["p3"][:128] + bytes(4),
    "tags beyond its end": PROFILES["p3"][:128] + struct.pack(">I", 3) + (b"rXYZ" + struct.pack(">II", 2**30, 20)) * 3,
}
MISPLACED = {
    ("RGB", "cmyk"): strange_press(),
    ("RGB", "gray"): gray_profile(1.0),
    ("CMYK", "rgb"): PROFILES["p3"],
    ("CMYK", "gray"): gray_profile(1.0),
    ("L", "rgb"): PROFILES["p3"],
    ("L", "cmyk"): strange_press(),
}


def without_and_with(image: Image.Image, name: str, icc_profile: bytes) -> tuple[bytes, bytes]:
    options: dict[str, object] = {"quality": 98} if name == "JPEG" else CONTAINERS[name]
    return encoded(image, name, **options), encoded(image, name, icc_profile=icc_profile, **options)


def shows_the_same(one: bytes, other: bytes) -> bool:
    for transform in (HALF, replace(HALF, crop=Crop(0, 0, COLUMNS * SIDE, ROWS * SIDE))):
        if farthest(middles(picture(one, transform)), middles(picture(other, transform))) > 1:
            return False
    return True


@pytest.mark.parametrize("container", CONTAINERS)
@pytest.mark.parametrize("kind", BROKEN)
def test_a_broken_profile_is_as_good_as_none(kind: str, container: str) -> None:
    assert shows_the_same(*without_and_with(chart(PATCHES), container, BROKEN[kind]))


@pytest.mark.parametrize(("mode", "kind"), MISPLACED)
def test_a_profile_of_the_wrong_kind_is_as_good_as_none(mode: str, kind: str) -> None:
    image = chart(INKS, "CMYK") if mode == "CMYK" else chart(PATCHES).convert(mode)
    for container in ("JPEG",) if mode == "CMYK" else ("JPEG", "PNG"):
        assert shows_the_same(*without_and_with(image, container, MISPLACED[mode, kind])), container


@pytest.mark.parametrize("kind", BROKEN)
def test_ink_with_a_broken_profile_is_as_good_as_ink_without(kind: str) -> None:
    assert shows_the_same(*without_and_with(chart(INKS, "CMYK"), "JPEG", BROKEN[kind]))


@pytest.mark.parametrize("output", ["jpeg", "png", "webp", "avif", "gif"])
def test_no_profile_is_in_any_thumbnail(output: str) -> None:
    """Neither as a library reads it, nor as bytes: what is sRGB needs none."""
    quality = None if output in ("png", "gif") else 80
    for data in (stored("p3"), stored("adobe", "JPEG"), stored("srgb", "WEBP")):
        body = rendered(data, replace(HALF, format=output, quality=quality)).body
        assert "icc_profile" not in decoded(body).info
        assert not any(mark in body for mark in (b"ICC_PROFILE", b"iCCP", b"ICCP", b"ICCRGBG1", b"acsp"))
