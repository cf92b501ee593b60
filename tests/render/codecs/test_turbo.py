"""libjpeg-turbo decodes what libvips would decode, to the same picture, with the same verdict on damaged files."""

import functools

import pytest
from PIL import Image

from tests.support import pictures
from tests.support.color import PROFILES
from tests.support.jpegs import EOI, sample
from tests.support.missing_extras import need
from tests.support.pictures import decoded, encoded, stored_turned
from tests.support.pixels import difference, picture, rendered
from thumbs.errors import SourceBroken
from thumbs.image.transforms import Crop, Fit, Transform
from thumbs.render.codecs import turbo

# Widths of thumbnails of a picture of 1504 × 1208 pixels, and 1 / the scale at which it is decoded for each.
SCALES = {90: 8, 180: 4, 370: 2, 900: 1}
WHOLE = Transform(format="png")


@pytest.fixture(autouse=True)
def _installed() -> None:
    need("turbo")


@pytest.fixture
def decodes(monkeypatch: pytest.MonkeyPatch) -> list[int | None]:
    """Gets an item for each picture that libjpeg-turbo was asked for: 1 / its scale, None where it decoded none."""
    done: list[int | None] = []
    decode = turbo.decode

    def counted(data: bytes, size: tuple[int, int], shrink: int) -> object:
        image = decode(data, size, shrink)
        done.append(None if image is None else shrink)
        return image

    monkeypatch.setattr(turbo, "decode", counted)
    return done


def by_libvips(data: bytes, transform: Transform) -> Image.Image:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(turbo, "decode", lambda *_: None)
        return decoded(rendered(data, transform).body)


@functools.cache
def drawn() -> Image.Image:
    return pictures.scene(1504, 1208)


@functools.cache
def photo(mode: str = "RGB", **options: object) -> bytes:
    return encoded(drawn().convert(mode), "JPEG", quality=90, **options)


@pytest.mark.parametrize("width", SCALES)
@pytest.mark.parametrize("mode", ["RGB", "L"])
def test_the_picture_is_that_of_libvips_at_every_scale(mode: str, width: int, decodes: list[int | None]) -> None:
    data, transform = photo(mode), Transform(width, None, "png")
    made = decoded(rendered(data, transform).body)
    assert decodes == [SCALES[width]]
    assert made.mode == by_libvips(data, transform).mode
    assert difference(made, by_libvips(data, transform)) < 0.1


@pytest.mark.parametrize("subsampling", [0, 1, 2])
@pytest.mark.parametrize("progressive", [False, True])
def test_so_it_is_with_every_subsampling_and_in_scans(
    subsampling: int, decodes: list[int | None], *, progressive: bool
) -> None:
    data = photo(subsampling=subsampling, progressive=progressive)
    for width in SCALES:
        transform = Transform(width, None, "png")
        assert difference(decoded(rendered(data, transform).body), by_libvips(data, transform)) < 0.1
    assert decodes == list(SCALES.values())


@pytest.mark.parametrize("orientation", range(1, 9))
def test_the_picture_is_turned_upright(orientation: int, decodes: list[int | None]) -> None:
    data = stored_turned(pictures.quarters(601, 403), orientation)
    for transform in (Transform(60, None, "png"), Transform(60, 60, "png", fit=Fit.STRETCH)):
        # It may be decoded smaller: libvips drops the last pixels that are not whole.
        assert difference(decoded(rendered(data, transform).body), by_libvips(data, transform)) < 1
    assert None not in decodes
    assert len(decodes) == 2


@pytest.mark.parametrize("mode", ["RGB", "L"])
def test_colors_are_converted_by_the_profile_of_the_file(mode: str, decodes: list[int | None]) -> None:
    data, transform = photo(mode, icc_profile=PROFILES["p3"]), Transform(370, None, "png")
    made = decoded(rendered(data, transform).body)
    assert decodes == [2]
    assert difference(made, by_libvips(data, transform)) < 0.1
    if mode == "RGB":
        assert difference(made, by_libvips(photo(mode), transform)) > 1


def test_cmyk_is_left_to_libvips(decodes: list[int | None]) -> None:
    data, transform = photo("CMYK"), Transform(370, None, "png")
    assert decoded(rendered(data, transform).body).tobytes() == by_libvips(data, transform).tobytes()
    assert decodes == []


def test_a_crop_at_the_top_is_left_to_libvips_which_stops_below_it(decodes: list[int | None]) -> None:
    rendered(photo(), Transform(90, None, "png", crop=Crop(0, 0, 1504, 400)))
    assert decodes == []
    rendered(photo(), Transform(90, None, "png", crop=Crop(0, 808, 1504, 1208)))
    assert decodes == [8]


def test_a_picture_that_would_take_much_memory_is_left_to_libvips(
    decodes: list[int | None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(turbo, "_MOST_BYTES", 752 * 604 * 3)
    rendered(photo(), Transform(900, None, "png"))
    rendered(photo(), Transform(370, None, "png"))
    assert decodes == [None, 2]


@pytest.mark.parametrize("size", [(1, 1), (1, 300), (3, 2), (7, 9), (8, 8), (17, 16), (33, 5)])
def test_small_pictures_are_those_of_libvips(size: tuple[int, int]) -> None:
    data = encoded(pictures.noise(*size), "JPEG", quality=95)
    for transform in (WHOLE, Transform(1, 1, "png"), Transform(2, None, "png"), Transform(20, 20, "png")):
        assert difference(decoded(rendered(data, transform).body), by_libvips(data, transform)) <= 3


def verdict(data: bytes, transform: Transform) -> bytes | None:
    try:
        return decoded(rendered(data, transform).body).tobytes()
    except SourceBroken:
        return None


@pytest.mark.parametrize("progressive", [False, True])
@pytest.mark.parametrize("end", [EOI, b""], ids=["with an end", "without an end"])
def test_a_file_that_is_cut_off_has_the_verdict_of_libvips(
    end: bytes, decodes: list[int | None], *, progressive: bool
) -> None:
    made = sample(progressive=progressive)
    start, stop = made.scans[0][0], made.scans[-1][1]
    for cut in (*range(start, stop, max(1, (stop - start) // 12)), stop - 1, stop):
        data = made.data[:cut] + end
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(turbo, "decode", lambda *_: None)
            wanted = verdict(data, WHOLE)
        assert verdict(data, WHOLE) == wanted, cut
    assert None in decodes
    assert 1 in decodes or not end


def test_damage_below_a_crop_is_not_judged() -> None:
    made = sample(pictures.noise(64, 64))
    start, stop = made.scans[0]
    data = made.data[: stop - (stop - start) // 8] + EOI
    assert verdict(data, WHOLE) is None
    assert verdict(data, Transform(format="png", crop=Crop(0, 0, 64, 60), width=8, height=8)) is None
    assert verdict(data, Transform(format="png", crop=Crop(0, 0, 64, 16))) is not None


def test_a_picture_whose_sides_are_no_multiples_is_decoded_small_with_its_edges(decodes: list[int | None]) -> None:
    image = pictures.quarters(2725, 2225)
    image.paste((255, 255, 0), (2709, 0, 2725, 2225))
    made = picture(encoded(image, "JPEG", quality=95, subsampling=0), Transform(170, None, "png"))
    assert decodes == [8]
    red, green, blue = made.getpixel((169, 60))  # type: ignore[misc]
    assert min(red, green) >= 225
    assert blue <= 40
