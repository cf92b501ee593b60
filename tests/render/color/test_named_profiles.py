"""ICC profiles that name PQ or HLG by code points: these say what the samples mean, and not the curves."""

import pytest
from PIL import Image

from tests.support.color import PROFILES, chart_in
from tests.support.pictures import decoded, encoded
from tests.support.pixels import difference, rendered
from tests.support.signaled_colors import cicp, clli, iccp, named_profile, png
from thumbs.image.transforms import Transform
from thumbs.render.color.description import describe_colors
from thumbs.render.color.primaries import PRIMARIES
from thumbs.render.color.values import ColorDescription, ColorSpace, Curve

CHART = chart_in("srgb")
WHOLE = Transform(*CHART.size, "png")
PQ, HLG = ColorSpace(PRIMARIES[9], Curve.PQ), ColorSpace(PRIMARIES[12], Curve.HLG)


def described(profile: bytes, name: str = "jpeg") -> ColorDescription:
    return describe_colors(png([[(0.5,)]]), name, profile)


@pytest.mark.parametrize("name", ["jpeg", "png", "webp", "avif", "tiff"])
def test_code_points_of_a_high_range_come_before_the_curves(name: str) -> None:
    assert described(named_profile(9, 16), name) == ColorDescription(space=PQ)
    assert described(named_profile(12, 18), name) == ColorDescription(space=HLG)


@pytest.mark.parametrize(
    "profile",
    [
        named_profile(9, 13),
        named_profile(2, 16),
        named_profile(9, 2),
        named_profile(9, 16, matrix=9),
        named_profile(9, 16, full_range=0),
        named_profile(9, 16).replace(b"RGB XYZ ", b"GRAYXYZ "),
        PROFILES["p3"],
    ],
)
def test_with_all_others_the_profile_converts(profile: bytes) -> None:
    assert described(profile) == ColorDescription(profile=True)


def test_the_peak_is_that_of_the_file() -> None:
    data = png([[(0.5,)]], iccp(named_profile(9, 16)) + clli(400))
    assert describe_colors(data, "png", named_profile(9, 16)).space == ColorSpace(PRIMARIES[9], Curve.PQ, 400)


OPTIONS: dict[str, dict[str, object]] = {
    "PNG": {},
    "WEBP": {"lossless": True},
    "JPEG": {"quality": 100, "subsampling": 0},
}


@pytest.mark.parametrize(("container", "by"), [("PNG", 0), ("WEBP", 0), ("JPEG", 2)])
@pytest.mark.parametrize("transfer", [16, 18])
def test_pictures_come_out_as_with_a_chunk_of_these_code_points(transfer: int, container: str, by: float) -> None:
    plain = encoded(CHART, "PNG")
    wanted = decoded(rendered(plain[:33] + cicp(9, transfer) + plain[33:], WHOLE).body)
    data = encoded(CHART, container, icc_profile=named_profile(9, transfer), **OPTIONS[container])
    made = decoded(rendered(data, WHOLE).body)
    assert difference(made, wanted) <= by
    assert difference(made, Image.new("RGB", made.size)) > 30
