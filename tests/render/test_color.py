"""Charts of measured colors: thumbnails show them as an independent conversion does."""

import struct
import zlib
from dataclasses import replace

import pytest
from PIL import Image

from tests.support import pictures
from tests.support.color import (
    ADOBE_TO_XYZ,
    COLUMNS,
    CONTAINERS,
    HALF,
    JUST_NOTICED,
    OUTPUTS,
    PATCHES,
    PROFILES,
    ROWS,
    SIDE,
    SPACES,
    SRGB_TO_XYZ,
    adapted_to_d50,
    by_littlecms,
    chart_in,
    eight_bits,
    farthest,
    in_space,
    lab,
    middles,
    stored,
)
from tests.support.pictures import decoded, encoded
from tests.support.pixels import picture
from tests.support.png_files import GRAY_ALPHA, RGBA, png
from thumbs.image.transforms import Crop, Transform

# ------------------------------------------------------------------- the oracles, by themselves


def test_the_arithmetic_agrees_with_published_colors() -> None:
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
    """The bound proves something only if a conversion that ignores profiles exceeds it by far."""
    assert farthest(middles(chart_in(space)), PATCHES) > 3 * JUST_NOTICED


# ------------------------------------------------------------------------ thumbnails of charts


@pytest.mark.parametrize("output", OUTPUTS)
@pytest.mark.parametrize("container", CONTAINERS)
@pytest.mark.parametrize("space", SPACES)
def test_a_chart_comes_out_in_its_colors(space: str, container: str, output: str) -> None:
    data = stored(space, container)
    quality, by = OUTPUTS[output]
    made = picture(data, replace(HALF, format=output, quality=quality))
    assert made.size == (HALF.width, HALF.height)
    assert "icc_profile" not in made.info
    assert farthest(middles(made), PATCHES) < by
    assert farthest(middles(made), middles(by_littlecms(decoded(data), PROFILES[space]))) < by


@pytest.mark.parametrize("container", ["PNG", "WEBP"])
@pytest.mark.parametrize("space", SPACES)
def test_where_nothing_is_lossy_colors_are_off_by_rounding_alone(space: str, container: str) -> None:
    assert farthest(middles(picture(stored(space, container), HALF)), PATCHES) < 1


@pytest.mark.parametrize("space", SPACES)
def test_sixteen_bits_with_a_profile_come_out_in_their_colors(space: str) -> None:
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


@pytest.mark.parametrize("linear", [False, True])
@pytest.mark.parametrize(("kind", "color"), [(GRAY_ALPHA, 3 * 257), (RGBA, 257 << 32 | 514 << 16 | 771)])
def test_alpha_of_sixteen_bits_keeps_all_of_its_levels(kind: int, color: int, linear: bool) -> None:
    levels = list(range(256))
    data = png([[color << 16 | level * 257 for level in levels]], 16, kind)
    shown = picture(data, Transform(format="png", linear=linear))
    assert shown.mode == {GRAY_ALPHA: "LA", RGBA: "RGBA"}[kind]
    assert list(shown.getchannel("A").tobytes()) == levels


@pytest.mark.parametrize("space", SPACES)
def test_a_crop_of_a_chart_comes_out_in_its_colors(space: str) -> None:
    """The last two patches of the last two rows: another way through the decoder than that of the whole picture."""
    right, bottom = COLUMNS * SIDE, ROWS * SIDE
    crop = Crop(right - 2 * SIDE, bottom - 2 * SIDE, right, bottom)
    wanted = [PATCHES[row * COLUMNS + column] for row in (ROWS - 2, ROWS - 1) for column in (COLUMNS - 2, COLUMNS - 1)]
    for container in CONTAINERS:
        made = picture(stored(space, container), Transform(SIDE, SIDE, "png", crop=crop))
        assert farthest(middles(made, 2, 2), wanted) < JUST_NOTICED, container


@pytest.mark.parametrize("orientation", range(2, 9))
def test_a_chart_that_lies_on_its_side_comes_out_upright_and_in_its_colors(orientation: int) -> None:
    turned = decoded(pictures.stored_turned(chart_in("p3"), orientation))
    data = encoded(
        turned, "JPEG", quality=98, subsampling=0, icc_profile=PROFILES["p3"], exif=turned.info["exif"]
    )  # the very pixels, with the very orientation, and the profile besides
    for transform in (HALF, replace(HALF, crop=Crop(0, 0, COLUMNS * SIDE, ROWS * SIDE))):
        assert farthest(middles(picture(data, transform)), PATCHES) < JUST_NOTICED


@pytest.mark.parametrize("ratio", [2, 4, 8])
def test_a_chart_that_is_decoded_small_comes_out_in_its_colors(ratio: int) -> None:
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
