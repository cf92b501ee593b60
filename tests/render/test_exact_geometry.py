"""Geometry of pixels: each pixel of a thumbnail is the mean around its exact place in the source."""

import functools
import io

import pytest
import pyvips
from hypothesis import HealthCheck, Phase, assume, example, given, settings
from hypothesis import strategies as st
from PIL import Image, ImageChops

from tests.support import pictures, strategies
from tests.support.pictures import decoded, encoded
from tests.support.pixels import LIMITS, picture
from tests.support.ramps import Place, off, original, places, ramps
from tests.support.strategies import examples
from thumbs.image.formats import FORMATS
from thumbs.image.geometry import Size
from thumbs.image.transforms import ALL_FRAMES, Compass, Crop, Fit, Focus, Transform, Trim
from thumbs.render.renderer import Renderer

RENDERER = Renderer(inputs=frozenset(FORMATS))
# Output pixels. Near an edge of the source, the kernel reads copies of the outermost pixels.
ALLOWED, ALLOWED_AT_EDGES = 0.1, 0.15
# These have other levels than were drawn: an output pixel is at least 18 levels long.
BY_LOSS = {"avif": 0.05, "lossy": 0.02}
KINDS = (
    "jpeg",
    *(f"jpeg-{turn}" for turn in range(2, 9)),
    "png",
    "transparent",
    "webp",
    "lossy",
    "svg",
    "tiff",
    "avif",
)


