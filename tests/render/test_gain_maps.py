"""The gain map of a JPEG follows into a JPEG of a part of it, turned or not, where the setting says so."""

from functools import cache

import pytest
from PIL import Image, ImageOps

from tests.support.gain_maps import read_ultra_hdr, ultra_hdr
from tests.support.pictures import decoded, encoded, noise, quarters, turned
from tests.support.pixels import LIMITS, difference
from thumbs.errors import ThumbError
from thumbs.image.encoding import Encoding
from thumbs.image.transforms import WHITE, Attention, Crop, Fit, Focus, Padding, Transform, Trim
from thumbs.render.containers.gain_map import GainMap, read_gain_map, with_gain_map
from thumbs.render.renderer import Renderer
from thumbs.request.filters import build_filters

KEEPING = Renderer(settings=Encoding(keep_gain_map=True))
SIZE, MAP_SIZE = (600, 400), (300, 200)


def scene() -> Image.Image:
    """Four colors and a mark near one corner."""
    image = quarters(*SIZE)
    image.paste((10, 10, 10), (40, 30, 200, 120))
    return image


def gains() -> Image.Image:
    """A map of the scene: the same in gray, so that both can be compared."""
    return scene().convert("L").resize(MAP_SIZE, Image.Resampling.BOX)


@cache
def original() -> bytes:
    return ultra_hdr(scene(), gains())


def made(transform: Transform, data: bytes = b"") -> bytes:
    return KEEPING.render(data or original(), transform, LIMITS).body


@pytest.mark.parametrize(
    "transform",
    [
        Transform(300, None, "jpeg", 90),
        Transform(200, 200, "jpeg", 90),
        Transform(200, 200, "jpeg", 90, gravity=Focus(0.1, 0.2)),
        Transform(100, 100, "jpeg", 90, gravity=Attention.SMART),
        Transform(200, 200, "jpeg", 90, fit=Fit.STRETCH),
        Transform(200, 200, "jpeg", 90, fit=Fit.CONTAIN),
        Transform(None, None, "jpeg", 90),
        Transform(None, None, "jpeg", 90, crop=Crop(31, 21, 231, 151)),
        Transform(150, None, "jpeg", 90, crop=Crop(5, 5, 50, 50, percent=True), rotate=90),
        Transform(150, None, "jpeg", 90, rotate=180, flip=True),
        Transform(150, None, "jpeg", 90, rotate=270, flop=True),
        Transform(150, None, "jpeg", 90, linear=True, dpr=2),
        Transform(900, None, "jpeg", 90, upscale=True),
    ],
    ids=build_filters,
)
def test_the_map_shows_what_the_thumbnail_shows(transform: Transform) -> None:
    found = read_ultra_hdr(made(transform))
    assert found is not None
    assert found.picture.size == decoded(Renderer().render(original(), transform, LIMITS).body).size
    shown = found.picture.convert("L").resize(found.map.size, Image.Resampling.BOX)
    assert difference(shown, found.map) < 4
    whole = read_ultra_hdr(original())
    assert whole is not None
    assert found.said == whole.said


@pytest.mark.parametrize("orientation", range(1, 9))
def test_it_is_turned_with_the_picture(orientation: int) -> None:
    found = read_gain_map(original())
    assert found is not None
    exif = Image.Exif()
    exif[0x0112] = orientation
    stored = encoded(turned(scene(), orientation), "JPEG", quality=95, exif=exif.tobytes())
    picture = encoded(turned(gains(), orientation), "JPEG", quality=95)
    data = with_gain_map(stored, GainMap(picture, found.xmp, found.iso))
    upright = read_ultra_hdr(made(Transform(300, 200, "jpeg", 90), data))
    assert upright is not None
    assert upright.map.size == (150, 100)
    assert difference(upright.map, gains().resize((150, 100), Image.Resampling.BOX)) < 4


