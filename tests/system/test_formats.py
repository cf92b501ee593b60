"""Every kind of source becomes every output format, in the colors that Pillow shows, here and over HTTP."""

import functools
import io
import struct
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest
import pyvips
from PIL import Image, ImageChops, ImageCms, ImageOps

from tests.support import servers
from tests.support.pictures import BLUE, GREEN, RED, WHITE, decoded, encoded, quarters
from tests.support.pixels import Pixel, difference, near
from tests.support.servers import Server
from thumbs.image.formats import DEFAULT_INPUTS, FORMATS, sniff
from thumbs.image.transforms import Crop, Transform
from thumbs.render.renderer import Renderer
from thumbs.render.values import RenderLimits

SIZE = (120, 80)
INPUTS = frozenset({*DEFAULT_INPUTS, "tiff"})
OUTPUTS = ("jpeg", "png", "webp", "avif", "gif")
# What a browser shows: never CMYK, 16 bits or floats.
OUTPUT_MODES = {
    "jpeg": {"L", "RGB"},
    "png": {"L", "LA", "RGB", "RGBA"},
    "webp": {"RGB", "RGBA"},
    "avif": {"RGB", "RGBA"},
    "gif": {"P"},
}
# The middles of the quarters, in a thumbnail of half the size.
MIDDLES = ((15, 10), (45, 10), (15, 30), (45, 30))
CLEAR, HALF_CLEAR = 0, 160
ORIENTATION = 0x0112  # EXIF


@dataclass(frozen=True)
class Original:
    """A source, what it shows as RGBA, and by how many levels of 255 two decoders may differ on it."""

    data: bytes
    shown: Image.Image
    by: int = 1

    @property
    def clear(self) -> bool:
        return self.shown.getchannel("A").getextrema() != (255, 255)


def of_pillow(data: bytes, by: int = 1) -> Original:
    """An original that Pillow decodes, to its first frame."""
    return Original(data, decoded(data).convert("RGBA"), by)


def drawing() -> Image.Image:
    return quarters(*SIZE)


def with_holes() -> Image.Image:
    """The drawing with its lower left quarter half transparent, and its lower right one wholly."""
    image = drawing().convert("RGBA")
    alpha = Image.new("L", SIZE, 255)
    alpha.paste(HALF_CLEAR, (0, 40, 60, 80))
    alpha.paste(CLEAR, (60, 40, 120, 80))
    image.putalpha(alpha)
    return image


def in_vips(image: Image.Image) -> pyvips.Image:
    return pyvips.Image.new_from_memory(image.tobytes(), *image.size, len(image.getbands()), "uchar").copy(
        interpretation="srgb"
    )


# -------------------------------------------------------------------------------- JPEG's kinds


def jpeg(image: Image.Image, **options: object) -> Original:
    return of_pillow(encoded(image, "JPEG", quality=95, **options), by=2)


def as_printed(data: bytes) -> Original:
    """A CMYK original without a profile: as littlecms shows it through the profile that libvips falls back on."""
    press = ImageCms.ImageCmsProfile(io.BytesIO(pyvips.Image.profile_load("cmyk")))
    shown = ImageCms.profileToProfile(
        decoded(data),
        press,
        ImageCms.createProfile("sRGB"),
        renderingIntent=ImageCms.Intent.RELATIVE_COLORIMETRIC,
        outputMode="RGB",
    )
    assert shown is not None
    return Original(data, shown.convert("RGBA"), by=2)


def ycck() -> Original:
    """YCCK: Adobe's CMYK with CMY as YCbCr, which no available encoder writes, but any writes such samples as CMYK.

    Adobe's APP14 segment ends in how the colors were transformed: 0 for CMYK, 2 for YCCK (ITU-T T.872, 6.5.3).
    """
    cyan, magenta, yellow, black = drawing().convert("CMYK").split()
    luma, blue, red = Image.merge("RGB", (cyan, magenta, yellow)).convert("YCbCr").split()
    # Pillow stores ink inverted, as Adobe does: only CMY is turned over once more by the transform.
    samples = Image.merge("CMYK", (*map(ImageChops.invert, (luma, blue, red)), black))
    data = encoded(samples, "JPEG", quality=95, subsampling=0)
    start = data.index(b"Adobe")
    assert data[start + 11] == 0
    return as_printed(data[: start + 11] + b"\x02" + data[start + 12 :])


