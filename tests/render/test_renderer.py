"""Pixels: every thumbnail is what Pillow or plain arithmetic makes of the same picture."""

import functools
import random
import time
from dataclasses import replace

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from PIL import Image, ImageChops, ImageCms, ImageStat
from PIL.PngImagePlugin import PngInfo

from tests.support import pictures, strategies
from tests.support.pictures import BLUE, GREEN, RED, WHITE, decoded, encoded
from tests.support.pixels import Pixel, difference, near, picture, rendered
from tests.support.strategies import examples
from thumbs.errors import (
    BadFilter,
    RenderTimeout,
    SizeOverLimit,
    SourceOverLimit,
)
from thumbs.image.formats import sniff
from thumbs.image.geometry import Layout, Size, plan
from thumbs.image.transforms import ALL_FRAMES, TRANSPARENT, Attention, Color, Compass, Crop, Fit, Focus, Transform
from thumbs.render.values import RenderLimits, SourceLimits

OPAQUE_WHITE = (255, 255, 255)


@pytest.fixture(scope="module")
def quarters() -> bytes:
    return encoded(pictures.quarters(), "PNG")


# -------------------------------------------------------------------------- any transform at all


SMOOTH = Image.frombytes("RGB", (4, 3), random.Random(3).randbytes(36)).resize((240, 180), Image.Resampling.BICUBIC)
SOURCES = ("png", "webp", *(f"jpeg-{turn}" for turn in range(1, 9)))


@functools.cache
def smooth(source: str) -> bytes:
    name, _, turn = source.partition("-")
    if turn:
        return pictures.stored_turned(SMOOTH, int(turn))
    return encoded(SMOOTH, name, **({"lossless": True} if name == "webp" else {}))


def by_pillow(layout: Layout) -> Image.Image:
    x, y = layout.spans
    # A side that is rounded up shows half a pixel more than there is.
    box = (max(x.start, x.low), max(y.start, y.low), min(x.end, x.high), min(y.end, y.high))
    whole = SMOOTH.crop((x.low, y.low, x.high, y.high))
    inside = (box[0] - x.low, box[1] - y.low, box[2] - x.low, box[3] - y.low)
    return whole.resize(layout.window.size, Image.Resampling.LANCZOS, box=inside)


def placed(layout: Layout) -> tuple[int, int, int, int]:
    left, top = layout.offset
    return (left, top, left + layout.window.width, top + layout.window.height)


_side = st.none() | st.integers(16, 400)


@settings(max_examples=examples(150))
@given(st.sampled_from(sorted(SOURCES)), strategies.transforms(), _side, _side)
def test_any_transform_shows_what_pillow_shows(
    source: str, transform: Transform, width: int | None, height: int | None
) -> None:
    gravity = Compass.CENTER if isinstance(transform.gravity, Attention) else transform.gravity
    transform = replace(transform, width=width, height=height, format="png", gravity=gravity)
    try:
        layout = plan(SMOOTH.size, transform)
    except BadFilter:
        assume(False)
    assume(min(layout.window.size) >= 16 and max(layout.scaled) <= 3000)
    made = picture(smooth(source), transform)
    assert made.size == layout.size
    assert difference(made.crop(placed(layout)), by_pillow(layout)) < 3


# ------------------------------------------------------------------------------- fits and crops


