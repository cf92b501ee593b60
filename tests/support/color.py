"""Color arithmetic and charts, independent of the renderer: an oracle of the tests of colors."""

import functools
import io
import math
import struct
from collections.abc import Sequence

from PIL import Image, ImageCms

from tests.support.pictures import encoded
from thumbs.image.transforms import Transform

Triple = tuple[float, float, float]
Matrix = tuple[Triple, Triple, Triple]
# The patches of a ColorChecker in 8-bit sRGB, row by row, as its maker rounded them.
CHECKER = (
    ((115, 82, 68), (194, 150, 130), (98, 122, 157), (87, 108, 67), (133, 128, 177), (103, 189, 170)),
    ((214, 126, 44), (80, 91, 166), (193, 90, 99), (94, 60, 108), (157, 188, 64), (224, 163, 46)),
    ((56, 61, 150), (70, 148, 73), (175, 54, 60), (231, 199, 31), (187, 86, 149), (8, 133, 161)),
    ((243, 243, 242), (200, 200, 200), (160, 160, 160), (122, 122, 121), (85, 85, 85), (52, 52, 52)),
)
PATCHES = [patch for row in CHECKER for patch in row]
COLUMNS, ROWS, SIDE = 6, 4, 40
HALF = Transform(COLUMNS * SIDE // 2, ROWS * SIDE // 2, "png")
# The largest difference between two colors that count as equal: about what is visible side by side.
JUST_NOTICED = 3.0


def chart(patches: Sequence[tuple[int, ...]], mode: str = "RGB") -> Image.Image:
    image = Image.new(mode, (COLUMNS * SIDE, ROWS * SIDE))
    for number, color in enumerate(patches):
        left, top = number % COLUMNS * SIDE, number // COLUMNS * SIDE
        image.paste(color, (left, top, left + SIDE, top + SIDE))
    return image


def middles(image: Image.Image, columns: int = COLUMNS, rows: int = ROWS) -> list[tuple[int, ...]]:
    """The colors in the middles of the patches, whatever the size of the chart."""
    width, height = image.width / columns, image.height / rows
    pixels = [
        image.convert("RGB").getpixel((int((column + 0.5) * width), int((row + 0.5) * height)))
        for row in range(rows)
        for column in range(columns)
    ]
    return [pixel for pixel in pixels if isinstance(pixel, tuple)]


D65_WHITE, D50_WHITE = (0.3127, 0.3290), (0.9642, 1.0, 0.8249)  # x, y of the one; the PCS of ICC.1:2022, 7.2.16
# ICC.1:2022, annex E: the linearized Bradford transform.
BRADFORD: Matrix = ((0.8951, 0.2664, -0.1614), (-0.7502, 1.7135, 0.0367), (0.0389, -0.0685, 1.0296))


def times(matrix: Matrix, vector: Triple) -> Triple:
    first, second, third = (sum(a * b for a, b in zip(row, vector, strict=True)) for row in matrix)
    return first, second, third


def product(one: Matrix, other: Matrix) -> Matrix:
    first, second, third = (times(one, column) for column in zip(*other, strict=True))
    return transposed((first, second, third))


def transposed(matrix: Matrix) -> Matrix:
    first, second, third = zip(*matrix, strict=True)
    return first, second, third


def inverse(matrix: Matrix) -> Matrix:
    (a, b, c), (d, e, f), (g, h, i) = matrix
    cofactors: Matrix = (
        (e * i - f * h, c * h - b * i, b * f - c * e),
        (f * g - d * i, a * i - c * g, c * d - a * f),
        (d * h - e * g, b * g - a * h, a * e - b * d),
    )
    whole = a * cofactors[0][0] + b * cofactors[1][0] + c * cofactors[2][0]
    first, second, third = ((x / whole, y / whole, z / whole) for x, y, z in cofactors)
    return first, second, third


def xyz(x: float, y: float) -> Triple:
    """The color of a chromaticity, at luminance 1."""
    return x / y, 1.0, (1 - x - y) / y


def to_xyz(primaries: Sequence[tuple[float, float]]) -> Matrix:
    """From linear light of `primaries` with a D65 white to XYZ: SMPTE RP 177."""
    red, green, blue = (xyz(*primary) for primary in primaries)
    columns = transposed((red, green, blue))
    weights = times(inverse(columns), xyz(*D65_WHITE))
    first, second, third = (tuple(a * b for a, b in zip(row, weights, strict=True)) for row in columns)
    return first, second, third  # type: ignore[return-value]


def adapted_to_d50(matrix: Matrix) -> Matrix:
    """`matrix` with its results as they look under D50 (ICC.1:2022, annex E)."""
    there, here = (times(BRADFORD, white) for white in (xyz(*D65_WHITE), D50_WHITE))
    gains = [b / a for a, b in zip(there, here, strict=True)]
    scaled: Matrix = ((gains[0], 0, 0), (0, gains[1], 0), (0, 0, gains[2]))
    return product(product(inverse(BRADFORD), product(scaled, BRADFORD)), matrix)


SRGB_TO_XYZ = to_xyz([(0.640, 0.330), (0.300, 0.600), (0.150, 0.060)])  # IEC 61966-2-1


def srgb_light(value: float) -> float:
    """From 0–1 of the curve of IEC 61966-2-1 to linear light."""
    return value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4


def srgb_value(light: float) -> float:
    return 12.92 * light if light <= 0.0031308 else 1.055 * light ** (1 / 2.4) - 0.055


def lab(color: Sequence[float]) -> Triple:
    """CIELAB under D65 of 8-bit sRGB: CIE 15:2004, 8.2.1."""
    light = (srgb_light(color[0] / 255), srgb_light(color[1] / 255), srgb_light(color[2] / 255))
    relative = (value / white for value, white in zip(times(SRGB_TO_XYZ, light), xyz(*D65_WHITE), strict=True))
    x, y, z = (math.cbrt(v) if v > (6 / 29) ** 3 else v * (29 / 6) ** 2 / 3 + 4 / 29 for v in relative)
    return 116 * y - 16, 500 * (x - y), 200 * (y - z)


def delta_e(one: Sequence[float], other: Sequence[float]) -> float:
    """CIE76: the distance in CIELAB."""
    return math.dist(lab(one), lab(other))


def farthest(made: Sequence[Sequence[float]], wanted: Sequence[Sequence[float]]) -> float:
    assert len(made) == len(wanted)
    return max(delta_e(one, other) for one, other in zip(made, wanted, strict=True))


def fixed(value: float) -> bytes:
    """An s15Fixed16Number."""
    return struct.pack(">i", round(value * 65536))


def xyz_tag(values: Triple) -> bytes:
    return b"XYZ \0\0\0\0" + b"".join(map(fixed, values))


def profile(kind: bytes, space: bytes, tags: dict[bytes, bytes], *, pcs: bytes = b"XYZ ") -> bytes:
    """An ICC profile of version 2.4 (ICC.1:2001-04): the header, the table of tags, and what they hold."""
    described = {
        b"desc": b"desc\0\0\0\0" + struct.pack(">I", 5) + b"test\0" + bytes(78),
        b"cprt": b"text\0\0\0\0none\0",
        b"wtpt": xyz_tag(D50_WHITE),
        **tags,
    }
    start = 128 + 4 + 12 * len(described)
    table, contents = struct.pack(">I", len(described)), b""
    for name, content in described.items():
        table += name + struct.pack(">II", start + len(contents), len(content))
        contents += content + bytes(-len(content) % 4)
    header = struct.pack(">I4xI", start + len(contents), 0x02400000) + kind + space + pcs
    header += struct.pack(">6H", 2001, 4, 1, 0, 0, 0) + b"acsp" + bytes(28) + b"".join(map(fixed, D50_WHITE))
    return header.ljust(128, b"\0") + table + contents


def matrix_profile(matrix: Matrix, curve: bytes) -> bytes:
    red, green, blue = transposed(adapted_to_d50(matrix))
    curves = dict.fromkeys((b"rTRC", b"gTRC", b"bTRC"), curve)
    columns = {b"rXYZ": xyz_tag(red), b"gXYZ": xyz_tag(green), b"bXYZ": xyz_tag(blue)}
    return profile(b"mntr", b"RGB ", columns | curves)


SRGB_CURVE = b"curv\0\0\0\0" + struct.pack(
    ">I1024H", 1024, *(round(65535 * srgb_light(step / 1023)) for step in range(1024))
)


def gamma_curve(gamma: float) -> bytes:
    """One u8Fixed8Number."""
    return b"curv\0\0\0\0" + struct.pack(">IH", 1, round(gamma * 256))


# SMPTE EG 432-1 (the primaries of DCI-P3), D65, and the curve of sRGB: Display P3.
P3_TO_XYZ = to_xyz([(0.680, 0.320), (0.265, 0.690), (0.150, 0.060)])
# Adobe RGB (1998) Color Image Encoding, 4.3: gamma 563/256.
ADOBE_TO_XYZ = to_xyz([(0.6400, 0.3300), (0.2100, 0.7100), (0.1500, 0.0600)])
ADOBE_GAMMA = 563 / 256
PROFILES = {
    "srgb": matrix_profile(SRGB_TO_XYZ, SRGB_CURVE),
    "p3": matrix_profile(P3_TO_XYZ, SRGB_CURVE),
    "adobe": matrix_profile(ADOBE_TO_XYZ, gamma_curve(ADOBE_GAMMA)),
}
SPACES = {"srgb": SRGB_TO_XYZ, "p3": P3_TO_XYZ, "adobe": ADOBE_TO_XYZ}


def in_space(space: str, color: Sequence[float]) -> Triple:
    """8-bit sRGB as 0–1 of `space`."""
    light = (srgb_light(color[0] / 255), srgb_light(color[1] / 255), srgb_light(color[2] / 255))
    red, green, blue = times(inverse(SPACES[space]), times(SRGB_TO_XYZ, light))
    if space == "adobe":
        return red ** (1 / ADOBE_GAMMA), green ** (1 / ADOBE_GAMMA), blue ** (1 / ADOBE_GAMMA)
    return srgb_value(red), srgb_value(green), srgb_value(blue)


def eight_bits(values: Sequence[float]) -> tuple[int, ...]:
    assert min(values) >= 0
    assert max(values) <= 1
    return tuple(round(value * 255) for value in values)


def chart_in(space: str) -> Image.Image:
    return chart([eight_bits(in_space(space, color)) for color in PATCHES])


CONTAINERS: dict[str, dict[str, object]] = {
    "JPEG": {"quality": 98, "subsampling": 0},
    "PNG": {},
    "WEBP": {"lossless": True},
    "AVIF": {"quality": 98, "subsampling": "4:4:4"},
}


@functools.cache
def stored(space: str, container: str = "PNG") -> bytes:
    return encoded(chart_in(space), container, icc_profile=PROFILES[space], **CONTAINERS[container])


def by_littlecms(image: Image.Image, icc_profile: bytes) -> Image.Image:
    """`image` in sRGB, by relative colorimetry."""
    shown = ImageCms.profileToProfile(
        image,
        ImageCms.ImageCmsProfile(io.BytesIO(icc_profile)),
        ImageCms.createProfile("sRGB"),
        renderingIntent=ImageCms.Intent.RELATIVE_COLORIMETRIC,
        outputMode="RGB",
    )
    assert shown is not None
    return shown


# Quality, and the bound: what loses something itself may lose a little more.
OUTPUTS = {"png": (None, JUST_NOTICED), "jpeg": (95, 4.0), "webp": (95, 4.0), "avif": (95, 4.0)}