# --------------------------------------------------------------------------------- PNG's kinds


def png(image: Image.Image, **options: object) -> Original:
    return of_pillow(encoded(image, "PNG", **options))


def bilevel(image: Image.Image) -> Image.Image:
    """The drawing in black and white: green and white are above the middle of the two."""
    return image.convert("L").point(lambda value: 255 if value > 100 else 0).convert("1")


def chunk(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))


def sixteen_bits(image: Image.Image) -> Original:
    """A PNG of 16 bits a channel (RFC 2083, 4.1.1), which Pillow does not write: 257 times what has 8 bits."""
    color_type = {"L": 0, "RGB": 2, "LA": 4, "RGBA": 6}[image.mode]
    width, height = image.size
    samples = b"".join(struct.pack(">H", value * 257) for value in image.tobytes())
    stride = len(samples) // height
    rows = b"".join(b"\0" + samples[row * stride : (row + 1) * stride] for row in range(height))
    header = struct.pack(">IIBBBBB", width, height, 16, color_type, 0, 0, 0)
    data = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    return Original(data, image.convert("RGBA"))


# ------------------------------------------------------------------------------ all the others


def animated(name: str, image: Image.Image, **options: object) -> Original:
    """The second frame is the first one upside down, and is not to be seen."""
    other = image.transpose(Image.Transpose.FLIP_TOP_BOTTOM)
    return of_pillow(encoded(image, name, save_all=True, append_images=[other], duration=100, **options))


def of_brand(brand: bytes) -> bytes:
    """An AVIF whose major brand (ISO/IEC 14496-12, 4.3) is `brand`; `avif` stays among the compatible ones."""
    data = encoded(drawing(), "AVIF", quality=95)
    assert data[4:12] == b"ftypavif"
    return data[:8] + brand + data[12:]


def avif_of_ten_bits() -> Original:
    deep = (in_vips(drawing()).cast("ushort") * 257).cast("ushort").copy(interpretation="rgb16")
    return Original(deep.heifsave_buffer(compression="av1", bitdepth=10, Q=95), drawing().convert("RGBA"), by=3)


def tiff(image: Image.Image, **options: object) -> Original:
    return of_pillow(encoded(image, "TIFF", **options))


def tiff_in(space: str) -> Original:
    """A TIFF in a color space of libvips', which shows the drawing all the same."""
    return Original(in_vips(drawing()).colourspace(space).tiffsave_buffer(), drawing().convert("RGBA"))


def gray_floats() -> Original:
    image = drawing().convert("L")
    return Original(encoded(image.convert("F"), "TIFF"), image.convert("RGBA"))