@pytest.mark.parametrize(
    "transform",
    [
        Transform(300, None, "png"),
        Transform(300, None, "webp", 80),
        Transform(300, None, "jpeg", 80, grayscale=True),
        Transform(300, None, "jpeg", 80, brightness=1),
        Transform(300, None, "jpeg", 80, blur=1),
        Transform(300, None, "jpeg", 80, sharpen=1),
        Transform(300, None, "jpeg", 80, background=WHITE),
        Transform(300, None, "jpeg", 80, padding=Padding(1, 1, 1, 1)),
        Transform(300, 300, "jpeg", 80, fit=Fit.FILL),
        Transform(300, None, "jpeg", 80, max_bytes=100_000),
    ],
    ids=build_filters,
)
def test_it_does_not_follow_into_anything_else(transform: Transform) -> None:
    assert made(transform) == Renderer().render(original(), transform, LIMITS).body


def test_it_follows_only_where_the_setting_says_so() -> None:
    transform = Transform(300, None, "jpeg", 80)
    assert read_gain_map(Renderer().render(original(), transform, LIMITS).body) is None
    assert read_gain_map(made(transform)) is not None


def test_the_picture_is_that_without_a_map() -> None:
    transform = Transform(300, None, "jpeg", 80)
    plain = decoded(Renderer().render(original(), transform, LIMITS).body)
    assert decoded(made(transform)).tobytes() == plain.tobytes()


def test_a_picture_without_a_map_stays_as_it_is() -> None:
    data, transform = encoded(scene(), "JPEG"), Transform(300, None, "jpeg", 80)
    assert made(transform, data) == Renderer().render(data, transform, LIMITS).body


def test_margins_are_trimmed_of_both() -> None:
    framed, map_framed = ImageOps.expand(scene(), 60, "white"), ImageOps.expand(gains(), 30, "white")
    found = read_ultra_hdr(made(Transform(300, None, "jpeg", 90, trim=Trim(20)), ultra_hdr(framed, map_framed)))
    assert found is not None
    assert difference(found.map, gains().resize(found.map.size, Image.Resampling.BOX)) < 6


def test_a_map_of_three_channels_follows_where_the_picture_is_in_srgb() -> None:
    colored = ultra_hdr(scene(), scene().resize(MAP_SIZE))
    found = read_ultra_hdr(made(Transform(300, None, "jpeg", 90), colored))
    assert found is not None
    assert found.map.mode == "RGB"
    assert difference(found.map, scene().resize(found.map.size)) < 8


@pytest.mark.parametrize("picture", [b"\xff\xd8\xff\xd9", noise(2, 2).tobytes(), encoded(noise(90, 60), "JPEG")[:900]])
def test_a_map_that_cannot_be_decoded_is_left_out(picture: bytes) -> None:
    found = read_gain_map(original())
    assert found is not None
    data = original().replace(found.picture, picture.ljust(len(found.picture), b"\0"))
    transform = Transform(300, None, "jpeg", 80)
    assert made(transform, data) == Renderer().render(data, transform, LIMITS).body


def test_a_map_with_more_pixels_than_the_picture_is_left_out() -> None:
    found = read_gain_map(original())
    assert found is not None
    data = with_gain_map(encoded(scene(), "JPEG"), GainMap(encoded(noise(601, 401), "JPEG"), found.xmp, found.iso))
    assert read_gain_map(made(Transform(300, None, "jpeg", 80), data)) is None


def test_a_proxy_does_not_take_it_away() -> None:
    data = ultra_hdr(quarters(2600, 1800), quarters(650, 450).convert("L"))
    transform = Transform(300, None, "jpeg", 80)
    packed = KEEPING.make_proxy(data, LIMITS)
    assert packed
    assert KEEPING.render_proxy(packed, transform, LIMITS) is None
    assert KEEPING.render_proxy(packed, Transform(300, None, "webp", 80), LIMITS) is not None
    assert Renderer().render_proxy(packed, transform, LIMITS) is not None
    plain = KEEPING.make_proxy(encoded(quarters(2600, 1800), "JPEG"), LIMITS)
    assert KEEPING.render_proxy(plain, transform, LIMITS) is not None


def test_no_truncated_file_gets_one() -> None:
    found = read_gain_map(original())
    assert found is not None
    for end in (len(original()) - len(found.picture) - 500, len(original()) - 1):
        try:
            body = made(Transform(300, None, "jpeg", 80), original()[:end])
        except ThumbError:
            continue
        assert read_gain_map(body) is None
