"""Converts pictures to sRGB: a table per channel, a matrix in linear light, and a table back."""

import functools

import pyvips

from thumbs.render.color.primaries import BT709, BT2020, Primaries
from thumbs.render.color.tone_mapping import gains
from thumbs.render.color.transfer import PQ_RANGE, to_light, to_srgb
from thumbs.render.color.values import DEFAULT_PEAK, REFERENCE_WHITE, ColorSpace, Curve, Power, Transfer

_HLG_SYSTEM_GAMMA = 1.2  # of a display of 1000 cd/m²: ITU-R BT.2100-2, table 5
# With a lower exponent, the levels near black are farther from each other than those of sRGB.
_SMOOTH_EXPONENT = 2.0
_MOST = 2**16 - 1
DEEP = ("grey16", "rgb16")
_BITS = "bits-per-sample"
# A table has at most 65,536 numbers of 4 bytes. A `gAMA` chunk can ask for any exponent, so few are kept.
_TABLES_KEPT = 8


def deepened(image: pyvips.Image, space: ColorSpace) -> pyvips.Image:
    """`image`, to be scaled, with 16 bits per channel where it has 8 and one level may be many of sRGB."""
    coarse = isinstance(space.transfer, Power) and space.transfer.exponent < _SMOOTH_EXPONENT
    if image.format != "uchar" or not coarse:
        return image
    image = image.maplut(_deepening_table()).copy(interpretation=DEEP[image.bands > 2])
    image.set_type(pyvips.GValue.gint_type, _BITS, 16)
    return image


def to_srgb_picture(image: pyvips.Image, space: ColorSpace) -> pyvips.Image:
    """`image`, whose samples lie in `space`, as sRGB or gray with 8 bits per channel.

    It has 8 or 16 bits per channel; with 16, nothing is rounded before the end. Alpha stays as it is. A picture of
    other samples is returned as it is.
    """
    if image.format not in ("uchar", "ushort"):
        return image
    colors = 3 if image.bands > 2 else 1
    deep = image.format == "ushort"
    most = _largest_sample(image) if deep else 255
    samples = image.extract_band(0, n=colors)
    if colors == 1 or (space.primaries == BT709 and not space.has_high_range):
        shown = samples.maplut(_whole_table(space, most))
    else:
        shown = _shown(samples.maplut(_light_table(space.transfer, most)), space)
    if image.bands > colors:
        alpha = image.extract_band(colors, n=image.bands - colors)
        shown = shown.bandjoin((alpha >> 8).cast("uchar") if deep else alpha)
    return shown.copy(interpretation="srgb" if colors == 3 else "b-w")


def _largest_sample(image: pyvips.Image) -> int:
    """libvips shifts samples of 10 or 12 bits to the left."""
    bits = image.get(_BITS) if image.get_typeof(_BITS) else 16
    return ((1 << bits) - 1) << (16 - bits) if 8 < bits < 16 else _MOST


def _shown(light: pyvips.Image, space: ColorSpace) -> pyvips.Image:
    light = _tone_mapped(light, space) if space.has_high_range else _in_primaries(light, space.primaries, BT709)
    return (light * _MOST + 0.5).cast("ushort").maplut(_srgb_table())


def _tone_mapped(light: pyvips.Image, space: ColorSpace) -> pyvips.Image:
    if space.transfer == Curve.HLG:
        luminance = light.recomb(_matrix(space.primaries.luminances()))
        light = light * luminance ** (_HLG_SYSTEM_GAMMA - 1) * (DEFAULT_PEAK / REFERENCE_WHITE)
    light = _in_primaries(light, space.primaries, BT2020)
    if space.peak > REFERENCE_WHITE:
        red, green, blue = light.bandsplit()
        largest = red.bandrank([green, blue], index=2)
        light = light * (largest * (_MOST / PQ_RANGE) + 0.5).cast("ushort").maplut(_gain_table(space.peak))
    return _in_primaries(light, BT2020, BT709)


def _in_primaries(light: pyvips.Image, here: Primaries, there: Primaries) -> pyvips.Image:
    return light if here == there else light.recomb(_matrix(*here.matrix_to(there)))


def _matrix(*rows: tuple[float, float, float]) -> pyvips.Image:
    return pyvips.Image.new_from_array([list(row) for row in rows])


@functools.lru_cache(_TABLES_KEPT)
def _light_table(transfer: Transfer, most: int) -> pyvips.Image:
    value = pyvips.Image.identity(ushort=most > 255) / most
    return to_light((value < 1).ifthenelse(value, 1), transfer).cast("float").copy_memory()


@functools.lru_cache(_TABLES_KEPT)
def _whole_table(space: ColorSpace, most: int) -> pyvips.Image:
    """From samples to sRGB, where all channels have the same conversion: it is that of gray."""
    light = _light_table(space.transfer, most)
    return _shown(light.bandjoin([light, light]), space).extract_band(0).copy_memory()


@functools.lru_cache(_TABLES_KEPT)
def _gain_table(peak: float) -> pyvips.Image:
    return gains(pyvips.Image.identity(ushort=True) * (PQ_RANGE / _MOST), peak).cast("float").copy_memory()


@functools.lru_cache(1)
def _deepening_table() -> pyvips.Image:
    return (pyvips.Image.identity() * (_MOST // 255)).cast("ushort").copy_memory()


@functools.lru_cache(1)
def _srgb_table() -> pyvips.Image:
    value = to_srgb(pyvips.Image.identity(ushort=True) / _MOST)
    return (value * 255 + 0.5).cast("uchar").copy_memory()
