"""Names the color space of the samples of an original, for clients that ask what it is.

Colors that CSS Color 4 names have their name there. A profile is named by its primaries alone, as profiles of one color
space have curves of several kinds.
"""

import struct

import pyvips

from thumbs.image.description import CMYK, GRAY, LAB, RGB, SRGB
from thumbs.render.color.primaries import BT709, BT2020, PRIMARIES, Primaries
from thumbs.render.color.values import ColorDescription, ColorSpace, Curve, Power, Transfer

_DISPLAY_P3 = PRIMARIES[12]
# Of "Adobe RGB (1998) Color Image Encoding" and ISO 22028-2 (ROMM RGB).
_ADOBE = Primaries((0.64, 0.33), (0.21, 0.71), (0.15, 0.06))
_PROPHOTO = Primaries((0.734699, 0.265301), (0.159597, 0.840403), (0.036598, 0.000105), (0.345704, 0.358540))
_BY_PRIMARIES = {
    BT709: "srgb",
    _DISPLAY_P3: "display-p3",
    BT2020: "rec2020",
    _ADOBE: "a98-rgb",
    _PROPHOTO: "prophoto-rgb",
}
_BY_CURVE: dict[Transfer, str] = {Curve.PQ: "rec2100-pq", Curve.HLG: "rec2100-hlg"}
_LINEAR = Power(1.0)
# Of libvips: samples of a TIFF that it converts without a description.
_BY_INTERPRETATION = {"lab": LAB, "labs": LAB, "labq": LAB, "scrgb": "srgb-linear"}
# Of an ICC profile (ICC.1:2022, 7.3, 9.2 and 10.31): where the number of tags is, and the size of a row of a tag.
_TAG_COUNT, _TAG_ROW_BYTES = 128, 12
_COLORANTS = (b"rXYZ", b"gXYZ", b"bXYZ")
_FIXED_POINT = 65_536
_TOLERANCE = 0.004  # of XYZ: profiles of one color space differ by less, and two color spaces by more


def color_space_name(image: pyvips.Image, profile: bytes | None, colors: ColorDescription) -> str:
    """One of `COLOR_SPACES` for an original that is opened as `image`. `profile` is the one that `colors` uses."""
    if image.interpretation == "cmyk":
        return CMYK
    if image.bands < 3:
        return GRAY
    if colors.space is not None:
        return _of_space(colors.space)
    if profile is not None:
        return _of_profile(profile)
    return _BY_INTERPRETATION.get(str(image.interpretation), SRGB)


def _of_space(space: ColorSpace) -> str:
    if space.transfer in _BY_CURVE:
        return _BY_CURVE[space.transfer] if space.primaries == BT2020 else RGB
    if space.primaries == BT709 and space.transfer == _LINEAR:
        return "srgb-linear"
    if space.primaries == BT2020 or space.transfer is Curve.SRGB:
        return _BY_PRIMARIES.get(space.primaries, RGB)
    return RGB


def _of_profile(profile: bytes) -> str:
    """A checked profile of RGB (`render.bombs.icc`)."""
    found = _colorants(profile)
    for primaries, name in _BY_PRIMARIES.items():
        expected = [value for column in zip(*primaries.to_xyz(), strict=True) for value in column]
        if len(found) == len(expected) and all(
            abs(one - other) < _TOLERANCE for one, other in zip(found, expected, strict=True)
        ):
            return name
    return RGB


def _colorants(profile: bytes) -> list[float]:
    """X, Y and Z of red, green and blue; fewer numbers where the profile lacks some."""
    places: dict[bytes, int] = {}
    for row in range(struct.unpack_from(">I", profile, _TAG_COUNT)[0]):
        at = _TAG_COUNT + 4 + _TAG_ROW_BYTES * row
        name, start = struct.unpack_from(">4sI", profile, at)
        places[name] = start
    numbers: list[float] = []
    for name in _COLORANTS:
        start = places.get(name, len(profile))
        if start + 20 <= len(profile):  # a signature, four zeros, and three numbers
            numbers += (value / _FIXED_POINT for value in struct.unpack_from(">3i", profile, start + 8))
    return numbers
