"""Corrects samples of an AVIF that libheif does not convert, or converts otherwise than ISO/IEC 23091-2 says."""

from dataclasses import dataclass

import pyvips

from thumbs.render.containers.avif import read_structure
from thumbs.render.containers.boxes import TooManyError
from thumbs.render.containers.cicp import cicp_of, sequence_header_of
from thumbs.render.containers.items import Structure

_BLACK = 16.0  # of the limited range in 8 bits; white is 235
_LUMA_GAIN = 255 / 219
_IDENTITY, _YCGCO = 0, 8  # the matrix
# libheif multiplies luma and chroma of the limited range by these. Their ratio is right, so that all colors are too
# bright by one factor. Red and blue count as chroma where the matrix is none.
_LIBHEIF_LUMA_GAIN, _LIBHEIF_CHROMA_GAIN = 1.1689, 1.1429
_WHITE = 255  # what libheif has cut to white stays white
_AS_IS = (0.0, 1.0)

# A level in 8 bits becomes `(level - black) * gain`.
Scale = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Samples:
    """How red, green, blue and alpha that libheif decoded must be scaled.

    `premultiplied`: the colors were multiplied by alpha.
    """

    colors: tuple[Scale, Scale, Scale] = (_AS_IS, _AS_IS, _AS_IS)
    alpha: Scale = _AS_IS
    premultiplied: bool = False

    def correct(self, image: pyvips.Image) -> pyvips.Image:
        """`image` with right samples and not premultiplied; it has 8 or 16 bits, and one or three colors."""
        alpha = image.hasalpha()
        scales = self.colors[: image.bands - alpha]
        image = _scaled(image, (*scales, self.alpha) if alpha else scales)
        return _unpremultiplied(image) if self.premultiplied and alpha else image


def read_samples(data: bytes) -> Samples | None:
    """How the samples of the main picture must be corrected.

    None where libheif decodes them as browsers do, and where each thumbnail, which libvips may decode in its place, has
    the same colors and transformations.
    """
    try:
        structure = read_structure(data)
    except TooManyError:
        return None
    if structure is None:
        return None
    main, right = structure.primary, Samples()
    found = _samples_of(structure, main)
    if found != right or any(_differs(structure, main, each) for each in structure.thumbnails_of(main)):
        return found
    return None


def _samples_of(structure: Structure, item: int) -> Samples:
    alpha = structure.alpha_of(item)
    return Samples(
        _color_scales(structure, item),
        _AS_IS if alpha is None else _alpha_scale(structure, alpha),
        premultiplied=alpha is not None and structure.is_premultiplied(item, alpha),
    )


def _differs(structure: Structure, main: int, thumbnail: int) -> bool:
    """Whether a thumbnail would not be shown as the main picture, which needs no correction, is."""
    properties = ([each.contents() for each in structure.transformations_of(item)] for item in (main, thumbnail))
    codes = (cicp_of(structure, item) for item in (main, thumbnail))
    return len(set(codes)) > 1 or next(properties) != next(properties) or _samples_of(structure, thumbnail) != Samples()


def _color_scales(structure: Structure, item: int) -> tuple[Scale, Scale, Scale]:
    cicp, coded = cicp_of(structure, item), sequence_header_of(structure, item)
    if cicp is None or coded is None or cicp.full_range:
        return _AS_IS, _AS_IS, _AS_IS
    if coded.monochrome:  # libheif leaves it in the limited range
        gray = (_BLACK, _LUMA_GAIN)
        return gray, gray, gray
    if cicp.matrix == _YCGCO:
        return _AS_IS, _AS_IS, _AS_IS
    luma = (0.0, _LUMA_GAIN / _LIBHEIF_LUMA_GAIN)
    outer = (0.0, _LUMA_GAIN / _LIBHEIF_CHROMA_GAIN) if cicp.matrix == _IDENTITY else luma
    return outer, luma, outer


def _alpha_scale(structure: Structure, alpha: int) -> Scale:
    """The range of alpha is that of its own data: an `nclx` property of it does not count."""
    coded = sequence_header_of(structure, alpha)
    return _AS_IS if coded is None or coded.full_range else (_BLACK, _LUMA_GAIN)


def _scaled(image: pyvips.Image, scales: tuple[Scale, ...]) -> pyvips.Image:
    if all(scale == _AS_IS for scale in scales):
        return image
    wide = image.format == "ushort"
    unit = 256 if wide else 1
    gains = [gain for _, gain in scales]
    offsets = [-black * gain * unit for black, gain in scales]
    levels = pyvips.Image.identity(bands=len(scales), ushort=wide)
    scaled = (levels >= _WHITE * unit).ifthenelse(levels, levels.linear(gains, offsets).rint()).cast(image.format)
    return image.maplut(scaled).copy(interpretation=image.interpretation)


def _unpremultiplied(image: pyvips.Image) -> pyvips.Image:
    full = 2**16 - 1 if image.format == "ushort" else 2**8 - 1
    plain = image.unpremultiply(max_alpha=full).rint().cast(image.format)
    return plain.copy(interpretation=image.interpretation)
