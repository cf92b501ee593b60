"""What is read of an original before it is decoded: size, orientation, frames, delays and loops."""

import io

import pytest
from PIL import Image

from tests.support.pictures import encoded, quarters, stored_turned
from thumbs.errors import SourceBroken, SourceUnsupported
from thumbs.image.formats import DEFAULT_INPUTS
from thumbs.render.table import read_header

INPUTS = frozenset(DEFAULT_INPUTS)


def animated(format_name: str, **options: object) -> bytes:
    frames = [Image.new("RGB", (8, 6), color) for color in ("red", "green", "blue")]
    file = io.BytesIO()
    frames[0].save(file, format_name, save_all=True, append_images=frames[1:], **options)
    return file.getvalue()


@pytest.mark.parametrize("format_name", ["GIF", "WEBP"])
def test_an_animation_has_its_frames_delays_and_loops(format_name: str) -> None:
    header = read_header(animated(format_name, duration=[50, 120, 300], loop=3), INPUTS)
    assert header.frames == 3
    assert header.size == (8, 6)
    assert header.animation is not None
    assert header.animation.delays == (50, 120, 300)
    assert header.animation.loop in (3, 4)  # a GIF counts repeats, WebP counts plays


def test_a_single_picture_is_no_animation() -> None:
    header = read_header(encoded(quarters(8, 6), "GIF"), INPUTS)
    assert (header.frames, header.animation) == (1, None)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_the_size_is_that_of_the_upright_picture(orientation: int) -> None:
    header = read_header(stored_turned(quarters(90, 60), orientation), INPUTS)
    assert header.size == (90, 60)


@pytest.mark.parametrize(("mode", "cmyk"), [("CMYK", True), ("RGB", False), ("L", False)])
def test_inks_are_told_from_light(mode: str, cmyk: bool) -> None:
    assert read_header(encoded(quarters(8, 6).convert(mode), "JPEG"), INPUTS).cmyk is cmyk


def test_a_progressive_jpeg_must_be_held_whole_and_its_scans_are_counted() -> None:
    plain = read_header(encoded(quarters(64, 64), "JPEG"), INPUTS)
    progressive = read_header(encoded(quarters(64, 64), "JPEG", progressive=True), INPUTS)
    assert (plain.whole, plain.scans) == (False, 1)
    assert progressive.whole
    assert progressive.scans > 1


def test_a_format_that_is_not_among_the_inputs_is_unsupported() -> None:
    data = encoded(quarters(8, 6), "PNG")
    assert read_header(data, frozenset({"png"})).format == "png"
    with pytest.raises(SourceUnsupported):
        read_header(data, frozenset({"jpeg"}))
    with pytest.raises(SourceUnsupported):
        read_header(b"text", INPUTS)


def test_a_picture_that_ends_in_its_header_is_broken() -> None:
    with pytest.raises(SourceBroken):
        read_header(encoded(quarters(8, 6), "PNG")[:20], INPUTS)
