"""Guards of the renderer: limits on headers, where crops by attention lie, how large a proxy is."""

import io
from dataclasses import replace

import pytest
from PIL import Image

from thumbs.errors import SourceOverLimit
from thumbs.image.transforms import Attention, Transform
from thumbs.render.codecs import copyright as copyright_fields
from thumbs.render.header import Header
from thumbs.render.proxy import Proxy
from thumbs.render.renderer import Renderer
from thumbs.render.values import RenderLimits, SourceLimits

LIMITS = RenderLimits()
PROGRESSIVE = Header(
    format="jpeg",
    size=(1000, 1000),
    whole=True,
    cmyk=False,
    profile=None,
    has_alpha=False,
    color_space="srgb",
)


def test_the_scans_of_a_progressive_jpeg_count_with_its_pixels() -> None:
    limits = SourceLimits(pixels=4_000_000, whole_pixels=2_000_000)
    replace(PROGRESSIVE, scans=40).check(limits)  # half of the pixels, twice the scans
    with pytest.raises(SourceOverLimit):
        replace(PROGRESSIVE, scans=41).check(limits)


class ExifOf:
    """An image whose EXIF block has so many bytes."""

    def __init__(self, length: int) -> None:
        self.length = length

    def get(self, _: str) -> bytes:
        return b"x" * self.length


def test_an_exif_block_that_fits_into_no_jpeg_is_not_kept() -> None:
    fields = {"exif-data", "exif-ifd0-Artist"}
    assert copyright_fields.read_copyright(ExifOf(65_536), fields) is not None
    assert copyright_fields.read_copyright(ExifOf(65_537), fields) is None


def encoded(picture: Image.Image, kind: str) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, kind, **({"lossless": True} if kind == "webp" else {}))
    return buffer.getvalue()


def pixels_of(picture: Image.Image) -> list[tuple[int, ...]]:
    data = picture.tobytes()
    return [tuple(data[at : at + 3]) for at in range(0, len(data), 3)]


def with_patch(width: int, height: int, at: tuple[int, int], side: int) -> Image.Image:
    """A gray picture with one square of saturated noise, the only thing in it to look at."""
    picture = Image.new("RGB", (width, height), (128, 128, 128))
    noise = Image.effect_noise((side, side), 120).convert("L")
    patch = Image.merge(
        "RGB", (noise.point(lambda value: 255 if value > 100 else 160), noise, Image.new("L", (side, side)))
    )
    picture.paste(patch, at)
    return picture


@pytest.mark.parametrize("attention", [Attention.SMART, Attention.ENTROPY])
@pytest.mark.parametrize("at", [(40, 60), (500, 60), (960, 60)], ids=["left", "middle", "right"])
def test_a_crop_by_attention_lies_where_there_is_something_to_look_at(
    attention: Attention, at: tuple[int, int]
) -> None:
    data = encoded(with_patch(1200, 300, at, 180), "png")
    transform = Transform(300, 300, format="png", gravity=attention)
    picture = Image.open(io.BytesIO(Renderer().render(data, transform, LIMITS).body)).convert("RGB")
    gray = sum(all(abs(value - 128) < 20 for value in pixel) for pixel in pixels_of(picture))
    shown = 300 * 300 - gray
    assert shown > 0.6 * 180 * 180, f"{shown} pixels of the patch are in the crop"


@pytest.mark.parametrize("kind", ["png", "webp"])
@pytest.mark.parametrize(("size", "proxy"), [((4000, 1000), (1536, 384)), ((1000, 4000), (384, 1536))])
def test_a_proxy_of_a_png_or_webp_keeps_the_ratio_of_its_original(
    kind: str, size: tuple[int, int], proxy: tuple[int, int]
) -> None:
    packed = Renderer().make_proxy(encoded(Image.new("RGB", size, (9, 90, 190)), kind), LIMITS)
    found = Proxy.unpack(packed)
    assert found.size == size
    assert (found.image.width, found.image.height) == proxy