@pytest.mark.parametrize(
    ("transform", "size", "corners"),
    [
        (Transform(300, 200), (300, 200), (RED, GREEN, BLUE, WHITE)),
        (Transform(200, 200), (200, 200), (RED, GREEN, BLUE, WHITE)),
        (Transform(100, 100, gravity=Compass.NORTHWEST), (100, 100), (RED, GREEN, BLUE, WHITE)),
        (Transform(300, 40, gravity=Compass.NORTH), (300, 40), (RED, GREEN, RED, GREEN)),
        (Transform(300, 40, gravity=Compass.SOUTH), (300, 40), (BLUE, WHITE, BLUE, WHITE)),
        (Transform(40, 300, gravity=Compass.WEST), (40, 300), (RED, RED, BLUE, BLUE)),
        (Transform(40, 300, gravity=Compass.EAST), (40, 300), (GREEN, GREEN, WHITE, WHITE)),
        (Transform(300, 40, gravity=Focus(0.5, 0.1)), (300, 40), (RED, GREEN, RED, GREEN)),
        (Transform(300, 40, gravity=Focus(0.5, 0.9)), (300, 40), (BLUE, WHITE, BLUE, WHITE)),
        (Transform(300, 300, fit=Fit.CONTAIN), (300, 200), (RED, GREEN, BLUE, WHITE)),
        (Transform(300, 300, fit=Fit.STRETCH), (300, 300), (RED, GREEN, BLUE, WHITE)),
        (Transform(width=60), (60, 40), (RED, GREEN, BLUE, WHITE)),
        (Transform(height=40, dpr=2), (120, 80), (RED, GREEN, BLUE, WHITE)),
        (Transform(1200, 800), (1200, 800), (RED, GREEN, BLUE, WHITE)),
        (Transform(1200, 800, upscale=False), (600, 400), (RED, GREEN, BLUE, WHITE)),
        (Transform(1200, 800, fit=Fit.CONTAIN), (600, 400), (RED, GREEN, BLUE, WHITE)),
        (Transform(1200, 800, fit=Fit.CONTAIN, upscale=True), (1200, 800), (RED, GREEN, BLUE, WHITE)),
        (Transform(crop=Crop(300, 0, 600, 200)), (300, 200), (GREEN, GREEN, GREEN, GREEN)),
        (Transform(crop=Crop(0, 50, 50, 100, percent=True)), (300, 200), (BLUE, BLUE, BLUE, BLUE)),
        (Transform(50, 50, crop=Crop(250, 150, 350, 250)), (50, 50), (RED, GREEN, BLUE, WHITE)),
        (Transform(), (600, 400), (RED, GREEN, BLUE, WHITE)),
        (Transform(1, 1, gravity=Compass.NORTHWEST, crop=Crop(0, 0, 9, 9)), (1, 1), (RED, RED, RED, RED)),
    ],
)
@pytest.mark.parametrize("name", ["PNG", "JPEG"])
def test_four_quarters_lie_where_they_should(
    name: str, transform: Transform, size: Size, corners: tuple[Pixel, ...]
) -> None:
    options: dict[str, object] = {"quality": 95, "subsampling": 0} if name == "JPEG" else {}
    data = encoded(pictures.quarters(), name, **options)
    made = picture(data, replace(transform, format="png"))
    assert made.size == size
    right, bottom = size[0] - 1, size[1] - 1
    for place, wanted in zip(((0, 0), (right, 0), (0, bottom), (right, bottom)), corners, strict=True):
        assert near(made.getpixel(place), wanted, by=8)


def test_a_crop_outside_the_source_is_a_bad_filter(quarters: bytes) -> None:
    with pytest.raises(BadFilter, match="inside the upright source"):
        rendered(quarters, Transform(format="png", crop=Crop(0, 0, 601, 400)))


@pytest.mark.parametrize("attention", list(Attention))
@pytest.mark.parametrize("left", [40, 420])
def test_attention_keeps_what_stands_out(attention: Attention, left: int) -> None:
    image = Image.new("RGB", (600, 200), (128, 128, 128))
    image.paste(pictures.noise(120, 120).resize((120, 120)), (left, 40))
    made = picture(encoded(image, "PNG"), Transform(200, 200, "png", gravity=attention))
    assert made.size == (200, 200)
    assert ImageStat.Stat(made.convert("L")).stddev[0] > 10
    with_the_center = picture(encoded(image, "PNG"), Transform(200, 200, "png"))
    assert ImageStat.Stat(made.convert("L")).stddev[0] > ImageStat.Stat(with_the_center.convert("L")).stddev[0]


# --------------------------------------------------------------------- padding and transparency


