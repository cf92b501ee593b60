"""Renders for tests, and how near pixels are to what they should be."""

from PIL import Image, ImageChops, ImageStat

from tests.support.pictures import decoded
from thumbs.image.transforms import Transform
from thumbs.render.renderer import Renderer
from thumbs.render.values import Picture, RenderLimits

Pixel = tuple[int, ...]


LIMITS = RenderLimits()


def rendered(
    data: bytes, transform: Transform, *, limits: RenderLimits = LIMITS, fallback: Transform | None = None
) -> Picture:
    return Renderer().render(data, transform, limits, fallback=fallback)


def picture(data: bytes, transform: Transform) -> Image.Image:
    return decoded(rendered(data, transform).body)


def difference(one: Image.Image, other: Image.Image) -> float:
    """The mean difference of the worst channel, in levels of 255."""
    assert one.size == other.size
    return max(ImageStat.Stat(ImageChops.difference(one.convert("RGB"), other.convert("RGB"))).mean)


def near(pixel: object, wanted: Pixel, by: int = 3) -> bool:
    assert isinstance(pixel, tuple)
    return len(pixel) == len(wanted) and all(abs(a - b) <= by for a, b in zip(pixel, wanted, strict=True))