@st.composite
def requests(draw: st.DrawFn) -> tuple[Size, Transform]:
    """A source, and a size with a scale for each axis, from twice as large to 1/24."""
    source = draw(st.tuples(st.integers(150, 1700), st.integers(150, 1700)))
    scale = draw(st.floats(0.5, 4) | st.floats(4, 24))
    other = scale * draw(st.sampled_from([1, 1]) | st.floats(0.7, 1.5))
    width, height = max(1, round(source[0] / scale)), max(1, round(source[1] / other))
    crop = None
    if draw(st.integers(0, 3)) == 0:
        left, top = draw(st.integers(0, source[0] // 2)), draw(st.integers(0, source[1] // 2))
        right = draw(st.integers(left + source[0] // 3, source[0]))
        crop = Crop(left, top, right, draw(st.integers(top + source[1] // 3, source[1])))
    points = st.builds(Focus, strategies.decimals(0, 1), strategies.decimals(0, 1))
    sides = draw(st.sampled_from([(width, height), (width, height), (width, None), (None, height)]))
    return source, Transform(
        *sides,
        "png",
        fit=draw(st.sampled_from([Fit.COVER, Fit.COVER, Fit.CONTAIN, Fit.STRETCH])),
        gravity=draw(st.sampled_from([*Compass]) | points),
        crop=crop,
        upscale=draw(st.sampled_from([None, None, True, False])),
    )


def rendered(kind: str, source: Size, transform: Transform) -> tuple[Image.Image, Place, Place]:
    x, y = places(source, transform)
    return decoded(RENDERER.render(original(kind, x, y), transform, LIMITS).body), x, y


@settings(
    max_examples=examples(120),
    suppress_health_check=[HealthCheck.too_slow],
    phases=(Phase.explicit, Phase.reuse, Phase.generate),  # an example takes too long to look for smaller ones
)
@given(requests(), st.sampled_from(KINDS))
@example(((1800, 1200), Transform(500, 300, "png")), "png")
@example(((1800, 1200), Transform(500, 300, "png")), "webp")
@example(((1503, 1207), Transform(90, 70, "png")), "jpeg")
@example(((1503, 1207), Transform(200, 150, "png")), "jpeg-6")
@example(((1207, 1503), Transform(150, 200, "png", fit=Fit.STRETCH)), "jpeg-3")
@example(((1007, 1509), Transform(25, None, "png")), "jpeg-8")
@example(((403, 1629), Transform(18, 53, "png", fit=Fit.STRETCH)), "svg")
@example(((615, 309), Transform(171, 53, "png", fit=Fit.CONTAIN)), "svg")
@example(((400, 300), Transform(800, 500, "png")), "png")
def test_each_pixel_is_the_mean_around_its_place(request: tuple[Size, Transform], kind: str) -> None:
    # Where ramps are enlarged more, a level is more than 0.1 pixels.
    assume(all(place.count <= 2500 and place.factor >= 0.45 for place in places(*request)))
    image, x, y = rendered(kind, *request)
    more = BY_LOSS.get(kind, 0.0)
    assert off(image, x, y, gray=kind == "lossy") <= ALLOWED + more
    if min(x.factor, y.factor) > 1.5 and inside(x) and inside(y):
        assert off(image, x, y, edges=True, gray=kind == "lossy") <= ALLOWED_AT_EDGES + more


def inside(place: Place) -> bool:
    """Whether a thumbnail shows no more than there is: a side that is rounded up may show half a pixel more."""
    return place.start >= place.low - 0.05 * place.factor and place.end <= place.high + 0.05 * place.factor


@pytest.mark.parametrize("factor", [8, 12, 16, 18, 22, 30, 40])
def test_a_jpeg_of_any_size_keeps_its_last_rows_and_columns(factor: int) -> None:
    for more in range(8):
        source = 1200 + more, 1200 + 3 * more
        image, x, y = rendered("jpeg", source, Transform(source[0] // factor, None, "png"))
        assert off(image, x, y) <= ALLOWED, source
        if inside(x) and inside(y):
            assert off(image, x, y, edges=True) <= ALLOWED_AT_EDGES, source


@pytest.mark.parametrize("kind", ["png", "png-5", "transparent", "svg"])
@pytest.mark.parametrize("times", [1.5, 2, 3, 4.3])
def test_what_is_enlarged_stays_in_its_place(kind: str, times: float) -> None:
    for transform in (
        Transform(round(200 * times), None, "png", upscale=True),
        Transform(round(200 * times), round(90 * times), "png", gravity=Compass.SOUTHEAST),
        Transform(round(200 * times), 40, "png", fit=Fit.STRETCH),
    ):
        image, x, y = rendered(kind, (200, 130), transform)
        assert off(image, x, y) <= ALLOWED


@functools.cache
def large_noise(mode: str) -> bytes:
    image = pictures.noise(1801, 1203).convert(mode)
    if mode == "RGBA":
        image.putalpha(pictures.noise(1801, 1203, seed=2).convert("L"))
    return encoded(image, "PNG", compress_level=1)


@pytest.mark.parametrize("size", [(500, 300), (299, 300), (77, 301), (450, 1), (1, 450)])
@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L"])
def test_a_centered_crop_is_that_of_libvips(size: Size, mode: str) -> None:
    data = large_noise(mode)
    own = pyvips.Image.thumbnail_buffer(data, size[0], height=size[1], crop="centre").write_to_buffer(".png")
    made = picture(data, Transform(*size, "png"))
    assert ImageChops.difference(made.convert("RGBA"), decoded(own).convert("RGBA")).getextrema() == ((0, 0),) * 4


@pytest.mark.parametrize("size", [(100, None), (203, 90), (37, 41)])
def test_what_is_left_after_trimming_stays_in_its_place(size: Size) -> None:
    source, crop = (900, 700), Crop(33, 51, 842, 655)
    wanted = Transform(*size, "png", crop=crop)
    x, y = places(source, wanted)
    image = Image.new("RGB", source, (0, 0, 255))
    image.paste(ramps(x, y).crop(crop.edges), (33, 51))
    made = picture(encoded(image, "PNG"), Transform(*size, "png", trim=Trim(5)))
    assert off(made, x, y) <= ALLOWED


@pytest.mark.parametrize("kind", ["gif", "webp"])
@pytest.mark.parametrize(
    ("size", "crop"), [((101, None), None), ((97, 64), None), ((64, 97), None), ((50, 64), Crop(31, 40, 391, 298))]
)
def test_frames_stay_in_their_place(kind: str, size: Size, crop: Crop | None) -> None:
    x, y = places((407, 301), Transform(*size, crop=crop))
    frames = [ramps(x, y, gray=True).convert("L"), ramps(x, y, gray=True).convert("L").point(lambda value: value // 2)]
    options = {"lossless": True} if kind == "webp" else {}
    data = encoded(frames[0], kind, save_all=True, append_images=frames[1:], duration=40, **options)
    transform = Transform(*size, "webp", 100, crop=crop, frames=ALL_FRAMES)
    made = Image.open(io.BytesIO(RENDERER.render(data, transform, LIMITS).body))
    assert made.n_frames == 2  # type: ignore[attr-defined]
    assert off(made, x, y, gray=True) <= ALLOWED


@pytest.mark.parametrize(
    ("kind", "source"),
    [
        ("jpeg", (2999, 1999)),
        ("jpeg", (5001, 1603)),
        ("jpeg-6", (2405, 3003)),
        ("png", (3301, 703)),
        ("webp", (3073, 901)),
    ],
)
def test_a_thumbnail_of_a_proxy_shows_each_pixel_in_its_place(kind: str, source: Size) -> None:
    for transform in (
        Transform(150, 100, "png"),
        Transform(211, None, "png"),
        Transform(90, 120, "png", gravity=Compass.SOUTHEAST),
        Transform(160, 30, "png", crop=Crop(101, 55, 2303, 553)),
        Transform(140, 73, "png", fit=Fit.STRETCH),
    ):
        x, y = places(source, transform)
        packed = RENDERER.make_proxy(original(kind, x, y), LIMITS)
        made = RENDERER.render_proxy(packed, transform, LIMITS)
        if made is not None:
            assert off(decoded(made.body), x, y) <= ALLOWED, transform
        assert made is not None or transform.width != 150
