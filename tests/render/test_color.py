"""Colours survive their profiles: 24 patches in four spaces come out as littlecms and plain arithmetic have them."""

import functools
import io
import math
import struct
import zlib
from collections.abc import Sequence
from dataclasses import replace

import pytest
import pyvips
from PIL import Image, ImageCms

from tests.support import pictures
from tests.support.pictures import decoded, encoded
from tests.support.pixels import near, picture, rendered
from thumbs.image.transforms import Crop, Transform

Triple = tuple[float, float, float]
Matrix = tuple[Triple, Triple, Triple]

# The patches of a ColorChecker in 8-bit sRGB, row by row, as its maker rounded them.
_CHECKER = (
    ((115, 82, 68), (194, 150, 130), (98, 122, 157), (87, 108, 67), (133, 128, 177), (103, 189, 170)),
    ((214, 126, 44), (80, 91, 166), (193, 90, 99), (94, 60, 108), (157, 188, 64), (224, 163, 46)),
    ((56, 61, 150), (70, 148, 73), (175, 54, 60), (231, 199, 31), (187, 86, 149), (8, 133, 161)),
    ((243, 243, 242), (200, 200, 200), (160, 160, 160), (122, 122, 121), (85, 85, 85), (52, 52, 52)),
)
PATCHES = [patch for row in _CHECKER for patch in row]
COLUMNS, ROWS, SIDE = 6, 4, 40
HALF = Transform(COLUMNS * SIDE // 2, ROWS * SIDE // 2, "png")
# As far apart as two colours may be that are to pass for one: about what an eye tells side by side.
JUST_NOTICED = 3.0


def chart(patches: Sequence[tuple[int, ...]], mode: str = "RGB") -> Image.Image:
    image = Image.new(mode, (COLUMNS * SIDE, ROWS * SIDE))
    for number, color in enumerate(patches):
        left, top = number % COLUMNS * SIDE, number // COLUMNS * SIDE
        image.paste(color, (left, top, left + SIDE, top + SIDE))
    return image


def middles(image: Image.Image, columns: int = COLUMNS, rows: int = ROWS) -> list[tuple[int, ...]]:
    """The colours in the middles of the patches, whatever the size of the chart."""
    width, height = image.width / columns, image.height / rows
    pixels = [
        image.convert("RGB").getpixel((int((column + 0.5) * width), int((row + 0.5) * height)))
        for row in range(rows)
        for column in range(columns)
    ]
    return [pixel for pixel in pixels if isinstance(pixel, tuple)]


# --------------------------------------------------------------------------------- arithmetic

D65_WHITE, D50_WHITE = (0.3127, 0.3290), (0.9642, 1.0, 0.8249)  # x, y of the one; the PCS of ICC.1:2022, 7.2.16
# ICC.1:2022, annex E: the linearised Bradford transform.
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
    """The colour of a chromaticity, at luminance 1."""
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


# ------------------------------------------------------------------------------ RGB spaces


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


# ------------------------------------------------------------------- the oracles, by themselves


def test_the_arithmetic_knows_published_colours() -> None:
    """White, and the matrix of IEC 61966-2-1 and the primaries of Adobe RGB (1998), 4.3.1, as they are printed."""
    assert lab((255, 255, 255)) == pytest.approx((100, 0, 0), abs=1e-9)
    assert lab((255, 0, 0)) == pytest.approx((53.24, 80.09, 67.20), abs=0.05)
    assert lab((0, 0, 255)) == pytest.approx((32.30, 79.19, -107.86), abs=0.05)
    assert SRGB_TO_XYZ[0] == pytest.approx((0.4124, 0.3576, 0.1805), abs=5e-4)
    assert ADOBE_TO_XYZ[1] == pytest.approx((0.29734, 0.62736, 0.07529), abs=5e-5)
    assert adapted_to_d50(ADOBE_TO_XYZ)[0] == pytest.approx((0.60974, 0.20528, 0.14919), abs=5e-4)


@pytest.mark.parametrize("space", SPACES)
def test_littlecms_reads_our_profiles_as_we_wrote_them(space: str) -> None:
    assert farthest(middles(by_littlecms(chart_in(space), PROFILES[space])), PATCHES) < 1


@pytest.mark.parametrize("space", ["p3", "adobe"])
def test_a_chart_without_its_profile_would_be_seen_to_be_wrong(space: str) -> None:
    """The bound is worth something only if what ignores profiles passes it by far."""
    assert farthest(middles(chart_in(space)), PATCHES) > 3 * JUST_NOTICED


# ------------------------------------------------------------------------ thumbnails of charts

# Quality, and the bound: what loses something itself may lose a little more.
OUTPUTS = {"png": (None, JUST_NOTICED), "jpeg": (95, 4.0), "webp": (95, 4.0), "avif": (95, 4.0)}


@pytest.mark.parametrize("output", OUTPUTS)
@pytest.mark.parametrize("container", CONTAINERS)
@pytest.mark.parametrize("space", SPACES)
def test_a_chart_comes_out_in_its_colours(space: str, container: str, output: str) -> None:
    data = stored(space, container)
    quality, by = OUTPUTS[output]
    made = picture(data, replace(HALF, format=output, quality=quality))
    assert made.size == (HALF.width, HALF.height)
    assert "icc_profile" not in made.info
    assert farthest(middles(made), PATCHES) < by
    assert farthest(middles(made), middles(by_littlecms(decoded(data), PROFILES[space]))) < by


@pytest.mark.parametrize("container", ["PNG", "WEBP"])
@pytest.mark.parametrize("space", SPACES)
def test_where_nothing_is_lossy_colours_are_off_by_rounding_alone(space: str, container: str) -> None:
    assert farthest(middles(picture(stored(space, container), HALF)), PATCHES) < 1


@pytest.mark.parametrize("space", SPACES)
def test_sixteen_bits_with_a_profile_come_out_in_their_colours(space: str) -> None:
    """Pillow does not write these: PNG with an iCCP chunk (RFC 2083; PNG 1.2, 4.2.2.4)."""

    def chunk(name: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))

    rows = b""
    for row in range(ROWS):
        colors = [in_space(space, color) for color in PATCHES[row * COLUMNS : (row + 1) * COLUMNS]]
        line = b"".join(struct.pack(">3H", *(round(v * 65535) for v in color)) * SIDE for color in colors)
        rows += (b"\0" + line) * SIDE
    header = struct.pack(">IIBBBBB", COLUMNS * SIDE, ROWS * SIDE, 16, 2, 0, 0, 0)
    data = (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"iCCP", b"test\0\0" + zlib.compress(PROFILES[space]))
        + chunk(b"IDAT", zlib.compress(rows))
        + chunk(b"IEND", b"")
    )
    assert farthest(middles(picture(data, HALF)), PATCHES) < 1


