"""Every thumbnail has the documented size, planned and rendered, and a focal point is never cut off."""

import functools
import itertools
from collections.abc import Callable
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import TypeVar

import pytest
from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st
from PIL import Image, ImageStat

from tests.support import pictures, strategies
from tests.support.pictures import decoded, encoded
from tests.support.strategies import examples
from thumbs.errors import BadFilter, SizeOverLimit
from thumbs.image.geometry import Layout, OutputLimits, Size, plan
from thumbs.image.transforms import Attention, Compass, Crop, Fit, Focus, Padding, SizedCrop, Transform
from thumbs.render.renderer import Renderer
from thumbs.render.values import RenderLimits

Answer = TypeVar("Answer")

# --------------------------------------------------------------------------------- the promise


@dataclass(frozen=True)
class Promise:
    """The sizes that a thumbnail may have: one, or more where a side is exactly half a pixel.

    `cut_from` is the largest picture that is cut from, which attention has to look at as a whole.
    """

    sizes: frozenset[Size]
    cut_from: Fraction

    def over(self, limits: OutputLimits) -> set[bool]:
        """Whether it is more than may be made; both where it depends on how half a pixel is rounded."""
        return {max(size) > limits.side or size[0] * size[1] > limits.pixels for size in self.sizes}


def exact(value: float) -> Fraction:
    """What the URL says, without the error of binary floating point."""
    return Fraction(str(round(value, 6)))


def nearest(value: Fraction) -> set[int]:
    """The whole pixels nearest to `value`; at least one, and both neighbors of a half."""
    below = value.numerator // value.denominator
    if value - below == Fraction(1, 2):
        return {max(below, 1), below + 1}
    return {max(1, below + (value - below > Fraction(1, 2)))}


def promised(source: Size, transform: Transform) -> Promise | None:
    """What the documentation says of a size, `fit`, `upscale`, `dpr`, `crop`, `pcrop`, `rotate` and `padding`.

    None for a crop that is refused.
    """
    assert not isinstance(transform.crop, SizedCrop)
    region = region_of(source, transform.crop)
    if region is None:
        return None
    dpr = exact(transform.dpr)
    widths, heights = (
        [None] if side is None else sorted(nearest(side * dpr)) for side in (transform.width, transform.height)
    )
    sizes: set[Size] = set()
    cut_from = Fraction(0)
    for width, height in itertools.product(widths, heights):
        sides, whole = fitted(region, width, height, transform)
        sizes.update(itertools.product(*sides))
        cut_from = max(cut_from, whole)
    if transform.rotate in (90, 270):
        sizes = {(height, width) for width, height in sizes}
    padding = transform.padding
    across, down = padding.left + padding.right, padding.top + padding.bottom
    return Promise(frozenset((width + across, height + down) for width, height in sizes), cut_from)


