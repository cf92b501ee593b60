"""Which description of its colors counts, where a file has several, damaged ones, or none."""

import pytest

from tests.support.color import PROFILES
from tests.support.signaled_colors import DISPLAY_P3, SRGB, chrm, chunk, cicp, clli, gama, png
from thumbs.render.color.description import describe_colors
from thumbs.render.color.primaries import BT709, PRIMARIES
from thumbs.render.color.transfer import PNG_TRANSFERS
from thumbs.render.color.values import ColorDescription, ColorSpace, Curve, Power

P3_PROFILE = PROFILES["p3"]
PIXEL = [[(0.5, 0.5, 0.5)]]
PROFILE, NONE = ColorDescription(profile=True), ColorDescription()
LINEAR = ColorDescription(space=ColorSpace(BT709, Power(1.0)))
P3 = ColorDescription(space=ColorSpace(PRIMARIES[12]))
MARK = chunk(b"sRGB", b"\0")


def described(chunks: bytes, *, profile: bool = False) -> ColorDescription:
    return describe_colors(png(PIXEL, chunks), "png", P3_PROFILE if profile else None)


@pytest.mark.parametrize("profile", [False, True])
@pytest.mark.parametrize("name", ["jpeg", "webp", "gif", "tiff", "svg"])
def test_other_formats_have_profiles_only(name: str, *, profile: bool) -> None:
    assert describe_colors(b"", name, P3_PROFILE if profile else None) == ColorDescription(profile)


@pytest.mark.parametrize(
    ("chunks", "profile", "wanted"),
    [
        (b"", False, NONE),
        (b"", True, PROFILE),
        (cicp(12, 13), True, P3),
        (cicp(12, 13) + MARK + gama(1), False, P3),
        (cicp(1, 13) + gama(1), True, NONE),
        (gama(1), True, PROFILE),
        (MARK + gama(1), False, NONE),
        (gama(1) + MARK, True, PROFILE),
        (gama(1), False, LINEAR),
    ],
)
def test_the_order_is_that_of_the_standard(chunks: bytes, wanted: ColorDescription, *, profile: bool) -> None:
    """PNG Third Edition, 4.3."""
    assert described(chunks, profile=profile) == wanted


@pytest.mark.parametrize(
    "absent",
    [
        *(cicp(primaries, 13) for primaries in (0, 2, 3, 13, 21, 23, 255)),
        *(cicp(12, transfer) for transfer in (0, 2, 3, 9, 10, 12, 19, 255)),
        cicp(12, 13, matrix=1),
        cicp(12, 13, full_range=0),
        cicp(12, 13, full_range=2),
        chunk(b"sRGB", b"\4"),
        chrm(DISPLAY_P3),
    ],
)
def test_what_says_nothing_counts_as_absent(absent: bytes) -> None:
    assert described(absent) == NONE
    assert described(absent, profile=True) == PROFILE
    if b"cHRM" not in absent:
        assert described(absent + gama(1)) == LINEAR


@pytest.mark.parametrize("gamma", [0, 0.4320, 0.45455, 0.4770])
def test_a_gamma_of_zero_or_of_crts_without_primaries_counts_as_absent(gamma: float) -> None:
    assert described(gama(gamma)) == NONE


@pytest.mark.parametrize("gamma", [0.00001, 0.3, 0.4310, 0.4780, 0.55556, 1, 20_000])
def test_another_gamma_is_used(gamma: float) -> None:
    space = described(gama(gamma)).space
    assert space is not None
    assert space.primaries == BT709
    assert isinstance(space.transfer, Power)
    assert space.transfer.exponent == pytest.approx(1 / gamma)


def test_a_gamma_with_primaries_is_used_whatever_it_is() -> None:
    space = described(gama(0.45455) + chrm(DISPLAY_P3)).space
    assert space is not None
    assert space.primaries == PRIMARIES[12]
    assert described(gama(0.45455) + chrm(SRGB)).space is not None


@pytest.mark.parametrize(
    "numbers",
    [
        (0,) * 8,
        (0.3,) * 8,
        (0.64, 0.33, 0.3, 0.6, 0.15, 0.06, 0.3127, 0),
        (0.64, 0.33, 0.3, 0.6, 0.15, 1.2, 0.3127, 0.329),
        (0.1, 0.1, 0.2, 0.2, 0.3, 0.3, 0.3127, 0.329),
    ],
)
def test_a_gamma_with_impossible_primaries_counts_as_absent(numbers: tuple[float, ...]) -> None:
    assert described(gama(1) + chrm(numbers)) == NONE  # type: ignore[arg-type]


@pytest.mark.parametrize("primaries", PRIMARIES)
@pytest.mark.parametrize("transfer", PNG_TRANSFERS)
def test_every_known_pair_of_code_points_is_used(primaries: int, transfer: int) -> None:
    wanted = ColorSpace(PRIMARIES[primaries], PNG_TRANSFERS[transfer])
    assert described(cicp(primaries, transfer)) == ColorDescription(
        space=None if (primaries, transfer) == (1, 13) else wanted
    )


MASTERING = chunk(b"mDCV", bytes(16) + (40_000_000).to_bytes(4, "big") + bytes(4))


@pytest.mark.parametrize(
    ("chunks", "peak"),
    [(b"", 1000), (clli(400), 400), (MASTERING, 4000), (MASTERING + clli(400), 400), (clli(0) + MASTERING, 4000)],
)
def test_the_peak_is_that_of_the_content_or_else_of_the_display(chunks: bytes, peak: float) -> None:
    for transfer, curve in ((16, Curve.PQ), (18, Curve.HLG)):
        assert described(cicp(9, transfer) + chunks).space == ColorSpace(PRIMARIES[9], curve, peak)


def test_without_a_high_range_the_peak_does_not_count() -> None:
    assert described(cicp(12, 13) + clli(400)) == P3
