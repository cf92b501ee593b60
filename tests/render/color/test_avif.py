"""The colors of an AVIF without an ICC profile: code points in its boxes or in its coded data."""

import struct

import pytest
import pyvips

from tests.support.avif_files import Part, assembled, box, grid, nclx, parts_of, tiles_of_grid
from tests.support.color import PATCHES, PROFILES, chart_in
from tests.support.pictures import encoded
from tests.support.pixels import picture
from tests.support.signaled_colors import CHROMATICITIES, PNG_LIGHT, shown, shown_in_high_range
from thumbs.image.transforms import Crop, Transform
from thumbs.render.color.description import describe_colors
from thumbs.render.color.primaries import BT709, PRIMARIES
from thumbs.render.color.transfer import AVIF_TRANSFERS
from thumbs.render.color.values import ColorDescription, ColorSpace, Curve

SIZE = chart_in("srgb").size
NONE = ColorDescription()


def lossless(image: pyvips.Image, depth: int) -> Part:
    return parts_of(image.write_to_buffer(".avif", bitdepth=depth, lossless=True))[0].without(b"colr")


_CHART = pyvips.Image.new_from_memory(chart_in("srgb").tobytes(), *SIZE, 3, "uchar").copy(interpretation="srgb")
PART = lossless(_CHART, 8)


P3_PROFILE = PROFILES["p3"]


def luminance(most: int) -> bytes:
    return box(b"clli", struct.pack(">HH", most, 0))


def described(*properties: bytes, profile: bool = False) -> ColorDescription:
    return describe_colors(assembled([PART.having(*properties)]), "avif", P3_PROFILE if profile else None)


def space(primaries: int, transfer: int, *others: bytes) -> ColorSpace | None:
    return described(nclx(primaries, transfer, 0, full=True), *others).space


def test_without_code_points_the_samples_are_srgb() -> None:
    assert described() == NONE
    assert describe_colors(b"", "avif", None) == NONE


def test_a_profile_comes_first() -> None:
    """As MIAF wants it (ISO/IEC 23000-22, 7.3.6.4)."""
    assert described(nclx(9, 16, 9, full=True), profile=True) == ColorDescription(profile=True)


@pytest.mark.parametrize("primaries", PRIMARIES)
@pytest.mark.parametrize("transfer", AVIF_TRANSFERS)
def test_every_known_pair_is_used(primaries: int, transfer: int) -> None:
    wanted = ColorSpace(PRIMARIES[primaries], AVIF_TRANSFERS[transfer])
    assert space(primaries, transfer) == (None if wanted == ColorSpace() else wanted)


@pytest.mark.parametrize("unknown", [2, 3, 13, 23, 255, 300])
def test_unknown_primaries_are_those_of_srgb(unknown: int) -> None:
    assert space(unknown, 8) == ColorSpace(BT709, AVIF_TRANSFERS[8])
    assert space(unknown, 13) is None


@pytest.mark.parametrize("unknown", [2, 9, 10, 12, 19, 255, 300])
def test_an_unknown_transfer_function_is_that_of_srgb(unknown: int) -> None:
    assert space(12, unknown) == ColorSpace(PRIMARIES[12])


@pytest.mark.parametrize(("primaries", "transfer"), [(0, 8), (0, 16), (12, 0), (12, 3)])
def test_with_a_reserved_number_none_counts(primaries: int, transfer: int) -> None:
    assert space(primaries, transfer) is None


def test_the_peak_is_that_of_the_content() -> None:
    assert space(9, 16) == ColorSpace(PRIMARIES[9], Curve.PQ, 1000)
    assert space(9, 16, luminance(400)) == ColorSpace(PRIMARIES[9], Curve.PQ, 400)
    assert space(9, 18, luminance(0)) == ColorSpace(PRIMARIES[9], Curve.HLG, 1000)
    assert space(9, 16, box(b"clli", b"\1")) == ColorSpace(PRIMARIES[9], Curve.PQ, 1)
    assert space(12, 13, luminance(400)) == ColorSpace(PRIMARIES[12])


