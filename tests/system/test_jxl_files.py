"""JPEG XL files of another encoder, Debian's cjxl: color spaces, orientation, profiles, animations, JPEGs."""

import io
import os
from pathlib import Path

import pytest
from PIL import Image, ImageChops, ImageCms, ImageStat

from tests.support.jxl_files import CJXL, by_cjxl, scene
from tests.support.missing_extras import need
from tests.support.pixels import LIMITS
from thumbs.errors import SourceUnsupported
from thumbs.image.transforms import Transform
from thumbs.render.renderer import Renderer
from thumbs.render.table import read_header

RENDERER = Renderer(inputs=frozenset({"jxl", "jpeg", "png"}))
AS_PNG = Transform(format="png")
FINE = ("-q", "95")


@pytest.fixture(autouse=True)
def _with_cjxl() -> None:
    need("jxl")
    if CJXL is None and not os.environ.get("MAGE_REQUIRE_SERVICES"):
        pytest.skip("needs cjxl: apt-get install libjxl-tools")


def shown(data: bytes) -> Image.Image:
    return Image.open(io.BytesIO(RENDERER.render(data, AS_PNG, LIMITS).body)).convert("RGB")


def mean_difference(one: Image.Image, other: Image.Image) -> float:
    return max(ImageStat.Stat(ImageChops.difference(one.convert("RGB"), other.convert("RGB"))).mean)


@pytest.mark.parametrize(
    ("space", "lossless"),
    [
        *((space, False) for space in ("RGB_D65_SRG_Rel_SRG", "RGB_D65_DCI_Rel_SRG", "RGB_D65_202_Rel_SRG")),
        *((space, False) for space in ("RGB_D65_SRG_Rel_Lin", "RGB_D65_SRG_Rel_g0.5", "RGB_DCI_DCI_Rel_DCI")),
        *((space, True) for space in ("RGB_D65_DCI_Rel_SRG", "RGB_D65_202_Rel_SRG", "RGB_D65_SRG_Rel_g0.5")),
    ],
)
def test_a_named_color_space_is_converted(tmp_path: Path, space: str, lossless: bool) -> None:
    """cjxl takes the samples as they are, in the space that `-x color_space` names."""
    picture = scene(96, 64)
    options = ("-x", f"color_space={space}", *(("-d", "0") if lossless else ("-d", "0.3")))
    data = by_cjxl(tmp_path, picture, *options, suffix="ppm")
    header = read_header(data, frozenset({"jxl"}))
    made, plain = shown(data), picture
    if space == "RGB_D65_SRG_Rel_SRG":
        assert header.color is None
        assert mean_difference(made, plain) < 3
        return
    assert header.color is not None
    wanted = in_srgb(picture, space)
    assert mean_difference(made, wanted) < 4


PRIMARIES = {"DCI": 12, "202": 9, "SRG": 1}


def in_srgb(picture: Image.Image, space: str) -> Image.Image:
    """By our own conversion of the samples, which tests/render/color tests against Chromium's."""
    import pyvips  # noqa: PLC0415 - beside the renderer only

    from thumbs.render.color.conversion import to_srgb_picture  # noqa: PLC0415
    from thumbs.render.color.primaries import PRIMARIES as POINTS  # noqa: PLC0415
    from thumbs.render.color.values import ColorSpace, Curve, Power  # noqa: PLC0415

    _, white, primaries, _, curve = space.split("_")
    transfers: dict[str, Curve | Power] = {"SRG": Curve.SRGB, "Lin": Power(1.0), "g0.5": Power(2.0), "DCI": Power(2.6)}
    points = POINTS[11 if white == "DCI" else PRIMARIES[primaries]]
    image = pyvips.Image.new_from_memory(picture.tobytes(), *picture.size, 3, "uchar").copy(interpretation="srgb")
    made = to_srgb_picture(image, ColorSpace(points, transfers[curve]))
    return Image.frombytes("RGB", picture.size, made.write_to_memory())


def test_an_embedded_profile_is_refused(tmp_path: Path) -> None:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    data = by_cjxl(tmp_path, scene(96, 64), "-d", "0", icc_profile=_swapped(profile))
    with pytest.raises(SourceUnsupported, match="ICC profile"):
        RENDERER.render(data, AS_PNG, LIMITS)


def _swapped(profile: bytes) -> bytes:
    """Red and green exchanged, so that no enumerated space is the same."""
    return profile.replace(b"rXYZ", b"tmp_").replace(b"gXYZ", b"rXYZ").replace(b"tmp_", b"gXYZ")


@pytest.mark.parametrize("effort", ["1", "3", "7", "9"])
@pytest.mark.parametrize("options", [("-d", "1"), ("-d", "0"), ("-d", "1", "-p"), ("-d", "1", "--container=1")])
def test_every_way_of_coding_is_read(tmp_path: Path, effort: str, options: tuple[str, ...]) -> None:
    data = by_cjxl(tmp_path, scene(96, 64), "-e", effort, *options)
    assert mean_difference(shown(data), scene(96, 64)) < 4


def test_a_repacked_jpeg_is_read(tmp_path: Path) -> None:
    data = by_cjxl(tmp_path, scene(96, 64), suffix="jpg", quality=95)
    assert mean_difference(shown(data), scene(96, 64)) < 4


@pytest.mark.parametrize("orientation", [1, 3, 6, 8])
def test_it_is_shown_upright(tmp_path: Path, orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    turn = {1: 0, 3: 180, 6: 90, 8: 270}[orientation]
    stored = scene(96, 64).rotate(turn, expand=True)
    data = by_cjxl(tmp_path, stored, suffix="jpg", quality=95, exif=exif.tobytes())
    assert shown(data).size == (96, 64)
    assert mean_difference(shown(data), scene(96, 64)) < 5
