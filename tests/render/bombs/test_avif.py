"""The items of an AVIF: layers that share their bytes are let through, copies without end are refused."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from tests.support.avif_files import Part, assembled, box, grid, parts_of, tiles_of_grid
from tests.support.hostile.files import FILES
from tests.support.hostile.parts import Hostile
from tests.support.pictures import encoded, noise
from tests.support.pixels import picture
from tests.support.strategies import examples
from thumbs.errors import SourceOverLimit
from thumbs.image.transforms import Transform
from thumbs.render.bombs.avif import is_bomb
from thumbs.render.containers.limits import MAX_AVIF_ITEMS
from thumbs.render.renderer import Renderer
from thumbs.render.values import RenderLimits

BOMBS = [file for file in FILES if file.name.startswith(("avif-metadata", "avif-tiles", "avif-thumbnails"))]
GOOD = encoded(noise(64, 48), "AVIF")
MEGABYTE = 1_000_000


def picture_of(size: int) -> Part:
    """A picture whose data has so many bytes; behind the pixels is a unit of a reserved type (AV1, 6.2.2)."""
    part = parts_of(GOOD)[0]
    return replace(part, data=part.data + bytes(size - len(part.data)))


@pytest.mark.parametrize("file", BOMBS, ids=[file.name for file in BOMBS])
def test_a_file_that_names_its_bytes_again_and_again_is_refused_unread(file: Hostile) -> None:
    data = file.build()
    assert is_bomb(data)
    with pytest.raises(SourceOverLimit):
        Renderer().render(data, Transform(10, 10, "png"), RenderLimits())


@pytest.mark.parametrize("layers", [2, 3, 8, 100])
def test_layers_that_share_their_bytes_are_rendered(layers: int) -> None:
    """Each layer of a picture is an item of all of its data (the AV1 Image File Format, 2.3.2)."""
    data = assembled([picture_of(2 * MEGABYTE)] * layers)
    assert len(data) < 2.1 * MEGABYTE
    assert not is_bomb(data)
    assert picture(data, Transform(format="png")).size == (64, 48)


def test_tiles_that_are_equal_may_share_their_bytes() -> None:
    tiles = [picture_of(50_000)] * 64
    data = assembled(grid(tiles, (64 * 8, 48 * 8), columns=8), [tiles_of_grid(64)])
    assert not is_bomb(data)
    assert picture(data, Transform(format="png")).size == (512, 384)


@pytest.mark.parametrize(
    ("count", "refused"),
    [(6, False), (8, True), (60, True)],
    ids=["18 MB of a file of 3 MB", "24 MB of a file of 3 MB", "180 MB of a file of 3 MB"],
)
@pytest.mark.parametrize("kind", [b"Exif", b"mime", b"abcd"])
def test_what_is_no_picture_counts_with_all_of_its_copies(kind: bytes, count: int, *, refused: bool) -> None:
    items = [Part(kind, bytes(3 * MEGABYTE))] * count
    data = assembled([parts_of(GOOD)[0], *items], [(b"cdsc", number, (1,)) for number in range(2, count + 2)])
    assert is_bomb(data) is refused


@pytest.mark.parametrize("bound", [b"auxl", b"thmb", b"dimg"])
def test_pictures_that_are_decoded_with_the_main_one_count(bound: bytes) -> None:
    main, other = parts_of(GOOD)[0], picture_of(3 * MEGABYTE)
    numbers = tuple(range(2, 42))
    references = [(b"dimg", 1, numbers)] if bound == b"dimg" else [(bound, number, (1,)) for number in numbers]
    assert is_bomb(assembled([main] + [other] * 40, references))
    assert not is_bomb(assembled([main] + [other] * 40, []))
    of_alpha = [(b"auxl", 2, (1,)), (b"dimg", 2, numbers[1:])]
    assert is_bomb(assembled([main] + [other] * 40, of_alpha))


def test_references_in_a_circle_end() -> None:
    parts = [parts_of(GOOD)[0]] * 3
    assert not is_bomb(assembled(parts, [(b"dimg", 1, (2,)), (b"dimg", 2, (3, 1)), (b"thmb", 1, (1, 3))]))


def test_an_item_that_repeats_its_bytes_counts_each_time() -> None:
    assert not is_bomb(assembled([picture_of(3 * MEGABYTE)], repeated=6))
    assert is_bomb(assembled([picture_of(3 * MEGABYTE)], repeated=12))


def test_a_box_meta_in_front_hides_no_other() -> None:
    bomb = next(file for file in BOMBS if file.name == "avif-metadata-of-200-MB").build()
    ftyp, rest = bomb[:28], bomb[28:]
    assert is_bomb(ftyp + GOOD[GOOD.index(b"meta") - 4 :] + rest)
    assert is_bomb(bomb + GOOD[GOOD.index(b"meta") - 4 :])


def test_items_without_readable_types_all_count() -> None:
    data = assembled([picture_of(3 * MEGABYTE)] * 60)
    assert not is_bomb(data)
    assert is_bomb(data.replace(b"iinf", b"free"))


def test_more_items_than_libheif_reads_are_refused() -> None:
    part = parts_of(GOOD)[0]
    assert not is_bomb(assembled([part] * MAX_AVIF_ITEMS))
    assert is_bomb(assembled([part] * (MAX_AVIF_ITEMS + 1)))


def test_pictures_of_every_kind_are_read() -> None:
    exif = Image.Exif()
    exif[0x010E] = "x" * 60_000
    with_alpha = noise(64, 48).convert("RGBA")
    frames = [noise(64, 48, seed) for seed in range(5)]
    pictures = [
        GOOD,
        encoded(noise(64, 48), "AVIF", exif=exif, xmp=b"<x/>" * 1000, icc_profile=bytes(3000)),
        encoded(with_alpha, "AVIF"),
        encoded(frames[0], "AVIF", save_all=True, append_images=frames[1:]),
        GOOD + box(b"free", bytes(100)),
    ]
    assert not [data for data in pictures if is_bomb(data)]


@settings(max_examples=examples(300))
@given(st.binary(max_size=60), st.integers(0, len(GOOD)), st.integers(0, 20))
def test_no_bytes_whatever_make_it_fail(put_in: bytes, at: int, taken_out: int) -> None:
    assert is_bomb(GOOD[:at] + put_in + GOOD[at + taken_out :]) in (True, False)
    assert is_bomb(put_in) in (True, False)