def middles(data: bytes, transform: Transform) -> list[tuple[float, ...]]:
    made = picture(data, transform)
    width, height = made.width / 6, made.height / 4
    found = [made.getpixel((int((at % 6 + 0.5) * width), int((at // 6 + 0.5) * height))) for at in range(24)]
    return [pixel for pixel in found if isinstance(pixel, tuple)]


def assert_near(made: list[tuple[float, ...]], wanted: list[tuple[float, float, float]], by: float) -> None:
    assert len(made) == len(wanted)
    worst = max(abs(a - b) for one, other in zip(made, wanted, strict=True) for a, b in zip(one, other, strict=True))
    assert worst <= by


def wanted(primaries: int, transfer: int) -> list[tuple[float, float, float]]:
    colors = [tuple(value / 255 for value in patch) for patch in PATCHES]
    if transfer in (16, 18):
        return [shown_in_high_range(color, CHROMATICITIES[primaries], transfer, 1000) for color in colors]
    light = PNG_LIGHT[13 if transfer in (1, 6, 14, 15) else transfer]
    return [shown(color, CHROMATICITIES[primaries], light) for color in colors]


@pytest.mark.parametrize("transform", [Transform(*SIZE, "png"), Transform(SIZE[0] // 2, SIZE[1] // 2, "png")])
@pytest.mark.parametrize(("primaries", "transfer"), [(12, 13), (9, 1), (9, 14), (1, 8), (4, 4), (9, 16), (9, 18)])
def test_a_chart_comes_out_in_its_colors(primaries: int, transfer: int, transform: Transform) -> None:
    data = assembled([PART.having(nclx(primaries, transfer, 0, full=True))])
    assert_near(middles(data, transform), wanted(primaries, transfer), 1)


def test_a_crop_comes_out_in_its_colors() -> None:
    data = assembled([PART.having(nclx(12, 8, 0, full=True))])
    whole, crop = Transform(*SIZE, "png"), Transform(*SIZE, "png", crop=Crop(0, 0, *SIZE))
    assert_near(middles(data, crop), wanted(12, 8), 1)
    assert picture(data, crop).tobytes() == picture(data, whole).tobytes()


def test_alpha_stays_as_it_is() -> None:
    image = chart_in("srgb")
    image.putalpha(128)
    alpha = parts_of(encoded(image, "AVIF", quality=100))[1]
    data = assembled([PART.having(nclx(12, 13, 0, full=True)), alpha], [(b"auxl", 2, (1,))])
    made = picture(data, Transform(*SIZE, "png"))
    assert made.getchannel("A").getextrema() == (128, 128)
    pixel = made.convert("RGB").getpixel((SIZE[0] // 12, SIZE[1] // 8))
    assert isinstance(pixel, tuple)
    assert_near([pixel], wanted(12, 13)[:1], 1)


def test_a_grid_comes_out_in_its_colors() -> None:
    size, own = (SIZE[0] * 2, SIZE[1]), nclx(12, 13, 0, full=True)
    data = assembled(grid([PART.having(own)] * 2, size, columns=2, properties=[own]), [tiles_of_grid(2)])
    half = picture(data, Transform(*size, "png")).crop((0, 0, *SIZE))
    assert half.tobytes() == picture(assembled([PART.having(own)]), Transform(*SIZE, "png")).tobytes()


def test_ten_bits_are_not_rounded_before_they_are_converted() -> None:
    """Of linear light, 8 bits have two values for what are many levels of sRGB here."""
    ramp = pyvips.Image.identity(ushort=True, size=16).zoom(8, 8).cast("ushort") << 6  # the darkest of 1024 steps
    deep = ramp.bandjoin([ramp, ramp]).copy(interpretation="rgb16")
    made = picture(assembled([lossless(deep, 10).having(nclx(1, 8, 0, full=True))]), Transform(128, 8, "png"))
    for step in range(16):
        pixel = made.getpixel((8 * step + 4, 4))
        assert isinstance(pixel, tuple)
        assert_near([pixel], [shown((step / 1023,) * 3, CHROMATICITIES[1], float)], 0.6)


def test_a_profile_that_may_not_be_used_counts_as_absent() -> None:
    damaged = box(b"colr", b"prof", PROFILES["p3"][:200])
    data = assembled([PART.having(damaged, nclx(12, 13, 0, full=True))])
    assert_near(middles(data, Transform(*SIZE, "png")), wanted(12, 13), 1)
