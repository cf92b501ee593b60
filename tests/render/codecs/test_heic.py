"""HEIC, read by pillow-heif: pixels, profiles, orientation, limits, and what is refused."""

import io
import struct

import pytest
from PIL import Image, ImageChops, ImageStat

from tests.support.color import middles, stored
from tests.support.heic_files import heic
from tests.support.jxl_files import scene
from tests.support.missing_extras import need
from tests.support.pictures import noise, turned
from tests.support.pixels import LIMITS
from thumbs.errors import SourceBroken, SourceOverLimit, SourceUnsupported
from thumbs.image.transforms import Transform
from thumbs.render.renderer import Renderer
from thumbs.render.table import read_header
from thumbs.render.values import RenderLimits, SourceLimits

RENDERER = Renderer(inputs=frozenset({"heic", "jpeg"}))
AS_PNG = Transform(format="png")


@pytest.fixture(autouse=True)
def _with_pillow_heif() -> None:
    need("heic")


def shown(data: bytes) -> Image.Image:
    return Image.open(io.BytesIO(RENDERER.render(data, AS_PNG, LIMITS).body))


def mean_difference(one: Image.Image, other: Image.Image) -> float:
    """In levels, of the picture on gray."""
    flat = [Image.alpha_composite(Image.new("RGBA", each.size, "gray"), each.convert("RGBA")) for each in (one, other)]
    return max(ImageStat.Stat(ImageChops.difference(*flat)).mean)


@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA"])
@pytest.mark.parametrize("size", [(120, 80), (257, 131), (64, 200)])
def test_a_file_shows_what_it_was_made_of(mode: str, size: tuple[int, int]) -> None:
    picture = scene(*size, mode)
    found = shown(heic(picture, quality=95, chroma=444))
    assert found.size == size
    assert ("A" in found.getbands()) == ("A" in picture.getbands())
    assert mean_difference(found, picture) < 4


@pytest.mark.parametrize("orientation", [3, 6, 8])
def test_it_is_shown_upright(orientation: int) -> None:
    upright = scene(120, 80)
    exif = Image.Exif()
    exif[0x0112] = orientation
    stored_as = turned(upright, orientation)
    data = heic(stored_as, exif=exif.tobytes(), quality=95)
    header = read_header(data, frozenset({"heic"}))
    assert (header.size, header.orientation) == ((120, 80), 1)
    assert mean_difference(shown(data), upright) < 5


def test_an_icc_profile_is_used() -> None:
    """The patches of a chart in a wide space come out as those of the same chart that littlecms converts."""
    source = Image.open(io.BytesIO(stored("p3")))
    data = heic(source, icc_profile=source.info["icc_profile"], quality=100, chroma=444)
    assert read_header(data, frozenset({"heic"})).profile
    wanted = RENDERER.render(stored("p3", "JPEG"), AS_PNG, LIMITS).body
    pairs = zip(middles(shown(data)), middles(Image.open(io.BytesIO(wanted)).convert("RGB")), strict=True)
    assert all(abs(a - b) <= 12 for one, other in pairs for a, b in zip(one, other, strict=True))


def test_it_is_not_read_unless_it_is_among_the_inputs() -> None:
    with pytest.raises(SourceUnsupported):
        Renderer().render(heic(scene(40, 30)), AS_PNG, LIMITS)


def test_it_counts_for_the_pixels_of_pictures_that_are_held_whole() -> None:
    limits = RenderLimits(source=SourceLimits(whole_pixels=120 * 80))
    RENDERER.render(heic(scene(120, 80)), AS_PNG, limits)
    with pytest.raises(SourceOverLimit):
        RENDERER.render(heic(scene(122, 80)), AS_PNG, limits)


@pytest.mark.parametrize("side", [0, 2**31, 2**32 - 1])
def test_a_side_that_no_picture_has_is_broken(side: int) -> None:
    data = heic(scene(120, 80))
    size = b"ispe" + bytes(4) + struct.pack(">II", 120, 80)
    assert size in data
    for sides in ((side, side), (side, 80), (120, side)):
        with pytest.raises((SourceBroken, SourceOverLimit)):
            RENDERER.render(data.replace(size, size[:8] + struct.pack(">II", *sides)), Transform(9, 9, "png"), LIMITS)


@pytest.mark.parametrize("percent", [10, 30, 60, 90])
def test_a_file_that_is_cut_off_is_broken(percent: int) -> None:
    data = heic(noise(120, 80))
    with pytest.raises(SourceBroken):
        RENDERER.render(data[: len(data) * percent // 100], AS_PNG, LIMITS)


def test_a_file_with_the_brand_of_another_kind_is_not_taken_for_it() -> None:
    with pytest.raises((SourceBroken, SourceUnsupported)):
        RENDERER.render(heic(scene(40, 30)).replace(b"hvc1", b"zzzz"), AS_PNG, LIMITS)