MODES: dict[str, Callable[[], Original]] = {
    "jpeg-444": lambda: jpeg(drawing(), subsampling=0),
    "jpeg-420": lambda: jpeg(drawing(), subsampling=2),
    "jpeg-progressive": lambda: jpeg(drawing(), progressive=True),
    "jpeg-stored-as-rgb": lambda: jpeg(drawing(), keep_rgb=True),
    "jpeg-gray": lambda: jpeg(drawing().convert("L")),
    "jpeg-cmyk": lambda: as_printed(encoded(drawing().convert("CMYK"), "JPEG", quality=95)),
    "jpeg-ycck": ycck,
    "png-1-bit": lambda: png(bilevel(drawing())),
    "png-gray": lambda: png(drawing().convert("L")),
    "png-gray-alpha": lambda: png(with_holes().convert("LA")),
    "png-gray-with-a-clear-level": lambda: png(drawing().convert("L"), transparency=WHITE[0]),
    "png-16-bit-gray": lambda: sixteen_bits(drawing().convert("L")),
    "png-16-bit-gray-alpha": lambda: sixteen_bits(with_holes().convert("LA")),
    "png-16-bit-rgb": lambda: sixteen_bits(drawing()),
    "png-16-bit-rgba": lambda: sixteen_bits(with_holes()),
    "png-palette": lambda: png(drawing().quantize(4)),
    "png-palette-alpha": lambda: png(with_holes().quantize(8)),
    "png-rgb": lambda: png(drawing()),
    "png-rgb-with-a-clear-color": lambda: png(drawing(), transparency=WHITE),
    "png-rgba": lambda: png(with_holes()),
    "png-interlaced": lambda: of_pillow(in_vips(drawing()).pngsave_buffer(interlace=True)),
    "png-interlaced-alpha": lambda: of_pillow(in_vips(with_holes()).pngsave_buffer(interlace=True)),
    "apng": lambda: animated("PNG", drawing()),
    "webp-lossy": lambda: of_pillow(encoded(drawing(), "WEBP", quality=95), by=3),
    "webp-lossless": lambda: of_pillow(encoded(drawing(), "WEBP", lossless=True)),
    "webp-alpha": lambda: of_pillow(encoded(with_holes(), "WEBP", lossless=True)),
    "webp-lossy-alpha": lambda: of_pillow(encoded(with_holes(), "WEBP", quality=95), by=3),
    "webp-animated": lambda: animated("WEBP", drawing(), lossless=True),
    "webp-animated-alpha": lambda: animated("WEBP", with_holes(), lossless=True),
    "gif": lambda: of_pillow(encoded(drawing(), "GIF", interlace=False)),
    "gif-interlaced": lambda: of_pillow(encoded(drawing(), "GIF", interlace=True)),
    "gif-alpha": lambda: of_pillow(encoded(with_holes(), "GIF")),
    "gif-animated": lambda: animated("GIF", drawing()),
    "avif": lambda: of_pillow(encoded(drawing(), "AVIF", quality=95), by=3),
    "avif-gray": lambda: of_pillow(encoded(drawing().convert("L"), "AVIF", quality=95), by=3),
    "avif-alpha": lambda: of_pillow(encoded(with_holes(), "AVIF", quality=95), by=3),
    "avif-10-bit": avif_of_ten_bits,
    "avif-of-a-general-brand": lambda: of_pillow(of_brand(b"mif1"), by=3),
    "tiff": lambda: tiff(drawing()),
    "tiff-alpha": lambda: tiff(with_holes()),
    "tiff-1-bit": lambda: tiff(bilevel(drawing())),
    "tiff-cmyk": lambda: as_printed(encoded(drawing().convert("CMYK"), "TIFF")),
    "tiff-16-bit": lambda: tiff_in("rgb16"),
    "tiff-gray-floats": gray_floats,
    "tiff-linear-floats": lambda: tiff_in("scrgb"),
    "tiff-lab-floats": lambda: tiff_in("lab"),
    "tiff-lab-16-bit": lambda: tiff_in("labs"),
}


@functools.cache
def original(mode: str) -> Original:
    return MODES[mode]()


# ------------------------------------------------------------------------------------ the oracle


def extension(data: bytes) -> str:
    name = sniff(data)
    assert name is not None
    return FORMATS[name].extensions[0]


def wanted(pixel: Pixel, output: str) -> Pixel:
    """What `output` can show of an RGBA pixel: JPEG over white, GIF wholly or not at all."""
    *color, alpha = pixel
    if output == "jpeg":
        return (*(round(255 + (value - 255) * alpha / 255) for value in color), 255)
    if output == "gif":
        return (*color, 255 if alpha >= 128 else 0)
    return pixel


# How far an output format at its quality may change plain colors, in levels of 255.
LOSSES = {"jpeg": 3, "png": 1, "webp": 3, "avif": 3, "gif": 1}


def same(shown: Pixel, promised: Pixel, by: int) -> bool:
    if promised[3] == CLEAR:
        return shown[3] == CLEAR
    # Between clear and opaque, colors are kept as 8 bits times their opacity.
    return near(shown, promised, by=by if promised[3] == 255 else by + 2)


