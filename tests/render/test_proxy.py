"""Originals that are reduced once: what is made of them is what is made of the originals themselves."""

import math
from dataclasses import replace

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from PIL import Image, ImageChops, ImageStat

from tests.support import pictures, strategies
from tests.support.exif import with_thumbnail
from tests.support.pictures import decoded, encoded, stored_turned
from tests.support.pixels import difference, near
from tests.support.strategies import examples
from thumbs.errors import BadFilter, SizeOverLimit, SourceBroken, SourceOverLimit
from thumbs.image.encoding import Encoding
from thumbs.image.geometry import plan
from thumbs.image.transforms import Attention, Color, Crop, Fit, Transform
from thumbs.render.proxy import Proxy
from thumbs.render.renderer import Renderer
from thumbs.render.values import RenderLimits, SourceLimits

LIMITS = RenderLimits()
RENDERER = Renderer()


@pytest.fixture(scope="module")
def photo() -> bytes:
    """A picture of 8 megapixels with large and small things in it, as smooth as photographs are."""
    image = pictures.noise(3200, 2400)
    image.paste(pictures.quarters(1600, 1200), (800, 600))
    return encoded(image, "JPEG", quality=95)


@pytest.fixture(scope="module")
def proxy(photo: bytes) -> bytes:
    return RENDERER.make_proxy(photo, LIMITS)


def psnr(one: Image.Image, other: Image.Image) -> float:
    """Peak signal to noise in dB over all channels."""

    squares = [
        level**2 for level in ImageStat.Stat(ImageChops.difference(one.convert("RGB"), other.convert("RGB"))).rms
    ]
    return 10 * math.log10(255**2 / max(sum(squares) / 3, 1e-9))


@pytest.mark.parametrize(
    "transform",
    [
        Transform(100, 75, "png"),
        Transform(320, 240, "png"),
        Transform(400, 100, "png"),
        Transform(800, 600, "png"),
        Transform(640, None, "png"),
        Transform(200, 200, "png", fit=Fit.FILL, fill=Color(1, 2, 3)),
        Transform(120, 90, "png", crop=Crop(800, 600, 2400, 1800)),
        Transform(120, 90, "png", crop=Crop(10, 10, 90, 90, percent=True)),
        Transform(150, 150, "png", rotate=90, grayscale=True),
    ],
)
def test_a_thumbnail_of_a_proxy_is_that_of_the_original(photo: bytes, proxy: bytes, transform: Transform) -> None:
    direct = RENDERER.render(photo, transform, LIMITS)
    made = RENDERER.render_proxy(proxy, transform, LIMITS)
    assert made is not None
    assert decoded(made.body).size == decoded(direct.body).size
    assert psnr(decoded(made.body), decoded(direct.body)) > 45


def test_a_detailed_picture_differs_by_less_than_can_be_seen() -> None:
    large = encoded(pictures.scene(3600, 2400), "JPEG", quality=92)
    packed = RENDERER.make_proxy(large, LIMITS)
    for width in (100, 200, 300, 400, 500, 600, 700, 800, 900):
        transform = Transform(width, None, "png")
        made = RENDERER.render_proxy(packed, transform, LIMITS)
        assert made is not None
        assert psnr(decoded(made.body), decoded(RENDERER.render(large, transform, LIMITS).body)) > 45


@settings(max_examples=examples(60))
@given(strategies.transforms(effects=True))
def test_any_thumbnail_of_a_proxy_has_the_size_of_the_originals_own(transform: Transform) -> None:
    data = _large_drawing()
    assume(transform.trim is None and transform.watermark is None and transform.frames == 1)
    assume((transform.blur or 0) < 5 and (transform.sharpen or 0) < 5)
    transform = _with_output(transform)
    try:
        made = RENDERER.render_proxy(RENDERER.make_proxy(data, LIMITS), transform, LIMITS)
        layout = plan((2600, 1800), transform)
    except (BadFilter, SizeOverLimit):
        return
    if made is not None:
        assert decoded(made.body).size == layout.output


def _with_output(transform: Transform) -> Transform:
    return replace(transform, format="png", quality=None, max_bytes=None, fill=None)


_drawing: list[bytes] = []


def _large_drawing() -> bytes:
    if not _drawing:
        _drawing.append(encoded(pictures.quarters(2600, 1800), "JPEG", quality=90))
    return _drawing[0]


