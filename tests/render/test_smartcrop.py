"""Attention: where no part of a picture is better than others, the crop is the one of the center."""

import pytest
import pyvips
from PIL import Image

from tests.support import pictures
from tests.support.pictures import encoded
from tests.support.pixels import rendered
from thumbs.image.geometry import Size, plan
from thumbs.image.transforms import Attention, Compass, Transform
from thumbs.render.smartcrop import locate_window

GRAY = Image.linear_gradient("L").convert("RGB")
# Pictures with nothing to choose when they are cut at top and bottom.
INDIFFERENT = {
    "plain": Image.new("RGB", (600, 400), (90, 90, 90)),
    "red": Image.new("RGB", (600, 400), (220, 60, 50)),
    "columns": pictures.noise(600, 1).resize((600, 400)),
    "from left to right": GRAY.rotate(90).resize((600, 400)),
}


@pytest.mark.parametrize("attention", list(Attention))
@pytest.mark.parametrize("size", [(300, 1), (300, 20), (300, 150), (1000, 30)])
@pytest.mark.parametrize("name", INDIFFERENT)
@pytest.mark.parametrize("turn", [False, True])
def test_a_picture_with_nothing_to_choose_is_cut_in_the_center(
    name: str, size: Size, attention: Attention, turn: bool
) -> None:
    image = INDIFFERENT[name]
    if turn:
        image, size = image.transpose(Image.Transpose.ROTATE_90), size[::-1]
    layout = plan(image.size, Transform(*size, gravity=attention))
    scaled = pyvips.Image.new_from_buffer(encoded(image.resize(layout.scaled), "PNG"), "")
    window = locate_window(scaled, layout).window
    assert window == plan(image.size, Transform(*size, gravity=Compass.CENTER)).window


@pytest.mark.parametrize("attention", list(Attention))
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_a_picture_that_is_not_cut_is_the_same_with_every_gravity(kind: str, attention: Attention) -> None:
    data = encoded(pictures.scene(1800, 7), kind)
    assert (
        rendered(data, Transform(300, 1, "png", gravity=attention)).body
        == rendered(data, Transform(300, 1, "png", gravity=Compass.CENTER)).body
    )


@pytest.mark.parametrize("attention", list(Attention))
@pytest.mark.parametrize("top", [10, 350])
def test_what_stands_out_is_kept_however_low_the_window_is(attention: Attention, top: int) -> None:
    image = Image.new("RGB", (600, 400), (128, 128, 128))
    image.paste(pictures.noise(600, 40).resize((600, 40)), (0, top))
    data = encoded(image, "PNG")
    plain = rendered(data, Transform(300, 12, "png", gravity=Compass.CENTER)).body
    assert rendered(data, Transform(300, 12, "png", gravity=attention)).body != plain
