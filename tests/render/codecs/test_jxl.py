"""JPEG XL, written and read by imagecodecs: pixels, sizes, limits, and what is refused."""

import functools
import io
from dataclasses import replace
from typing import Any

import pytest
from PIL import Image, ImageChops, ImageStat

from tests.support import pictures
from tests.support.jxl_files import ENUM, NAMES, Bits, Sample, box, by_imagecodecs, codestream, container, scene
from tests.support.missing_extras import need
from tests.support.pixels import LIMITS
from thumbs.errors import SizeOverLimit, SourceBroken, SourceOverLimit, SourceUnsupported
from thumbs.image.formats import sniff
from thumbs.image.transforms import Color, Crop, Fit, Transform
from thumbs.render.codecs import jxl
from thumbs.render.color.values import ColorSpace, Power
from thumbs.render.renderer import Renderer
from thumbs.render.table import read_header
from thumbs.render.values import RenderLimits, SourceLimits

RENDERER = Renderer(inputs=frozenset({"jxl", "jpeg", "png", "webp"}))
WIDTHS = ((1, "L"), (2, "LA"), (3, "RGB"), (4, "RGBA"))


@pytest.fixture(autouse=True)
def _with_imagecodecs() -> None:
    need("jxl")


def shown(data: bytes, transform: Transform | None = None) -> Image.Image:
    """The thumbnail of a JPEG XL, by default as large as the original."""
    body = RENDERER.render(data, transform or Transform(format="png"), LIMITS).body
    return Image.open(io.BytesIO(body))


def mean_difference(one: Image.Image, other: Image.Image) -> float:
    """In levels, of the picture on gray: colors under full transparency do not count."""
    flat = [Image.alpha_composite(Image.new("RGBA", each.size, "gray"), each.convert("RGBA")) for each in (one, other)]
    return max(ImageStat.Stat(ImageChops.difference(*flat)).mean)


@functools.cache
def samples() -> dict[str, Sample]:
    """Written by the first test that reads them: every process collects all tests, and runs some."""
    return {sample.name: sample for sample in by_imagecodecs()}


# ------------------------------------------------------------------------------------------------------ written


def decoded(data: bytes) -> Any:
    codec, _ = jxl.load()
    return codec.jpegxl_decode(data)


@pytest.mark.parametrize(("bands", "mode"), WIDTHS)
def test_a_thumbnail_is_a_jpeg_xl_of_its_pixels(bands: int, mode: str) -> None:
    source = scene(120, 80, mode)
    data = pictures.encoded(source, "PNG")
    picture = RENDERER.render(data, Transform(60, 40, "jxl", 97), LIMITS)
    assert (picture.format, sniff(picture.body)) == ("jxl", "jxl")
    found = decoded(picture.body)
    assert found.shape == ((40, 60) if bands == 1 else (40, 60, bands))
    png = Image.open(io.BytesIO(RENDERER.render(data, Transform(60, 40, "png"), LIMITS).body))
    assert mean_difference(Image.fromarray(found), png) < 2


def test_a_higher_quality_is_a_larger_file() -> None:
    data = pictures.encoded(pictures.noise(120, 80), "PNG")
    sizes = [
        len(RENDERER.render(data, Transform(120, 80, "jxl", quality), LIMITS).body) for quality in (1, 29, 30, 80, 99)
    ]
    assert sizes == sorted(sizes)
    assert len(set(sizes)) == len(sizes)


def test_the_quality_100_has_next_to_no_loss() -> None:
    data = pictures.encoded(pictures.noise(120, 80), "PNG")
    body = RENDERER.render(data, Transform(120, 80, "jxl", 100), LIMITS).body
    assert mean_difference(Image.fromarray(decoded(body)), pictures.noise(120, 80)) < 0.5


def test_the_quality_goes_down_until_the_file_fits() -> None:
    data = pictures.encoded(pictures.noise(120, 80), "PNG")
    whole = RENDERER.render(data, Transform(120, 80, "jxl", 90), LIMITS).body
    wanted = len(whole) // 2
    assert len(RENDERER.render(data, Transform(120, 80, "jxl", 90, max_bytes=wanted), LIMITS).body) <= wanted


def test_the_same_pixels_give_the_same_bytes() -> None:
    data = pictures.encoded(pictures.noise(120, 80), "PNG")
    made = {RENDERER.render(data, Transform(60, 40, "jxl", 80), LIMITS).body for _ in range(3)}
    assert len(made) == 1


def test_a_picture_over_the_cap_is_refused_or_made_in_the_fallback_format() -> None:
    data, limits = pictures.encoded(scene(120, 80), "PNG"), RenderLimits(jxl_pixels=60 * 40)
    wanted = Transform(61, 40, "jxl", 80, fit=Fit.STRETCH)
    assert RENDERER.render(data, replace(wanted, width=60), limits).format == "jxl"
    with pytest.raises(SizeOverLimit):
        RENDERER.render(data, wanted, limits)
    assert RENDERER.render(data, wanted, limits, fallback=replace(wanted, format="webp")).format == "webp"


