"""The settings of encoders, and what of the source's metadata they let through, seen by Pillow."""

import io
from functools import partial

import pytest
from PIL import Image

from tests.support.codecs import OUTPUTS
from tests.support.exif import with_thumbnail
from tests.support.pictures import encoded, noise
from tests.support.pixels import LIMITS
from thumbs.image.encoding import Encoding
from thumbs.image.formats import FORMATS
from thumbs.image.transforms import Transform
from thumbs.render.renderer import Renderer

ARTIST, COPYRIGHT, MAKE, ORIENTATION = 0x013B, 0x8298, 0x010F, 0x0112
EXIF_IFD, GPS_IFD = 0x8769, 0x8825
OURS = "(c) 2026 Jane Doe (all rights reserved)"
CROPPED_AWAY = b"what was cropped away"
SOURCES = ("JPEG", "WEBP", "PNG", "AVIF")


def made(settings: Encoding, output: str = "jpeg", source: bytes | None = None, quality: int | None = 80) -> bytes:
    data = encoded(noise(120, 80), "JPEG", quality=95) if source is None else source
    quality = None if output in ("png", "gif") else quality
    renderer = Renderer(inputs=frozenset(FORMATS), settings=settings)
    return renderer.render(data, Transform(60, 40, output, quality), LIMITS).body


def photographed(file_format: str = "JPEG") -> bytes:
    exif = Image.Exif()
    exif[ARTIST], exif[COPYRIGHT], exif[MAKE] = "Jane Doe", OURS, "Camera & Co"
    if file_format != "AVIF":  # Pillow takes it out of the block, and the thumbnail with it
        exif[ORIENTATION] = 6
    exif.get_ifd(GPS_IFD).update({1: "N", 2: (52.0, 31.0, 12.0)})
    exif.get_ifd(EXIF_IFD)[0xA430] = "Owner of the camera"
    thumbnail = encoded(noise(40, 30), "JPEG", comment=CROPPED_AWAY)
    return encoded(noise(120, 80), file_format, quality=95, exif=with_thumbnail(exif.tobytes(), thumbnail))


def sampling(data: bytes) -> tuple[int, int]:
    """The horizontal and vertical factors of the first component (ITU-T T.81, B.2.2)."""
    layer = Image.open(io.BytesIO(data)).layer  # type: ignore[attr-defined]
    return layer[0][1], layer[0][2]


def test_a_jpeg_is_progressive_when_that_is_set_and_else_is_not() -> None:
    opened = partial(Image.open)
    assert "progressive" not in opened(io.BytesIO(made(Encoding()))).info
    assert "progressive" in opened(io.BytesIO(made(Encoding(jpeg_progressive=True)))).info


@pytest.mark.parametrize(
    ("setting", "quality", "factors"),
    [("auto", 80, (2, 2)), ("auto", 95, (1, 1)), ("on", 95, (2, 2)), ("off", 80, (1, 1))],
)
def test_chroma_is_subsampled_as_it_is_set(setting: str, quality: int, factors: tuple[int, int]) -> None:
    assert sampling(made(Encoding(jpeg_subsampling=setting), quality=quality)) == factors


def test_a_png_has_a_palette_when_that_is_set_and_else_has_not() -> None:
    plain, small = made(Encoding(), "png"), made(Encoding(png_palette=True), "png")
    assert (Image.open(io.BytesIO(plain)).mode, Image.open(io.BytesIO(small)).mode) == ("RGB", "P")
    assert len(small) < len(plain)


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("output", ["jpeg", "webp", "avif", "png"])
def test_author_and_copyright_are_kept_when_that_is_set_and_nothing_else_ever(source: str, output: str) -> None:
    data = made(Encoding(keep_copyright=True), output, photographed(source))
    exif = Image.open(io.BytesIO(data)).getexif()
    assert exif[ARTIST] == "Jane Doe"
    assert exif[COPYRIGHT] == OURS
    assert MAKE not in exif
    assert exif.get(ORIENTATION, 1) == 1
    assert exif.get_ifd(GPS_IFD) == {}
    for secret in (b"Camera & Co", b"Owner of the camera", CROPPED_AWAY):
        assert secret not in data


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("output", OUTPUTS)
def test_the_small_picture_in_the_exif_of_an_original_is_in_no_thumbnail(source: str, output: str) -> None:
    original = photographed(source)
    assert CROPPED_AWAY in original
    for keep in (True, False):
        assert CROPPED_AWAY not in made(Encoding(keep_copyright=keep), output, original)


@pytest.mark.parametrize("output", OUTPUTS)
def test_the_other_pages_of_a_tiff_are_in_no_thumbnail(output: str) -> None:
    small = Image.frombytes("L", (len(CROPPED_AWAY), 1), CROPPED_AWAY)
    original = encoded(noise(120, 80), "TIFF", save_all=True, append_images=[small])
    assert CROPPED_AWAY in original
    assert CROPPED_AWAY not in made(Encoding(keep_copyright=True), output, original)


@pytest.mark.parametrize("output", ["jpeg", "webp", "avif", "png", "gif"])
def test_nothing_is_kept_by_itself(output: str) -> None:
    data = made(Encoding(), output, photographed())
    assert dict(Image.open(io.BytesIO(data)).getexif()) in ({}, {ORIENTATION: 1})
    assert b"Jane Doe" not in data


def test_a_copyright_in_utf_8_stays_byte_for_byte() -> None:
    source = photographed().replace(b"Jane Doe", "Zoë Doe".encode())
    assert "(c) 2026 Zoë Doe (all".encode() in made(Encoding(keep_copyright=True), "jpeg", source)


def test_a_source_that_says_nothing_gives_a_thumbnail_that_says_nothing() -> None:
    data = made(Encoding(keep_copyright=True))
    assert dict(Image.open(io.BytesIO(data)).getexif()) == {}