@pytest.mark.parametrize("space", SPACES)
def test_a_crop_of_a_chart_comes_out_in_its_colours(space: str) -> None:
    """The last two patches of the last two rows: another way through the decoder than that of the whole picture."""
    right, bottom = COLUMNS * SIDE, ROWS * SIDE
    crop = Crop(right - 2 * SIDE, bottom - 2 * SIDE, right, bottom)
    wanted = [PATCHES[row * COLUMNS + column] for row in (ROWS - 2, ROWS - 1) for column in (COLUMNS - 2, COLUMNS - 1)]
    for container in CONTAINERS:
        made = picture(stored(space, container), Transform(SIDE, SIDE, "png", crop=crop))
        assert farthest(middles(made, 2, 2), wanted) < JUST_NOTICED, container


@pytest.mark.parametrize("orientation", range(2, 9))
def test_a_chart_that_lies_on_its_side_comes_out_upright_and_in_its_colours(orientation: int) -> None:
    turned = decoded(pictures.stored_turned(chart_in("p3"), orientation))
    data = encoded(
        turned, "JPEG", quality=98, subsampling=0, icc_profile=PROFILES["p3"], exif=turned.info["exif"]
    )  # the very pixels, with the very orientation, and the profile besides
    for transform in (HALF, replace(HALF, crop=Crop(0, 0, COLUMNS * SIDE, ROWS * SIDE))):
        assert farthest(middles(picture(data, transform)), PATCHES) < JUST_NOTICED


