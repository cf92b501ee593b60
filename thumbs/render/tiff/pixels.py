"""The samples of a TIFF as colors that every step of a render takes: gray, RGB or CMYK, perhaps with alpha."""

import math
from dataclasses import replace

import pyvips

from thumbs.errors import SourceBroken
from thumbs.render.tiff.samples import Meaning, Samples

_ICC = "icc-profile-data"
_DEEP = 2**16 - 1
Limits = tuple[float, float]
# What black and white are in floating-point samples: of fractions, of 8-bit levels.
_FRACTIONS: Limits = (0.0, 1.0)
_LEVELS: Limits = (0.0, 255.0)
_DEEP_GRAY = "grey16"
# The larger half of 16-bit ICC numbers: 0xFF00 is L* = 100.
_ICC_DEEP = 65_280


def open_tiff(data: bytes, samples: Samples, *, measured: bool = True) -> pyvips.Image:
    """The picture in colors, not decoded yet.

    Gray floating-point samples without limits in the file are decoded once here, to find their largest value, which
    takes no longer than the limits of originals allow; not so without `measured`, for a caller that needs no pixels.
    Raises `SourceBroken` for other bands than those announced,
    and libvips' errors.
    """
    patched = samples.patched(data)
    limits = samples.limits or _FRACTIONS
    if samples.floating and samples.meaning in (Meaning.GRAY, Meaning.CMYK) and samples.limits is None and measured:
        limits = _measured(_stored_bands(patched, samples).extract_band(0, n=samples.colors))
    return _COLORS[samples.meaning](_stored_bands(patched, samples), samples, limits)


def _stored_bands(data: bytes, samples: Samples) -> pyvips.Image:
    image = pyvips.Image.new_from_buffer(data, "", access="sequential", fail_on="error")
    if samples.meaning is not Meaning.PALETTE and image.bands != samples.bands:
        raise SourceBroken
    return image


def _measured(image: pyvips.Image) -> Limits:
    """The values of black and white: of fractions 0 and 1, of 8-bit levels 0 and 255, else the least and the most."""
    statistics = image.stats()
    least, most = statistics(0, 0)[0], statistics(1, 0)[0]
    if not math.isfinite(most) or most <= 1:
        return _FRACTIONS
    return _LEVELS if most <= 255 or not math.isfinite(least) else (least, most)


def _gray(image: pyvips.Image, samples: Samples, limits: Limits) -> pyvips.Image:
    colors = _whole(_color_bands(image, samples), limits)
    colors = _with_alpha(colors, image, samples, limits)
    if samples.inverted:
        most = [_largest(colors)] * samples.colors + [0] * (colors.bands - samples.colors)
        colors = colors.linear([-1 if each else 1 for each in most], most).cast(colors.format)
    names = ("b-w", "srgb") if colors.format == "uchar" else (_DEEP_GRAY, "rgb16")
    return colors.copy(interpretation=names[samples.colors > 1])


def _rgb(image: pyvips.Image, samples: Samples, limits: Limits) -> pyvips.Image:
    if not samples.floating:
        return _gray(image, samples, limits)
    # Linear light from 0 to 1, as libvips reads it where there are no extra samples.
    colors = _color_bands(image, samples)
    if samples.alpha is not None:
        colors = colors.bandjoin(image.extract_band(samples.alpha))
        colors = colors.unpremultiply(max_alpha=1) if samples.associated else colors
    return colors.copy(interpretation="scrgb")


def _cmyk(image: pyvips.Image, samples: Samples, limits: Limits) -> pyvips.Image:
    inks = _byte(_whole(_color_bands(image, samples), limits))
    return _with_alpha(inks, image, samples, limits).copy(interpretation="cmyk")


def _palette(image: pyvips.Image, _: Samples, __: Limits) -> pyvips.Image:
    """libvips has looked the colors up; the sample beside them is no alpha."""
    return image.extract_band(0, n=image.bands - 1) if image.bands in (2, 4) else image


def _ycbcr(image: pyvips.Image, samples: Samples, _: Limits) -> pyvips.Image:
    """TIFF 6.0, section 21."""
    red, green, blue = samples.ycbcr.weights
    low, high = samples.ycbcr.reference[::2], samples.ycbcr.reference[1::2]
    spans = [(white - black) or 1 for black, white in zip(low, high, strict=True)]
    scales = [full / span for full, span in zip((255, 127, 127), spans, strict=True)]
    colors = _color_bands(image, samples).linear(
        scales, [-black * scale for black, scale in zip(low, scales, strict=True)]
    )
    from_cr, from_cb = 2 - 2 * red, 2 - 2 * blue
    matrix = [[1, 0, from_cr], [1, -blue * from_cb / (green or 1), -red * from_cr / (green or 1)], [1, from_cb, 0]]
    return colors.recomb(pyvips.Image.new_from_array(matrix)).rint().cast("uchar").copy(interpretation="srgb")


