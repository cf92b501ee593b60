"""Samples of every kind that TIFF has become the right colors, whatever the steps and the format of the thumbnail."""

import io
from collections.abc import Sequence
from typing import Any

import pytest
import pyvips
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms

from tests.support import tiff_files as tf
from tests.support.pictures import decoded, encoded
from tests.support.tiff_files import Tiff, tiff, tiff_with_level
from tests.support.tiff_pixels import encoded_light, levels, limits
from thumbs.errors import SourceUnsupported
from thumbs.image.formats import FORMATS
from thumbs.image.transforms import Color, Crop, Fit, Transform, Trim, Watermark
from thumbs.render.renderer import Renderer
from thumbs.render.values import RenderLimits
from thumbs.render.watermarks import Watermarks

INPUTS = frozenset(FORMATS)
LIMITS = RenderLimits()
WIDTH, HEIGHT = 5, 4
OUTPUTS = [name for name, row in FORMATS.items() if row.output]
QUALITIES = {"jpeg": 95, "webp": 95, "avif": 90}
Levels = Sequence[float]


def thumbnail(data: bytes, transform: Transform | None = None, *, renderer: Renderer | None = None) -> Image.Image:
    transform = transform or Transform(format="png")
    return decoded((renderer or Renderer(INPUTS)).render(data, transform, LIMITS).body)


def solid(*pixel: float, side: int = 8, **options: Any) -> Tiff:
    return Tiff([[pixel] * side for _ in range(side)], **options)


def color_of(*pixel: float, **options: Any) -> tuple[int, ...]:
    """The color of a thumbnail of one color, as RGB and, if it has one, alpha."""
    image = thumbnail(tiff(solid(*pixel, **options)))
    found = image.convert("RGBA" if image.mode in ("LA", "RGBA") else "RGB").getpixel((2, 2))
    assert isinstance(found, tuple)
    return found


def is_near(found: Levels, wanted: Levels, by: float) -> bool:
    return len(found) == len(wanted) and all(abs(a - b) <= by for a, b in zip(found, wanted, strict=True))


@st.composite
def pages(draw: st.DrawFn) -> Tiff:
    """Gray, RGB and YCbCr pictures with and without extra samples, in every form that is decoded."""
    photometric = draw(st.sampled_from([tf.MIN_IS_WHITE, tf.MIN_IS_BLACK, tf.RGB, tf.YCBCR]))
    own = 3 if photometric in (tf.RGB, tf.YCBCR) else 1
    extra = draw(st.none() | st.lists(st.sampled_from([0, 0, 1, 2]), min_size=1, max_size=6))
    if photometric == tf.YCBCR:
        extra, kinds = None, [(8, None), (8, tf.UNSIGNED)]
    else:
        kinds = [(bits, kind) for kind in (None, 1, 2, 4) for bits in (8, 16, 32)] + [(32, tf.FLOATING)]
    if photometric == tf.MIN_IS_WHITE:  # what an associated alpha means there is not defined
        extra = extra and [0 if kind == 1 else kind for kind in extra]
    bits, kind = draw(st.sampled_from(kinds))
    planar = draw(st.booleans())
    page = Tiff(
        [[(0.0,) * (own + len(extra or ()))]],
        photometric,
        bits,
        kind,
        extra,
        planar=planar,
        tile=0 if planar else draw(st.sampled_from([0, 16])),
        strip=draw(st.sampled_from([0, 1, 3])),
        compression=draw(st.sampled_from([tf.NONE, tf.ADOBE_DEFLATE])),
        order=draw(st.sampled_from("<>")),
        big=draw(st.booleans()),
        tags={530: (tf.SHORT, [1, 1])} if photometric == tf.YCBCR else {},
    )
    least, largest = limits(page)
    samples = st.floats(0, 1, width=32) if kind == tf.FLOATING else st.integers(least, largest)
    pixels = st.tuples(*[samples] * page.samples)
    rows = draw(st.lists(st.lists(pixels, min_size=WIDTH, max_size=WIDTH), min_size=HEIGHT, max_size=HEIGHT))
    return Tiff(rows, *(getattr(page, name) for name in tuple(page.__dataclass_fields__)[1:]))


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(pages())
def test_every_pixel_of_a_generated_picture_has_its_color(page: Tiff) -> None:
    image = thumbnail(tiff(page))
    assert image.size == (WIDTH, HEIGHT)
    image = image.convert("RGBA")
    for y, row in enumerate(page.rows):
        for x, pixel in enumerate(row):
            found, wanted = image.getpixel((x, y)), levels(page, pixel)
            assert isinstance(found, tuple)
            assert abs(found[3] - wanted[3]) <= 1
            # The color of what is nearly transparent has few levels.
            by = 1.5 + (255 / wanted[3] if page.extra and 1 in page.extra and wanted[3] else 0)
            assert wanted[3] < 8 or is_near(found[:3], wanted[:3], by), (x, y, pixel)


