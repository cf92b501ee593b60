"""Scores of SSIMULACRA2, all by the pinned package `ssimulacra2` (extra `bench`): compare them only with each other.

100 is the same picture, 90 cannot be told apart, 70 is high quality.
"""

import io
from functools import lru_cache
from typing import Any

import pyvips
from PIL import Image

from thumbs.image.formats import sniff
from thumbs.image.geometry import Size, plan
from thumbs.image.transforms import Transform
from thumbs.render.codecs import jxl
from thumbs.render.containers.jxl import read_jxl

Box = tuple[float, float, float, float]
_MARGIN = 64


def score(reference: Image.Image, made: bytes | pyvips.Image) -> float:
    """How alike the file or picture `made` is to `reference`. Transparent pixels lie on white."""
    from ssimulacra2 import compute_ssimulacra2  # noqa: PLC0415 - needed here only

    image = _opened(made) if isinstance(made, bytes) else made
    return float(compute_ssimulacra2(_file(reference), _file(to_pillow(image))))


def _opened(body: bytes) -> pyvips.Image:
    if sniff(body) == "jxl" and not jxl.libvips_reads():
        return jxl.decode(body, read_jxl(body))
    return pyvips.Image.new_from_buffer(body, "")


def to_pillow(image: pyvips.Image) -> Image.Image:
    """`image` as RGB, on white."""
    image = image.flatten(background=255) if image.hasalpha() else image
    image = image.colourspace("srgb")
    return Image.frombytes("RGB", (image.width, image.height), image.write_to_memory())


def from_pillow(picture: Image.Image) -> pyvips.Image:
    bands = len(picture.getbands())
    image = pyvips.Image.new_from_memory(picture.tobytes(), *picture.size, bands, "uchar")
    return image.copy(interpretation="srgb" if bands > 2 else "b-w").copy_memory()


@lru_cache(8)
def whole(data: bytes) -> Image.Image:
    """All pixels of an original, upright, in sRGB, on white."""
    image = pyvips.Image.new_from_buffer(data, "").autorot()
    if image.get_typeof("icc-profile-data") or image.interpretation == "cmyk":
        image = image.icc_transform("srgb", embedded=True, intent="relative")
    return to_pillow(image)


def reduced(data: bytes, size: Size, box: Box, *, linear: bool = False) -> Image.Image:
    """The part `box` of an original, decoded whole and resized by Pillow with Lanczos, perhaps in linear light.

    A box may be up to `_MARGIN` pixels larger than the original, whose outermost pixels then continue.
    """
    left, top, right, bottom = box
    width, height = whole(data).size
    if left < 0 or top < 0 or right > width or bottom > height:
        picture = _with_margin(data)
        box = left + _MARGIN, top + _MARGIN, right + _MARGIN, bottom + _MARGIN
    else:
        picture = whole(data)
    if not linear:
        return picture.resize(size, Image.Resampling.LANCZOS, box)
    import numpy  # noqa: PLC0415 - needed here only

    bands: list[Any] = []
    for band in picture.split():
        value = numpy.asarray(band, numpy.float32) / 255
        light = numpy.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4).astype(numpy.float32)
        small = Image.fromarray(light).resize(size, Image.Resampling.LANCZOS, box)
        light = numpy.clip(numpy.asarray(small), 0, 1)
        value = numpy.where(light <= 0.0031308, light * 12.92, 1.055 * light ** (1 / 2.4) - 0.055)
        bands.append(Image.fromarray((value * 255 + 0.5).astype(numpy.uint8)))
    return Image.merge("RGB", bands)


@lru_cache(8)
def _with_margin(data: bytes) -> Image.Image:
    image = from_pillow(whole(data))
    sides = image.width + 2 * _MARGIN, image.height + 2 * _MARGIN
    return to_pillow(image.embed(_MARGIN, _MARGIN, *sides, extend="copy"))


def shown_box(source: Size, transform: Transform) -> tuple[Size, Box]:
    """The size of a thumbnail of a source, and the exact part of it that the thumbnail shows."""
    layout = plan(source, transform)
    x, y = layout.spans
    return layout.output, (x.start, y.start, x.end, y.end)


def _file(picture: Image.Image) -> io.BytesIO:
    body = io.BytesIO()
    picture.save(body, "PNG", compress_level=0)
    body.seek(0)
    return body
