"""Geometry: every layout has the promised size, and shows the requested part of the source."""

from fractions import Fraction

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from tests.support import strategies
from thumbs.errors import BadFilter, SizeOverLimit
from thumbs.image.geometry import Box, Layout, OutputLimits, Size, plan
from thumbs.image.transforms import Attention, Compass, Crop, Fit, Focus, Transform

# How far a rounded side may be from the exact one: half a pixel, and what floating point adds to it.
HALF = Fraction(1, 2) + Fraction(1, 10**6)


def exact(value: float) -> Fraction:
    """What the URL says, without the error of binary floating point."""
    return Fraction(str(round(value, 6)))


def is_rounded(side: int, wanted: Fraction) -> bool:
    return abs(side - wanted) <= HALF or (side == 1 and wanted < 1)


def promised(region: Size, transform: Transform) -> tuple[Fraction, Fraction]:
    """The documented size for `region` (the source, or its crop) before rounding: fit, upscale, dpr."""
    width, height = region
    sides = [None if side is None else Fraction(side) for side in transform.target]
    enlarges = transform.upscale
    if enlarges is None:
        enlarges = None not in sides and transform.fit in (Fit.COVER, Fit.STRETCH)
    if sides[0] is None or sides[1] is None:
        ratio = (
            Fraction(sides[0], width) if sides[0] else Fraction(sides[1], height) if sides[1] else exact(transform.dpr)
        )
        ratio = ratio if enlarges else min(ratio, Fraction(1))
        return width * ratio, height * ratio
    if transform.fit is Fit.FILL:
        return sides[0], sides[1]
    if transform.fit is Fit.STRETCH:
        return (sides[0], sides[1]) if enlarges else (min(sides[0], Fraction(width)), min(sides[1], Fraction(height)))
    ratios = sides[0] / width, sides[1] / height
    ratio = min(ratios) if transform.fit is Fit.CONTAIN else max(ratios)
    ratio = ratio if enlarges else min(ratio, Fraction(1))
    return min(sides[0], width * ratio), min(sides[1], height * ratio)


def inside(inner: Box, outer: Box) -> bool:
    return (
        outer.left <= inner.left
        and outer.top <= inner.top
        and inner.left + inner.width <= outer.left + outer.width
        and inner.top + inner.height <= outer.top + outer.height
        and min(inner.size) >= 1
    )


def planned(source: Size, transform: Transform) -> Layout:
    try:
        return plan(source, transform)
    except BadFilter:
        assume(False)
        raise


# ------------------------------------------------------------------------------- any transform


@given(strategies.sizes, strategies.transforms(crop=st.none()))
@example((3000, 1), Transform(1, 3000))
@example((1, 3000), Transform(width=3000))
@example((1, 1), Transform(dpr=4, upscale=True))
@example((2999, 7), Transform(height=1, fit=Fit.FILL))
def test_a_thumbnail_has_exactly_the_promised_size(source: Size, transform: Transform) -> None:
    layout = plan(source, transform)
    width, height = promised(source, transform)
    assert is_rounded(layout.size[0], width)
    assert is_rounded(layout.size[1], height)


@given(strategies.sizes, st.integers(1, 3000), st.integers(1, 3000), strategies.gravities)
def test_a_covering_thumbnail_has_exactly_the_requested_size(
    source: Size, width: int, height: int, gravity: Compass
) -> None:
    for fit in (Fit.COVER, Fit.STRETCH, Fit.FILL):
        assert plan(source, Transform(width, height, fit=fit, gravity=gravity)).size == (width, height)


@given(strategies.sizes, st.integers(1, 3000), st.integers(1, 3000), st.booleans())
def test_a_contained_thumbnail_fills_one_side_and_leaves_neither(
    source: Size, width: int, height: int, upscale: bool
) -> None:
    size = plan(source, Transform(width, height, fit=Fit.CONTAIN, upscale=upscale)).size
    assert size[0] <= width
    assert size[1] <= height
    assert size[0] == width or size[1] == height or (not upscale and size == source)


@given(strategies.sizes, strategies.transforms())
def test_every_part_lies_inside_what_it_is_a_part_of(source: Size, transform: Transform) -> None:
    layout = planned(source, transform)
    assert inside(layout.region, Box(0, 0, *source))
    assert inside(layout.window, Box(0, 0, *layout.scaled))
    assert inside(Box(*layout.offset, *layout.window.size), Box(0, 0, *layout.size))
    assert layout.padded == (layout.size != layout.window.size)


