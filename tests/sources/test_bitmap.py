"""Drawn pictures, dot by dot: the frame, the text in its middle, and the title in the file."""

import io
import zlib

import pytest
from PIL import Image

from thumbs.sources.bitmap import Area, Color, Colors, draw, title_of

PAPER: Color
PAPER, INK = (250, 240, 230), (10, 20, 30)
COLORS = Colors(PAPER, INK)


def dots(drawn: bytes) -> list[str]:
    """Each row: # for ink, a point for paper."""
    with Image.open(io.BytesIO(drawn)) as image:
        assert image.format == "PNG"
        assert image.mode in {"1", "P"}
        colors = image.convert("RGB")
        marks = {PAPER: ".", INK: "#"}
        return ["".join(marks[colors.getpixel((x, y))] for x in range(image.width)) for y in range(image.height)]  # type: ignore[index]


def framed(width: int, height: int, inside: dict[int, str]) -> list[str]:
    """A frame of 4 dots, and within it the rows of `inside`, by their numbers."""
    blank = "." * (width - 8)
    rows = [f"####{inside.get(number, blank)}####" for number in range(4, height - 4)]
    return ["#" * width] * 4 + rows + ["#" * width] * 4


def test_a_picture_has_a_frame() -> None:
    assert dots(draw((21, 13), COLORS, "title")) == framed(21, 13, {})


@pytest.mark.parametrize("size", [(1, 1), (3, 3), (4, 20), (8, 20), (20, 8)])
def test_a_picture_without_room_is_all_frame(size: tuple[int, int]) -> None:
    assert set("".join(dots(draw(size, COLORS, "")))) == {"#"}


@pytest.mark.parametrize(("size", "paper"), [((9, 9), 1), ((9, 20), 12), ((20, 9), 12), ((16, 16), 64), ((17, 17), 81)])
def test_what_is_not_frame_is_paper(size: tuple[int, int], paper: int) -> None:
    assert "".join(dots(draw(size, COLORS, ""))).count(".") == paper


def test_text_lies_in_the_middle_as_large_as_it_fits_and_unknown_letters_are_boxes() -> None:
    rows = {
        9: "...######....##########..",
        11: ".##......##..##......##..",
        13: ".##......##..##......##..",
        15: ".##########..##......##..",
        17: ".##......##..##......##..",
        19: ".##......##..##......##..",
        21: ".##......##..##########..",
    }
    twice = {number + more: row for number, row in rows.items() for more in (0, 1)}
    assert dots(draw((33, 32), COLORS, "", ("a?",))) == framed(33, 32, twice)


def test_text_lies_in_the_middle_of_its_area() -> None:
    rows = [".....###", "....#...#", "....#...#", "....#####", "....#...#", "....#...#", "....#...#"]
    inside = {number: row.ljust(26, ".") for number, row in enumerate(rows, 7)}
    assert dots(draw((34, 40), COLORS, "", ("A",), Area(1, 2, 20, 18))) == framed(34, 40, inside)


def test_each_line_is_in_the_middle() -> None:
    first = ["###", ".#.", ".#.", ".#...#####", ".#.", ".#.", "###"]
    second = ["#"] * 6 + ["#####"]
    inside = {number: ("." * 21 + row).ljust(52, ".") for number, row in enumerate(first, 13)}
    inside |= {number: ("." * 23 + row).ljust(52, ".") for number, row in enumerate(second, 23)}
    assert dots(draw((60, 44), COLORS, "", ("I-", "L"))) == framed(60, 44, inside)


@pytest.mark.parametrize("lines", [(), ("",), ("", "")])
def test_without_letters_there_is_only_a_frame(lines: tuple[str, ...]) -> None:
    assert dots(draw((40, 40), COLORS, "", lines)) == framed(40, 40, {})


@pytest.mark.parametrize("area", [Area(0, -30, 40, 40), Area(0, 30, 40, 40), Area(30, 0, 40, 40)])
def test_text_outside_the_picture_is_cut(area: Area) -> None:
    assert len(dots(draw((40, 40), COLORS, "", ("AAA",), area))) == 40


@pytest.mark.parametrize("title", ["", "photo.jpg", "größer ×", "a" * 300])
def test_the_title_can_be_read_again(title: str) -> None:
    assert title_of(draw((9, 9), COLORS, title)) == title


@pytest.mark.parametrize("data", [b"", b"iTXtTitle\0\0\0\0\0", b"abc", b"\x89PNG\r\n\x1a\n" + b"\0" * 40])
def test_another_file_has_no_title(data: bytes) -> None:
    assert title_of(data) == ""


def test_every_chunk_has_its_length_and_checksum() -> None:
    data, at, names = draw((9, 9), COLORS, "title"), 8, []
    while at < len(data):
        length = int.from_bytes(data[at : at + 4], "big")
        chunk = data[at + 4 : at + 8 + length]
        assert zlib.crc32(chunk) == int.from_bytes(data[at + 8 + length : at + 12 + length], "big")
        names.append(chunk[:4])
        at += 12 + length
    assert names == [b"IHDR", b"PLTE", b"iTXt", b"IDAT", b"IEND"]
