"""Transfer functions: from sample values to light, and back to sRGB. Pictures are in floating point, 0 to 1."""

import pyvips

from thumbs.render.color.values import REFERENCE_WHITE, Curve, Power, Transfer

# BT.709, BT.601, BT.2020 and IEC 61966-2-4 say how cameras encode. Browsers show a PNG with one of them as a display of
# ITU-R BT.1886 does, and an AVIF as sRGB.
_BT1886 = Power(2.4)
_CAMERAS = (1, 6, 11, 14, 15)
_COMMON: dict[int, Transfer] = {
    4: Power(2.2),
    5: Power(2.8),
    7: Curve.ST240,
    8: Power(1.0),
    13: Curve.SRGB,
    16: Curve.PQ,
    17: Power(2.6, (52.37 / 48) ** (1 / 2.6)),
    18: Curve.HLG,
}
# By the code points of ITU-T H.273, table 3.
PNG_TRANSFERS: dict[int, Transfer] = {**_COMMON, **dict.fromkeys(_CAMERAS, _BT1886)}
AVIF_TRANSFERS: dict[int, Transfer] = {**_COMMON, **dict.fromkeys(_CAMERAS, Curve.SRGB)}

# ITU-R BT.2100-2, tables 4 and 5.
_PQ_M1, _PQ_M2 = 2610 / 16384, 2523 / 4096 * 128
_PQ_C1, _PQ_C2, _PQ_C3 = 3424 / 4096, 2413 / 4096 * 32, 2392 / 4096 * 32
_PQ_PEAK = 10_000.0
_HLG_A, _HLG_B, _HLG_C = 0.17883277, 0.28466892, 0.55991073
# The light in which a value of PQ is 1, as a multiple of diffuse white.
PQ_RANGE = _PQ_PEAK / REFERENCE_WHITE


def to_light(value: pyvips.Image, transfer: Transfer) -> pyvips.Image:
    """Light of `value`. White is 1; for PQ, diffuse white. For HLG it is the light of the scene, 0 to 1."""
    if isinstance(transfer, Power):
        return (value * transfer.gain) ** transfer.exponent
    return _CURVES[transfer](value)


def to_srgb(light: pyvips.Image) -> pyvips.Image:
    """Values of IEC 61966-2-1."""
    return (light <= 0.0031308).ifthenelse(light * 12.92, light ** (1 / 2.4) * 1.055 - 0.055)


def _srgb(value: pyvips.Image) -> pyvips.Image:
    return (value <= 0.04045).ifthenelse(value / 12.92, ((value + 0.055) / 1.055) ** 2.4)


def _st240(value: pyvips.Image) -> pyvips.Image:
    """SMPTE ST 240."""
    return (value < 4 * 0.0228).ifthenelse(value / 4, ((value + 0.1115) / 1.1115) ** (1 / 0.45))


def _pq(value: pyvips.Image) -> pyvips.Image:
    power = value ** (1 / _PQ_M2)
    above = power - _PQ_C1
    return ((above > 0).ifthenelse(above, 0) / (_PQ_C2 - power * _PQ_C3)) ** (1 / _PQ_M1) * PQ_RANGE


def _hlg(value: pyvips.Image) -> pyvips.Image:
    return (value <= 0.5).ifthenelse(value * value / 3, (((value - _HLG_C) / _HLG_A).exp() + _HLG_B) / 12)


_CURVES = {Curve.SRGB: _srgb, Curve.ST240: _st240, Curve.PQ: _pq, Curve.HLG: _hlg}