@pytest.mark.parametrize(
    ("output", "fill", "padding"),
    [
        ("png", Color(10, 20, 30), (10, 20, 30)),
        ("png", Color(10, 20, 30, 128), (10, 20, 30, 128)),
        ("png", TRANSPARENT, (0, 0, 0, 0)),
        ("png", None, (0, 0, 0, 0)),
        ("webp", None, (0, 0, 0, 0)),
        ("jpeg", None, OPAQUE_WHITE),
        ("jpeg", Color(10, 20, 30), (10, 20, 30)),
        ("jpeg", Color(200, 0, 0, 128), (227, 127, 127)),
    ],
)
def test_a_filled_thumbnail_is_padded_with_its_color(
    quarters: bytes, output: str, fill: Color | None, padding: Pixel
) -> None:
    made = picture(quarters, Transform(300, 300, output, 95, fit=Fit.FILL, fill=fill))
    assert made.size == (300, 300)
    for place in ((0, 0), (299, 0), (150, 30), (150, 270), (299, 299)):
        pixel = made.getpixel(place)
        assert isinstance(pixel, tuple)
        assert near(pixel, padding) or (padding[3:] == (0,) == pixel[3:])
    inside = made.getpixel((50, 100))
    assert isinstance(inside, tuple)
    assert near(inside[:3], RED, by=8)


def test_a_gray_picture_is_padded_with_a_color() -> None:
    gray = encoded(Image.new("L", (300, 200), 77), "PNG")
    made = picture(gray, Transform(300, 300, "png", fit=Fit.FILL, fill=Color(200, 10, 20)))
    assert (made.getpixel((0, 0)), made.getpixel((150, 150))) == ((200, 10, 20), (77, 77, 77))


def test_transparency_stays_where_the_format_can_show_it() -> None:
    data = encoded(Image.new("RGBA", (300, 200), (*RED, 128)), "PNG")
    for output in ("png", "webp", "avif"):
        assert near(picture(data, Transform(30, 20, output, 95)).getpixel((15, 10)), (*RED, 128), by=6)


def test_white_lies_under_what_cannot_be_shown_as_transparent() -> None:
    half = encoded(Image.new("RGBA", (300, 200), (220, 40, 30, 128)), "PNG")
    assert near(picture(half, Transform(30, 20, "jpeg", 95)).getpixel((15, 10)), (237, 147, 142), by=5)
    gray = encoded(Image.new("LA", (300, 200), (0, 0)), "PNG")
    assert picture(gray, Transform(30, 20, "jpeg", 95)).convert("RGB").getpixel((15, 10)) == OPAQUE_WHITE


def test_the_color_of_what_is_transparent_does_not_bleed_into_its_neighbors() -> None:
    image = Image.new("RGBA", (400, 100), (0, 200, 0, 255))
    image.paste((255, 0, 0, 0), (195, 0, 400, 100))
    made = picture(encoded(image, "PNG"), Transform(40, 10, "png"))
    for x in range(40):
        pixel = made.getpixel((x, 5))
        assert isinstance(pixel, tuple)
        assert pixel[3] < 20 or pixel[0] < 12


# ------------------------------------------------------------------------------- orientations


RECIPES = [
    Transform(150, 100, "png"),
    Transform(100, 100, "png", gravity=Compass.NORTHWEST),
    Transform(300, 20, "png", gravity=Compass.SOUTH),
    Transform(120, 120, "png", fit=Fit.CONTAIN),
    Transform(40, 30, "png", crop=Crop(20, 30, 320, 330)),
    Transform(format="png", crop=Crop(10, 10, 60, 90, percent=True)),
]


@pytest.mark.parametrize("turn", range(2, 9))
@pytest.mark.parametrize("transform", RECIPES)
def test_all_eight_orientations_of_a_drawing_are_the_same_thumbnail(turn: int, transform: Transform) -> None:
    upright, turned = (pictures.stored_turned(pictures.quarters(), number) for number in (1, turn))
    assert difference(picture(turned, transform), picture(upright, transform)) < 2


def test_all_eight_orientations_of_a_detailed_picture_are_the_same_thumbnail() -> None:
    upright = pictures.scene()
    turned = [pictures.stored_turned(upright, orientation) for orientation in range(1, 9)]
    for transform in (Transform(300, 200, "png"), Transform(200, 200, "png"), Transform(height=150, format="png")):
        made = [picture(data, transform) for data in turned]
        assert {image.size for image in made} == {made[0].size}
        assert max(difference(made[0], other) for other in made[1:]) < 2


# ------------------------------------------------------------------------------------ colors