@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize("bits", [1, 2, 4])
@pytest.mark.parametrize("photometric", [tf.MIN_IS_WHITE, tf.MIN_IS_BLACK, tf.MASK])
def test_small_samples_are_spread_over_all_levels(photometric: int, bits: int, order: str) -> None:
    row = [(value,) for value in range(2**bits)]
    image = thumbnail(tiff(Tiff([row] * 3, photometric, bits, order=order)))
    wanted = [round(255 * value / (2**bits - 1)) for value in range(2**bits)]
    found = [image.getpixel((x, 1)) for x in range(len(row))]
    assert found == (wanted[::-1] if photometric == tf.MIN_IS_WHITE else wanted)


@pytest.mark.parametrize("extra", [[0, 0], [0, 0, 0, 0], [2, 0], [0, 2], [1, 0]])
@pytest.mark.parametrize("output", OUTPUTS)
@pytest.mark.parametrize(
    "transform",
    [
        Transform(6, 6),
        Transform(10, 6, fit=Fit.FILL),
        Transform(10, 6, fit=Fit.FILL, fill=Color(255, 0, 0)),
        Transform(6, 6, background=Color(0, 0, 255)),
        Transform(6, 6, background=Color(0, 0, 255, 128), rotate=90),
        Transform(6, 6, trim=Trim(10)),
        Transform(6, 6, grayscale=True, blur=1.0, sharpen=1.0),
        Transform(3, 3, crop=Crop(2, 2, 6, 6)),
        Transform(6, 6, watermark=Watermark("mark", opacity=50)),
    ],
)
def test_extra_samples_go_through_every_step_into_every_format(
    transform: Transform, output: str, extra: list[int]
) -> None:
    side = 12
    ramp = [[(20 * x, 20 * y, 100, *[200] * len(extra)) for x in range(side)] for y in range(side)]
    data = tiff(Tiff(ramp, extra=extra))
    marked = {"mark": tiff(solid(255, 0, 0, 9, 9, extra=[0, 0], side=2))}
    renderer = Renderer(INPUTS, watermarks=Watermarks(marked.__getitem__, INPUTS))
    fields = {name: getattr(transform, name) for name in tuple(transform.__dataclass_fields__)}
    wanted = Transform(**{**fields, "format": output, "quality": QUALITIES.get(output)})
    image = thumbnail(data, wanted, renderer=renderer)
    assert max(image.size) <= 10


def test_a_small_part_of_a_large_picture_has_the_right_colors() -> None:
    """Such a part is cut out before scaling."""
    rows = [[(x * 256, y * 256, 5, 6, 7) for x in range(200)] for y in range(200)]
    data = tiff(Tiff(rows, bits=16, extra=[0, 0]))
    found = thumbnail(data, Transform(10, 10, "png", crop=Crop(100, 50, 110, 60))).getpixel((4, 6))
    assert isinstance(found, tuple)
    assert is_near(found, (104, 56, 0), 1)


