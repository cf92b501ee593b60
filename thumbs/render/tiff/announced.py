"""What the first directory of a TIFF announces, and which of it libvips decodes.

Tags: TIFF 6.0 and the Adobe Photoshop TIFF Technical Notes. Values that are not there have the defaults of TIFF 6.0.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from thumbs.render.tiff.tags import Directory, Value

MAX_BANDS = 1000  # hyperspectral pictures have a few hundred
BITS, COMPRESSION, PHOTOMETRIC, BANDS, PLANAR, TILE_WIDTH = 258, 259, 262, 277, 284, 322
INK_SET, EXTRA_SAMPLES, SAMPLE_FORMAT, MIN_SAMPLE, MAX_SAMPLE = 332, 338, 339, 340, 341
COEFFICIENTS, SUBSAMPLING, REFERENCE = 529, 530, 532
# The most numbers that are read of each tag.
_WANTED = {
    **dict.fromkeys((COMPRESSION, PHOTOMETRIC, BANDS, PLANAR, TILE_WIDTH, INK_SET), 1),
    **dict.fromkeys((BITS, EXTRA_SAMPLES, SAMPLE_FORMAT, MIN_SAMPLE, MAX_SAMPLE), MAX_BANDS),
    COEFFICIENTS: 3,
    SUBSAMPLING: 2,
    REFERENCE: 6,
}
# What the libtiff of pyvips-binary decodes: none, CCITT (RLE, fax 3 and 4, RLE by words), LZW, JPEG, Deflate (both
# numbers), NeXT, PackBits, ThunderScan, SGI Log (both numbers), WebP. It lacks old-style JPEG, PixarLog, JBIG, LERC,
# LZMA, Zstandard and JPEG 2000.
DECODED = frozenset((1, 2, 3, 4, 5, 7, 8, 32766, 32771, 32773, 32809, 32946, 34676, 34677, 50001))
_JPEG, _SGI_LOG = 7, (34676, 34677)
_SEPARATE = 2  # planes one after the other
_CMYK = 1  # the inks
WHITE_IS_ZERO, BLACK_IS_ZERO, RGB, PALETTE, MASK, SEPARATED, YCBCR, CIELAB, ICCLAB = 0, 1, 2, 3, 4, 5, 6, 8, 9
LOG_L, LOG_LUV = 32844, 32845
GRAYS = (WHITE_IS_ZERO, BLACK_IS_ZERO, MASK)
_LOGARITHMS = (LOG_L, LOG_LUV)
# How many samples are colors.
COLORS = {
    **dict.fromkeys(GRAYS, 1),
    **dict.fromkeys((RGB, YCBCR, CIELAB, ICCLAB, LOG_LUV), 3),
    **dict.fromkeys((PALETTE, LOG_L), 1),
    SEPARATED: 4,
}
UNSIGNED, SIGNED, FLOAT, _VOID = 1, 2, 3, 4  # a void, "undefined", is read as unsigned
SMALL_BITS = (1, 2, 4)
_BITS_OF = {UNSIGNED: (*SMALL_BITS, 8, 16, 32), SIGNED: (8, 16, 32), FLOAT: (16, 32)}
# Color spaces with fewer kinds of samples.
_LAB_KINDS = frozenset((kind, bits) for kind in (UNSIGNED, SIGNED) for bits in (8, 16))
_KINDS_OF = {
    PALETTE: frozenset((UNSIGNED, bits) for bits in (*SMALL_BITS, 8, 16)),
    YCBCR: frozenset([(UNSIGNED, 8)]),
    CIELAB: _LAB_KINDS | {(FLOAT, 32)},
    ICCLAB: _LAB_KINDS,
}
ASSOCIATED = 1
_ALPHAS = (ASSOCIATED, 2, 999)  # 999: Corel Draw's, as in Pillow


@dataclass(frozen=True, slots=True)
class Announced:
    """The tags that matter for the samples, by their numbers."""

    values: Mapping[int, Value]

    @property
    def photometric(self) -> int:
        return self.number(PHOTOMETRIC, -1)

    @property
    def bands(self) -> int:
        return self.number(BANDS, 1)

    @property
    def bits(self) -> int:
        return self.number(BITS, 1)

    @property
    def kind(self) -> int:
        kind = self.number(SAMPLE_FORMAT, UNSIGNED)
        return UNSIGNED if kind == _VOID else kind

    @property
    def planar(self) -> bool:
        return self.bands > 1 and self.number(PLANAR, 1) == _SEPARATE

    @property
    def colors(self) -> int:
        return COLORS.get(self.photometric, 0)

    @property
    def extra(self) -> tuple[int, ...] | None:
        """What the samples behind the colors are; None without the tag."""
        value = self.values.get(EXTRA_SAMPLES)
        return None if value is None else tuple(map(int, value.numbers[: self.bands - self.colors]))

    @property
    def alpha(self) -> int | None:
        """The index of the alpha among the samples. A single sample behind RGB without the tag is one, as in Pillow."""
        extra = self.extra
        if extra is None:
            return 3 if (self.photometric, self.bands) == (RGB, 4) else None
        return next((self.colors + index for index, kind in enumerate(extra) if kind in _ALPHAS), None)

    @property
    def is_decoded(self) -> bool:
        """Whether libvips decodes the samples, rightly or as they are stored."""
        logarithmic = self.photometric in _LOGARITHMS
        most = {YCBCR: 3, PALETTE: 2}.get(self.photometric, MAX_BANDS)
        return (
            self.photometric in COLORS
            and self.number(COMPRESSION, 1) in DECODED
            and logarithmic == (self.number(COMPRESSION, 1) in _SGI_LOG)
            and self.colors <= self.bands <= most
            and not (self.planar and not self._are_planes_decoded)
            and (logarithmic or self._is_kind_decoded)
        )

    @property
    def _is_kind_decoded(self) -> bool:
        kind = self.kind, self.bits
        return (
            all(len(set(self.numbers(tag)[: self.bands])) <= 1 for tag in (BITS, SAMPLE_FORMAT))
            and self.bits in _BITS_OF.get(self.kind, ())
            and kind in _KINDS_OF.get(self.photometric, {kind})
            and not (self.bits in SMALL_BITS and self.bands > 1)
            and not (kind == (FLOAT, 16) and self.planar)  # libvips mixes the planes up
        )

    @property
    def _are_planes_decoded(self) -> bool:
        tiled = TILE_WIDTH in self.values
        return (
            not tiled and self.photometric != PALETTE and not (self.photometric == YCBCR and self._is_ycbcr_converted)
        )

    @property
    def _is_ycbcr_converted(self) -> bool:
        """Whether libvips, or libjpeg, makes RGB of YCbCr."""
        return self.number(COMPRESSION, 1) == _JPEG or self.numbers(SUBSAMPLING) not in ((1, 1), (1,))

    @property
    def is_right_in_libvips(self) -> bool:
        """Whether the pixels that libvips makes of the file are the right ones."""
        unsigned = self.kind == UNSIGNED and self.bits <= 16
        without_alpha = self.bands == self.colors
        complete = without_alpha or (self.bands, self.alpha) == (self.colors + 1, self.colors)
        if self.photometric in (WHITE_IS_ZERO, BLACK_IS_ZERO, PALETTE):
            return unsigned and complete and not self.planar
        if self.photometric == RGB:
            return complete and (unsigned or self.kind == FLOAT)
        if self.photometric == SEPARATED:
            inks = self.number(INK_SET, 1) == _CMYK
            return inks and unsigned and complete and (without_alpha or self.bits == 8)
        if self.photometric == CIELAB:
            return without_alpha and self.bits != 8 and not self.planar
        return self.photometric == LOG_LUV or (self.photometric == YCBCR and self._is_ycbcr_converted)

    def numbers(self, tag: int) -> tuple[float, ...]:
        """The numbers of a tag; none where they cannot be read."""
        value = self.values.get(tag)
        return () if value is None else value.numbers

    def number(self, tag: int, default: int) -> int:
        return int(next(iter(self.numbers(tag)), default))


def read_announced(data: bytes, directory: Directory) -> Announced | None:
    """What the directory announces; None without a color space, which every file must have."""
    found = Announced(directory.values(data, _WANTED))
    return found if PHOTOMETRIC in found.values else None
