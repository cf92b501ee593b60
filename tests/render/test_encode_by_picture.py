"""Options of encoders that depend on the picture: drawings and photographs want others."""

import io

import pytest
import pyvips
from PIL import Image, ImageDraw

from tests.support import pictures
from tests.support.pictures import decoded, encoded
from tests.support.pixels import LIMITS, rendered
from thumbs.image.transforms import Transform
from thumbs.render.codecs.flatness import flat_share, is_drawing
from thumbs.render.encode import File, encode
from thumbs.render.libvips import Deadline


def drawing(width: int = 500, height: int = 330) -> Image.Image:
    """A chart in a few colors."""
    image = Image.new("RGB", (width, height), "white")
    draw = ImageDraw.Draw(image)
    for number in range(12):
        left = width * number // 12
        draw.rectangle(
            (left, height * number // 14, left + width // 20, height - 9), ("red", "navy", "teal")[number % 3]
        )
        draw.ellipse((left, height // 2, left + 30, height // 2 + 30), outline="black")
    return image


def opened(image: Image.Image) -> pyvips.Image:
    return pyvips.Image.new_from_buffer(encoded(image, "PNG"), "").copy_memory()


def file(image: pyvips.Image, output: str, **options: object) -> int:
    return len(image.write_to_buffer(f".{output}", keep="none", **options))


def made(image: pyvips.Image, output: str, quality: int | None = None) -> bytes:
    return encode(image, File(output, quality), Deadline(60))


def test_a_drawing_is_told_from_a_photograph_by_equal_neighbors() -> None:
    assert is_drawing(opened(drawing()))
    assert not is_drawing(opened(pictures.scene(500, 330)))
    assert not is_drawing(opened(pictures.noise(500, 330)))
    assert flat_share(opened(Image.new("RGB", (9, 9), "red"))) == 1
    assert flat_share(opened(Image.new("RGBA", (1, 9), "red"))) == 1


def test_a_png_of_a_photograph_is_filtered_and_that_of_a_drawing_is_not() -> None:
    photo, chart = opened(pictures.scene(500, 330)), opened(drawing())
    assert len(made(photo, "png")) < 0.9 * file(photo, "png", compression=6, filter="none")
    assert len(made(chart, "png")) == file(chart, "png", compression=6, filter="none")
    for image in (photo, chart):
        shown = pyvips.Image.new_from_buffer(made(image, "png"), "")
        assert (shown - image).abs().max() == 0


def test_an_avif_of_a_drawing_keeps_its_colors_sharp_in_fewer_bytes() -> None:
    chart = opened(drawing())
    fast = file(chart, "avif", compression="av1", effort=0, Q=60)
    body = made(chart, "avif", 60)
    assert len(body) < 0.75 * fast
    red, green, blue = decoded(body).convert("RGB").getpixel((12, 60))  # type: ignore[misc]
    assert red > 200
    assert max(green, blue) < 60


@pytest.mark.parametrize(("side", "effort"), [(600, 1), (900, 0)])
def test_an_avif_of_a_photograph_takes_its_time_up_to_640_pixels(side: int, effort: int) -> None:
    photo = opened(pictures.scene(side, side * 2 // 3))
    assert len(made(photo, "avif", 60)) == file(photo, "avif", compression="av1", effort=effort, Q=60)


def test_a_jpeg_has_the_tables_of_mozjpeg_where_libvips_has_them() -> None:
    photo = opened(pictures.scene(500, 330))
    plain = photo.write_to_buffer(".jpg", Q=80, optimize_coding=True, keep="none")
    tables = photo.write_to_buffer(".jpg", Q=80, optimize_coding=True, quant_table=2, keep="none")
    if Image.open(io.BytesIO(plain)).quantization == Image.open(io.BytesIO(tables)).quantization:  # type: ignore[attr-defined]
        pytest.skip("libvips has no mozjpeg here")
    body = rendered(encoded(pictures.scene(500, 330), "PNG"), Transform(500, 330, "jpeg", 80), limits=LIMITS).body
    wanted = Image.open(io.BytesIO(tables)).quantization  # type: ignore[attr-defined]
    assert Image.open(io.BytesIO(body)).quantization == wanted  # type: ignore[attr-defined]