def test_a_picture_is_turned_upright() -> None:
    rows = [[(10 * x, 20 * y, 5, 6, 7) for x in range(20)] for y in range(10)]
    data = tiff(Tiff(rows, extra=[0, 0], tags={274: (tf.SHORT, [6])}))  # the first row is on the right
    for transform in (Transform(format="png"), Transform(format="png", crop=Crop(0, 0, 10, 20))):
        image = thumbnail(data, transform)
        assert image.size == (10, 20)
        assert image.getpixel((2, 5)) == (50, 140, 5)


def test_a_proxy_has_the_colors_of_the_picture() -> None:
    width, height = 3100, 300  # the longer side decides whether there is a proxy
    page = Tiff([[(-100, 0, 100, 50, 60)] * width] * height, sample_format=tf.SIGNED, extra=[0, 0], strip=50)
    renderer = Renderer(INPUTS)
    packed = renderer.make_proxy(tiff(page), LIMITS)
    assert packed
    found = renderer.render_proxy(packed, Transform(50, 50, "png"), LIMITS)
    assert found is not None
    assert decoded(found.body).getpixel((9, 9)) == (28, 128, 228)


CMYK = (100, 150, 200, 50)


@pytest.mark.parametrize(
    ("pixel", "options", "alpha"),
    [
        ((*CMYK, 77), {"extra": [0]}, ()),
        ((*CMYK, 77), {}, ()),
        ((*CMYK, 77, 128), {"extra": [0, 2]}, (128,)),
        ((*(ink // 2 for ink in CMYK), 128), {"extra": [1]}, (128,)),
        ([ink * 257 for ink in (*CMYK, 128)], {"extra": [2], "bits": 16}, (128,)),
        ([ink << 24 for ink in CMYK], {"bits": 32}, ()),
        ([ink - 128 for ink in CMYK], {"sample_format": tf.SIGNED}, ()),
        (CMYK, {"tags": {332: (tf.SHORT, [2])}}, ()),
        ((*CMYK, 9), {"planar": True, "extra": [0]}, ()),
    ],
)
def test_inks_of_every_kind_are_those_of_plain_cmyk(
    pixel: Levels, options: dict[str, object], alpha: tuple[int, ...]
) -> None:
    plain = color_of(*CMYK, photometric=tf.SEPARATED)
    assert is_near(color_of(*pixel, photometric=tf.SEPARATED, **options), (*plain, *alpha), 2)


def lab_color(lightness: float, a: float, b: float) -> tuple[int, ...]:
    """By littlecms, whose white of Lab is D50 and not D65. Pillow adds 128 to a and b."""
    lab = Image.merge("LAB", [Image.new("L", (1, 1), int(level)) for level in (lightness * 2.55, a + 128, b + 128)])
    profiles = ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB")
    made = ImageCms.profileToProfile(lab, *profiles, outputMode="RGB")
    assert made is not None
    found = made.getpixel((0, 0))
    assert isinstance(found, tuple)
    return found


LAB = (61, 20, -22)


@pytest.mark.parametrize(
    ("pixel", "options", "alpha"),
    [
        ((156, 20, 234), {"photometric": tf.CIELAB}, ()),
        ((40_000, 5120, 65_536 - 5632), {"photometric": tf.CIELAB, "bits": 16}, ()),
        ((40_000, 5120, 65_536 - 5632, 1), {"photometric": tf.CIELAB, "bits": 16, "extra": [0]}, ()),
        ((156, 20, 234, 128), {"photometric": tf.CIELAB, "extra": [2]}, (128,)),
        ((156, 20, 234, 128), {"photometric": tf.CIELAB, "planar": True, "extra": [2]}, (128,)),
        ((40_000, 5120, 65_536 - 5632), {"photometric": tf.CIELAB, "bits": 16, "planar": True}, ()),
        ((156 - 256, 20, -22), {"photometric": tf.CIELAB, "sample_format": tf.SIGNED}, ()),
        (LAB, {"photometric": tf.CIELAB, "bits": 32, "sample_format": tf.FLOATING}, ()),
        ((*LAB, 0.5), {"photometric": tf.CIELAB, "bits": 32, "sample_format": tf.FLOATING, "extra": [2]}, (128,)),
        (LAB, {"photometric": tf.CIELAB, "bits": 32, "sample_format": tf.FLOATING, "planar": True}, ()),
        ((156, 148, 106), {"photometric": tf.ICCLAB}, ()),
        ((61 * 652.8, 148 * 256, 106 * 256), {"photometric": tf.ICCLAB, "bits": 16}, ()),
    ],
)
def test_lab_of_every_encoding_is_converted(pixel: Levels, options: dict[str, object], alpha: tuple[int, ...]) -> None:
    found = color_of(*pixel, **options)
    assert is_near(found[:3], lab_color(*LAB), 6)
    assert found[3:] == alpha


def test_a_profile_of_rgb_is_not_applied_to_lab() -> None:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    plain = color_of(156, 20, 234, photometric=tf.CIELAB)
    assert color_of(156, 20, 234, photometric=tf.CIELAB, tags={34675: (7, profile)}) == plain


def test_ycbcr_is_converted_by_the_numbers_of_the_file() -> None:
    plain = {"photometric": tf.YCBCR, "tags": {530: (tf.SHORT, [1, 1])}}
    pixel = Image.new("YCbCr", (1, 1), (100, 150, 200)).convert("RGB").getpixel((0, 0))
    assert isinstance(pixel, tuple)
    assert is_near(color_of(100, 150, 200, **plain), pixel, 1)
    video = {532: (tf.RATIONAL, [16, 1, 235, 1, 128, 1, 240, 1, 128, 1, 240, 1]), 530: (tf.SHORT, [1, 1])}
    assert color_of(16, 128, 128, photometric=tf.YCBCR, tags=video) == (0, 0, 0)
    assert color_of(235, 128, 128, photometric=tf.YCBCR, tags=video) == (255, 255, 255)


@pytest.mark.parametrize("quality", [75, 95])
def test_ycbcr_in_jpeg_is_converted_by_libjpeg(quality: int) -> None:
    """With the lower quality libvips writes YCbCr with a quarter of the colors, with the higher one RGB."""
    drawn = pyvips.Image.black(64, 64, bands=3).linear([1] * 3, [200, 60, 30], uchar=True).copy(interpretation="srgb")
    data = drawn.tiffsave_buffer(compression="jpeg", Q=quality)
    found = thumbnail(data, Transform(16, 16, "png")).getpixel((3, 3))
    assert isinstance(found, tuple)
    assert is_near(found, (200, 60, 30), 1)


def test_logarithms_of_luminance_are_gray_and_1_is_white() -> None:
    row = [(0.0,), (0.01,), (0.2159,), (0.999,), (40.0,)]
    page = Tiff([row] * 3, tf.LOG_L, 16, tf.SIGNED, compression=tf.SGI_LOG)
    image = thumbnail(tiff(page))
    wanted = [255 * encoded_light(min(1.0, luminance)) for (luminance,) in row]
    assert is_near([float(image.getpixel((x, 1)) or 0) for x in range(5)], wanted, 2)  # type: ignore[arg-type]


def test_logarithms_with_colors_are_read_as_libvips_reads_them() -> None:
    neutral = 0.1978, 0.4683  # D65
    page = Tiff([[(0.2159, *neutral)] * 5] * 3, tf.LOG_LUV, 16, tf.SIGNED, compression=tf.SGI_LOG)
    found = thumbnail(tiff(page)).getpixel((2, 1))
    assert isinstance(found, tuple)
    assert is_near(found, (128, 128, 128), 20)


@pytest.mark.parametrize("extra", [0, 2])
def test_the_sample_beside_a_palette_is_alpha_only_where_the_file_says_so(extra: int) -> None:
    ramp = [index * 257 for index in range(256)]
    tags = {320: (tf.SHORT, [*ramp, *[0] * 256, *ramp[::-1]])}
    found = color_of(3, 128, photometric=tf.PALETTE, extra=[extra], tags=tags)
    assert found == ((3, 0, 252, 128) if extra else (3, 0, 252))


GRAY_FLOATS = {"photometric": tf.MIN_IS_BLACK, "bits": 32, "sample_format": tf.FLOATING}


@pytest.mark.parametrize(
    ("values", "tags", "wanted"),
    [
        ((0.0, 0.25, 1.0), {}, (0, 64, 255)),
        ((0.0, 64.0, 255.0), {}, (0, 64, 255)),
        ((100.0, 1000.0, 4100.0), {}, (0, 57, 255)),
        ((-500.0, 0.0, 500.0), {}, (0, 128, 255)),
        ((0.0, 50.0, 90.0), {340: (tf.FLOAT, [0.0]), 341: (tf.FLOAT, [100.0])}, (0, 128, 230)),
        ((float("nan"), 0.5, 1.0), {}, (0, 128, 255)),
        ((float("-inf"), 0.5, float("inf")), {}, (0, 128, 255)),
    ],
)
def test_gray_floats_are_fractions_or_levels_or_cover_their_own_range(
    values: Levels, tags: dict[int, tf.Value], wanted: Levels
) -> None:
    page = Tiff([[(value,) for value in values]] * 3, tags=tags, **GRAY_FLOATS)  # type: ignore[arg-type]
    image = thumbnail(tiff(page))
    assert is_near([float(image.getpixel((x, 1)) or 0) for x in range(3)], wanted, 1)  # type: ignore[arg-type]


def test_pillows_floats_are_read_as_pillow_reads_them() -> None:
    source = Image.linear_gradient("L").convert("F")
    assert thumbnail(encoded(source, "TIFF")).tobytes() == source.convert("L").tobytes()


def test_half_floats_are_read_where_libvips_reads_them() -> None:
    half = {"bits": 16, "sample_format": tf.FLOATING}
    assert color_of(0.25, photometric=tf.MIN_IS_BLACK, **half) == (64, 64, 64)
    assert color_of(0.25, 0.5, 1.0, **half) == (137, 188, 255)
    with pytest.raises(SourceUnsupported):
        color_of(0.25, 0.5, 1.0, planar=True, **half)


def test_the_first_of_several_pages_is_rendered() -> None:
    pages = [solid(10, 20, 30, 5, 6, extra=[0, 0]), solid(200, 100, 50), solid(1, photometric=tf.MIN_IS_BLACK)]
    assert thumbnail(tiff(*pages)).getpixel((1, 1)) == (10, 20, 30)


@pytest.mark.parametrize("level", ["page", "picture"])
def test_a_smaller_level_of_another_kind_does_not_take_the_place_of_the_picture(level: str) -> None:
    """libvips decodes another page, or another picture of the page, in place of one that has twice of its sides."""
    first, second = solid(10, 20, 30, side=64), solid(200, 100, 50, 9, 9, extra=[0, 0], side=32)
    data = tiff(first, second) if level == "page" else tiff_with_level(first, second)
    for transform in (Transform(8, 8, "jpeg", 90), Transform(8, 8, "png")):
        image = thumbnail(data, transform)
        assert is_near(image.getpixel((3, 3)), (10, 20, 30), 3)  # type: ignore[arg-type]


# JPEG has no samples of one bit.
OF_PILLOW = [
    (mode, kind)
    for mode in ("RGB", "L", "CMYK", "1")
    for kind in ("jpeg", "tiff_lzw", "packbits", "tiff_deflate", "tiff_adobe_deflate", "raw")
    if (mode, kind) != ("1", "jpeg")
]


@pytest.mark.parametrize(("mode", "kind"), OF_PILLOW)
def test_files_of_pillow_look_as_in_pillow(mode: str, kind: str) -> None:
    source = Image.radial_gradient("L").resize((64, 48))
    picture = Image.merge("RGB", (source, source.transpose(Image.Transpose.ROTATE_180), source)).convert(mode)
    data = encoded(picture, "TIFF", compression=kind)
    wanted = Image.open(io.BytesIO(data)).convert("RGB")
    found = thumbnail(data).convert("RGB")
    by = 60 if mode == "CMYK" else 2  # Pillow knows no profile of CMYK
    assert all(
        is_near(found.getpixel(at), wanted.getpixel(at), by)  # type: ignore[arg-type]
        for at in [(3, 3), (30, 20), (60, 40)]
    )
