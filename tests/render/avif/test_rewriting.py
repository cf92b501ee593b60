"""Properties that libheif reads otherwise than browsers do are rewritten; everything else of a file stays as it is."""

import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.avif_files import Part, assembled, box, full_box, grid, mirroring, nclx, rotation, tiles_of_grid
from tests.support.avif_pictures import (
    ALPHA,
    coded,
    drawing,
    in_limited_range,
    largest_difference,
    shown,
    shown_by_libavif,
)
from tests.support.pictures import encoded, noise
from tests.support.strategies import examples
from thumbs.image.formats import sniff
from thumbs.render.avif.rewriting import rewritten
from thumbs.render.containers.avif import read_structure
from thumbs.render.table import normalized

TURNS = [rotation(1), rotation(2), rotation(3), mirroring(0), mirroring(1)]
UNKNOWN_FULL = nclx(2, 2, 2, full=True)
CLOSE = 2


def names(data: bytes, item: int) -> list[bytes]:
    structure = read_structure(data)
    assert structure is not None
    return [each.name for each in structure.properties_of(item)]


@pytest.mark.parametrize("turn", TURNS, ids=["90", "180", "270", "top", "left"])
def test_alpha_is_turned_as_its_colors_are(turn: bytes) -> None:
    color, alpha = coded(drawing(width=64, height=96))
    data = assembled([color.having(turn), alpha], [ALPHA])
    assert largest_difference(shown(data), shown_by_libavif(data)) <= CLOSE
    assert names(rewritten(data), 2)[-1] == turn[4:8]


@pytest.mark.parametrize("turn", TURNS, ids=["90", "180", "270", "top", "left"])
def test_alpha_is_not_turned_alone(turn: bytes) -> None:
    color, alpha = coded(drawing(width=64, height=96))
    data = assembled([color, alpha.having(turn)], [ALPHA])
    assert largest_difference(shown(data), drawing(width=64, height=96)) <= CLOSE
    assert turn[4:8] not in names(rewritten(data), 2)


@pytest.mark.parametrize("first", [rotation(1), mirroring(1)], ids=["rotation", "mirroring"])
def test_a_picture_is_rotated_before_it_is_mirrored(first: bytes) -> None:
    second = mirroring(1) if first == rotation(1) else rotation(1)
    data = assembled([part.having(first, second) for part in coded(drawing(width=64, height=96))], [ALPHA])
    assert largest_difference(shown(data), shown_by_libavif(data)) <= CLOSE


def test_the_alpha_of_a_grid_is_turned_as_the_grid_is() -> None:
    parts = [coded(drawing().rotate(90 * number)) for number in range(4)]
    kind = parts[0][1].property(b"auxC")
    assert kind is not None
    items = [
        *grid([color for color, _ in parts], (128, 128), columns=2, properties=[rotation(1)]),
        *grid([alpha.without(b"auxC") for _, alpha in parts], (128, 128), columns=2, properties=[kind]),
    ]
    data = assembled(items, [tiles_of_grid(4), tiles_of_grid(4, first=6), (b"auxl", 6, (1,))])
    assert largest_difference(shown(data), shown_by_libavif(data)) <= CLOSE


def test_a_full_range_is_found_where_no_colors_are_named() -> None:
    color = in_limited_range(coded(drawing())[0], "4:4:4").without(b"colr")
    data = assembled([color.having(UNKNOWN_FULL)])
    assert largest_difference(shown(data), shown_by_libavif(data)) <= CLOSE
    without = assembled([color])
    assert largest_difference(shown(data), shown(without)) > 5


def test_a_profile_stays_beside_the_range() -> None:
    color = coded(drawing())[0].without(b"colr").having(box(b"colr", b"prof", bytes(200)), UNKNOWN_FULL)
    assert names(rewritten(assembled([color])), 1).count(b"colr") == 2


@pytest.mark.parametrize("where", ["size of 0", "8-byte size", "more behind", "data in meta"])
def test_a_file_of_any_layout_is_rewritten(where: str) -> None:
    color = in_limited_range(coded(drawing())[0], "4:4:4").without(b"colr")
    data = assembled([color.having(UNKNOWN_FULL)])
    at = data.index(b"mdat") - 4
    if where == "size of 0":
        data = data[:at] + bytes(4) + data[at + 4 :]
    elif where == "more behind":
        data += box(b"free", bytes(100)) + box(b"uuid", bytes(16))
    elif where == "8-byte size":
        # The box grows by 8 bytes at its front, and all offsets with it.
        longer = struct.pack(">I4sQ", 1, b"mdat", len(data) - at + 8) + data[at + 8 :]
        data = _moved(data[:at], 8) + longer
    else:
        data = _in_meta(color.having(UNKNOWN_FULL))
    found = rewritten(data)
    assert found != data
    assert largest_difference(shown(data), shown_by_libavif(data)) <= CLOSE


def _moved(head: bytes, by: int) -> bytes:
    at = head.index(b"iloc") + 18  # the offset of the only extent
    return head[:at] + struct.pack(">I", struct.unpack_from(">I", head, at)[0] + by) + head[at + 4 :]


def _in_meta(part: Part) -> bytes:
    """A file whose picture lies in the box `idat`."""
    data = assembled([part])
    meta = data[data.index(b"meta") - 4 : data.index(b"mdat") - 4]
    at = meta.index(b"iloc") - 4
    location = full_box(b"iloc", b"\x44\0", struct.pack(">HHHHHII", 1, 1, 1, 0, 1, 0, len(part.data)), version=1)
    old = struct.unpack_from(">I", meta, at)[0]
    contents = meta[12:at] + location + meta[at + old :] + box(b"idat", part.data)
    return data[: data.index(b"meta") - 4] + full_box(b"meta", contents)


def test_a_right_file_is_not_copied() -> None:
    for data in (
        encoded(noise(64, 48), "AVIF"),
        encoded(drawing(), "AVIF"),
        encoded(drawing(), "AVIF", alpha_premultiplied=True),
        encoded(noise(64, 48), "AVIF", save_all=True, append_images=[noise(64, 48, 2)]),
        assembled([coded(drawing())[0].having(rotation(1))]),
    ):
        assert rewritten(data) is data


def test_a_file_that_is_cut_off_stays_as_it_is() -> None:
    data = assembled([coded(drawing())[0].having(UNKNOWN_FULL)])
    assert rewritten(data[:-10]) == data[:-10]


def test_a_file_of_a_general_brand_is_rewritten_too() -> None:
    color, alpha = coded(drawing(width=64, height=96))
    ftyp = box(b"ftyp", b"miaf\0\0\0\0avifmif1")
    data = assembled([color.having(rotation(1)), alpha], [ALPHA], ftyp=ftyp)
    assert sniff(normalized(data)) == "avif"
    right = assembled([color.having(rotation(1)), alpha], [ALPHA])
    assert largest_difference(shown(data), shown(right)) == 0


_GOOD = assembled([coded(drawing())[0].having(UNKNOWN_FULL, rotation(1)), coded(drawing())[1]], [ALPHA])
_HEAD = _GOOD.index(b"mdat")


@settings(max_examples=examples(300))
@given(st.binary(max_size=30), st.integers(0, _HEAD), st.integers(0, 20))
def test_no_bytes_whatever_make_it_fail(put_in: bytes, at: int, taken_out: int) -> None:
    data = _GOOD[:at] + put_in + _GOOD[at + taken_out :]
    assert len(rewritten(data)) <= 3 * len(data) + 1000
