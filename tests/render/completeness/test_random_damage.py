"""Random damage of coded data: the verdict agrees with what libjpeg says first, which libvips gives as a text."""

import pyvips
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.jpegs import EOI, Sample, samples
from tests.support.strategies import examples
from thumbs.image.formats import DEFAULT_INPUTS
from thumbs.render import libvips
from thumbs.render.completeness.jpeg import is_cut_off
from thumbs.render.completeness.segments import read_segments

DATA_ENDS = "premature end of data segment"


def first_warning(data: bytes) -> str | None:
    """What libjpeg says first of all rows; None where it has nothing to say, and an error's text where it fails."""
    libvips.start(DEFAULT_INPUTS)
    pyvips.vips_lib.vips_error_clear()
    try:
        pyvips.Image.new_from_buffer(data, "", access="sequential", fail_on="none", unlimited=True).copy_memory()
        said = pyvips.ffi.string(pyvips.vips_lib.vips_error_buffer()).decode("utf-8", "replace")
    except pyvips.Error as error:
        said = f"error: {error}"
    finally:
        pyvips.vips_lib.vips_error_clear()
    return said or None


@st.composite
def damaged(draw: st.DrawFn, made: st.SearchStrategy[Sample]) -> bytes:
    sample = draw(made)
    data = bytearray(sample.data)
    start, stop = sample.scans[-1]
    for _ in range(draw(st.integers(1, 3))):
        at = start + int((stop - start) * draw(st.floats(0, 1, exclude_max=True)))
        at = min(at, len(data) - 1)  # bytes may have been deleted
        kind = draw(st.sampled_from(["flip", "insert", "delete", "restart"]))
        if kind == "flip":
            data[at] ^= 1 << draw(st.integers(0, 7))
        elif kind == "insert":
            data[at:at] = draw(st.binary(min_size=1, max_size=20)).replace(b"\xff", b"\xfe")
        elif kind == "delete":
            del data[at : at + draw(st.integers(1, 20))]
        else:
            data[at:at] = bytes((0xFF, 0xD0 + draw(st.integers(0, 7))))
    return bytes(data) + EOI


@settings(max_examples=examples(150))
@given(data=damaged(samples(progressive=False)))
def test_of_one_scan(data: bytes) -> None:
    said = first_warning(data)
    if said is None:
        assert is_cut_off(data, read_segments(data)) is False
    elif DATA_ENDS in said:
        assert is_cut_off(data, read_segments(data)) is True


@settings(max_examples=examples(100))
@given(data=damaged(samples(progressive=True)))
def test_of_many_scans_of_which_the_last_is_damaged(data: bytes) -> None:
    said = first_warning(data)
    if said is None:
        assert is_cut_off(data, read_segments(data)) is False
    elif DATA_ENDS in said:
        assert is_cut_off(data, read_segments(data)) is True
