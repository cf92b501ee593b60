"""PNG files with color chunks, and what their samples mean: the formulas of the standards, in plain Python.

It shares nothing with the renderer: an oracle of the tests of color descriptions.
"""

import math
import struct
import zlib
from collections.abc import Callable, Sequence

from tests.support.color import (
    BRADFORD,
    D50_WHITE,
    SRGB_CURVE,
    Matrix,
    Triple,
    inverse,
    product,
    profile,
    srgb_light,
    srgb_value,
    times,
    transposed,
    xyz,
    xyz_tag,
)

Chromaticities = tuple[float, float, float, float, float, float, float, float]  # x, y of red, green, blue, white
_D65, _C = (0.3127, 0.329), (0.31, 0.316)
# ITU-T H.273, table 2.
CHROMATICITIES: dict[int, Chromaticities] = {
    1: (0.64, 0.33, 0.3, 0.6, 0.15, 0.06, *_D65),
    4: (0.67, 0.33, 0.21, 0.71, 0.14, 0.08, *_C),
    5: (0.64, 0.33, 0.29, 0.6, 0.15, 0.06, *_D65),
    6: (0.63, 0.34, 0.31, 0.595, 0.155, 0.07, *_D65),
    7: (0.63, 0.34, 0.31, 0.595, 0.155, 0.07, *_D65),
    8: (0.681, 0.319, 0.243, 0.692, 0.145, 0.049, *_C),
    9: (0.708, 0.292, 0.17, 0.797, 0.131, 0.046, *_D65),
    10: (1, 0, 0, 1, 0, 0, 1 / 3, 1 / 3),
    11: (0.68, 0.32, 0.265, 0.69, 0.15, 0.06, 0.314, 0.351),
    12: (0.68, 0.32, 0.265, 0.69, 0.15, 0.06, *_D65),
    22: (0.63, 0.34, 0.295, 0.605, 0.155, 0.077, *_D65),
}
SRGB, DISPLAY_P3, BT2020 = CHROMATICITIES[1], CHROMATICITIES[12], CHROMATICITIES[9]


def _bt1886(value: float) -> float:
    return math.pow(value, 2.4)


# ITU-T H.273, table 3, as displays show it: from a value to light, white is 1.
PNG_LIGHT: dict[int, Callable[[float], float]] = {
    **dict.fromkeys((1, 6, 11, 14, 15), _bt1886),
    4: lambda value: value**2.2,
    5: lambda value: value**2.8,
    7: lambda value: value / 4 if value < 0.0912 else ((value + 0.1115) / 1.1115) ** (1 / 0.45),
    8: lambda value: value,
    13: srgb_light,
    17: lambda value: value**2.6 * 52.37 / 48,
}


def shown(color: Sequence[float], chromaticities: Chromaticities, light: Callable[[float], float]) -> Triple:
    """A color of samples from 0 to 1, as 8-bit sRGB, not rounded."""
    return in_srgb(times(between(chromaticities, SRGB), tuple(map(light, color))))  # type: ignore[arg-type]


def in_srgb(light: Sequence[float]) -> Triple:
    red, green, blue = (255 * srgb_value(min(max(value, 0.0), 1.0)) for value in light)
    return red, green, blue


def between(one: Chromaticities, other: Chromaticities) -> Matrix:
    return product(inverse(_to_d50(other)), _to_d50(one))


def _to_d50(numbers: Chromaticities) -> Matrix:
    """SMPTE RP 177, then ICC.1:2022, annex E."""
    red, green, blue, white = zip(numbers[::2], numbers[1::2], strict=True)
    columns = transposed(tuple((x, y, 1 - x - y) for x, y in (red, green, blue)))  # type: ignore[arg-type]
    gains = times(inverse(columns), xyz(*white))
    matrix = product(columns, _diagonal(gains))
    there, here = times(BRADFORD, xyz(*white)), times(BRADFORD, D50_WHITE)
    ratios = tuple(b / a for a, b in zip(there, here, strict=True))
    return product(product(inverse(BRADFORD), product(_diagonal(ratios), BRADFORD)), matrix)  # type: ignore[arg-type]


def _diagonal(values: Triple) -> Matrix:
    return (values[0], 0, 0), (0, values[1], 0), (0, 0, values[2])


# ----------------------------------------------------------------------------------------- high dynamic range


def pq_light(value: float) -> float:
    """SMPTE ST 2084: multiples of 203 cd/m²."""
    power = math.pow(value, 32 / 2523)
    return math.pow(max(power - 107 / 128, 0) / (2413 / 128 - 2392 / 128 * power), 8192 / 1305) * 10_000 / 203


def hlg_light(value: float) -> float:
    """ITU-R BT.2100-2, table 5: light of the scene."""
    return value * value / 3 if value <= 0.5 else (math.exp((value - 0.55991073) / 0.17883277) + 0.28466892) / 12


