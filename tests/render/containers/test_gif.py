"""The blocks of a GIF: where each frame begins and ends, within bounds."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.gif_files import Frame, Gif, block, sub_blocks
from tests.support.strategies import examples
from thumbs.errors import SourceBroken, SourceOverLimit
from thumbs.image.formats import DEFAULT_INPUTS
from thumbs.render.containers import gif
from thumbs.render.containers.limits import MAX_GIF_BLOCKS, MAX_GIF_FRAMES, MAX_GIF_INTERLACED_PIXELS
from thumbs.render.table import read_header

PALETTE = ((220, 40, 30), (30, 160, 60))
PIXEL = Frame((1, 1), b"\1")
EMPTY = Gif((8, 6), (), PALETTE, trailer=False).data()
INPUTS = frozenset(DEFAULT_INPUTS)


def frame_of(data: bytes, number: int = 0) -> gif.Frame:
    return gif.read_gif(data).frame(data, number)


@given(st.lists(st.binary(max_size=600), min_size=1, max_size=6), st.integers(1, 255))
@settings(max_examples=examples(100))
def test_a_frame_has_its_own_bytes_however_long_its_sub_blocks_are(coded: list[bytes], length: int) -> None:
    head = block(PIXEL, PALETTE)[:18]
    data = EMPTY + b"".join(head + b"\2" + sub_blocks(each, length) for each in coded) + b";"
    found = gif.read_gif(data)
    assert len(found) == len(coded)
    assert [found.frame(data, number).pixels[1:] for number in range(len(found))] == [
        sub_blocks(each, length) for each in coded
    ]


@pytest.mark.parametrize("end", range(1, 40))
def test_a_cut_frame_is_closed_where_the_file_ends(end: int) -> None:
    coded = sub_blocks(bytes(range(1, 60)), 25)
    data = EMPTY + block(PIXEL, PALETTE)[:18] + b"\2" + coded
    frame = frame_of(data[: len(data) - end])
    assert frame.cut
    kept = len(data) - end - len(EMPTY) - 19
    # The sub-blocks lead from the first byte to the terminator, which is the last one.
    at, codes = 1, b""
    while frame.pixels[at]:
        codes += frame.pixels[at + 1 : at + 1 + frame.pixels[at]]
        at += frame.pixels[at] + 1
    assert at == len(frame.pixels) - 1
    assert codes == bytes(range(1, 60))[: kept - -(-min(kept, 62) // 26)]


@pytest.mark.parametrize("data", [b"", b"GIF89a", EMPTY, EMPTY + b";", EMPTY + b",\0\0", EMPTY[:20]])
def test_a_file_without_a_frame_is_broken(data: bytes) -> None:
    with pytest.raises(gif.Unreadable):
        gif.read_gif(data)
    if data.startswith(b"GIF89a"):
        with pytest.raises(SourceBroken):
            read_header(data, INPUTS)


def test_a_canvas_without_pixels_is_broken() -> None:
    with pytest.raises(gif.Unreadable):
        gif.read_gif(Gif((0, 5), (Frame((0, 5), b""),), PALETTE).data())


def test_frames_and_blocks_are_counted() -> None:
    frame = block(PIXEL, PALETTE)[8:]  # without its control block
    assert len(gif.read_gif(EMPTY + frame * MAX_GIF_FRAMES)) == MAX_GIF_FRAMES
    for data in (EMPTY + frame * (MAX_GIF_FRAMES + 1), EMPTY + b"!\xfe\0" * (MAX_GIF_BLOCKS + 1) + frame):
        with pytest.raises(gif.TooManyBlocks):
            gif.read_gif(data)
        with pytest.raises(SourceOverLimit):
            read_header(data, INPUTS)


def test_an_interlaced_frame_far_higher_than_its_canvas_is_not_decoded() -> None:
    rows = 65_535
    width = MAX_GIF_INTERLACED_PIXELS // rows + 1
    data = bytearray(EMPTY + block(Frame((1, 1), b"\1", interlaced=True), PALETTE) * 2 + b";")
    second = data.rindex(b",")
    data[second + 5 : second + 9] = width.to_bytes(2, "little") + rows.to_bytes(2, "little")
    frame = frame_of(bytes(data), 1)
    assert frame.coded((8, 6)) == (8, rows)
    assert frame.coded((width - 1, 6)) == (width - 1, rows)
    with pytest.raises(gif.Unreadable):
        frame.coded((width, 6))


@pytest.mark.parametrize("height", range(1, 40))
def test_the_last_row_is_that_of_the_last_pass(height: int) -> None:
    order = [row for start, step in ((0, 8), (4, 8), (2, 4), (1, 2)) for row in range(start, height, step)]
    data = EMPTY + block(Frame((1, height), bytes(height), interlaced=True), PALETTE) + b";"
    assert frame_of(data).last_row(height) == order[-1]
    data = EMPTY + block(Frame((1, height), bytes(height)), PALETTE) + b";"
    assert frame_of(data).last_row(height) == height - 1
