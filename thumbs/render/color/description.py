"""Which of the color descriptions of a file is used.

A description that is unknown, reserved or damaged counts as absent, and the next one is used; without any, the samples
are sRGB. For a PNG the order is that of PNG Third Edition, 4.3: `cICP`, ICC profile, `sRGB`, `gAMA` with `cHRM`. For an
AVIF or a HEIC it is ICC profile, then code points (ITU-T H.273). `color.jxl` describes JPEG XL. All other formats have
ICC profiles only. If a profile names PQ or HLG in a tag, only these code points are used: curves of a profile have no
reference white.
"""

import struct

from thumbs.render.color.png import color_chunks
from thumbs.render.color.primaries import BT709, PRIMARIES, Primaries
from thumbs.render.color.transfer import AVIF_TRANSFERS, PNG_TRANSFERS
from thumbs.render.color.values import (
    DEFAULT_PEAK,
    HIGH_RANGE,
    SRGB,
    ColorDescription,
    ColorSpace,
    Curve,
    Power,
    Transfer,
)
from thumbs.render.containers.avif import read_structure
from thumbs.render.containers.boxes import TooManyError
from thumbs.render.containers.cicp import cicp_of, nclx_of
from thumbs.render.containers.items import Structure

_RGB_IDENTITY, _FULL_RANGE = 0, 1
_HEIF = ("avif", "heic")
_INTENTS = 4
# Of an ICC profile (ICC.1:2022, 7.3): where the number of tags is; and a tag `cicp` with its type.
_TAG_COUNT, _TAG_ROW_BYTES, _CICP_TAG_BYTES = 128, 12, 12
_GAMMA_UNIT = 100_000  # of `gAMA` and `cHRM`
_LUMINANCE_UNIT = 10_000
# A `gAMA` without `cHRM` that is about that of CRTs stands in many files of sRGB. libpng's threshold.
_CRT_GAMMA, _CRT_THRESHOLD = 2.2, 0.05
# With one of these, browsers ignore all code points of an AVIF. Others that are unknown count as unspecified.
_RESERVED_PRIMARIES, _RESERVED_TRANSFERS = (0,), (0, 3)


def describe_colors(data: bytes, name: str, profile: bytes | None) -> ColorDescription:
    """The color description of a file of the format `name`; `profile` is its ICC profile if that may be used."""
    if name == "png":
        return _png(color_chunks(data), profile)
    if profile is not None:
        return _by_profile(profile, DEFAULT_PEAK)
    return _in_space(_heif(data, name) if name in _HEIF else None)


def _in_space(space: ColorSpace | None) -> ColorDescription:
    return ColorDescription(space=None if space == SRGB else space)


def _space(primaries: Primaries, transfer: Transfer, peak: float) -> ColorSpace:
    if transfer in HIGH_RANGE:
        return ColorSpace(primaries, transfer, peak)
    return ColorSpace(primaries, transfer)


def _by_profile(profile: bytes, peak: float) -> ColorDescription:
    space = _named_by_profile(profile, peak)
    return ColorDescription(profile=True) if space is None else _in_space(space)


def _named_by_profile(profile: bytes, peak: float) -> ColorSpace | None:
    """The high dynamic range that the tag `cicp` (ICC.1:2022, 9.2.17 and 10.3) of a checked profile of RGB names."""
    if profile[16:20] != b"RGB ":
        return None
    count = struct.unpack_from(">I", profile, _TAG_COUNT)[0]
    for row in range(count):
        name, start, length = struct.unpack_from(">4sII", profile, _TAG_COUNT + 4 + _TAG_ROW_BYTES * row)
        if name == b"cicp" and length >= _CICP_TAG_BYTES:
            space = _code_points(profile[start + 8 : start + _CICP_TAG_BYTES], peak)
            return space if space is not None and space.has_high_range else None
    return None


def _code_points(content: bytes, peak: float) -> ColorSpace | None:
    """The color space of the four bytes of a `cICP` chunk or a `cicp` tag."""
    primaries, transfer, matrix, full_range = content
    if matrix != _RGB_IDENTITY or full_range != _FULL_RANGE:
        return None
    if primaries not in PRIMARIES or transfer not in PNG_TRANSFERS:
        return None
    return _space(PRIMARIES[primaries], PNG_TRANSFERS[transfer], peak)


# -------------------------------------------------------------------------------------------------------- PNG


def _png(chunks: dict[bytes, bytes], profile: bytes | None) -> ColorDescription:
    peak = _png_peak(chunks)
    space = _code_points(chunks[b"cICP"], peak) if b"cICP" in chunks else None
    if space is None and profile is not None:
        return _by_profile(profile, peak)
    if space is None and not _is_srgb(chunks) and b"gAMA" in chunks:
        space = _gamma(chunks)
    return _in_space(space)


def _png_peak(chunks: dict[bytes, bytes]) -> float:
    """The largest luminance of the content, or else of the display that it was made for, in cd/m²."""
    for name, at in ((b"cLLI", 0), (b"mDCV", 16)):
        luminance = int.from_bytes(chunks.get(name, b"")[at : at + 4], "big") / _LUMINANCE_UNIT
        if luminance > 0:
            return luminance
    return DEFAULT_PEAK


def _is_srgb(chunks: dict[bytes, bytes]) -> bool:
    return b"sRGB" in chunks and chunks[b"sRGB"][0] < _INTENTS


def _gamma(chunks: dict[bytes, bytes]) -> ColorSpace | None:
    gamma = int.from_bytes(chunks[b"gAMA"], "big") / _GAMMA_UNIT
    if gamma == 0:
        return None
    if b"cHRM" not in chunks:
        return None if abs(gamma * _CRT_GAMMA - 1) < _CRT_THRESHOLD else ColorSpace(BT709, Power(1 / gamma))
    numbers = [int.from_bytes(chunks[b"cHRM"][at : at + 4], "big") / _GAMMA_UNIT for at in range(0, 32, 4)]
    white, red, green, blue = zip(numbers[::2], numbers[1::2], strict=True)
    primaries = Primaries(red, green, blue, white)
    return ColorSpace(primaries, Power(1 / gamma)) if primaries.are_usable() else None


# ---------------------------------------------------------------------------------------------- AVIF and HEIC


def _heif(data: bytes, name: str) -> ColorSpace | None:
    try:
        structure = read_structure(data)
    except TooManyError:
        return None
    read = cicp_of if name == "avif" else nclx_of
    signaled = None if structure is None else read(structure, structure.primary)
    if structure is None or signaled is None:
        return None
    if signaled.primaries in _RESERVED_PRIMARIES or signaled.transfer in _RESERVED_TRANSFERS:
        return None
    primaries = PRIMARIES.get(signaled.primaries, BT709)
    transfer = AVIF_TRANSFERS.get(signaled.transfer, Curve.SRGB)
    return _space(primaries, transfer, _avif_peak(structure))


def _avif_peak(structure: Structure) -> float:
    """The largest luminance of the content (ISO/IEC 14496-12, 12.1.6), in cd/m². Browsers read no other."""
    found = structure.first_property(structure.primary, b"clli")
    luminance = 0 if found is None else int.from_bytes(found.contents()[:2], "big")
    return float(luminance) or DEFAULT_PEAK
