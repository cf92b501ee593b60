"""The settings of encoders, and what of the source's metadata they let through, seen by Pillow."""

import io
from functools import partial

import pytest
from PIL import Image

from tests.support.pictures import encoded, noise
from tests.support.pixels import LIMITS
from thumbs.image.encoding import Encoding
from thumbs.image.transforms import Transform
from thumbs.render.renderer import Renderer

ARTIST, COPYRIGHT, MAKE, ORIENTATION = 0x013B, 0x8298, 0x010F, 0x0112
EXIF_IFD, GPS_IFD = 0x8769, 0x8825
OURS = "(c) 2026 Jane Doe (all rights reserved)"


def made(settings: Encoding, output: str = "jpeg", source: bytes | None = None, quality: int | None = 80) -> bytes:
    data = encoded(noise(120, 80), "JPEG", quality=95) if source is None else source
    quality = None if output in ("png", "gif") else quality
    return Renderer(settings=settings).render(data, Transform(60, 40, output, quality), LIMITS).body


def photographed(**fields: bytes) -> bytes:
    exif = Image.Exif()
    exif[ARTIST], exif[COPYRIGHT], exif[MAKE], exif[ORIENTATION] = "Jane Doe", OURS, "Camera & Co", 6
    exif.get_ifd(GPS_IFD).update({1: "N", 2: (52.0, 31.0, 12.0)})
    exif.get_ifd(EXIF_IFD)[0xA430] = "Owner of the camera"
    data = encoded(noise(120, 80), "JPEG", quality=95, exif=exif)
    for old, new in fields.items():
        data = data.replace(old.encode(), new)
    return data


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


@pytest.mark.parametrize("output", ["jpeg", "webp", "avif", "png"])
def test_author_and_copyright_are_kept_when_that_is_set_and_nothing_else_ever(output: str) -> None:
    data = made(Encoding(keep_copyright=True), output, photographed())
    exif = Image.open(io.BytesIO(data)).getexif()
    assert exif[ARTIST] == "Jane Doe"
    assert exif[COPYRIGHT] == OURS
    assert MAKE not in exif
    assert exif.get(ORIENTATION, 1) == 1
    assert exif.get_ifd(GPS_IFD) == {}
    for secret in (b"Camera & Co", b"Owner of the camera"):
        assert secret not in data


@pytest.mark.parametrize("output", ["jpeg", "webp", "avif", "png", "gif"])
def test_nothing_is_kept_by_itself(output: str) -> None:
    data = made(Encoding(), output, photographed())
    assert dict(Image.open(io.BytesIO(data)).getexif()) in ({}, {ORIENTATION: 1})
    assert b"Jane Doe" not in data


def test_a_copyright_in_utf_8_stays_byte_for_byte() -> None:
    source = photographed(**{"Jane Doe": "Zoë Doe".encode()})
    assert "(c) 2026 Zoë Doe (all".encode() in made(Encoding(keep_copyright=True), "jpeg", source)


def test_a_source_that_says_nothing_gives_a_thumbnail_that_says_nothing() -> None:
    data = made(Encoding(keep_copyright=True))
    assert dict(Image.open(io.BytesIO(data)).getexif()) == {}