def shown_in_high_range(color: Sequence[float], chromaticities: Chromaticities, transfer: int, peak: float) -> Triple:
    """As `shown`, of PQ (16) and HLG (18), with the operator of SMPTE ST 2094-50, annex D."""
    if transfer == 16:
        light = tuple(map(pq_light, color))
    else:
        scene = tuple(map(hlg_light, color))
        luminance = sum(a * b for a, b in zip(_luminances(chromaticities), scene, strict=True))
        light = tuple(value * luminance**0.2 * 1000 / 203 for value in scene)
    wide = times(between(chromaticities, BT2020), light)  # type: ignore[arg-type]
    gain = _gain(max(wide), peak)
    return in_srgb(times(between(BT2020, SRGB), tuple(value * gain for value in wide)))  # type: ignore[arg-type]


def _luminances(numbers: Chromaticities) -> Triple:
    red, green, blue, white = zip(numbers[::2], numbers[1::2], strict=True)
    columns = transposed(tuple((x, y, 1 - x - y) for x, y in (red, green, blue)))  # type: ignore[arg-type]
    return product(columns, _diagonal(times(inverse(columns), xyz(*white))))[1]


def _gain(largest: float, peak: float) -> float:
    """Half up to diffuse white, then a Bézier curve of degree 2 to the peak (formula D.5).

    The standard takes eight points of the curve, and joins the logarithms of their gains by Hermite's cubics.
    """
    if peak <= 203:
        return 1.0
    brightest = peak / 203
    white = 1 - 0.5 * min(math.log2(brightest) / math.log2(1000 / 203), 1)
    if largest <= 1:
        return white
    if largest >= brightest:
        return 1 / largest
    corner = (1 - 0.65 + 0.65 / white, (1 - 0.65) * white + 0.65)

    def point(t: float) -> tuple[float, float]:
        x = (1 - t) ** 2 + 2 * t * (1 - t) * corner[0] + t * t * brightest
        y = (1 - t) ** 2 * white + 2 * t * (1 - t) * corner[1] + t * t
        return x, math.log2(y / x)

    def slope(t: float) -> float:
        (x, y), (next_x, next_y) = point(t - 1e-5), point(t + 1e-5)
        return (next_y - y) / (next_x - x)

    at = next(number for number in range(7) if point((number + 1) / 7)[0] >= largest)
    (x, y), (next_x, next_y) = point(at / 7), point((at + 1) / 7)
    u = (largest - x) / (next_x - x)
    start, end = ((next_x - x) * slope(t) for t in (at / 7, (at + 1) / 7))
    gain = y * (1 + 2 * u) * (1 - u) ** 2 + start * u * (1 - u) ** 2
    return 2 ** (gain + next_y * u * u * (3 - 2 * u) + end * u * u * (u - 1))


# ------------------------------------------------------------------------------------------------------ files


def chunk(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))


def cicp(primaries: int, transfer: int, matrix: int = 0, full_range: int = 1) -> bytes:
    return chunk(b"cICP", bytes((primaries, transfer, matrix, full_range)))


def gama(gamma: float) -> bytes:
    return chunk(b"gAMA", struct.pack(">I", round(gamma * 100_000)))


def chrm(numbers: Chromaticities) -> bytes:
    ordered = (*numbers[6:], *numbers[:6])
    return chunk(b"cHRM", struct.pack(">8I", *(round(value * 100_000) for value in ordered)))


def clli(luminance: float) -> bytes:
    return chunk(b"cLLI", struct.pack(">II", round(luminance * 10_000), 0))


def iccp(profile: bytes) -> bytes:
    return chunk(b"iCCP", b"test\0\0" + zlib.compress(profile))


def named_profile(primaries: int, transfer: int, matrix: int = 0, full_range: int = 1) -> bytes:
    """A profile with the matrix of Display P3 and the curve of sRGB, and code points in the tag `cicp`."""
    red, green, blue = transposed(_to_d50(DISPLAY_P3))
    columns = {b"rXYZ": xyz_tag(red), b"gXYZ": xyz_tag(green), b"bXYZ": xyz_tag(blue)}
    named = b"cicp\0\0\0\0" + bytes((primaries, transfer, matrix, full_range))
    curves = dict.fromkeys((b"rTRC", b"gTRC", b"bTRC"), SRGB_CURVE)
    return profile(b"mntr", b"RGB ", columns | curves | {b"cicp": named})


def png(rows: Sequence[Sequence[Sequence[float]]], chunks: bytes = b"", *, depth: int = 8, side: int = 1) -> bytes:
    """A PNG of `rows` of colors with 1 to 4 channels from 0 to 1. Each becomes a square of `side` pixels."""
    most, code = 2**depth - 1, "B" if depth == 8 else "H"
    lines = b""
    for row in rows:
        samples = [round(value * most) for color in row for _ in range(side) for value in color]
        lines += (b"\0" + struct.pack(f">{len(samples)}{code}", *samples)) * side
    kind = {1: 0, 2: 4, 3: 2, 4: 6}[len(rows[0][0])]
    header = struct.pack(">IIBBBBB", len(rows[0]) * side, len(rows) * side, depth, kind, 0, 0, 0)
    pixels = chunk(b"IDAT", zlib.compress(lines))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunks + pixels + chunk(b"IEND", b"")
