"""The code points of an AVIF: those of its properties, else those of its AV1 data."""

import io
import struct

import pytest
import pyvips
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from tests.support.avif_files import Part, assembled, box, grid, nclx, parts_of, tiles_of_grid
from tests.support.color import PROFILES
from tests.support.pictures import encoded, noise
from tests.support.strategies import examples
from thumbs.render.containers.av1 import SequenceHeader, read_sequence_header
from thumbs.render.containers.avif import read_structure
from thumbs.render.containers.cicp import Cicp, read_cicp, sequence_header_of

P3 = nclx(12, 13, 6, full=True)
ICC = box(b"colr", b"prof", PROFILES["p3"])


def coded(image: Image.Image | None = None, **options: object) -> Part:
    """The main picture that libavif wrote, without what its properties say of its colors."""
    return parts_of(encoded(image or noise(64, 48), "AVIF", **options))[0].without(b"colr")


@pytest.mark.parametrize("properties", [(P3,), (ICC, P3), (P3, ICC)], ids=["alone", "behind ICC", "before ICC"])
def test_the_nclx_property_is_found_beside_a_profile(properties: tuple[bytes, ...]) -> None:
    data = assembled([coded().having(*properties)])
    assert read_cicp(data) == (12, 13, 6, True)


def test_the_nclx_property_of_a_grid_is_its_own() -> None:
    tiles = [coded().having(nclx(1, 13, 1, full=False))] * 4
    data = assembled(grid(tiles, (128, 96), columns=2, properties=[P3]), [tiles_of_grid(4)])
    assert read_cicp(data) == (12, 13, 6, True)


def test_without_a_property_the_code_points_are_those_of_the_data() -> None:
    assert read_cicp(assembled([coded(range="limited").having(ICC)])) == (1, 13, 6, False)
    assert read_cicp(assembled(grid([coded()] * 2, (128, 48), columns=2), [tiles_of_grid(2)])) == (1, 13, 6, True)


def test_of_two_boxes_meta_the_last_one_counts_as_in_libheif() -> None:
    data = assembled([coded().having(nclx(9, 16, 9, full=False))])
    assert read_cicp(data + assembled([coded().having(P3)])) == (12, 13, 6, True)


def test_a_file_without_a_picture_has_none() -> None:
    assert read_cicp(b"") is None
    assert read_cicp(assembled([Part(b"Exif", bytes(10))])) is None
    assert read_cicp(encoded(noise(10, 10), "PNG")) is None


@pytest.mark.parametrize("depth", [8, 10, 12])
def test_the_sequence_header_of_libheif_says_its_depth(depth: int) -> None:
    image = pyvips.Image.gaussnoise(64, 48).cast("uchar" if depth == 8 else "ushort")
    image = image.bandjoin([image, image]).copy(interpretation="srgb" if depth == 8 else "rgb16")
    structure = read_structure(image.heifsave_buffer(compression="av1", bitdepth=depth, effort=0))
    assert structure is not None
    found = sequence_header_of(structure, structure.primary)
    assert found is not None
    assert (found.depth, found.monochrome) == (depth, False)


@pytest.mark.parametrize("subsampling", ["4:4:4", "4:2:2", "4:2:0", "4:0:0"])
@pytest.mark.parametrize("frames", [1, 3])
@pytest.mark.parametrize("full", [True, False])
def test_the_sequence_header_of_libavif_says_its_range(subsampling: str, frames: int, *, full: bool) -> None:
    """Animations have the long form of the header, stills the short one."""
    more = [noise(64, 48, seed) for seed in range(1, frames)]
    options = {"save_all": True, "append_images": more} if more else {}
    data = encoded(
        noise(64, 48), "AVIF", subsampling=subsampling, range="full" if full else "limited", speed=10, **options
    )
    units = data[data.index(b"mdat") + 4 :]
    mono = subsampling == "4:0:0"
    assert read_sequence_header(units) == SequenceHeader(8, mono, 1, 13, 6, full)
    assert Image.open(io.BytesIO(data)).mode == ("L" if mono else "RGB")


def test_units_before_the_sequence_header_are_passed_over() -> None:
    units = coded().data
    padding = b"\x7a\x03abc"
    assert read_sequence_header(padding * 5 + units) == read_sequence_header(units) is not None
    assert read_sequence_header(padding * 500 + units) is None


def test_the_configuration_is_read_where_the_data_has_no_header() -> None:
    part = coded()
    start = part.data.index(b"\x0a")  # a sequence header, with its size
    header = part.data[start : start + 2 + part.data[start + 1]]
    configuration = part.property(b"av1C")
    assert configuration is not None
    bare = Part(b"av01", b"\x12\0", part.without(b"av1C").properties)
    assert read_cicp(assembled([bare.having(box(b"av1C", configuration[8:12] + header))])) == (1, 13, 6, True)


_GOOD = assembled([coded().having(P3)])


@settings(max_examples=examples(300))
@given(st.binary(max_size=60), st.integers(0, len(_GOOD)), st.integers(0, 20))
def test_no_bytes_whatever_make_it_fail(put_in: bytes, at: int, taken_out: int) -> None:
    for data in (_GOOD[:at] + put_in + _GOOD[at + taken_out :], put_in):
        assert read_cicp(data) is None or isinstance(read_cicp(data), Cicp)
        assert read_sequence_header(data) is None or isinstance(read_sequence_header(data), SequenceHeader)


@given(st.integers(0, 2**16 - 1), st.integers(0, 2**16 - 1), st.integers(0, 2**16 - 1), st.booleans())
def test_every_code_point_comes_back(primaries: int, transfer: int, matrix: int, full: bool) -> None:
    data = assembled([Part(b"av01", b"\0", (nclx(primaries, transfer, matrix, full=full),))])
    assert read_cicp(data) == (primaries, transfer, matrix, full)
    assert struct.pack(">H", primaries) in data