@functools.cache
def detailed() -> tuple[bytes, Image.Image]:
    """A JPEG, and its pixels by Pillow."""
    data = encoded(pictures.scene(), "JPEG", quality=92)
    return data, decoded(data)


@pytest.mark.parametrize("ratio", [2.1, 3, 4.2, 6, 7, 8.5, 12, 17, 24])
def test_a_jpeg_that_is_decoded_small_shows_what_a_whole_decode_shows(ratio: float) -> None:
    data, source = detailed()
    size = round(source.width / ratio), round(source.height / ratio)
    made = picture(data, Transform(*size, format="png", fit=Fit.STRETCH))
    wanted = source.resize(size, Image.Resampling.LANCZOS)
    squares = ImageStat.Stat(ImageChops.difference(made.convert("RGB"), wanted)).rms
    assert max(squares) < 2.55  # 40 dB


@pytest.mark.parametrize("mode", ["L", "LA", "P", "1", "RGBA"])
def test_every_kind_of_png_comes_out_in_its_colors(mode: str) -> None:
    image = pictures.quarters().convert(mode)
    made = picture(encoded(image, "PNG"), Transform(60, 40, "png"))
    assert difference(made, image.convert("RGB").resize((60, 40), Image.Resampling.BOX)) < 6


def test_a_png_with_texts_is_the_picture_that_it_is_without() -> None:
    texts = PngInfo()
    for number in range(40):
        texts.add_text(f"key {number}", "x" * 5000, zip=True)
        texts.add_itxt(f"other {number}", "y" * 5000, zip=True)
    quarters = pictures.quarters()
    with_texts, without = encoded(quarters, "PNG", pnginfo=texts), encoded(quarters, "PNG")
    transform = Transform(60, 40, "png")
    assert rendered(with_texts, transform).body == rendered(without, transform).body


def test_sixteen_bits_become_eight() -> None:
    deep = encoded(Image.new("I;16", (300, 200), 40_000), "PNG")
    for output, by in (("png", 1), ("jpeg", 2)):
        made = picture(deep, Transform(30, 20, output, 95)).convert("RGB")
        assert near(made.getpixel((15, 10)), (round(40_000 / 257),) * 3, by=by)


def test_a_gray_jpeg_stays_gray() -> None:
    made = picture(encoded(pictures.quarters().convert("L"), "JPEG", quality=95), Transform(60, 40, "png"))
    for place, color in (((5, 5), RED), ((55, 5), GREEN), ((5, 35), BLUE)):
        luma = round(0.299 * color[0] + 0.587 * color[1] + 0.114 * color[2])
        assert near(made.convert("RGB").getpixel(place), (luma,) * 3)


def test_cmyk_without_a_profile_keeps_its_colors_apart() -> None:
    made = picture(encoded(pictures.quarters().convert("CMYK"), "JPEG", quality=95), Transform(60, 40, "png"))
    assert made.mode == "RGB"
    for place, color in (((5, 5), RED), ((55, 5), GREEN), ((5, 35), BLUE)):
        pixel = made.getpixel(place)
        assert isinstance(pixel, tuple)
        # A profile of inks gives duller colors than the plain inverse.
        assert near(pixel, color, by=80)
        assert pixel.index(max(pixel)) == color.index(max(color))
    assert near(made.getpixel((55, 35)), WHITE, by=8)


def test_colors_go_through_the_embedded_profile() -> None:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    # The primaries of red and green change places: what says red means green.
    swapped = profile.replace(b"rXYZ", b"!XYZ").replace(b"gXYZ", b"rXYZ").replace(b"!XYZ", b"gXYZ")
    data = encoded(Image.new("RGB", (300, 200), (220, 40, 30)), "PNG", icc_profile=swapped)
    for transform in (Transform(30, 20, "png"), Transform(30, 20, "png", crop=Crop(0, 0, 90, 60))):
        assert near(picture(data, transform).getpixel((15, 10)), (40, 220, 30), by=4)


@pytest.mark.parametrize("width", [300, 500, 900])
def test_an_enlarged_webp_is_enlarged_from_its_own_pixels(width: int) -> None:
    asked = Transform(width, None, "png", upscale=True)
    assert picture(smooth("webp"), asked).tobytes() == picture(smooth("png"), asked).tobytes()


