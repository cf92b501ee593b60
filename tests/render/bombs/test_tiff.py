"""The descriptions of a TIFF: one of more than a million bytes is a bomb, in either byte order and any directory."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from tests.support.hostile.files import FILES
from tests.support.pictures import encoded, noise
from thumbs.render.bombs.tiff import is_bomb

ORDERS = {"little": b"II", "big": b"MM"}
DESCRIPTION, WIDTH = 270, 256


def tiff(order: str, *directories: list[tuple[int, int]], loop: bool = False) -> bytes:
    """A TIFF of directories, each of pairs (tag, count); with `loop`, the last one names the first as the next."""

    def number(value: int, size: int) -> bytes:
        return value.to_bytes(size, order)  # type: ignore[arg-type]  # one of the two

    data = ORDERS[order] + number(42, 2) + number(8, 4)
    for index, entries in enumerate(directories):
        end = len(data) + 2 + 12 * len(entries) + 4
        following = end if index + 1 < len(directories) else 8 * loop
        data += number(len(entries), 2)
        data += b"".join(number(tag, 2) + number(2, 2) + number(count, 4) + number(0, 4) for tag, count in entries)
        data += number(following, 4)
    return data


@pytest.mark.parametrize("order", ORDERS)
def test_a_description_is_a_bomb_from_a_million_and_one_bytes_on(order: str) -> None:
    assert not is_bomb(tiff(order, [(DESCRIPTION, 1_000_000)]))
    assert is_bomb(tiff(order, [(DESCRIPTION, 1_000_001)]))
    assert not is_bomb(tiff(order, [(WIDTH, 1_000_001)]))


@pytest.mark.parametrize("order", ORDERS)
def test_every_entry_of_every_directory_is_read(order: str) -> None:
    good, bomb = [(WIDTH, 1), (DESCRIPTION, 9)], [(WIDTH, 1), (WIDTH, 2), (DESCRIPTION, 1_000_001)]
    assert not is_bomb(tiff(order, good, good, good))
    assert is_bomb(tiff(order, good, good, bomb))


def test_a_directory_that_names_itself_as_the_next_one_has_an_end() -> None:
    assert not is_bomb(tiff("little", [(WIDTH, 1)], loop=True))
    assert is_bomb(tiff("little", [(WIDTH, 1)], [(DESCRIPTION, 1_000_001)], loop=True))


def test_a_file_that_is_cut_short_is_no_bomb() -> None:
    whole = tiff("big", [(WIDTH, 1), (DESCRIPTION, 1_000_001)])
    assert is_bomb(whole)
    # The last two entries of a number may be missing: what is read of the description's count is then too small.
    assert not any(is_bomb(whole[:length]) for length in range(len(whole) - 12))


def test_pictures_of_every_kind_are_read() -> None:
    exif = Image.Exif()
    exif[DESCRIPTION] = "x" * 60_000
    assert not is_bomb(encoded(noise(64, 48), "TIFF"))
    assert not is_bomb(encoded(noise(64, 48), "TIFF", exif=exif))


def test_a_hostile_tiff_is_found() -> None:
    files = [file for file in FILES if file.name.startswith("tiff") and "description" in file.name]
    assert files
    assert all(is_bomb(file.build()) for file in files)


@given(st.binary(max_size=80), st.sampled_from([b"II*\0\x08\0\0\0", b"MM\0*\0\0\0\x08", b""]))
def test_no_bytes_make_it_fail(data: bytes, start: bytes) -> None:
    assert is_bomb(start + data) in (True, False)
