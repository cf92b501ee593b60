"""The names of color spaces: by the profile, the code points or the numbers of an original, else by its samples."""

import pytest
import pyvips
from PIL import ImageCms

from tests.support import pictures
from tests.support.color import CONTAINERS, PROFILES, gamma_curve, matrix_profile, profile, stored, to_xyz
from tests.support.pictures import encoded
from tests.support.signaled_colors import chunk, cicp, gama, named_profile, png
from tests.support.tiff_files import CIELAB, ICCLAB, Tiff, tiff
from thumbs.image.description import COLOR_SPACES
from thumbs.image.formats import FORMATS
from thumbs.render.table import normalized, read_header

PHOTO = pictures.noise(40, 30)
ROW = [[(0.2, 0.5, 0.7)] * 4] * 4
GRAY_PROFILE = profile(b"mntr", b"GRAY", {b"kTRC": gamma_curve(2.2)})


def name_of(data: bytes) -> str:
    data = normalized(data)
    found = read_header(data, frozenset(FORMATS)).color_space
    assert found in COLOR_SPACES
    return found


@pytest.mark.parametrize("container", CONTAINERS)
@pytest.mark.parametrize(("space", "name"), [("srgb", "srgb"), ("p3", "display-p3"), ("adobe", "a98-rgb")])
def test_a_profile_is_named_by_its_primaries(space: str, name: str, container: str) -> None:
    assert name_of(stored(space, container)) == name


@pytest.mark.parametrize("kind", ["srgb", "p3"])
def test_the_profiles_that_libvips_brings_are_named(kind: str) -> None:
    icc = bytes(pyvips.Image.profile_load(kind))
    assert name_of(encoded(PHOTO, "JPEG", icc_profile=icc)) == {"srgb": "srgb", "p3": "display-p3"}[kind]


def test_the_profile_of_littlecms_for_srgb_is_named() -> None:
    icc = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    assert name_of(encoded(PHOTO, "PNG", icc_profile=icc)) == "srgb"


def test_a_profile_of_other_primaries_has_no_name() -> None:
    icc = matrix_profile(to_xyz([(0.69, 0.30), (0.21, 0.71), (0.14, 0.05)]), gamma_curve(2.2))
    assert name_of(encoded(PHOTO, "PNG", icc_profile=icc)) == "rgb"


@pytest.mark.parametrize(
    ("points", "name"),
    [
        *[((1, 13), "srgb"), ((12, 13), "display-p3"), ((9, 14), "rec2020"), ((9, 16), "rec2100-pq")],
        *[((9, 18), "rec2100-hlg"), ((1, 8), "srgb-linear"), ((1, 4), "rgb"), ((12, 16), "rgb"), ((5, 13), "rgb")],
    ],
)
def test_code_points_are_named(points: tuple[int, int], name: str) -> None:
    assert name_of(png(ROW, cicp(*points))) == name


def test_a_high_range_that_a_profile_names_counts() -> None:
    assert name_of(encoded(PHOTO, "JPEG", icc_profile=named_profile(9, 16))) == "rec2100-pq"


def test_a_gamma_of_its_own_is_another_curve() -> None:
    assert name_of(png(ROW, gama(1.0))) == "srgb-linear"
    assert name_of(png(ROW, gama(0.6))) == "rgb"
    assert name_of(png(ROW, chunk(b"sRGB", b"\0"))) == "srgb"


@pytest.mark.parametrize("container", ["JPEG", "PNG", "WEBP", "AVIF", "GIF", "TIFF"])
def test_without_a_description_it_is_srgb(container: str) -> None:
    assert name_of(encoded(PHOTO, container)) == "srgb"


def test_one_channel_is_gray_whatever_its_profile() -> None:
    gray = PHOTO.convert("L")
    assert name_of(encoded(gray, "JPEG")) == "gray"
    assert name_of(encoded(gray, "PNG", icc_profile=GRAY_PROFILE)) == "gray"
    assert name_of(encoded(gray.convert("LA"), "PNG")) == "gray"
    assert name_of(encoded(gray, "JPEG", icc_profile=PROFILES["p3"])) == "gray"


@pytest.mark.parametrize("container", ["JPEG", "TIFF"])
def test_inks_are_cmyk_with_and_without_a_profile(container: str) -> None:
    inks = PHOTO.convert("CMYK")
    icc = bytes(pyvips.Image.profile_load("cmyk"))
    assert name_of(encoded(inks, container)) == "cmyk"
    assert name_of(encoded(inks, container, icc_profile=icc)) == "cmyk"


@pytest.mark.parametrize("bits", [8, 16])
@pytest.mark.parametrize("photometric", [CIELAB, ICCLAB])
def test_lab_is_named_although_it_is_converted(photometric: int, bits: int) -> None:
    assert name_of(tiff(Tiff([[(100, 0, 0)] * 4] * 4, photometric, bits))) == "lab"


def test_a_profile_that_cannot_be_used_counts_as_absent() -> None:
    assert name_of(encoded(PHOTO, "PNG", icc_profile=PROFILES["p3"][:100])) == "srgb"
    assert name_of(encoded(PHOTO, "JPEG", icc_profile=bytes(pyvips.Image.profile_load("cmyk")))) == "srgb"


def test_a_drawing_is_srgb() -> None:
    assert name_of(b"<svg xmlns='http://www.w3.org/2000/svg' width='9' height='9'/>") == "srgb"
