"""The segments of a JPEG before its pixels: its EXIF block as browsers find it, and a size of whole blocks."""

import io
import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from tests.support.jpegs import Sample, sample, samples
from tests.support.pictures import decoded, noise, quarters
from tests.support.pixels import picture
from tests.support.strategies import examples
from thumbs.image.transforms import Transform
from thumbs.render.containers.jpeg import exif_block, segments, with_size

PLAIN = sample(quarters(60, 40), quality=95).data


def block(orientation: int, *before: int) -> bytes:
    """A TIFF with one entry, or with others `before` it."""
    entries = [struct.pack(">HHIHxx", 0x112, 3, 1, each) for each in (*before, orientation)]
    return b"MM\0*" + struct.pack(">IH", 8, len(entries)) + b"".join(entries) + bytes(4)


def jpeg_with(*contents: bytes) -> bytes:
    parts = (struct.pack(">HH", 0xFFE1, len(each) + 2) + each for each in contents)
    return PLAIN[:2] + b"".join(parts) + PLAIN[2:]


def turns(data: bytes) -> bool:
    return picture(data, Transform(format="png")).size == (40, 60)


@pytest.mark.parametrize("fill", [b"\0", b"\1", b"\xff", b"E"])
def test_the_byte_behind_the_name_is_not_read(fill: bytes) -> None:
    data = jpeg_with(b"Exif\0" + fill + block(6))
    assert exif_block(data) == block(6)
    assert turns(data)


@pytest.mark.parametrize(
    "first", [b"Exif\0\0", b"Exif\0", b"Exif", b"Exif\1\1" + block(3), b"http://ns\0", b"exif\0\0x"]
)
def test_what_has_no_name_or_no_contents_is_passed_over(first: bytes) -> None:
    data = jpeg_with(first, b"Exif\0\0" + block(6))
    assert exif_block(data) == block(6)
    assert turns(data)


@pytest.mark.parametrize("first", [b"Exif\0\0" + block(1), b"Exif\0\xff" + block(3), b"Exif\0\0no TIFF", b"Exif\0\0M"])
def test_the_first_block_counts(first: bytes) -> None:
    assert not turns(jpeg_with(first, b"Exif\0\0" + block(6)))


def test_an_orientation_that_is_none_is_passed_over() -> None:
    assert turns(jpeg_with(b"Exif\0\0" + block(6, 9, 0)))
    assert turns(jpeg_with(b"Exif\0\0" + block(6, 8)))
    other = struct.pack(">HHII", 0x9999, 4, 1, 0)
    many = b"MM\0*" + struct.pack(">IH", 8, 1201) + other * 1200 + block(6)[10:]
    assert turns(jpeg_with(b"Exif\0\0" + many))


def test_segments_behind_the_pixels_do_not_count() -> None:
    content = b"Exif\0\0" + block(6)
    data = PLAIN[:-2] + struct.pack(">HH", 0xFFE1, len(content) + 2) + content + PLAIN[-2:]
    assert exif_block(data) is None
    assert not turns(data)


# ------------------------------------------------------------------------------------------------- whole blocks


@settings(max_examples=examples(150))
@given(samples(), st.sampled_from([2, 4, 8]))
def test_a_size_of_whole_blocks_shows_the_same_pixels(made: Sample, times: int) -> None:
    original = Image.open(io.BytesIO(made.data))
    whole = original.width + -original.width % times, original.height + -original.height % times
    larger = with_size(made.data, original.size, whole)
    assert larger is not None
    shown = decoded(larger)
    assert shown.size == whole
    assert len(larger) == len(made.data)
    # Chroma of the last columns is interpolated with its neighbors.
    box = (0, 0, max(1, original.width - 2), max(1, original.height - 2))
    if min(original.size) > 4:  # libjpeg does not interpolate chroma of up to two columns (jdsample.c)
        assert shown.crop(box).tobytes() == decoded(made.data).crop(box).tobytes()


@pytest.mark.parametrize("whole", [(64, 41), (60, 48), (72, 40), (56, 40)])
def test_another_number_of_blocks_is_no_size_of_the_file(whole: tuple[int, int]) -> None:
    made = with_size(PLAIN, (60, 40), whole)
    assert (made is None) == (whole != (64, 40))


def test_a_file_of_another_size_or_of_odd_sampling_stays_as_it_is() -> None:
    assert with_size(PLAIN, (59, 40), (64, 40)) is None
    assert with_size(b"\xff\xd8\xff\xd9", (60, 40), (64, 40)) is None
    frame = next(each for each in segments(PLAIN) if each.code == 0xC0)
    for factors in (0x31, 0x13, 0x00):
        # The first component has the factors 2 × 2: then 3 is no multiple of it.
        at = frame.start + 7 + 3
        odd = PLAIN[:at] + bytes([factors]) + PLAIN[at + 1 :]
        assert with_size(odd, (60, 40), (64, 40)) is None
    assert with_size(sample(noise(60, 40)).data, (65_499, 40), (65_504, 40)) is None


@settings(max_examples=examples(200))
@given(st.binary(max_size=40), st.integers(0, 700), st.integers(0, 40))
def test_no_bytes_whatever_make_it_fail(put_in: bytes, at: int, taken_out: int) -> None:
    data = PLAIN[:at] + put_in + PLAIN[at + taken_out :]
    exif_block(data)
    with_size(data, (60, 40), (64, 40))
