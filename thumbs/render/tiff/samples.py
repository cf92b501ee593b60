"""What each sample of a TIFF means, for those that libvips alone reads wrongly.

libvips is given such a file as one of RGB, or of gray, so that it returns the samples as they are stored. `pixels`
turns them into colors.
"""

from dataclasses import dataclass, field
from enum import StrEnum

from thumbs.errors import SourceUnsupported
from thumbs.render.tiff import announced
from thumbs.render.tiff.announced import Announced, read_announced
from thumbs.render.tiff.tags import directories


class Meaning(StrEnum):
    """What the color samples of a pixel are."""

    GRAY = "gray"  # one, or three that are taken as RGB
    RGB = "rgb"
    PALETTE = "palette"
    CMYK = "cmyk"
    YCBCR = "ycbcr"
    CIELAB = "cielab"
    ICCLAB = "icclab"
    LOG_L = "log-l"


_MEANINGS = {
    announced.RGB: Meaning.RGB,
    announced.PALETTE: Meaning.PALETTE,
    announced.SEPARATED: Meaning.CMYK,
    announced.YCBCR: Meaning.YCBCR,
    announced.CIELAB: Meaning.CIELAB,
    announced.ICCLAB: Meaning.ICCLAB,
    announced.LOG_L: Meaning.LOG_L,
}


@dataclass(frozen=True, slots=True)
class YCbCr:
    """The weights of red, green and blue in the luma, and the numbers of black and white of each band."""

    weights: tuple[float, ...] = (0.299, 0.587, 0.114)
    reference: tuple[float, ...] = (0, 255, 128, 255, 128, 255)


@dataclass(frozen=True, slots=True)
class Samples:
    """How to turn samples into colors.

    `bands` are the samples of a pixel, of which the first `colors` are colors and `alpha` is the index of the alpha.
    `associated`: the colors are multiplied by it. `inverted`: 0 is white. `floating`: samples are floating-point
    numbers; `limits` are those of black and white, where the file has them. `patches` are bytes to write at offsets of
    the file before libvips gets it.
    """

    meaning: Meaning
    bits: int
    bands: int
    colors: int
    alpha: int | None = None
    associated: bool = False
    inverted: bool = False
    floating: bool = False
    limits: tuple[float, float] | None = None
    ycbcr: YCbCr = field(default_factory=YCbCr)
    patches: tuple[tuple[int, bytes], ...] = ()

    @property
    def is_lab(self) -> bool:
        """Whether the colors are coordinates of CIELAB, which libvips gets converted."""
        return self.meaning in (Meaning.CIELAB, Meaning.ICCLAB)

    def patched(self, data: bytes) -> bytes:
        """The file for libvips; the same one where there is nothing to write."""
        if not self.patches:
            return data
        changed = bytearray(data)
        for at, new in self.patches:
            changed[at : at + len(new)] = new
        return bytes(changed)


def read_samples(data: bytes) -> Samples | None:
    """How to turn the samples of a TIFF into colors; None where libvips does, or the directory is damaged.

    Raises `SourceUnsupported` for a compression, a sample format, a color space or a number of bands that is not
    decoded.
    """
    directory = next(directories(data), None)
    found = None if directory is None else read_announced(data, directory)
    if found is None:
        return None
    if not found.is_decoded:
        raise SourceUnsupported
    return None if found.is_right_in_libvips else _described(found)


def _described(found: Announced) -> Samples:
    meaning = _MEANINGS.get(found.photometric, Meaning.GRAY)
    alpha, extra, colors = found.alpha, found.extra, found.colors
    if meaning is Meaning.GRAY and (found.bands if alpha is None else alpha) >= 3:
        colors = 3  # channels of a scanner, a microscope or a satellite
    return Samples(
        meaning,
        8 if found.bits in announced.SMALL_BITS else found.bits,  # libvips spreads them over 8 bits
        found.bands,
        colors,
        alpha,
        associated=alpha is not None and extra is not None and extra[alpha - found.colors] == announced.ASSOCIATED,
        inverted=found.photometric == announced.WHITE_IS_ZERO,
        floating=found.kind == announced.FLOAT,
        limits=_limits(found),
        ycbcr=_ycbcr(found),
        patches=() if meaning in (Meaning.PALETTE, Meaning.LOG_L) else _patches(found),
    )


def _patches(found: Announced) -> tuple[tuple[int, bytes], ...]:
    """Bytes that make it a picture without alpha, of one gray sample or of colors that need no conversion.

    libvips mixes up several gray samples in planes.
    """
    photometric, extra = found.values.get(announced.PHOTOMETRIC), found.values.get(announced.EXTRA_SAMPLES)
    plain = announced.BLACK_IS_ZERO if found.bands == 1 else announced.RGB
    patches = [] if photometric is None else [photometric.replaced((plain,))]
    if extra is not None:
        patches.append(extra.replaced((0,) * len(extra.numbers)))
    return tuple(patches)


def _limits(found: Announced) -> tuple[float, float] | None:
    """The least and the largest value of all samples, where both are given."""
    low, high = found.numbers(announced.MIN_SAMPLE), found.numbers(announced.MAX_SAMPLE)
    return (min(low), max(high)) if low and high and min(low) < max(high) else None


def _ycbcr(found: Announced) -> YCbCr:
    weights, reference = found.numbers(announced.COEFFICIENTS), found.numbers(announced.REFERENCE)
    default = YCbCr()
    return YCbCr(
        weights if len(weights) == 3 else default.weights, reference if len(reference) == 6 else default.reference
    )