@given(strategies.sizes, strategies.transforms())
def test_what_is_needed_covers_the_window_and_little_more(source: Size, transform: Transform) -> None:
    layout = planned(source, transform)
    region, needed, window = layout.region, layout.needed, layout.window
    assert inside(needed, region)
    if layout.attention is not None:
        assert needed == region
        return
    axes = (
        (needed.left, needed.width, region.left, region.width, window.left, window.width),
        (needed.top, needed.height, region.top, region.height, window.top, window.height),
    )
    for (start, length, whole_start, whole, part, part_length), scaled, factor in zip(
        axes, layout.scaled, layout.factors, strict=True
    ):
        exactly = Fraction(factor)
        origin = (whole - scaled * exactly) / 2
        first, last = (
            max(origin + part * exactly, Fraction(0)),
            min(origin + (part + part_length) * exactly, Fraction(whole)),
        )
        slack = Fraction(1, 10**5)
        assert first - 1 - slack <= start - whole_start <= first + slack
        assert last - slack <= start - whole_start + length <= last + 1 + slack


@given(strategies.sizes, strategies.transforms())
@example((1800, 1200), Transform(500, 300))
@example((2000, 1333), Transform(300, 200, fit=Fit.CONTAIN))
def test_both_axes_have_one_factor_unless_they_are_stretched(source: Size, transform: Transform) -> None:
    layout = planned(source, transform)
    region, scaled, factors = layout.region.size, layout.scaled, layout.factors
    if transform.fit is Fit.STRETCH and None not in transform.target:
        assert factors == (region[0] / scaled[0], region[1] / scaled[1])
    elif min(region[0] / factors[0], region[1] / factors[1]) > 1.001:
        assert factors[0] == factors[1]
        # What is scaled differs from the region by half a pixel at most.
        assert all(
            is_rounded(side, Fraction(whole) / Fraction(factors[0])) for side, whole in zip(scaled, region, strict=True)
        )


@given(st.integers(1, 3000), st.integers(1, 3000))
def test_a_centered_window_starts_where_libvips_starts_it(whole: int, part: int) -> None:
    assume(part <= whole)
    window = plan((whole, part), Transform(part, part, upscale=False)).window
    assert window.left == (whole - part) // 2
    assert plan((whole, part), Transform(part, part, upscale=False, gravity=Focus(0.5, 0.5))).window.left in (
        {window.left} if part > 1 else {window.left, window.left + 1}
    )


@given(
    strategies.sizes, st.integers(1, 3000), st.integers(1, 3000), strategies.decimals(0, 1), strategies.decimals(0, 1)
)
def test_the_focal_point_stays_in_the_frame(source: Size, width: int, height: int, x: float, y: float) -> None:
    layout = plan(source, Transform(width, height, gravity=Focus(x, y)))
    window, (scaled_width, scaled_height) = layout.window, layout.scaled
    assert window.left <= x * scaled_width <= window.left + window.width
    assert window.top <= y * scaled_height <= window.top + window.height


@given(strategies.sizes, strategies.transforms())
def test_attention_is_used_only_where_something_is_cut(source: Size, transform: Transform) -> None:
    layout = planned(source, transform)
    cuts = layout.window.size != layout.scaled
    assert layout.attention == (transform.gravity if cuts and isinstance(transform.gravity, Attention) else None)


# ------------------------------------------------------------------------------------ gravity


@pytest.mark.parametrize(
    ("gravity", "place"),
    [
        (Compass.NORTHWEST, (0, 0)),
        (Compass.NORTH, (50, 0)),
        (Compass.NORTHEAST, (100, 0)),
        (Compass.WEST, (0, 50)),
        (Compass.CENTER, (50, 50)),
        (Compass.EAST, (100, 50)),
        (Compass.SOUTHWEST, (0, 100)),
        (Compass.SOUTH, (50, 100)),
        (Compass.SOUTHEAST, (100, 100)),
        (Focus(0, 0), (0, 0)),
        (Focus(1, 1), (100, 100)),
        (Focus(0.5, 0.5), (50, 50)),
        (Focus(0.6, 0.35), (70, 20)),
    ],
)
def test_a_window_lies_where_gravity_pulls_it(gravity: Compass | Focus, place: Size) -> None:
    wide = plan((200, 100), Transform(100, 100, gravity=gravity)).window
    high = plan((100, 200), Transform(100, 100, gravity=gravity)).window
    assert (wide.left, high.top) == place
    assert (wide.top, high.left) == (0, 0)


# --------------------------------------------------------------------------------------- crops


