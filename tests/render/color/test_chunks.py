"""The color chunks of a PNG: the first whole one of each before the pixels, whatever stands between."""

import zlib

import pytest

from tests.support.color import PROFILES
from tests.support.signaled_colors import SRGB, chrm, chunk, cicp, clli, gama, iccp, png
from thumbs.render.color.png import color_chunks, profile_chunk

PIXEL = [[(0.5, 0.5, 0.5)]]
LINEAR = {b"gAMA": (100_000).to_bytes(4, "big")}


def test_a_file_without_them_has_none() -> None:
    assert color_chunks(png(PIXEL)) == {}


def test_all_are_read_by_name() -> None:
    chunks = [cicp(12, 13), gama(1), chrm(SRGB), chunk(b"sRGB", b"\0"), clli(400), chunk(b"mDCV", bytes(24))]
    found = color_chunks(png(PIXEL, b"".join(chunks)))
    assert found == {each[4:8]: each[8:-4] for each in chunks}


@pytest.mark.parametrize(
    "before", [b"", chunk(b"PLTE", bytes(6)), chunk(b"abCd", bytes(70_000)), gama(0.3)[:-1] + b"?"]
)
def test_what_stands_before_one_does_not_matter(before: bytes) -> None:
    assert color_chunks(png(PIXEL, before + gama(1))) == LINEAR


def test_the_first_one_counts() -> None:
    assert color_chunks(png(PIXEL, gama(1) + gama(0.3))) == LINEAR


@pytest.mark.parametrize("damaged", [gama(0.3)[:-4] + b"sum!", chunk(b"gAMA", b"\0\1"), chunk(b"gAMA", bytes(5))])
def test_a_damaged_one_counts_as_absent(damaged: bytes) -> None:
    assert color_chunks(png(PIXEL, damaged)) == {}


def test_one_behind_the_pixels_counts_as_absent() -> None:
    data = png(PIXEL)
    assert color_chunks(data[:-12] + gama(1) + data[-12:]) == {}


def test_code_points_behind_a_palette_count_as_absent() -> None:
    """PNG Third Edition, 5.6."""
    assert color_chunks(png(PIXEL, chunk(b"PLTE", bytes(6)) + cicp(12, 13))) == {}


@pytest.mark.parametrize("length", range(33, 60))
def test_a_file_that_ends_early_is_read_up_to_there(length: int) -> None:
    assert color_chunks(png(PIXEL, gama(1))[:length]) == (LINEAR if length >= 33 + 16 else {})


# ------------------------------------------------------------------------------------------------ profiles


def test_a_profile_is_inflated() -> None:
    assert profile_chunk(png(PIXEL, gama(1) + iccp(PROFILES["p3"]))) == PROFILES["p3"]


@pytest.mark.parametrize(
    "damaged",
    [
        b"",
        iccp(PROFILES["p3"])[:-4] + b"sum!",
        chunk(b"iCCP", b"name"),
        chunk(b"iCCP", b"name\0\0junk"),
        chunk(b"iCCP", b"name\0\0" + zlib.compress(PROFILES["p3"])[:-20]),
        chunk(b"iCCP", b"name\0\0" + zlib.compress(bytes(5_000_000))),
        chunk(b"iCCP", b""),
    ],
)
def test_a_damaged_profile_counts_as_absent(damaged: bytes) -> None:
    assert profile_chunk(png(PIXEL, damaged)) is None
