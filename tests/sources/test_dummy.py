"""Drawn originals: whole PNG files with text, one for each path."""

import io

import pytest
from PIL import Image

from tests.support.pictures import decoded
from thumbs.sources.bitmap import Area, Colors, draw, title_of
from thumbs.sources.dummy import SIZE, DummySource, colors_of

COLORS = Colors((255, 255, 255), (0, 0, 0))


def ink_box(data: bytes, *, border: int = 4) -> tuple[int, int, int, int] | None:
    """Where the text is: the bounds of all ink inside the frame."""
    picture = decoded(data).convert("L")
    inner = picture.crop((border, border, picture.width - border, picture.height - border))
    box = inner.point(lambda value: 255 if value < 128 else 0).getbbox()
    return None if box is None else (box[0] + border, box[1] + border, box[2] + border, box[3] + border)


@pytest.mark.parametrize("size", [(1, 1), (7, 9), (8, 8), (9, 3), (300, 200), SIZE])
def test_a_drawn_picture_is_a_png_of_its_size_with_a_frame(size: tuple[int, int]) -> None:
    data = draw(size, COLORS, "x")
    with Image.open(io.BytesIO(data)) as opened:
        opened.verify()
    picture = decoded(data).convert("RGB")
    assert picture.size == size
    assert picture.getpixel((0, 0)) == picture.getpixel((size[0] - 1, size[1] - 1)) == COLORS.ink
    assert size[0] < 9 or size[1] < 9 or picture.getpixel((size[0] // 2, size[1] // 2)) == COLORS.paper


@pytest.mark.parametrize(
    "area", [Area(0, 0, 400, 300), Area(200, 0, 200, 300), Area(10, 200, 80, 90), Area(0, 0, 60, 300)]
)
def test_text_fills_the_middle_of_its_area(area: Area) -> None:
    box = ink_box(draw((400, 300), COLORS, "", ["400×300"], area))
    assert box is not None
    assert area.left <= box[0] < box[2] <= area.left + area.width
    assert area.top <= box[1] < box[3] <= area.top + area.height
    assert abs((box[0] + box[2]) / 2 - (area.left + area.width / 2)) <= 10
    assert box[2] - box[0] >= area.width * 0.35


def test_text_that_has_no_room_is_left_out_and_other_letters_are_boxes() -> None:
    assert ink_box(draw((400, 300), COLORS, "", ["a" * 400])) is None
    assert ink_box(draw((400, 300), COLORS, "", ["é漢"])) is not None


@pytest.mark.parametrize("title", ["", "a.jpg", "héé/漢.png", "x" * 1024])
def test_a_picture_keeps_its_title(title: str) -> None:
    assert title_of(draw((9, 9), COLORS, title)) == title
    assert title_of(b"no picture") == ""


def test_every_path_has_an_original_with_a_color_of_its_own() -> None:
    source = DummySource()
    originals = {path: source.read(path) for path in ("a.jpg", "b.jpg", "cats/tom.webp")}
    assert {decoded(each.data).size for each in originals.values()} == {SIZE}
    assert len({colors_of(path) for path in originals}) == 3
    assert source.read("a.jpg") == originals["a.jpg"]
    assert source.version("a.jpg") == originals["a.jpg"].version
    source.ready()


@pytest.mark.parametrize("number", range(20))
def test_text_can_be_read_on_its_ground(number: int) -> None:
    paper, ink = colors_of(f"{number}.jpg")
    luminance = [0.299 * red + 0.587 * green + 0.114 * blue for red, green, blue in (paper, ink)]
    assert luminance[0] - luminance[1] > 90
