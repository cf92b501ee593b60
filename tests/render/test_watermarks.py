"""Watermarks: where they lie, how large and how faint they are, against Pillow's own compositing."""

import struct
from pathlib import Path

import pytest
from PIL import Image

from tests.support.pictures import decoded, encoded
from tests.support.pixels import LIMITS, difference, near
from tests.support.signaled_colors import chunk
from thumbs.errors import RenderFailed
from thumbs.image.formats import DEFAULT_INPUTS
from thumbs.image.transforms import Color, Compass, Padding, Transform, Watermark
from thumbs.render.renderer import Renderer
from thumbs.render.watermarks import Watermarks

GRAY, LOGO = (120, 130, 140), (250, 20, 30)
FAINT = Image.new("RGBA", (20, 10), (255, 0, 0, 60))


@pytest.fixture(scope="module")
def renderer(tmp_path_factory: pytest.TempPathFactory) -> Renderer:
    directory = tmp_path_factory.mktemp("watermarks")
    Image.new("RGBA", (20, 10), (*LOGO, 255)).save(directory / "logo.png")
    half = Image.new("RGBA", (20, 10), (*LOGO, 255))
    half.paste((0, 0, 0, 0), (10, 0, 20, 10))
    half.save(directory / "half.png")
    Image.new("L", (20, 10), 0).save(directory / "gray.png")
    (directory / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\nand nothing more")
    files = {file.stem: str(file) for file in directory.iterdir()} | {"lost": str(directory / "lost.png")}
    inputs = frozenset(DEFAULT_INPUTS)
    return Renderer(inputs, watermarks=Watermarks(lambda name: Path(files[name]).read_bytes(), inputs))


def marked(
    renderer: Renderer, mark: Watermark, *, mode: str = "RGB", output: str = "png", **fields: object
) -> Image.Image:
    source = encoded(Image.new("RGB", (100, 60), GRAY).convert(mode), "PNG")
    transform = Transform(format=output, watermark=mark, **fields)  # type: ignore[arg-type]
    return decoded(renderer.render(source, transform, LIMITS).body)


@pytest.mark.parametrize(
    ("gravity", "corner"),
    [
        (Compass.NORTHWEST, (0, 0)),
        (Compass.NORTH, (40, 0)),
        (Compass.NORTHEAST, (80, 0)),
        (Compass.WEST, (0, 25)),
        (Compass.CENTER, (40, 25)),
        (Compass.EAST, (80, 25)),
        (Compass.SOUTHWEST, (0, 50)),
        (Compass.SOUTH, (40, 50)),
        (Compass.SOUTHEAST, (80, 50)),
    ],
)
def test_a_watermark_lies_where_gravity_says(renderer: Renderer, gravity: Compass, corner: tuple[int, int]) -> None:
    wanted = Image.new("RGB", (100, 60), GRAY)
    wanted.paste(LOGO, (*corner, corner[0] + 20, corner[1] + 10))
    assert difference(marked(renderer, Watermark("logo", gravity)), wanted) == 0


@pytest.mark.parametrize("opacity", [0, 25, 50, 100])
def test_a_watermark_has_the_requested_opacity(renderer: Renderer, opacity: int) -> None:
    made = marked(renderer, Watermark("logo", opacity=opacity))
    wanted = tuple(round(a + (b - a) * opacity / 100) for a, b in zip(GRAY, LOGO, strict=True))
    assert near(made.getpixel((50, 30)), wanted, by=1)
    assert near(made.getpixel((5, 5)), GRAY, by=0)


@pytest.mark.parametrize(
    ("scale", "size"), [(0.5, (50, 25)), (1, (100, 50)), (0.1, (10, 5)), (0.000001, (1, 1)), (0, (20, 10))]
)
def test_a_watermark_fills_the_requested_part_of_each_side(
    renderer: Renderer, scale: float, size: tuple[int, int]
) -> None:
    made = marked(renderer, Watermark("logo", Compass.NORTHWEST, scale=scale))
    wanted = Image.new("RGB", (100, 60), GRAY)
    wanted.paste(LOGO, (0, 0, *size))
    assert difference(made, wanted) < 0.5


def test_a_watermark_is_never_larger_than_the_thumbnail(renderer: Renderer) -> None:
    made = marked(renderer, Watermark("logo"), width=8, height=8)
    assert made.size == (8, 8)
    assert near(made.getpixel((4, 4)), LOGO, by=2)
    assert near(made.getpixel((4, 0)), GRAY, by=2)


def test_what_is_transparent_in_a_watermark_shows_what_lies_under_it(renderer: Renderer) -> None:
    made = marked(renderer, Watermark("half", Compass.NORTHWEST))
    assert near(made.getpixel((5, 5)), LOGO, by=0)
    assert near(made.getpixel((15, 5)), GRAY, by=0)


def test_a_watermark_keeps_its_color_on_a_gray_picture_and_over_effects(renderer: Renderer) -> None:
    for made in (marked(renderer, Watermark("logo"), mode="L"), marked(renderer, Watermark("logo"), grayscale=True)):
        assert near(made.convert("RGB").getpixel((50, 30)), LOGO, by=1)


def test_a_watermark_of_grays_is_one(renderer: Renderer) -> None:
    assert near(marked(renderer, Watermark("gray")).getpixel((50, 30)), (0, 0, 0), by=0)


def test_a_watermark_lies_over_the_padding_and_on_the_background(renderer: Renderer) -> None:
    mark = Watermark("logo", Compass.NORTHWEST)
    made = marked(renderer, mark, padding=Padding(20, 0, 0, 20), background=Color(0, 0, 255))
    assert made.size == (120, 80)
    assert near(made.convert("RGB").getpixel((5, 5)), LOGO, by=1)
    assert near(made.convert("RGB").getpixel((5, 15)), (0, 0, 255), by=1)


def test_a_transparent_thumbnail_stays_transparent_beside_its_watermark(renderer: Renderer) -> None:
    source = encoded(Image.new("RGBA", (100, 60), (0, 0, 0, 0)), "PNG")
    mark = Watermark("logo", Compass.NORTHWEST, opacity=50)
    made = decoded(renderer.render(source, Transform(format="png", watermark=mark), LIMITS).body)
    assert made.getpixel((90, 50)) == (0, 0, 0, 0)
    pixel = made.getpixel((5, 5))
    assert near(pixel, (*LOGO, 128), by=1)


def without_flags(webp: bytes) -> bytes:
    """A WebP with a header VP8X that announces nothing, not even alpha (RIFF, the size, WEBP, then chunks)."""
    size = struct.pack("<I", 19)[:3] + struct.pack("<I", 9)[:3]
    body = b"WEBPVP8X" + struct.pack("<II", 10, 0) + size + webp[12:]
    return b"RIFF" + struct.pack("<I", len(body)) + body


def with_brand(avif: bytes) -> bytes:
    """An AVIF whose main brand is that of all MIAF files (ISO/IEC 23000-22)."""
    return avif.replace(b"ftypavif", b"ftypmiaf", 1)


def with_comment(png: bytes) -> bytes:
    """A PNG with a text whose keyword is in Latin-1, behind the signature and IHDR."""
    return png[:33] + chunk(b"tEXt", b"Kommentar\xfc\0text") + png[33:]


@pytest.mark.parametrize(
    "data",
    [
        without_flags(encoded(FAINT, "WEBP", lossless=True, exact=True)),
        with_brand(encoded(FAINT, "AVIF", quality=100, subsampling="4:4:4")),
        with_comment(encoded(FAINT, "PNG")),
    ],
    ids=["webp", "avif", "png"],
)
def test_a_watermark_may_be_any_file_that_may_be_an_original(data: bytes) -> None:
    inputs = frozenset(DEFAULT_INPUTS)
    files = {"plain": encoded(FAINT, "PNG"), "odd": data}
    renderer = Renderer(inputs, watermarks=Watermarks(files.__getitem__, inputs))
    plain, odd = (marked(renderer, Watermark(name)) for name in files)
    assert near(plain.getpixel((50, 30)), (152, 99, 107), by=1)
    assert near(odd.getpixel((50, 30)), (152, 99, 107), by=2)
    assert difference(odd, plain) < 0.1


@pytest.mark.parametrize("name", ["broken", "lost", "unknown"])
def test_a_watermark_that_cannot_be_read_fails_the_render(renderer: Renderer, name: str) -> None:
    with pytest.raises(RenderFailed):
        marked(renderer, Watermark(name))