def region_of(source: Size, crop: Crop | None) -> Size | None:
    """The part of the source that is shown. Of a pixel that percent cut through, all is shown."""
    if crop is None:
        return source
    sides = []
    for first, last, whole in ((crop.x1, crop.x2, source[0]), (crop.y1, crop.y2, source[1])):
        start, end = (exact(edge) * whole / 100 if crop.percent else exact(edge) for edge in (first, last))
        if end > whole:
            return None
        sides.append(-(-end // 1) - start // 1)
    return sides[0], sides[1]


def fitted(
    region: Size, width: int | None, height: int | None, transform: Transform
) -> tuple[tuple[set[int], set[int]], Fraction]:
    """The widths and heights of `region` fitted into the target, and the area that is scaled for that."""
    both = width is not None and height is not None
    upscale = transform.upscale
    if upscale is None:
        upscale = both and transform.fit in (Fit.COVER, Fit.STRETCH)
    if width is None or height is None:
        ratio = (
            exact(transform.dpr) if width == height else Fraction((width or 0) or height or 0, region[width is None])
        )
        ratio = ratio if upscale else min(ratio, Fraction(1))
        return (nearest(region[0] * ratio), nearest(region[1] * ratio)), Fraction(0)
    ratios = Fraction(width, region[0]), Fraction(height, region[1])
    fit = transform.fit
    if fit is Fit.AUTO:  # as the source lies
        fit = Fit.COVER if (width >= height) == (region[0] >= region[1]) else Fit.CONTAIN
    if fit is Fit.STRETCH:
        sides = (width, height) if upscale else (min(width, region[0]), min(height, region[1]))
        return ({sides[0]}, {sides[1]}), Fraction(0)
    ratio = max(ratios) if fit in (Fit.COVER, Fit.OUTSIDE) else min(ratios)
    ratio = ratio if upscale else min(ratio, Fraction(1))
    whole = region[0] * ratio, region[1] * ratio
    if fit is Fit.FILL:
        return ({width}, {height}), Fraction(0)
    if fit in (Fit.CONTAIN, Fit.OUTSIDE):
        return (nearest(whole[0]), nearest(whole[1])), Fraction(0)
    # Cover cuts to the target; a picture that may not grow cannot fill it.
    cut = {min(width, side) for side in nearest(whole[0])}, {min(height, side) for side in nearest(whole[1])}
    return cut, whole[0] * whole[1]


# ------------------------------------------------------------------------------ any request

_long = st.integers(1, 3000)
_sources = st.tuples(_long, _long) | st.tuples(st.integers(1, 3), _long) | st.tuples(_long, st.integers(1, 3))


@st.composite
def crops_inside(draw: st.DrawFn, source: Size) -> Crop:
    """Pixels or percent of `source`; now and then a pixel outside it."""
    if draw(st.booleans()):
        return draw(strategies.crops().filter(lambda crop: crop.percent))
    edges = []
    for whole in source:
        first = draw(st.integers(0, whole - 1))
        outside = draw(st.sampled_from([False] * 9 + [True]))
        edges.append((first, whole + 1 if outside else draw(st.integers(first + 1, whole))))
    (x1, x2), (y1, y2) = edges
    return Crop(x1, y1, x2, y2)


@st.composite
def requests(draw: st.DrawFn, largest_side: int, largest_dpr: int) -> tuple[Size, Transform]:
    """A size of the source, and whatever of a transform has to do with sizes."""
    source = draw(_sources)
    side = st.none() | st.integers(1, largest_side)
    transform = Transform(
        width=draw(side),
        height=draw(side),
        fit=draw(st.sampled_from(Fit)),
        upscale=draw(st.none() | st.booleans()),
        dpr=draw(st.just(1.0) | strategies.decimals(1, largest_dpr)),
        crop=draw(st.none() | crops_inside(source)),
        gravity=draw(strategies.gravities),
        rotate=draw(st.sampled_from([0, 0, 90, 180, 270])),
        flip=draw(st.booleans()),
        padding=draw(st.just(Padding(0, 0, 0, 0)) | st.builds(Padding, *[st.integers(0, 40)] * 4)),
    )
    return source, transform


def refusal(source: Size, transform: Transform, limits: OutputLimits) -> set[type[Exception] | None]:
    """What may be answered instead of a picture, and whether it must be (None: a picture)."""
    promise = promised(source, transform)
    if promise is None:
        return {BadFilter}
    answers: set[type[Exception] | None] = {SizeOverLimit if over else None for over in promise.over(limits)}
    if isinstance(transform.gravity, Attention) and promise.cut_from > limits.pixels * Fraction(99, 100):
        answers.add(SizeOverLimit)
    return answers


def answered(act: Callable[[], Answer]) -> Answer | type[Exception]:
    """What `act` returns, or the error that it raises."""
    try:
        return act()
    except (BadFilter, SizeOverLimit) as refused:
        return type(refused)


def assert_allowed(answer: object, source: Size, transform: Transform, limits: OutputLimits) -> None:
    """Fails where an expected picture was refused, or one over the limits was made."""
    allowed = refusal(source, transform, limits)
    assert (answer if isinstance(answer, type) else None) in allowed


def sizes_of(source: Size, transform: Transform) -> frozenset[Size]:
    promise = promised(source, transform)
    assert promise is not None
    return promise.sizes


@settings(max_examples=examples(500))
@given(requests(3000, 4))
@example(((3000, 1), Transform(1, 3000)))
@example(((1, 3000), Transform(3000, 1, fit=Fit.CONTAIN, upscale=True)))
@example(((1, 1), Transform(dpr=4, upscale=True, rotate=90, padding=Padding(1, 2, 3, 4))))
@example(((3000, 3000), Transform(5120, 5120)))
@example(((3000, 3000), Transform(5121, 1)))
@example(((2999, 7), Transform(height=1, fit=Fit.FILL, crop=Crop(0.01, 0, 0.02, 100, percent=True))))
@example(((100, 100), Transform(100, dpr=1.005, upscale=True)))
def test_what_is_planned_is_what_was_promised(request: tuple[Size, Transform]) -> None:
    source, transform = request
    layout = answered(lambda: within_limits(plan(source, transform)))
    assert_allowed(layout, source, transform, OutputLimits())
    if isinstance(layout, Layout):
        assert layout.output in sizes_of(source, transform)


def within_limits(layout: Layout) -> Layout:
    OutputLimits().check_layout(layout)
    return layout


# ------------------------------------------------------------------------------ rendered pictures

# What is rendered here is kept small, by the limits as by the requests.
LIMITS = RenderLimits(output=OutputLimits(side=900, pixels=300_000))
COLOR = (60, 130, 190)
KINDS = ("PNG", "JPEG", "progressive", "turned", "WEBP", "GIF")


@functools.lru_cache(maxsize=64)
def plain(source: Size, kind: str) -> bytes:
    """A picture of one color that shows `source` pixels."""
    width, height = source
    if kind == "PNG":
        return encoded(Image.new("RGB", source, COLOR), "PNG", compress_level=1)
    if kind == "WEBP":
        return encoded(Image.new("RGB", source, COLOR), "WEBP", quality=95, method=0)
    if kind == "GIF":
        return encoded(Image.new("RGB", source, COLOR), "GIF")
    if kind == "turned":
        exif = Image.Exif()
        exif[0x0112] = 6
        return encoded(Image.new("RGB", (height, width), COLOR), "JPEG", quality=95, exif=exif)
    return encoded(Image.new("RGB", source, COLOR), "JPEG", quality=95, progressive=kind == "progressive")


def made(data: bytes, transform: Transform, limits: RenderLimits = LIMITS) -> Image.Image:
    return decoded(Renderer().render(data, transform, limits).body)


@settings(max_examples=examples(150), suppress_health_check=[HealthCheck.too_slow])
@given(requests(500, 2), st.sampled_from(KINDS), st.sampled_from(["png", "png", "jpeg", "webp"]))
@example(((3000, 3000), Transform(100, 100)), "JPEG", "png")
@example(((3000, 1), Transform(100, 100)), "JPEG", "png")
@example(((1, 3000), Transform(100, 100)), "PNG", "png")
@example(((1, 3000), Transform(width=300)), "WEBP", "png")
@example(((3000, 1), Transform(height=300, upscale=True)), "GIF", "png")
@example(((3000, 1), Transform(20, 20, fit=Fit.FILL)), "turned", "png")
@example(((1, 1), Transform(400, 300)), "JPEG", "png")
@example(((2999, 1999), Transform(333, 333)), "turned", "jpeg")
@example(((1, 2999), Transform(300, 1, gravity=Attention.SMART)), "PNG", "png")
def test_what_is_rendered_is_what_was_promised(request: tuple[Size, Transform], kind: str, output: str) -> None:
    source, transform = request
    transform = replace(transform, format=output, quality=None if output == "png" else 95)
    image = answered(lambda: made(plain(source, kind), transform))
    assert_allowed(image, source, transform, LIMITS.output)
    if isinstance(image, Image.Image):
        assert image.size in sizes_of(source, transform)
        assert max(image.size) <= LIMITS.output.side
        assert image.width * image.height <= LIMITS.output.pixels
        assert output != "png" or shows_one_color(image)


def shows_one_color(image: Image.Image) -> bool:
    """Whether what is opaque has the color of the source everywhere: no row is missing, none is from elsewhere."""
    rgba = image.convert("RGBA")
    opaque = rgba.getchannel("A").point(lambda alpha: 255 if alpha == 255 else 0)
    extrema = ImageStat.Stat(rgba.convert("RGB"), mask=opaque).extrema
    return opaque.getbbox() is not None and all(
        abs(level - wanted) <= 4 for levels, wanted in zip(extrema, COLOR, strict=True) for level in levels
    )


@pytest.mark.parametrize("attention", list(Attention))
@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
@pytest.mark.parametrize("source", [(640, 480), (37, 500), (500, 37), (1, 700), (700, 1), (9, 9)])
def test_a_crop_by_attention_has_the_requested_size(source: Size, kind: str, attention: Attention) -> None:
    data = encoded(pictures.noise(*source), kind)
    for target in ((100, 100), (300, 20), (20, 300), (1, 1), (64, 48), (333, 1), (1, 333)):
        transform = Transform(*target, "png", gravity=attention)
        promise = promised(source, transform)
        assert promise is not None
        if promise.cut_from <= 2_000_000:
            limits = RenderLimits(output=OutputLimits(pixels=2_100_000))
            assert made(data, transform, limits).size == target, target
            assert promise.sizes == {target}


# ------------------------------------------------------------------------------- focal points

_points = st.builds(Focus, strategies.decimals(0, 1), strategies.decimals(0, 1))


def pixel_of(fraction: float, length: int) -> int:
    """The pixel on which a point lies; the far edge belongs to the last one."""
    return min(int(exact(fraction) * length), length - 1)


@settings(max_examples=examples(300))
@given(requests(3000, 4), _points)
@example(((3000, 2), Transform(1, 2999)), Focus(1, 1))
@example(((3, 3000), Transform(3000, 1)), Focus(0.999999, 0.5))
def test_the_pixel_under_a_focal_point_is_in_the_window(request: tuple[Size, Transform], focus: Focus) -> None:
    """Whatever the fit, and within a crop too: the point is one of the part that is shown."""
    source, transform = request
    try:
        layout = plan(source, replace(transform, gravity=focus))
    except BadFilter:
        assume(False)
        raise
    window, scaled = layout.window, layout.scaled
    assert window.left <= pixel_of(focus.x, scaled[0]) < window.left + window.width
    assert window.top <= pixel_of(focus.y, scaled[1]) < window.top + window.height


@functools.lru_cache(maxsize=64)
def marked(source: Size, x: int, y: int, radius: int, kind: str) -> bytes:
    """A dark picture with a bright square around pixel (x, y)."""
    image = Image.new("RGB", source, (20, 30, 40))
    image.paste((250, 240, 60), (max(x - radius, 0), max(y - radius, 0), x + radius + 1, y + radius + 1))
    return encoded(image, kind, **({"quality": 95} if kind == "JPEG" else {"compress_level": 1}))


@settings(max_examples=examples(60), suppress_health_check=[HealthCheck.too_slow])
@given(
    st.tuples(st.integers(200, 1600), st.integers(200, 1600)),
    st.tuples(st.integers(40, 400), st.integers(40, 400)),
    _points,
    st.sampled_from(["PNG", "JPEG"]),
    st.booleans(),
)
@example((1600, 200), (40, 400), Focus(0, 0.5), "JPEG", True)
@example((200, 1600), (400, 40), Focus(0.5, 1), "PNG", True)
@example((1600, 1600), (400, 40), Focus(0.31, 0.62), "JPEG", False)
def test_a_mark_at_the_focal_point_is_in_the_thumbnail(
    source: Size, target: Size, focus: Focus, kind: str, upscale: bool
) -> None:
    x, y = pixel_of(focus.x, source[0]), pixel_of(focus.y, source[1])
    ratio = max(target[0] / source[0], target[1] / source[1])
    # Three pixels of the thumbnail to each side of the point, and no less in the source.
    radius = max(3, int(3 / ratio) + 1)
    image = made(marked(source, x, y, radius, kind), Transform(*target, "png", gravity=focus, upscale=upscale))
    # Of the mark, whose middle is the point, a quarter at least is in the frame, however near to a corner that is.
    assert brightness(image)[0] > 230
    assert brightness(image)[1] >= 4


def brightness(image: Image.Image) -> tuple[int, int]:
    """The highest level of red, and how many pixels have more than half of it."""
    levels = image.convert("RGB").getchannel("R").histogram()
    return max(level for level, count in enumerate(levels) if count), sum(levels[128:])


def test_without_its_gravity_a_mark_in_a_corner_is_cut_off() -> None:
    """The test of the mark proves something only if a wrong crop loses it."""
    data = marked((1600, 200), 20, 100, 10, "PNG")
    for gravity, seen in ((Focus(20 / 1600, 0.5), True), (Compass.CENTER, False), (Focus(0.5, 0.5), False)):
        image = made(data, Transform(100, 100, "png", gravity=gravity))
        assert (brightness(image)[0] > 230) == seen


@pytest.mark.parametrize("side", [1, 2, 3])
@pytest.mark.parametrize("long", [6, 60])
def test_a_narrow_lossy_webp_keeps_its_color(side: int, long: int) -> None:
    for size in ((side, long), (long, side)):
        data = encoded(Image.new("RGB", size, (200, 30, 30)), "webp")
        for percent in (30, 60, 70, 80, 95):
            width, height = (max(1, side * percent // 100) for side in size)
            transform = Transform(width, height, format="png", fit=Fit.STRETCH)
            red, green, _ = made(data, transform).convert("RGB").tobytes()[:3]
            assert (abs(red - 200) < 20, green < 60) == (True, True), (size, width, height)