def check(body: bytes, source: Original, output: str) -> None:
    made = decoded(body)
    assert sniff(body) == output
    assert made.mode in OUTPUT_MODES[output]
    assert made.size == (SIZE[0] // 2, SIZE[1] // 2)
    assert getattr(made, "n_frames", 1) == 1
    rgba = made.convert("RGBA")
    keeps_holes = source.clear and FORMATS[output].alpha
    assert (rgba.getchannel("A").getextrema() != (255, 255)) == keeps_holes
    for place in MIDDLES:
        shown, promised = rgba.getpixel(place), source.shown.getpixel((place[0] * 2, place[1] * 2))
        assert isinstance(shown, tuple)
        assert isinstance(promised, tuple)
        assert same(shown, wanted(promised, output), LOSSES[output] + source.by), (place, shown, promised)


# --------------------------------------------------------------------------------------- tests


@pytest.mark.parametrize("output", OUTPUTS)
@pytest.mark.parametrize("mode", MODES)
def test_a_source_becomes_an_output_in_its_colors(mode: str, output: str) -> None:
    source = original(mode)
    transform = Transform(SIZE[0] // 2, SIZE[1] // 2, output, None if output in ("png", "gif") else 95)
    made = Renderer(inputs=INPUTS).render(source.data, transform, RenderLimits())
    assert made.format == output
    check(made.body, source, output)


def test_the_drawing_is_what_the_oracle_says_it_is() -> None:
    """All sources show the drawing: a wrong oracle would make every comparison worthless."""
    in_color = {"png-rgb", "png-16-bit-rgb", "jpeg-444", "webp-lossy", "gif", "avif", "tiff-linear-floats"}
    for mode in in_color:
        shown = original(mode).shown
        for place, color in zip(MIDDLES, (RED, GREEN, BLUE, WHITE), strict=True):
            pixel = shown.getpixel((place[0] * 2, place[1] * 2))
            assert isinstance(pixel, tuple)
            assert near(pixel, (*color, 255)), mode


def test_a_hole_is_kept_with_the_opacity_that_it_has() -> None:
    source = original("png-rgba")
    for output, alphas in (("png", {CLEAR, HALF_CLEAR, 255}), ("gif", {CLEAR, 255})):
        made = decoded(Renderer(inputs=INPUTS).render(source.data, Transform(60, 40, output), RenderLimits()).body)
        assert {made.convert("RGBA").getchannel("A").getpixel(place) for place in MIDDLES} == alphas


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A standalone server with a storage of all modes, which reads TIFF too."""
    directory = tmp_path_factory.mktemp("matrix")
    root = directory / "originals"
    root.mkdir()
    for mode in MODES:
        data = original(mode).data
        (root / f"{mode}.{extension(data)}").write_bytes(data)
    document = {
        "storages": [{"name": "modes", "driver": "local", "root": str(root)}],
        "input_formats": sorted(INPUTS),
        "run_dir": str(directory / "run"),
    }
    with servers.standalone(document, directory) as running:
        yield running


@pytest.mark.parametrize("mode", MODES)
def test_a_source_is_answered_in_every_output_format(server: Server, mode: str) -> None:
    source = original(mode)
    key = f"{mode}.{extension(source.data)}"
    for output in OUTPUTS:
        quality = "" if output in ("png", "gif") else ";quality(95)"
        answer = server.get(f"modes/thumbs/60x40/filters:format({output}){quality}/{key}")
        assert answer.status == 200, (output, answer.body)
        assert answer.headers["content-type"] == FORMATS[output].content_type
        assert answer.headers["x-content-type-options"] == "nosniff"
        check(answer.body, source, output)


def test_every_format_that_can_be_read_has_its_row() -> None:
    assert {sniff(original(mode).data) for mode in MODES} == INPUTS


@pytest.mark.parametrize("name", ["PNG", "WEBP", "AVIF", "TIFF"])
def test_what_lies_on_its_side_is_set_upright_in_every_format(name: str) -> None:
    """JPEG has tests of its own. In AVIF, Pillow writes the orientation as a transformation of the item."""
    lossless = {"lossless": True} if name == "WEBP" else {"quality": 95} if name == "AVIF" else {}
    for orientation in range(1, 9):
        exif = Image.Exif()
        exif[ORIENTATION] = orientation
        data = encoded(drawing(), name, exif=exif, **lossless)
        upright = ImageOps.exif_transpose(decoded(data)).convert("RGB")
        assert upright.size == (SIZE if orientation <= 4 else SIZE[::-1])
        for transform in (Transform(format="png"), Transform(format="png", crop=Crop(0, 0, 78, 78))):
            made = decoded(Renderer(inputs=INPUTS).render(data, transform, RenderLimits()).body)
            assert made.size == (upright.size if transform.crop is None else (78, 78))
            assert difference(made, upright.crop((0, 0, *made.size))) < 6, (orientation, transform)


@pytest.mark.parametrize("brand", [b"avis", b"miaf"])
def test_an_avif_of_a_brand_that_libvips_does_not_know_is_shown(brand: bytes) -> None:
    """`avis` is what animations begin with."""
    data = of_brand(brand)
    assert sniff(data) == "avif"
    made = Renderer(inputs=INPUTS).render(data, Transform(60, 40, "png"), RenderLimits())
    check(made.body, of_pillow(of_brand(b"avif"), by=3), "png")