# --------------------------------------------------------------------------------------------------------- read


def test_there_are_forty_samples() -> None:
    assert tuple(samples()) == NAMES
    assert len(NAMES) >= 40


@pytest.mark.parametrize("name", NAMES)
def test_a_file_shows_what_it_was_made_of(name: str) -> None:
    sample = samples()[name]
    found = shown(sample.data)
    assert found.size == sample.shown.size
    assert ("A" in found.getbands()) == ("A" in sample.shown.getbands())
    assert mean_difference(found, sample.shown) <= sample.loss


@pytest.mark.parametrize("name", NAMES)
def test_the_header_is_that_of_the_decoder(name: str) -> None:
    sample = samples()[name]
    header = read_header(sample.data, frozenset({"jxl"}))
    assert (header.size, header.whole, header.profile) == (sample.shown.size, True, None)
    linear = "-bits" in sample.name or "float" in sample.name
    assert header.color == (ColorSpace(transfer=Power(1.0)) if linear else None)
    bands = sample.shown.getbands()
    assert header.has_alpha == ("A" in bands)
    assert header.color_space == ("gray" if bands[0] == "L" else "srgb-linear" if linear else "srgb")


def a_file(mode: str = "RGB", size: tuple[int, int] = (120, 80)) -> bytes:
    return RENDERER.render(
        pictures.encoded(scene(*size, mode), "PNG"), Transform(format="jxl", quality=95), LIMITS
    ).body


def test_every_step_works_on_it() -> None:
    data, source = a_file(), scene(120, 80)
    part = shown(data, Transform(30, 20, "png", crop=Crop(0, 0, 60, 40)))
    assert mean_difference(part, source.crop((0, 0, 60, 40)).resize((30, 20))) < 4
    turned = shown(data, Transform(60, 40, "png", rotate=180))
    assert mean_difference(turned, source.resize((60, 40)).rotate(180)) < 4
    flat = shown(a_file("RGBA"), Transform(60, 40, "png", background=Color(255, 255, 255)))
    assert min(flat.convert("RGBA").getchannel("A").getextrema()) == 255


def test_it_is_not_read_unless_it_is_among_the_inputs() -> None:
    with pytest.raises(SourceUnsupported):
        Renderer().render(a_file(), Transform(format="png"), LIMITS)


def test_it_counts_for_the_pixels_of_pictures_that_are_held_whole() -> None:
    limits = RenderLimits(source=SourceLimits(whole_pixels=120 * 80))
    RENDERER.render(a_file(), Transform(format="png"), limits)
    with pytest.raises(SourceOverLimit):
        RENDERER.render(a_file(size=(121, 80)), Transform(format="png"), limits)


def test_a_header_of_many_pixels_is_refused_before_decoding() -> None:
    huge = codestream(Bits().size(2**30, 2**30).flags(True, True)) + bytes(100)
    with pytest.raises(SourceOverLimit):
        RENDERER.render(huge, Transform(10, 10, "png"), LIMITS)


@pytest.mark.parametrize("percent", [5, 20, 50, 80, 95, 99])
def test_a_file_that_is_cut_off_is_broken(percent: int) -> None:
    data = RENDERER.render(
        pictures.encoded(pictures.noise(120, 80), "PNG"), Transform(format="jxl", quality=90), LIMITS
    ).body
    with pytest.raises(SourceBroken):
        RENDERER.render(data[: len(data) * percent // 100], Transform(format="png"), LIMITS)


def test_a_header_that_is_not_the_decoders_is_broken() -> None:
    """A container with two codestreams: ours is the first one's, and so must be the decoder's."""
    small, large = a_file(size=(40, 30)), a_file(size=(120, 80))
    for parts in ((small, large), (large, small)):
        data = container(*(box(b"jxlc", part) for part in parts))
        try:
            picture = RENDERER.render(data, Transform(format="png"), LIMITS)
        except SourceBroken:
            continue
        assert Image.open(io.BytesIO(picture.body)).size == read_header(data, frozenset({"jxl"})).size


def test_an_embedded_profile_is_refused_with_the_reason() -> None:
    bits = Bits().size(30, 20).flags(False, False, False).put(0, 2).flags(True).put(0, 2)
    data = codestream(bits.flags(True, False, True).choice(0, ENUM).flags(True)) + bytes(200)
    with pytest.raises(SourceUnsupported, match="ICC profile") as caught:
        RENDERER.render(data, Transform(format="png"), LIMITS)
    assert (caught.value.status, caught.value.code) == (415, "source-unsupported")


def test_colors_without_a_meaning_are_refused() -> None:
    bits = Bits().size(30, 20).flags(False, False, False).put(0, 2).flags(True).put(0, 2)
    bits.flags(True, False, False).choice(3, ENUM).choice(1, ENUM).choice(1, ENUM).flags(False).choice(13, ENUM)
    with pytest.raises(SourceUnsupported, match="color description"):
        RENDERER.render(codestream(bits.flags(True)) + bytes(200), Transform(format="png"), LIMITS)
