"""What happens after resizing: every effect is compared with Pillow or plain arithmetic."""

import functools
import itertools
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from PIL import Image, ImageFilter

from tests.support import pictures, strategies
from tests.support.pictures import decoded, encoded
from tests.support.pixels import difference, near, picture, rendered
from tests.support.strategies import examples
from thumbs.errors import BadFilter, SizeOverLimit
from thumbs.image.geometry import OutputLimits, plan
from thumbs.image.transforms import Color, Fit, Padding, Transform
from thumbs.render.values import RenderLimits

# Colors that no effect pushes over an edge by itself, and some at the edges.
PATCHES = [(200, 100, 50), (90, 140, 180), (128, 128, 128), (0, 0, 0), (255, 255, 255), (255, 0, 0), (20, 240, 130)]
SIDE = 16


def patches() -> bytes:
    image = Image.new("RGB", (SIDE * len(PATCHES), SIDE))
    for number, color in enumerate(PATCHES):
        image.paste(color, (number * SIDE, 0, (number + 1) * SIDE, SIDE))
    return encoded(image, "PNG")


def patch(image: Image.Image, number: int) -> object:
    return image.convert("RGB").getpixel((number * SIDE + SIDE // 2, SIDE // 2))


def png(**fields: object) -> Transform:
    return Transform(format="png", **fields)  # type: ignore[arg-type]


# ------------------------------------------------------------------------------------- turning


@pytest.mark.parametrize(
    ("fields", "turns"),
    [
        ({"rotate": 90}, [Image.Transpose.ROTATE_270]),  # Pillow turns the other way
        ({"rotate": 180}, [Image.Transpose.ROTATE_180]),
        ({"rotate": 270}, [Image.Transpose.ROTATE_90]),
        ({"flip": True}, [Image.Transpose.FLIP_TOP_BOTTOM]),
        ({"flop": True}, [Image.Transpose.FLIP_LEFT_RIGHT]),
        ({"rotate": 90, "flop": True}, [Image.Transpose.ROTATE_270, Image.Transpose.FLIP_LEFT_RIGHT]),
    ],
)
def test_a_picture_is_turned_and_then_mirrored(fields: dict[str, object], turns: list[Image.Transpose]) -> None:
    wanted = pictures.quarters()
    for turn in turns:
        wanted = wanted.transpose(turn)
    made = picture(encoded(pictures.quarters(), "PNG"), png(**fields))
    assert made.size == wanted.size
    assert difference(made, wanted) == 0


def test_the_size_is_that_before_turning() -> None:
    made = picture(encoded(pictures.quarters(), "PNG"), png(width=90, height=60, rotate=90))
    assert made.size == (60, 90)


# ---------------------------------------------------------------------------------- arithmetic


def clamped(values: list[float]) -> tuple[int, ...]:
    return tuple(min(255, max(0, round(value))) for value in values)


def brightened(color: tuple[int, ...], amount: int) -> list[float]:
    return [value + 255 * amount / 100 for value in color]


def contrasted(color: tuple[int, ...], amount: int) -> list[float]:
    factor = (100 + amount) / 100 if amount < 0 else 100 / (100 - amount)
    return [(value - 127.5) * factor + 127.5 for value in color]


def saturated(color: tuple[int, ...], amount: int) -> list[float]:
    """CSS's saturate(), written as a blend with the luma (Filter Effects Module Level 1)."""
    luma = 0.213 * color[0] + 0.715 * color[1] + 0.072 * color[2]
    return [luma + (value - luma) * (100 + amount) / 100 for value in color]


@pytest.mark.parametrize("amount", [-100, -60, -1, 1, 35, 90])
@pytest.mark.parametrize(
    ("name", "oracle"), [("brightness", brightened), ("contrast", contrasted), ("saturation", saturated)]
)
def test_an_amount_is_plain_arithmetic(
    name: str, oracle: Callable[[tuple[int, ...], int], list[float]], amount: int
) -> None:
    made = picture(patches(), png(**{name: amount}))
    for number, color in enumerate(PATCHES):
        assert near(patch(made, number), clamped(oracle(color, amount)), by=1), (name, amount, color)


def luminance_gray(color: tuple[int, ...]) -> int:
    """The gray of the same luminance: IEC 61966-2-1."""
    linear = [(c / 255 / 12.92 if c <= 10.31475 else ((c / 255 + 0.055) / 1.055) ** 2.4) for c in color]
    y = 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
    return round(255 * (12.92 * y if y <= 0.0031308 else 1.055 * y ** (1 / 2.4) - 0.055))


def test_gray_has_the_luminance_of_the_color() -> None:
    made = picture(patches(), png(grayscale=True))
    assert made.mode == "L"
    for number, color in enumerate(PATCHES):
        assert near(patch(made, number), (luminance_gray(color),) * 3, by=2), color


@pytest.mark.parametrize(
    "fields",
    [{"brightness": 30}, {"contrast": -40}, {"saturation": 50}, {"blur": 1.0}, {"sharpen": 1.0}, {"grayscale": True}],
)
def test_no_effect_touches_how_transparent_a_picture_is(fields: dict[str, object]) -> None:
    source = Image.new("RGBA", (40, 30), (200, 100, 50, 77))
    made = picture(encoded(source, "PNG"), png(**fields))
    assert made.convert("RGBA").getchannel("A").getextrema() == (77, 77)


# ----------------------------------------------------------------------------------- sharpness


@pytest.mark.parametrize("sigma", [0.8, 2.0, 6.0])
def test_a_blur_is_pillows_gaussian(sigma: float) -> None:
    source = pictures.noise(120, 90)
    made = picture(encoded(source, "PNG"), png(blur=sigma))
    inside = (20, 20, 100, 70)  # Pillow treats the edges in its own way
    assert difference(made.crop(inside), source.filter(ImageFilter.GaussianBlur(sigma)).crop(inside)) < 2


def test_what_is_hidden_does_not_bleed_into_a_blur() -> None:
    source = Image.new("RGBA", (60, 40), (0, 255, 0, 0))
    source.paste((200, 0, 0, 255), (0, 0, 30, 40))
    made = picture(encoded(source, "PNG"), png(blur=3.0)).convert("RGBA")
    red, green, _, alpha = made.getpixel((32, 20))  # type: ignore[misc]
    assert 0 < alpha < 255
    assert green < 10 < red


def test_sharpening_steepens_an_edge_and_leaves_flat_areas() -> None:
    source = Image.new("RGB", (60, 40), (100, 100, 100))
    source.paste((150, 150, 150), (30, 0, 60, 40))
    soft = source.filter(ImageFilter.GaussianBlur(1.5))
    made = picture(encoded(soft, "PNG"), png(sharpen=1.0))

    def steepest(image: Image.Image) -> int:
        row = [image.convert("L").getpixel((x, 20)) for x in range(60)]
        return max(int(b) - int(a) for a, b in itertools.pairwise(row))  # type: ignore[arg-type]

    assert steepest(made) > steepest(soft)
    assert near(made.convert("RGB").getpixel((5, 20)), (100, 100, 100), by=1)
    assert near(made.convert("RGB").getpixel((55, 20)), (150, 150, 150), by=1)


# --------------------------------------------------------------------- background and padding

HALF_RED = Image.new("RGBA", (40, 30), (200, 0, 0, 128))


@pytest.mark.parametrize("background", [Color(0, 0, 128), Color(255, 204, 0), Color(10, 20, 30, 128)])
def test_a_background_lies_under_transparency(background: Color) -> None:
    under = Image.new("RGBA", HALF_RED.size, background.values)
    wanted = Image.alpha_composite(under, HALF_RED).getpixel((20, 15))
    made = picture(encoded(HALF_RED, "PNG"), png(background=background)).convert("RGBA")
    assert near(made.getpixel((20, 15)), wanted, by=2)  # type: ignore[arg-type]


def test_where_nothing_can_be_transparent_a_thin_background_lies_on_white() -> None:
    under = Image.alpha_composite(Image.new("RGBA", (40, 30), "white"), Image.new("RGBA", (40, 30), (0, 0, 200, 128)))
    wanted = Image.alpha_composite(under, HALF_RED).convert("RGB").getpixel((20, 15))
    asked = Transform(format="jpeg", quality=95, background=Color(0, 0, 200, 128))
    assert near(picture(encoded(HALF_RED, "PNG"), asked).getpixel((20, 15)), wanted, by=4)  # type: ignore[arg-type]


def test_gray_gets_a_colored_background() -> None:
    source = Image.new("LA", (40, 30), (100, 0))
    made = picture(encoded(source, "PNG"), png(background=Color(0, 128, 0)))
    assert near(made.convert("RGB").getpixel((20, 15)), (0, 128, 0))


@pytest.mark.parametrize(
    ("output", "background", "outside"),
    [
        ("png", None, (0, 0, 0, 0)),
        ("jpeg", None, (255, 255, 255, 255)),
        ("png", Color(255, 204, 0), (255, 204, 0, 255)),
        ("jpeg", Color(255, 204, 0), (255, 204, 0, 255)),
        ("png", Color(0, 0, 200, 100), (0, 0, 200, 100)),
    ],
)
def test_padding_surrounds_the_picture(output: str, background: Color | None, outside: tuple[int, ...]) -> None:
    quality = 95 if output == "jpeg" else None
    asked = Transform(90, 60, output, quality, padding=Padding(10, 20, 30, 40), background=background)
    made = picture(encoded(pictures.quarters(), "PNG"), asked).convert("RGBA")
    assert made.size == (90 + 20 + 40, 60 + 10 + 30)
    for corner in ((0, 0), (149, 0), (0, 99), (149, 99), (37, 50), (132, 50)):
        assert near(made.getpixel(corner), outside, by=4), corner
    assert near(made.getpixel((45, 15)), (*pictures.RED, 255), by=6)
    assert near(made.getpixel((125, 65)), (*pictures.WHITE, 255), by=6)


def test_a_thin_background_is_laid_once_under_all_of_a_filled_picture() -> None:
    asked = png(width=80, height=80, fit=Fit.FILL, background=Color(255, 0, 0, 128))
    made = picture(encoded(Image.new("RGBA", (40, 20), (0, 0, 0, 0)), "PNG"), asked).convert("RGBA")
    assert made.size == (80, 80)
    assert made.getextrema() == ((255, 255), (0, 0), (0, 0), (128, 128))


def test_a_transparent_background_changes_nothing() -> None:
    data = encoded(HALF_RED, "PNG")
    assert picture(data, png(background=Color(0, 0, 0, 0))).convert("RGBA").getpixel((20, 15)) == (200, 0, 0, 128)


def test_padding_counts_towards_the_limits() -> None:
    limits = RenderLimits(output=OutputLimits(side=100))
    data = encoded(pictures.quarters(), "PNG")
    assert rendered(data, png(width=90, height=60, padding=Padding(5, 5, 5, 5)), limits=limits)
    with pytest.raises(SizeOverLimit):
        rendered(data, png(width=90, height=60, padding=Padding(5, 5, 5, 6)), limits=limits)


@settings(max_examples=examples(60))
@given(strategies.sizes, strategies.transforms(effects=True))
def test_the_layout_has_the_size_of_any_thumbnail(source: tuple[int, int], transform: Transform) -> None:
    try:
        layout = plan(source, transform)
    except BadFilter:
        return
    width, height = layout.size[::-1] if transform.rotate in (90, 270) else layout.size
    padding = transform.padding
    assert layout.output == (width + padding.left + padding.right, height + padding.top + padding.bottom)


# ----------------------------------------------------------------------------------- max_bytes


@functools.cache
def noise() -> bytes:
    return encoded(pictures.noise(300, 200), "PNG")


@functools.cache
def sizes_by_quality(output: str) -> dict[int, int]:
    return {q: len(rendered(noise(), Transform(120, 80, output, q)).body) for q in range(1, 81)}


@pytest.mark.parametrize("output", ["jpeg", "webp"])
@pytest.mark.parametrize("share", [0.95, 0.6, 0.35])
def test_the_highest_quality_that_fits_is_served(output: str, share: float) -> None:
    data, sizes = noise(), sizes_by_quality(output)
    limit = int(sizes[80] * share)
    made = rendered(data, Transform(120, 80, output, 80, max_bytes=limit)).body
    assert len(made) <= limit
    fitting = [q for q, size in sizes.items() if size <= limit]
    # Sizes do not always grow with quality: what is served is within a step or two of the best there is.
    assert len(made) >= sizes[max(fitting[-1] - 2, 1)]


def test_the_smallest_is_served_when_nothing_fits() -> None:
    data = encoded(pictures.noise(300, 200), "PNG")
    smallest = len(rendered(data, Transform(120, 80, "jpeg", 1)).body)
    assert len(rendered(data, Transform(120, 80, "jpeg", 80, max_bytes=1)).body) == smallest


def test_what_fits_already_and_what_has_no_quality_stay_as_they_are() -> None:
    data = encoded(pictures.noise(300, 200), "PNG")
    for plain in (Transform(120, 80, "jpeg", 80), png(width=120, height=80)):
        body = rendered(data, plain).body
        limit = len(body) if plain.format == "jpeg" else 10
        limited = Transform(120, 80, plain.format, plain.quality, max_bytes=limit)
        assert rendered(data, limited).body == body
        assert decoded(body).size == (120, 80)


# --------------------------------------------------------------------------------- pictures with one band


def gray() -> Image.Image:
    """A dark and a light half with noise, as one band."""
    image = pictures.noise(64, 48).convert("L").point(lambda value: value // 4 + 60)
    image.paste(190, (32, 0, 64, 48))
    return image


@pytest.mark.parametrize("fields", [{"sharpen": 1.5}, {"saturation": 80}, {"saturation": -100}, {"blur": 2.0}])
def test_a_gray_picture_stays_gray(fields: dict[str, object]) -> None:
    before = picture(encoded(gray(), "PNG"), png())
    made = picture(encoded(gray(), "PNG"), png(**fields))
    colors = {color for _, color in made.convert("RGB").getcolors(100_000) or []}
    assert all(len(set(color)) == 1 for color in colors)  # type: ignore[arg-type]
    changed = difference(made.convert("L"), before.convert("L")) > 0
    assert changed == ("saturation" not in fields)  # gray has no saturation
