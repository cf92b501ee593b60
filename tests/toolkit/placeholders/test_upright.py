"""Sizes and placeholders of picture files are those of the upright picture, as thumbnails show it."""

import io
import struct
import zlib
from pathlib import Path
from typing import Any

import pytest
from django.test import Client, override_settings
from PIL import Image

from tests.support import pictures
from tests.support.commands import local_storage
from thumbs.image.placeholders import thumbhash
from thumbs.toolkit.placeholders import upright

FORMATS = {"JPEG": "jpg", "PNG": "png", "WEBP": "webp", "AVIF": "avif"}


def stored(orientation: int, format_name: str) -> bytes:
    """A file of 60 by 40 stored pixels with this EXIF orientation."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    return pictures.encoded(pictures.quarters(60, 40), format_name, exif=exif)


def with_trailing_exif(png: bytes, orientation: int) -> bytes:
    """`png` with an `eXIf` chunk behind its pixels (PNG 3, 11.3.3.1)."""
    body = b"MM\x00*\x00\x00\x00\x08" + struct.pack(">HHHIHHI", 1, 0x0112, 3, 1, orientation, 0, 0)
    chunk = struct.pack(">I", len(body)) + b"eXIf" + body + struct.pack(">I", zlib.crc32(b"eXIf" + body))
    end = png.rindex(b"IEND") - 4
    return png[:end] + chunk + png[end:]


def read(data: bytes, **options: Any) -> upright.Upright:
    return upright.read(io.BytesIO(data), **options)


def rendered(data: bytes, path: Path) -> Image.Image:
    """The picture as a thumbnail of its own size. The file is written to `path`."""
    path.write_bytes(data)
    with override_settings(THUMBS={"STORAGES": [local_storage("all", path.parent)]}):
        answer = Client().get(f"/img/all/thumbs/x/filters:format(png)/{path.name}")
    assert answer.status_code == 200, answer.content
    return pictures.decoded(answer.content)


def drawn(placeholder: bytes) -> Image.Image:
    pixels = thumbhash.decode(placeholder)
    return Image.frombytes("RGBA", (pixels.width, pixels.height), pixels.rgba)


def corner_names(image: Image.Image) -> list[str]:
    """The colors near the corners of a picture of quarters, from the top left, row by row, as their nearest names."""
    names = {"red": pictures.RED, "green": pictures.GREEN, "blue": pictures.BLUE, "white": pictures.WHITE}
    found = []
    for x, y in ((0.2, 0.2), (0.8, 0.2), (0.2, 0.8), (0.8, 0.8)):
        pixel = image.convert("RGB").getpixel((int(x * image.width), int(y * image.height)))
        assert isinstance(pixel, tuple)
        found.append(min(names, key=lambda name: sum((a - b) ** 2 for a, b in zip(names[name], pixel, strict=True))))
    return found


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("format_name", FORMATS)
def test_size_and_placeholder_are_as_the_renderer_shows_the_file(
    tmp_path: Path, format_name: str, orientation: int
) -> None:
    data = stored(orientation, format_name)
    shown = rendered(data, tmp_path / f"turned.{FORMATS[format_name]}")
    found = read(data, placeholder=True)
    assert found.size == shown.size
    assert corner_names(drawn(found.placeholder)) == corner_names(shown)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_tiff_is_turned_as_a_jpeg_is(orientation: int) -> None:
    """Not rendered here: a process in which TIFF was off once reads none."""
    found, expected = (read(stored(orientation, name), placeholder=True) for name in ("TIFF", "JPEG"))
    assert found.size == expected.size
    assert corner_names(drawn(found.placeholder)) == corner_names(drawn(expected.placeholder))


@pytest.mark.parametrize("orientation", [1, 3, 6, 8])
def test_an_orientation_behind_the_pixels_of_a_png_turns_nothing(tmp_path: Path, orientation: int) -> None:
    data = with_trailing_exif(pictures.encoded(pictures.quarters(60, 40), "PNG"), orientation)
    found = read(data, placeholder=True)
    assert found.size == rendered(data, tmp_path / "turned.png").size == (60, 40)
    assert corner_names(drawn(found.placeholder)) == ["red", "green", "blue", "white"]


def test_an_orientation_that_only_xmp_gives_turns_nothing(tmp_path: Path) -> None:
    xmp = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:Description tiff:Orientation="6"/></x:xmpmeta>'
    data = pictures.encoded(pictures.quarters(60, 40), "JPEG", xmp=xmp)
    assert read(data).size == rendered(data, tmp_path / "xmp.jpg").size == (60, 40)


@pytest.mark.filterwarnings("ignore:Corrupt EXIF")  # of Pillow
@pytest.mark.parametrize("exif", [b"Exif\0\0", b"Exif\0\0MM\0*\0\0\0\x08\0\x02", b"Exif\0\0" + b"\xff" * 40])
def test_damaged_exif_turns_nothing(tmp_path: Path, exif: bytes) -> None:
    data = pictures.encoded(pictures.quarters(60, 40), "JPEG", exif=exif)
    assert read(data, placeholder=True).size == rendered(data, tmp_path / "damaged.jpg").size == (60, 40)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "I;16", "I"])
def test_every_kind_of_pixels_has_a_placeholder(mode: str) -> None:
    wide = mode.startswith("I")
    image = Image.linear_gradient("L").resize((90, 60))
    image = image.convert("I").point(lambda value: value * 257) if wide else image.convert(mode)
    image = image.convert(mode) if mode == "I;16" else image
    found = read(pictures.encoded(image, "TIFF" if mode in ("CMYK", "I") else "PNG"), placeholder=True)
    assert found.size == (90, 60)
    red, green, blue, alpha = thumbhash.average_color(found.placeholder)
    assert (red, green, blue, alpha) == pytest.approx((0.5, 0.5, 0.5, 1), abs=0.06)


def test_a_transparent_color_of_a_palette_is_transparent_in_the_placeholder() -> None:
    image = Image.new("P", (90, 60), 0)
    image.putpalette([255, 0, 0, 0, 0, 255])
    image.paste(1, (0, 0, 45, 60))
    found = read(pictures.encoded(image, "PNG", transparency=0), placeholder=True)
    left, right = (drawn(found.placeholder).getpixel((x, 10)) for x in (4, 28))
    assert isinstance(left, tuple)
    assert isinstance(right, tuple)
    assert (left[2] > 200, left[3] > 200, right[3] < 60) == (True, True, True)


def test_the_first_picture_of_an_animation_counts() -> None:
    frames = [Image.new("RGB", (30, 20), color) for color in (pictures.RED, pictures.BLUE)]
    buffer = io.BytesIO()
    frames[0].save(buffer, "GIF", save_all=True, append_images=frames[1:])
    found = read(buffer.getvalue(), placeholder=True)
    assert found.size == (30, 20)
    assert thumbhash.average_color(found.placeholder)[0] > 0.7


class Counted(io.BytesIO):
    count = 0

    def read(self, size: int | None = -1, /) -> bytes:
        data = super().read(size)
        self.count += len(data)
        return data


@pytest.mark.parametrize("format_name", ["JPEG", "PNG", "TIFF"])
def test_a_size_takes_the_headers_only(format_name: str) -> None:
    options = {"compress_level": 1} if format_name == "PNG" else {}
    data = pictures.encoded(pictures.noise(1500, 1000), format_name, **options)
    file = Counted(data)
    assert upright.read(file).size == (1500, 1000)
    assert file.count < 60_000 < len(data)


def test_a_size_is_read_from_the_beginning_and_the_file_stays_open() -> None:
    file = io.BytesIO(pictures.encoded(pictures.quarters(60, 40), "PNG"))
    file.seek(0, io.SEEK_END)
    assert upright.read(file).size == (60, 40)
    assert not file.closed


@pytest.mark.parametrize("data", [b"", b"This is not a picture. " * 50, b"<svg xmlns='http://www.w3.org/2000/svg'/>"])
def test_what_is_no_picture_is_unreadable(data: bytes) -> None:
    with pytest.raises(upright.Unreadable, match="no picture"):
        read(data)


@pytest.mark.parametrize("format_name", ["JPEG", "PNG", "WEBP"])
def test_a_picture_that_breaks_off_is_unreadable_when_its_pixels_are_needed(format_name: str) -> None:
    whole = pictures.encoded(pictures.noise(600, 400), format_name)
    with pytest.raises(upright.Unreadable):
        read(whole[: len(whole) // 2], placeholder=True)


def test_a_decompression_bomb_is_unreadable() -> None:
    header = struct.pack(">IIBBBBB", 60000, 60000, 8, 0, 0, 0, 0)
    chunk = struct.pack(">I", 13) + b"IHDR" + header + struct.pack(">I", zlib.crc32(b"IHDR" + header))
    empty = b"\0\0\0\0IDAT" + struct.pack(">I", zlib.crc32(b"IDAT"))
    with pytest.raises(upright.Unreadable, match="DecompressionBombError"):
        read(b"\x89PNG\r\n\x1a\n" + chunk + empty)


def test_too_many_pixels_for_a_web_process_have_a_size_and_no_placeholder() -> None:
    image = Image.new("1", (8000, 8000))
    assert read(pictures.encoded(image, "PNG"), placeholder=True) == ((8000, 8000), b"")
    assert read(pictures.encoded(image.convert("L"), "JPEG"), placeholder=True).placeholder


def test_a_format_that_pillow_gives_to_another_program_is_not_decoded() -> None:
    found = read(pictures.encoded(pictures.quarters(60, 40), "EPS"), placeholder=True)
    assert found == ((60, 40), b"")


def test_a_reason_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    def failing(*_: object) -> None:
        raise OSError("one\nand\x0btwo " + "x" * 5000)

    monkeypatch.setattr(Image, "open", failing)
    with pytest.raises(upright.Unreadable) as raised:
        read(b"")
    assert str(raised.value).startswith("cannot be read: OSError: one and two x")
    assert len(str(raised.value)) < 300
