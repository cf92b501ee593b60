"""A resize in linear light makes means of light: fine patterns keep the brightness that they have from afar."""

import io

import pytest
from PIL import Image

from tests.support import pictures
from tests.support.color import PROFILES
from tests.support.pictures import decoded, encoded
from tests.support.pixels import LIMITS, difference, picture, rendered
from thumbs.image.transforms import ALL_FRAMES, Fit, Transform, Trim
from thumbs.render.renderer import Renderer

# Half of the light of white, in sRGB. The mean of the values is 128.
HALF_LIGHT, HALF_VALUE = 188, 128
WAYS: dict[str, dict[str, object]] = {
    "JPEG": {"quality": 100, "subsampling": 0},
    "PNG": {},
    "WEBP": {"lossless": True},
    "AVIF": {"quality": 100, "subsampling": "4:4:4"},
}


def stripes(mode: str = "RGB", width: int = 640, height: int = 480) -> Image.Image:
    """Rows of black and white, each one pixel high."""
    column = Image.new("L", (1, height))
    column.putdata([255 * (row % 2) for row in range(height)])
    return column.resize((width, height), Image.Resampling.NEAREST).convert(mode)


def middle(image: Image.Image) -> tuple[int, ...]:
    value = image.convert("RGB").getpixel((image.width // 2, image.height // 2))
    assert isinstance(value, tuple)
    return value


def levels(image: Image.Image) -> int:
    red, green, blue = middle(image)
    assert max(red, green, blue) - min(red, green, blue) <= 2
    return green


@pytest.mark.parametrize("container", WAYS)
@pytest.mark.parametrize("mode", ["RGB", "L"])
def test_stripes_have_half_the_light_in_linear_light_and_half_the_value_without(container: str, mode: str) -> None:
    data = encoded(stripes(mode), container, **WAYS[container])
    for width in (32, 64, 120):
        assert abs(levels(picture(data, Transform(width, None, "png", linear=True))) - HALF_LIGHT) <= 3
        # libwebp and libjpeg scale on their own there, less exactly.
        assert abs(levels(picture(data, Transform(width, None, "png", linear=False))) - HALF_VALUE) <= 20
        assert abs(levels(picture(data, Transform(width, None, "png"))) - HALF_VALUE) <= 20


def test_stripes_have_half_the_light_in_every_frame_of_an_animation() -> None:
    body = io.BytesIO()
    stripes().save(body, "WEBP", save_all=True, append_images=[stripes().rotate(180)], duration=100, lossless=True)
    made = decoded(rendered(body.getvalue(), Transform(64, None, "webp", frames=ALL_FRAMES, linear=True)).body)
    for frame in range(2):
        made.seek(frame)
        assert abs(levels(made) - HALF_LIGHT) <= 6


@pytest.mark.parametrize("orientation", [1, 3, 6])
def test_a_jpeg_is_turned_and_has_the_colors_of_its_profile(orientation: int) -> None:
    image = pictures.quarters(600, 400)
    data = pictures.stored_turned(image, orientation)
    made = picture(data, Transform(60, None, "png", linear=True))
    assert difference(made, picture(data, Transform(60, None, "png"))) < 4
    wide = encoded(image, "JPEG", quality=95, icc_profile=PROFILES["p3"])
    plain = picture(wide, Transform(60, None, "png"))
    assert difference(picture(wide, Transform(60, None, "png", linear=True)), plain) < 4


def test_cmyk_too() -> None:
    data = encoded(pictures.quarters().convert("CMYK"), "JPEG", quality=95)
    made = picture(data, Transform(60, None, "png", linear=True))
    assert difference(made, picture(data, Transform(60, None, "png"))) < 4


def test_what_is_not_resized_stays_as_it_is() -> None:
    data = encoded(pictures.noise(90, 70), "PNG")
    assert picture(data, Transform(format="png", linear=True)).tobytes() == pictures.noise(90, 70).tobytes()


def test_colors_are_weighted_by_alpha_and_alpha_is_a_plain_mean() -> None:
    image = Image.new("RGBA", (400, 300), (255, 0, 0, 255))
    image.paste((0, 255, 0, 0), (200, 0, 400, 300))
    made = picture(encoded(image, "PNG"), Transform(5, 3, "png", fit=Fit.STRETCH, linear=True))
    assert made.mode == "RGBA"
    red, green, _, alpha = made.getpixel((2, 1))  # type: ignore[misc]
    assert abs(alpha - 128) <= 2
    assert red >= 250
    assert green <= 5


def test_a_picture_is_enlarged_in_linear_light() -> None:
    image = Image.new("RGB", (2, 1), "black")
    image.putpixel((1, 0), (255, 255, 255))
    made = picture(encoded(image, "PNG"), Transform(40, 20, "png", linear=True))
    assert abs(made.getpixel((20, 10))[1] - HALF_LIGHT) <= 12  # type: ignore[index]


def test_a_trimmed_picture_is_resized_in_linear_light() -> None:
    image = Image.new("RGB", (700, 540), "red")
    image.paste(stripes(), (30, 30))
    made = picture(encoded(image, "PNG"), Transform(64, None, "png", trim=Trim(10), linear=True))
    assert abs(levels(made) - HALF_LIGHT) <= 3


def test_a_proxy_has_been_reduced_in_other_light_and_is_not_used() -> None:
    renderer = Renderer()
    packed = renderer.make_proxy(encoded(pictures.noise(3200, 2400), "JPEG", quality=90), LIMITS)
    assert packed
    assert renderer.render_proxy(packed, Transform(100, 75, "png"), LIMITS) is not None
    assert renderer.render_proxy(packed, Transform(100, 75, "png", linear=True), LIMITS) is None
