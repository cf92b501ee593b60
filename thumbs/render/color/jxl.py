"""The color space of a JPEG XL file without an ICC profile: its enumerated description (ISO/IEC 18181-1, E.2)."""

from thumbs.render.color.primaries import PRIMARIES, Primaries
from thumbs.render.color.transfer import AVIF_TRANSFERS
from thumbs.render.color.values import DEFAULT_PEAK, HIGH_RANGE, SRGB, ColorSpace, Power, Transfer
from thumbs.render.containers.jxl import Colors, Jxl, Kind, Point, Space

# Tables E.3 and E.4: D65, E, and that of DCI; primaries by their code points in ITU-T H.273.
_WHITES: dict[int, Point] = {1: PRIMARIES[1].white, 10: PRIMARIES[10].white, 11: PRIMARIES[11].white}
_PRIMARIES = (1, 9, 11)
# Table E.5. Here the curve of DCI has no gain, and that of BT.709 is shown as in an AVIF.
_DCI = 17
_TRANSFERS: dict[int, Transfer] = {code: AVIF_TRANSFERS[code] for code in (1, 8, 13, 16, 18)} | {_DCI: Power(2.6)}
_LEAST_GAMMA = 1 / 8192


class UndescribedError(Exception):
    """The file describes its colors in a way that cannot be used here; the text says which."""


def color_space(header: Jxl) -> ColorSpace | None:
    """What the decoded samples mean; None for sRGB. Raises `UndescribedError`."""
    colors = header.colors
    if colors.profile:
        raise UndescribedError("it has an ICC profile, which its decoder does not give out")
    if colors.space not in (Space.RGB, Space.GRAY):
        raise UndescribedError("its colors are neither RGB nor gray")
    if Kind.BLACK in header.kinds:
        raise UndescribedError("it is CMYK without a profile")
    transfer = _transfer(colors)
    space = ColorSpace(_primaries(colors), transfer)
    # Files of PQ that do not say their peak name that of the curve, 10,000 cd/m².
    if transfer in HIGH_RANGE and header.peak is not None and 0 < header.peak < 10 * DEFAULT_PEAK:
        space = ColorSpace(space.primaries, transfer, header.peak)
    return None if space == SRGB else space


def _primaries(colors: Colors) -> Primaries:
    white = _WHITES.get(colors.white) if isinstance(colors.white, int) else colors.white
    if isinstance(colors.primaries, int):
        named = PRIMARIES[colors.primaries] if colors.primaries in _PRIMARIES else None
        points = None if named is None else (named.red, named.green, named.blue)
    else:
        points = colors.primaries
    if white is None or points is None:
        raise UndescribedError("its primaries or its white are unknown")
    found = Primaries(*points, white)
    if not found.are_usable():
        raise UndescribedError("its primaries have no meaning")
    return found


def _transfer(colors: Colors) -> Transfer:
    if colors.gamma is not None:
        if not _LEAST_GAMMA <= colors.gamma <= 1:
            raise UndescribedError("its gamma has no meaning")
        return Power(1 / colors.gamma)
    if colors.transfer not in _TRANSFERS:
        raise UndescribedError("its transfer function is unknown")
    return _TRANSFERS[colors.transfer]
