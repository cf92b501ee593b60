"""What the enumerated color description of a JPEG XL means, and which cannot be used."""

import pytest

from thumbs.render.color.jxl import UndescribedError, color_space
from thumbs.render.color.primaries import BT709, BT2020, PRIMARIES, Primaries
from thumbs.render.color.values import ColorSpace, Curve, Power
from thumbs.render.containers.jxl import Colors, Jxl, Kind, Space

D65, P3, REC2020 = 1, 11, 9
PQ, HLG, LINEAR, DCI = 16, 18, 8, 17
CUSTOM = ((0.7347, 0.2653), (0.1596, 0.8404), (0.0366, 0.0001))


def of(colors: Colors, *, peak: float | None = None, kinds: tuple[int, ...] = ()) -> ColorSpace | None:
    return color_space(Jxl((1, 1), colors=colors, peak=peak, kinds=kinds))


def rgb(white: int = D65, primaries: int = 1, transfer: int | None = 13, gamma: float | None = None) -> Colors:
    return Colors(Space.RGB, False, white, primaries, transfer, gamma)


def test_srgb_needs_no_conversion() -> None:
    assert of(Colors()) is None
    assert of(Colors(Space.GRAY, False, D65, 1, 13)) is None


@pytest.mark.parametrize(
    ("colors", "space"),
    [
        (rgb(primaries=P3), ColorSpace(PRIMARIES[12])),
        (rgb(white=11, primaries=P3, transfer=DCI), ColorSpace(PRIMARIES[11], Power(2.6))),
        (rgb(primaries=REC2020, transfer=PQ), ColorSpace(BT2020, Curve.PQ)),
        (rgb(primaries=REC2020, transfer=HLG), ColorSpace(BT2020, Curve.HLG)),
        (rgb(transfer=LINEAR), ColorSpace(BT709, Power(1.0))),
        (rgb(transfer=None, gamma=0.5), ColorSpace(BT709, Power(2.0))),
        (Colors(Space.RGB, False, (0.3457, 0.3585), CUSTOM), ColorSpace(Primaries(*CUSTOM, (0.3457, 0.3585)))),
        (Colors(Space.GRAY, False, D65, 1, LINEAR), ColorSpace(BT709, Power(1.0))),
    ],
)
def test_a_description_is_a_color_space(colors: Colors, space: ColorSpace) -> None:
    assert of(colors) == space


def test_the_peak_is_that_of_the_file_unless_it_is_that_of_the_curve() -> None:
    colors = rgb(primaries=REC2020, transfer=PQ)
    assert of(colors, peak=4000.0) == ColorSpace(BT2020, Curve.PQ, 4000.0)
    assert of(colors, peak=10_000.0) == of(colors, peak=0.0) == of(colors) == ColorSpace(BT2020, Curve.PQ)
    assert of(rgb(), peak=4000.0) is None


@pytest.mark.parametrize(
    ("colors", "kinds", "reason"),
    [
        (Colors(Space.RGB, True), (), "ICC profile"),
        (Colors(Space.GRAY, True), (Kind.ALPHA,), "ICC profile"),
        (Colors(Space.XYB), (), "neither RGB nor gray"),
        (Colors(Space.UNKNOWN, False, D65, 1, 13), (), "neither RGB nor gray"),
        (rgb(transfer=2), (), "transfer function"),
        (rgb(transfer=13, white=7), (), "white"),
        (rgb(primaries=5), (), "primaries"),
        (rgb(transfer=None, gamma=0.0), (), "gamma"),
        (rgb(transfer=None, gamma=1.1), (), "gamma"),
        (Colors(Space.RGB, False, D65, (CUSTOM[0],) * 3), (), "primaries"),
        (rgb(), (Kind.BLACK,), "CMYK"),
    ],
)
def test_a_description_without_a_meaning_is_refused_with_the_reason(
    colors: Colors, kinds: tuple[int, ...], reason: str
) -> None:
    with pytest.raises(UndescribedError, match=reason):
        of(colors, kinds=kinds)