def test_what_needs_more_pixels_than_there_are_is_left_to_the_original(proxy: bytes) -> None:
    have = Proxy.unpack(proxy).image.width
    assert have == 1600
    assert RENDERER.render_proxy(proxy, Transform(800, 600, "png"), LIMITS) is not None
    assert RENDERER.render_proxy(proxy, Transform(801, 600, "png"), LIMITS) is None
    assert RENDERER.render_proxy(proxy, Transform(100, 75, "png", crop=Crop(0, 0, 200, 150)), LIMITS) is None


@pytest.mark.parametrize("name", ["PNG", "GIF", "JPEG"])
def test_what_is_small_already_is_not_reduced(name: str) -> None:
    image = pictures.quarters(2300 if name == "JPEG" else 3000, 1500)
    assert RENDERER.make_proxy(encoded(image, name), LIMITS) == b""


def test_a_large_png_keeps_its_transparency() -> None:
    image = Image.new("RGBA", (3200, 2000), (200, 30, 30, 128))
    image.paste((0, 0, 0, 0), (1600, 0, 3200, 2000))
    packed = RENDERER.make_proxy(encoded(image, "PNG", compress_level=1), LIMITS)
    made = RENDERER.render_proxy(packed, Transform(100, None, "png"), LIMITS)
    assert made is not None
    picture = decoded(made.body)
    assert picture.getpixel((90, 30)) == (0, 0, 0, 0)
    assert near(picture.getpixel((10, 30)), (200, 30, 30, 128), by=3)


def test_a_gray_original_stays_gray() -> None:
    data = encoded(pictures.noise(2600, 1800).convert("L"), "JPEG")
    made = RENDERER.render_proxy(RENDERER.make_proxy(data, LIMITS), Transform(100, 80, "png"), LIMITS)
    assert made is not None
    assert decoded(made.body).mode == "L"


@pytest.mark.parametrize("orientation", range(1, 9))
def test_all_orientations_of_an_original_are_reduced_to_the_same(orientation: int) -> None:
    upright = pictures.quarters(2600, 1800)
    packed = RENDERER.make_proxy(stored_turned(upright, orientation), LIMITS)
    made = RENDERER.render_proxy(packed, Transform(130, 90, "png"), LIMITS)
    assert made is not None
    assert difference(decoded(made.body), upright.resize((130, 90), Image.Resampling.LANCZOS)) < 2


def test_attention_works_on_the_proxy(photo: bytes, proxy: bytes) -> None:
    for attention in Attention:
        transform = Transform(100, 300, "png", gravity=attention)
        made = RENDERER.render_proxy(proxy, transform, LIMITS)
        assert made is not None
        assert psnr(decoded(made.body), decoded(RENDERER.render(photo, transform, LIMITS).body)) > 30


def test_the_copyright_comes_along_when_it_is_to_be_kept_and_no_exif_thumbnail(photo: bytes) -> None:
    exif = Image.Exif()
    exif[0x8298] = "Jane"
    small = encoded(pictures.noise(40, 30), "JPEG", comment="what was cropped away")
    data = encoded(decoded(photo), "JPEG", exif=with_thumbnail(exif.tobytes(), small))
    renderer = Renderer(settings=Encoding(keep_copyright=True))
    made = renderer.render_proxy(renderer.make_proxy(data, LIMITS), Transform(100, 75, "jpeg", 80), LIMITS)
    assert made is not None
    assert decoded(made.body).getexif()[0x8298] == "Jane"
    assert b"what was cropped away" in data
    assert b"what was cropped away" not in made.body


def test_limits_hold_before_anything_is_reduced(photo: bytes) -> None:
    with pytest.raises(SourceOverLimit):
        RENDERER.make_proxy(photo, RenderLimits(source=SourceLimits(pixels=3200 * 2400 - 1)))
    with pytest.raises(SourceBroken):
        RENDERER.make_proxy(photo[: len(photo) // 2], LIMITS)


@pytest.mark.parametrize("change", [lambda packed: packed[:-1], lambda packed: b"x" + packed[1:], lambda _: b"MRD1"])
def test_what_is_no_proxy_is_refused(proxy: bytes, change: object) -> None:
    with pytest.raises(SourceBroken):
        RENDERER.render_proxy(change(proxy), Transform(10, 10, "png"), LIMITS)  # type: ignore[operator]


@settings(max_examples=examples(30))
@given(st.binary(max_size=100))
def test_no_bytes_at_all_are_taken_for_a_proxy(packed: bytes) -> None:
    with pytest.raises(SourceBroken):
        Proxy.unpack(packed)