@pytest.mark.parametrize("ratio", [2, 4, 8])
def test_a_chart_that_is_decoded_small_comes_out_in_its_colours(ratio: int) -> None:
    large = chart_in("adobe").resize((COLUMNS * SIDE * 4, ROWS * SIDE * 4), Image.Resampling.NEAREST)
    data = encoded(large, "JPEG", quality=95, icc_profile=PROFILES["adobe"])
    made = picture(data, Transform(large.width // (2 * ratio), large.height // (2 * ratio), "png"))
    assert farthest(middles(made), PATCHES) < JUST_NOTICED


@pytest.mark.parametrize("transform", [HALF, replace(HALF, crop=Crop(0, 0, 240, 160))])
def test_what_is_hidden_does_not_bleed_through_a_profile(transform: Transform) -> None:
    """Green on the left, and something wholly transparent on the right: whatever that is, the edge is green."""
    green = (70, 148, 73)
    image = Image.new("RGBA", (240, 160), (*eight_bits(in_space("p3", green)), 255))
    made = []
    for hidden in ((255, 0, 0, 0), (0, 0, 0, 0), (255, 255, 255, 0)):
        image.paste(hidden, (117, 0, 240, 160))
        made.append(picture(encoded(image, "PNG", icc_profile=PROFILES["p3"]), transform))
    assert made[0].mode == "RGBA"
    assert made[0].tobytes() == made[1].tobytes() == made[2].tobytes()
    row = [made[0].getpixel((x, 40)) for x in range(made[0].width)]
    edge = [pixel for pixel in row if isinstance(pixel, tuple) and 40 < pixel[3] < 255]
    assert edge
    assert farthest([pixel[:3] for pixel in edge], [green] * len(edge)) < 2 * JUST_NOTICED
    assert row[-1] == (0, 0, 0, 0)


# ------------------------------------------------------------------------------------------ CMYK


def strange_press() -> bytes:
    """A CMYK profile in which cyan ink is orange and yellow ink is violet: nobody could guess what it shows.

    An lut8Type (ICC.1:2001-04, 6.5.8) of two grid points an ink; inks dim what the white of the paper has left.
    """
    inks = ((-35.0, 40.0, 50.0), (-45.0, -30.0, 20.0), (-40.0, 30.0, -50.0), (-90.0, 0.0, 0.0))
    grid = b""
    for point in range(16):
        on = [ink for number, ink in enumerate(inks) if point >> (3 - number) & 1]
        lightness = max(5.0, 100 + sum(ink[0] for ink in on))
        share = lightness / 100 / max(len(on), 1)
        grid += bytes(
            (round(lightness * 2.55), *(round(128 + share * sum(ink[axis] for ink in on)) for axis in (1, 2)))
        )
    straight = bytes(range(256))
    unity = b"".join(map(fixed, (1, 0, 0, 0, 1, 0, 0, 0, 1)))
    table = b"mft1\0\0\0\0" + bytes((4, 3, 2, 0)) + unity + straight * 4 + grid + straight * 3
    return profile(b"prtr", b"CMYK", {b"A2B0": table}, pcs=b"Lab ")


INKS = [
    ((number * 37) % 200 + 10, (number * 59) % 180 + 20, (number * 83) % 190 + 5, (number * 11) % 90)
    for number in range(len(PATCHES))
]
PRESSES = ("vips", "strange")


@functools.cache
def press_profile(press: str) -> bytes:
    """The one that libvips brings along, or our own."""
    return bytes(pyvips.Image.profile_load("cmyk")) if press == "vips" else strange_press()


@pytest.mark.parametrize("output", ["png", "jpeg"])
@pytest.mark.parametrize("press", PRESSES)
@pytest.mark.parametrize("container", ["JPEG", "progressive"])
def test_a_chart_in_ink_comes_out_as_its_press_prints_it(container: str, press: str, output: str) -> None:
    options: dict[str, object] = {"progressive": True} if container == "progressive" else {}
    data = encoded(chart(INKS, "CMYK"), "JPEG", quality=98, icc_profile=press_profile(press), **options)
    wanted = middles(by_littlecms(decoded(data), press_profile(press)))
    quality, by = OUTPUTS[output]
    for transform in (HALF, replace(HALF, crop=Crop(0, 0, COLUMNS * SIDE, ROWS * SIDE))):
        made = picture(data, replace(transform, format=output, quality=quality))
        assert made.mode == "RGB"
        assert farthest(middles(made), wanted) < by


def test_the_two_presses_print_nothing_alike() -> None:
    one, other = (middles(by_littlecms(chart(INKS, "CMYK"), press)) for press in map(press_profile, PRESSES))
    assert min(delta_e(a, b) for a, b in zip(one, other, strict=True)) > JUST_NOTICED


# ------------------------------------------------------------------------------------------ grey

GREYS = [(number * 11,) for number in range(len(PATCHES))]


def grey_profile(gamma: float) -> bytes:
    return profile(b"mntr", b"GRAY", {b"kTRC": gamma_curve(gamma)})


@pytest.mark.parametrize("name", ["JPEG", "PNG"])
@pytest.mark.parametrize("gamma", [1.0, 1.8, 2.2, 2.6])
def test_grey_goes_through_its_profile(name: str, gamma: float) -> None:
    """Of what a grey curve means, arithmetic is enough: its light, on the curve of sRGB."""
    image = chart(GREYS, "L")
    options = CONTAINERS[name] if name == "PNG" else {"quality": 98}
    data = encoded(image, name, icc_profile=grey_profile(gamma), **options)
    wanted = [(round(255 * srgb_value((grey / 255) ** (round(gamma * 256) / 256))),) * 3 for (grey,) in GREYS]
    made = picture(data, HALF)
    for shown, promised in zip(middles(made), wanted, strict=True):
        assert near(shown, promised, by=3)
        assert max(shown) - min(shown) <= 1


def test_grey_with_transparency_goes_through_its_profile() -> None:
    image = chart(GREYS, "L")
    image.putalpha(200)
    made = picture(encoded(image, "PNG", icc_profile=grey_profile(1.8)), HALF)
    wanted = [(round(255 * srgb_value((grey / 255) ** (461 / 256))),) * 3 for (grey,) in GREYS]
    assert made.convert("RGBA").getchannel("A").getextrema() == (200, 200)
    for shown, promised in zip(middles(made), wanted, strict=True):
        assert near(shown, promised, by=4)


# --------------------------------------------------------------------------- broken and misplaced

BROKEN = {
    "garbage": b"This is not a profile. " * 20,
    "zeros": bytes(500),
    "short": PROFILES["p3"][:200],
    "no tags": PROFILES["p3"][:128] + bytes(4),
    "tags beyond its end": PROFILES["p3"][:128] + struct.pack(">I", 3) + (b"rXYZ" + struct.pack(">II", 2**30, 20)) * 3,
}
MISPLACED = {
    ("RGB", "cmyk"): strange_press(),
    ("RGB", "grey"): grey_profile(1.0),
    ("CMYK", "rgb"): PROFILES["p3"],
    ("CMYK", "grey"): grey_profile(1.0),
    ("L", "rgb"): PROFILES["p3"],
    ("L", "cmyk"): strange_press(),
}


def without_and_with(image: Image.Image, name: str, icc_profile: bytes) -> tuple[bytes, bytes]:
    options: dict[str, object] = {"quality": 98} if name == "JPEG" else CONTAINERS[name]
    return encoded(image, name, **options), encoded(image, name, icc_profile=icc_profile, **options)


def shows_the_same(one: bytes, other: bytes) -> bool:
    for transform in (HALF, replace(HALF, crop=Crop(0, 0, COLUMNS * SIDE, ROWS * SIDE))):
        if farthest(middles(picture(one, transform)), middles(picture(other, transform))) > 1:
            return False
    return True


@pytest.mark.parametrize("container", CONTAINERS)
@pytest.mark.parametrize("kind", BROKEN)
def test_a_broken_profile_is_as_good_as_none(kind: str, container: str) -> None:
    assert shows_the_same(*without_and_with(chart(PATCHES), container, BROKEN[kind]))


@pytest.mark.parametrize(("mode", "kind"), MISPLACED)
def test_a_profile_of_the_wrong_kind_is_as_good_as_none(mode: str, kind: str) -> None:
    image = chart(INKS, "CMYK") if mode == "CMYK" else chart(PATCHES).convert(mode)
    for container in ("JPEG",) if mode == "CMYK" else ("JPEG", "PNG"):
        assert shows_the_same(*without_and_with(image, container, MISPLACED[mode, kind])), container


@pytest.mark.parametrize("kind", BROKEN)
def test_ink_with_a_broken_profile_is_as_good_as_ink_without(kind: str) -> None:
    assert shows_the_same(*without_and_with(chart(INKS, "CMYK"), "JPEG", BROKEN[kind]))


@pytest.mark.parametrize("output", ["jpeg", "png", "webp", "avif", "gif"])
def test_no_profile_is_in_any_thumbnail(output: str) -> None:
    """Neither as a library reads it, nor as bytes: what is sRGB needs none."""
    quality = None if output in ("png", "gif") else 80
    for data in (stored("p3"), stored("adobe", "JPEG"), stored("srgb", "WEBP")):
        body = rendered(data, replace(HALF, format=output, quality=quality)).body
        assert "icc_profile" not in decoded(body).info
        assert not any(mark in body for mark in (b"ICC_PROFILE", b"iCCP", b"ICCP", b"ICCRGBG1", b"acsp"))