def _cielab(image: pyvips.Image, samples: Samples, _: Limits) -> pyvips.Image:
    """TIFF 6.0, section 23: L* is unsigned, a* and b* are signed; 16 bits have 8 behind the point. Floats are as is."""
    if samples.floating:
        return _from_lab(_color_bands(image, samples).bandsplit(), image, samples)
    deep = samples.bits == 16
    lightness, *rest = _stored(_color_bands(image, samples), samples).bandsplit()
    half, unit = (32_768, 256) if deep else (128, 1)
    signed = [(band >= half).ifthenelse(band - 2 * half, band) / unit for band in rest]
    return _from_lab([lightness * (100 / (_DEEP if deep else 255)), *signed], image, samples)


def _icclab(image: pyvips.Image, samples: Samples, _: Limits) -> pyvips.Image:
    """The encoding of ICC profiles: all unsigned, 0 of a* and b* in the middle."""
    deep = samples.bits == 16
    lightness, *rest = _stored(_color_bands(image, samples), samples).bandsplit()
    centered = [band / (256 if deep else 1) - 128 for band in rest]
    return _from_lab([lightness * (100 / (_ICC_DEEP if deep else 255)), *centered], image, samples)


def _log_l(image: pyvips.Image, _: Samples, __: Limits) -> pyvips.Image:
    """16-bit logarithms of the luminance (G. Ward Larson, "LogLuv encoding for TIFF images"), 1 is white."""
    stored = image.extract_band(0).cast("int")
    luminance = ((stored & 0x7FFF) + 0.5).linear(math.log(2) / 256, -64 * math.log(2)).exp()
    luminance = (stored > 0).ifthenelse(luminance, 0).cast("float")
    return _without_profile(luminance.bandjoin([luminance] * 2).copy(interpretation="scrgb").colourspace("b-w"))


_COLORS = {
    Meaning.GRAY: _gray,
    Meaning.RGB: _rgb,
    Meaning.PALETTE: _palette,
    Meaning.CMYK: _cmyk,
    Meaning.YCBCR: _ycbcr,
    Meaning.CIELAB: _cielab,
    Meaning.ICCLAB: _icclab,
    Meaning.LOG_L: _log_l,
}


def _color_bands(image: pyvips.Image, samples: Samples) -> pyvips.Image:
    return image.extract_band(0, n=samples.colors)


def _whole(image: pyvips.Image, limits: Limits) -> pyvips.Image:
    """Numbers as 8 or 16 bits without a sign: the range of their type, or of floats the one between `limits`."""
    match image.format:
        case "char":
            return (image.cast("short") + 128).cast("uchar")
        case "short":
            return (image.cast("int") + 32_768).cast("ushort")
        case "uint":
            return (image / 65_536).cast("ushort")
        case "int":
            return (image / 65_536 + 32_768).cast("ushort")
        case "float":
            scale = _DEEP / (limits[1] - limits[0])
            return image.linear(scale, -limits[0] * scale).rint().cast("ushort")
        case _:
            return image


def _stored(image: pyvips.Image, samples: Samples) -> pyvips.Image:
    """The bits of each sample as a number without a sign."""
    return image.cast("int") & (_DEEP if samples.bits == 16 else 255)


def _with_alpha(colors: pyvips.Image, image: pyvips.Image, samples: Samples, limits: Limits) -> pyvips.Image:
    """`colors`, whole numbers, with the alpha of `image`."""
    if samples.alpha is None:
        return colors
    alpha = _whole(image.extract_band(samples.alpha), limits if limits == _LEVELS else _FRACTIONS)
    joined = colors.bandjoin(alpha if alpha.format == colors.format else _byte(alpha))
    if not samples.associated:
        return joined
    return joined.unpremultiply(max_alpha=_largest(colors)).cast(colors.format)


def _from_lab(bands: list[pyvips.Image], image: pyvips.Image, samples: Samples) -> pyvips.Image:
    colors = bands[0].bandjoin(bands[1:]).copy(interpretation="lab").colourspace("srgb")
    return _without_profile(_with_alpha(colors, image, replace(samples, associated=False), _FRACTIONS))


def _without_profile(image: pyvips.Image) -> pyvips.Image:
    """The profile of other colors than those of `image` must not be applied to it."""
    image = image.copy()
    if image.get_typeof(_ICC):
        image.remove(_ICC)
    return image


def _byte(image: pyvips.Image) -> pyvips.Image:
    return image if image.format == "uchar" else (image >> 8).cast("uchar")


def _largest(image: pyvips.Image) -> int:
    return 255 if image.format == "uchar" else _DEEP
