"""Formats: what a file is, by its first bytes and by its name."""

import pytest

from tests.support import pictures
from thumbs.image.formats import (
    BY_EXTENSION,
    DEFAULT_INPUTS,
    FORMATS,
    OUTPUT_NAMES,
    default_output,
    format_of_extension,
    sniff,
)


@pytest.mark.parametrize("name", ["JPEG", "PNG", "WEBP", "GIF", "AVIF", "TIFF"])
def test_a_file_is_known_by_its_first_bytes(name: str) -> None:
    data = pictures.encoded(pictures.quarters(40, 40), name)
    assert sniff(data) == name.lower()
    assert sniff(data[:16]) == name.lower()
    assert sniff(data[1:]) is None
    assert sniff(b" " + data) is None


@pytest.mark.parametrize(
    "text",
    [
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        b"  \n<svg>",
        b"\xef\xbb\xbf<svg>",
        b'<?xml version="1.0"?><svg>',
        b"<!-- drawn by hand --><svg>",
        b"<!DOCTYPE svg><svg\n>",
    ],
)
def test_an_svg_is_known_behind_what_xml_may_begin_with(text: bytes) -> None:
    assert sniff(text) == "svg"


@pytest.mark.parametrize(
    "data",
    [
        *(b"", b"\xff", b"\xff\xd8", b"GIF88a", b"RIFF1234WAVE", b"\0\0\0\x20ftypisom", b"%PDF-1.7"),
        *(b"<html><svg>", b"<svgx>", b"BM"),
        *(b"P6 1 1 255\n", b"\x89PNG\n\n\x1a\n", b"x,y\n1,2\n", b"II*", b"<?xml?>" + b" " * 2000 + b"<svg>"),
    ],
)
def test_other_bytes_are_none_of_ours(data: bytes) -> None:
    assert sniff(data) is None


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("a.jpg", "jpeg"),
        ("a.JPEG", "jpeg"),
        ("a/b.c/d.WebP", "webp"),
        ("a.png.avif", "avif"),
        (".gif", "gif"),
        ("a.tif", "tiff"),
        ("a.svg", "svg"),
        ("a", None),
        ("a.", None),
        ("a.jpg/b", None),
        ("a.jpg ", None),
        ("jpg", None),
        ("a.heic", "heic"),
        ("a.bmp", None),
    ],
)
def test_the_last_extension_of_a_name_decides_the_format(path: str, name: str | None) -> None:
    assert format_of_extension(path) == name


@pytest.mark.parametrize(
    ("path", "name"), [("a.png", "png"), ("a.jfif", "jpeg"), ("a.tif", "jpeg"), ("a.svg", "jpeg"), ("a", "jpeg")]
)
def test_without_a_format_the_output_is_the_sources_own_where_it_can_be(path: str, name: str) -> None:
    assert default_output(path) == name


def test_the_tables_agree() -> None:
    assert set(OUTPUT_NAMES.values()) == {name for name, row in FORMATS.items() if row.output}
    assert set(OUTPUT_NAMES) == {"jpeg", "jpg", "png", "webp", "avif", "gif", "jxl"}
    assert set(BY_EXTENSION.values()) == set(FORMATS)
    assert set(DEFAULT_INPUTS) == {"jpeg", "png", "webp", "gif", "avif"}
    assert len({row.loader for row in FORMATS.values()}) == len(FORMATS)
    assert {name for name, row in FORMATS.items() if not row.alpha} == {"jpeg"}
