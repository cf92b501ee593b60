"""The still of a GIF shows its first frame, also where that is opaque, covers the canvas and is decoded alone."""

import io
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from tests.support.gif_files import Frame, Gif, composed
from tests.support.pixels import LIMITS, rendered
from tests.support.strategies import examples
from thumbs.errors import SourceBroken
from thumbs.image.transforms import Transform

WHOLE = Transform(format="png")
COLORS = ((0, 0, 0), (220, 40, 30), (30, 160, 60), (255, 255, 255))
NEXT = Frame((2, 2), b"\1\1\1\1", at=(1, 1))


def shown(data: bytes) -> bytes:
    return Image.open(io.BytesIO(rendered(data, WHOLE).body)).convert("RGBA").tobytes()


@st.composite
def first_frames(draw: st.DrawFn) -> Frame:
    width, height = draw(st.integers(1, 30)), draw(st.integers(1, 30))
    pixels = draw(st.binary(min_size=width * height, max_size=width * height))
    indices = bytes(value % 4 for value in pixels)
    return Frame(
        (width, height),
        indices,
        at=draw(st.sampled_from([(0, 0), (0, 0), (1, 0), (0, 2)])),
        palette=draw(st.sampled_from([None, COLORS[::-1]])),
        transparent=draw(st.sampled_from([None, None, 0, 3])),
        interlaced=draw(st.booleans()),
    )


@settings(max_examples=examples(150))
@given(first_frames(), st.booleans(), st.booleans())
def test_a_still_shows_its_first_frame(frame: Frame, followed: bool, larger: bool) -> None:
    screen = tuple(side + larger for side in frame.size)
    gif = Gif((screen[0], screen[1]), (frame, NEXT) if followed else (frame,), COLORS)
    assert shown(gif.data()) == next(composed(gif)).tobytes()


@pytest.mark.parametrize("last", [0, 1])
@pytest.mark.parametrize("interlaced", [False, True])
def test_pixels_that_the_data_lack_are_transparent(*, interlaced: bool, last: int) -> None:
    """The data end with their own end code, in the middle of the picture."""
    whole = Frame((20, 20), bytes([1]) * 399 + bytes([last]), interlaced=interlaced)
    half = replace(whole, indices=bytes([1]) * 200)
    data = Gif((20, 20), (replace(half, size=(20, 10)),), COLORS).data()
    at = data.index(b",") + 7
    data = data[:at] + (20).to_bytes(2, "little") + data[at + 2 :]
    picture = Image.open(io.BytesIO(rendered(data, WHOLE).body)).convert("RGBA")
    assert picture.getchannel("A").getextrema() == (0, 255)
    opaque = Image.open(io.BytesIO(rendered(Gif((20, 20), (whole,), COLORS).data(), WHOLE).body)).convert("RGBA")
    assert opaque.getchannel("A").getextrema() == (255, 255)


@pytest.mark.parametrize("end", range(3, 60, 7))
def test_a_still_that_is_cut_off_is_refused(end: int) -> None:
    indices = bytes(number * number % 4 for number in range(900))
    data = Gif((30, 30), (Frame((30, 30), indices),), COLORS, trailer=False).data()
    with pytest.raises(SourceBroken):
        rendered(data[:-end], WHOLE, limits=LIMITS)


@pytest.mark.parametrize("size", [(30, 12), (12, 30)])
@pytest.mark.parametrize("interlaced", [False, True])
def test_a_still_without_the_end_of_its_blocks_is_whole_if_it_has_its_last_pixel(
    size: tuple[int, int], *, interlaced: bool
) -> None:
    whole = Gif(size, (Frame(size, bytes([1, 2, 3]) * 120, interlaced=interlaced),), COLORS, trailer=False)
    assert shown(whole.data()[:-1]) == next(composed(whole)).tobytes()
    with pytest.raises(SourceBroken):
        rendered(whole.data()[:-8], WHOLE, limits=LIMITS)