@given(strategies.sizes, strategies.crops())
@example((3000, 3000), Crop(1.1, 2.2, 2.3, 2.7, percent=True))
def test_a_crop_is_taken_as_it_is_or_refused(source: Size, crop: Crop) -> None:
    x1, y1, x2, y2 = map(exact, crop.edges)
    if crop.percent:
        region = plan(source, Transform(crop=crop)).region
        x1, x2 = x1 * source[0] / 100, x2 * source[0] / 100
        y1, y2 = y1 * source[1] / 100, y2 * source[1] / 100
        assert region.left == x1 // 1
        assert region.top == y1 // 1
        assert region.left + region.width == -(-x2 // 1)
        assert region.top + region.height == -(-y2 // 1)
    elif x2 > source[0] or y2 > source[1]:
        with pytest.raises(BadFilter, match="inside the upright source"):
            plan(source, Transform(crop=crop))
    else:
        assert plan(source, Transform(crop=crop)).region == Box(int(x1), int(y1), int(x2 - x1), int(y2 - y1))


def test_percent_that_end_between_pixels_take_the_whole_pixel() -> None:
    assert plan((10, 10), Transform(crop=Crop(1, 1, 2, 2, percent=True))).region == Box(0, 0, 1, 1)
    assert plan((3000, 10), Transform(crop=Crop(1.1, 0, 2.2, 100, percent=True))).region == Box(33, 0, 33, 10)


def test_the_size_is_that_of_the_crop_when_none_is_requested() -> None:
    assert plan((600, 400), Transform(crop=Crop(10, 20, 110, 70))).size == (100, 50)
    assert plan((600, 400), Transform(width=50, crop=Crop(10, 20, 110, 70))).size == (50, 25)


# ---------------------------------------------------------------------------------- single rules


@pytest.mark.parametrize(
    ("transform", "size"),
    [
        (Transform(), (600, 400)),
        (Transform(dpr=2), (600, 400)),
        (Transform(dpr=2, upscale=True), (1200, 800)),
        (Transform(width=300), (300, 200)),
        (Transform(height=100), (150, 100)),
        (Transform(width=300, dpr=1.5), (450, 300)),
        (Transform(width=1200), (600, 400)),
        (Transform(width=1200, upscale=True), (1200, 800)),
        (Transform(width=1200, fit=Fit.STRETCH), (600, 400)),
        (Transform(900, 900), (900, 900)),
        (Transform(900, 900, upscale=False), (600, 400)),
        (Transform(900, 300, upscale=False), (600, 300)),
        (Transform(100, 100, fit=Fit.CONTAIN), (100, 67)),
        (Transform(900, 900, fit=Fit.CONTAIN), (600, 400)),
        (Transform(900, 900, fit=Fit.CONTAIN, upscale=True), (900, 600)),
        (Transform(900, 900, fit=Fit.FILL), (900, 900)),
        (Transform(900, 300, fit=Fit.STRETCH), (900, 300)),
        (Transform(900, 300, fit=Fit.STRETCH, upscale=False), (600, 300)),
        (Transform(1, 1), (1, 1)),
        (Transform(33, 33, dpr=1.5), (50, 50)),
    ],
)
def test_a_picture_of_600_by_400_becomes(transform: Transform, size: Size) -> None:
    assert plan((600, 400), transform).size == size


def test_padding_is_shared_out_around_the_picture() -> None:
    layout = plan((600, 400), Transform(300, 300, fit=Fit.FILL))
    assert layout.padded
    assert layout.window.size == (300, 200)
    assert layout.offset == (0, 50)


# -------------------------------------------------------------------------------------- limits


@pytest.mark.parametrize("size", [(5121, 1), (1, 5121), (5120, 5121)])
def test_a_thumbnail_over_the_limits_is_refused(size: Size) -> None:
    with pytest.raises(SizeOverLimit):
        OutputLimits().check(size)


def test_a_thumbnail_at_the_limits_is_made() -> None:
    OutputLimits().check((5120, 5120))
    OutputLimits(side=100, pixels=600).check((100, 6))
    with pytest.raises(SizeOverLimit):
        OutputLimits(side=100, pixels=600).check((100, 7))


@pytest.mark.parametrize(
    "transform",
    [Transform(5121), Transform(height=5121), Transform(2561, 1, dpr=2), Transform(1281, dpr=4)],
)
def test_what_is_too_large_for_any_source_is_known_before_it_is_read(transform: Transform) -> None:
    with pytest.raises(SizeOverLimit):
        OutputLimits().check_target(transform)


def test_under_attention_all_that_is_cut_from_must_be_within_the_limits() -> None:
    limits = OutputLimits(side=100, pixels=10_000)
    limits.check_layout(plan((50, 500), Transform(100, 100)))
    limits.check_layout(plan((100, 100), Transform(100, 50, gravity=Attention.SMART)))
    with pytest.raises(SizeOverLimit):
        limits.check_layout(plan((100, 101), Transform(100, 50, gravity=Attention.SMART)))
    with pytest.raises(SizeOverLimit):
        limits.check_layout(plan((100, 100), Transform(101, 50)))


def test_what_may_be_small_enough_waits_for_its_source() -> None:
    OutputLimits().check_target(Transform(width=5120))
    OutputLimits().check_target(Transform())