@pytest.mark.parametrize("output", ["jpeg", "png", "webp", "avif", "gif"])
def test_no_metadata_of_the_source_is_in_the_thumbnail(output: str) -> None:
    exif = Image.Exif()
    exif[0x010E] = "a secret place"
    exif[0x8825] = {1: "N", 2: (52.0, 30.0, 0.0)}
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    data = encoded(pictures.quarters(), "JPEG", exif=exif, icc_profile=profile, comment=b"a secret place")
    made = rendered(data, Transform(60, 40, output, 80))
    assert b"secret" not in made.body
    image = decoded(made.body)
    assert not image.getexif()
    assert "icc_profile" not in image.info


# ----------------------------------------------------------------------------------- encoding


@pytest.mark.parametrize("output", ["jpeg", "png", "webp", "avif", "gif"])
@pytest.mark.parametrize("source", ["JPEG", "PNG", "WEBP", "AVIF", "GIF"])
def test_every_input_becomes_every_output(source: str, output: str) -> None:
    data = encoded(pictures.quarters(), source)
    made = rendered(data, Transform(60, 40, output, 80))
    assert made.format == sniff(made.body) == output
    assert difference(decoded(made.body), pictures.quarters().resize((60, 40), Image.Resampling.BOX)) < 8


@pytest.mark.parametrize("output", ["jpeg", "webp", "avif"])
def test_a_lower_quality_is_a_smaller_file(output: str) -> None:
    data = encoded(pictures.noise(300, 200), "PNG")
    sizes = [len(rendered(data, Transform(150, 100, output, quality)).body) for quality in (20, 60, 95)]
    assert sizes == sorted(set(sizes))


def test_the_same_recipe_gives_the_same_bytes(quarters: bytes) -> None:
    for output in ("jpeg", "png", "webp", "avif", "gif"):
        transform = Transform(60, 40, output, 80)
        assert rendered(quarters, transform).body == rendered(quarters, transform).body


def test_avif_that_would_cost_too_much_becomes_its_fallback(quarters: bytes) -> None:
    small = RenderLimits(avif_pixels=60 * 40)
    fallback = Transform(61, 40, "webp", 5)
    assert rendered(quarters, Transform(60, 40, "avif", 50), limits=small, fallback=fallback).format == "avif"
    made = rendered(quarters, Transform(61, 40, "avif", 50), limits=small, fallback=fallback)
    assert made.format == sniff(made.body) == "webp"
    assert made.body == rendered(quarters, fallback).body
    with pytest.raises(SizeOverLimit):
        rendered(quarters, Transform(61, 40, "avif", 50), limits=small)


def test_too_many_frames_are_refused_on_the_header() -> None:
    frames = [Image.new("RGB", (8, 8), (number * 20, 0, 0)) for number in range(12)]
    data = encoded(frames[0], "GIF", save_all=True, append_images=frames[1:])
    asked = Transform(4, 4, "webp", frames=ALL_FRAMES)
    for limit in (12, 11):
        limits = RenderLimits(source=SourceLimits(frames=limit))
        if limit == 12:
            assert rendered(data, asked, limits=limits)
        else:
            with pytest.raises(SourceOverLimit):
                rendered(data, asked, limits=limits)


@pytest.mark.parametrize("output", ["png", "jpeg", "webp", "gif"])
def test_nothing_is_encoded_after_the_deadline(output: str) -> None:
    data = encoded(pictures.noise(64, 64), "PNG")
    began = time.monotonic()
    with pytest.raises(RenderTimeout):
        rendered(data, Transform(4000, 4000, output, blur=90), limits=RenderLimits(gif_pixels=16_000_000, seconds=0.2))
    assert time.monotonic() - began > 0.15  # it was while it was encoded, and not before


def test_a_general_image_file_without_av1_is_not_avif() -> None:
    heic = b"\0\0\0\x18ftypmif1\0\0\0\0mif1heic" + bytes(100)
    assert sniff(heic) == "heic"
    assert sniff(heic.replace(b"heic", b"j2ki")) is None
    assert sniff(heic.replace(b"heic", b"avif")) == "avif"
