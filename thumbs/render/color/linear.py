"""Puts a resize into linear light: means of light, as a lens makes them, instead of means of sRGB values."""

import functools
from collections.abc import Callable

import pyvips

from thumbs.render.color.conversion import DEEP
from thumbs.render.color.transfer import to_light, to_srgb
from thumbs.render.color.values import Curve

_MOST = 2**16 - 1
_ALPHA_LEVEL = _MOST // 255
_SHOWN = {1: "b-w", 2: "b-w", 3: "srgb", 4: "srgb"}


def in_linear_light(image: pyvips.Image, resize: Callable[[pyvips.Image], pyvips.Image]) -> pyvips.Image:
    """What `resize` makes of `image`, sRGB or gray with 8 bits per channel, in linear light with 16 bits per channel.

    Alpha is linear already. What is not resized comes back as it was.
    """
    return _from_light(resize(_to_light(image)))


def _to_light(image: pyvips.Image) -> pyvips.Image:
    colors, alpha = _split(image)
    light = colors.maplut(_light_table())
    if alpha is not None:
        light = light.bandjoin((alpha * _ALPHA_LEVEL).cast("ushort"))
    return light.copy(interpretation=DEEP[image.bands > 2])


def _from_light(image: pyvips.Image) -> pyvips.Image:
    colors, alpha = _split(image)
    shown = colors.maplut(_srgb_table())
    if alpha is not None:
        shown = shown.bandjoin(((alpha + _ALPHA_LEVEL / 2) / _ALPHA_LEVEL).floor().cast("uchar"))
    return shown.copy(interpretation=_SHOWN[image.bands])


def _split(image: pyvips.Image) -> tuple[pyvips.Image, pyvips.Image | None]:
    """The colors, and alpha if there is any."""
    if image.bands in (1, 3):
        return image, None
    return image.extract_band(0, n=image.bands - 1), image.extract_band(image.bands - 1)


@functools.lru_cache(1)
def _light_table() -> pyvips.Image:
    light = to_light(pyvips.Image.identity() / 255, Curve.SRGB)
    return (light * _MOST + 0.5).cast("ushort").copy_memory()


@functools.lru_cache(1)
def _srgb_table() -> pyvips.Image:
    value = to_srgb(pyvips.Image.identity(ushort=True) / _MOST)
    return (value * 255 + 0.5).cast("uchar").copy_memory()
