"""GIFs show what they show in browsers: every frame, against a reference that composes the description of the file."""

import io
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from tests.support.gif_files import CLEAR, KEEP, RESTORE, Frame, Gif, Rgb, block, composed
from tests.support.pictures import decoded
from tests.support.pixels import picture, rendered
from tests.support.strategies import examples
from thumbs.errors import SourceBroken
from thumbs.image.formats import DEFAULT_INPUTS
from thumbs.image.transforms import ALL_FRAMES, Transform
from thumbs.render import animation, libvips
from thumbs.render.table import read_header

RED, GREEN, BLUE, YELLOW = (220, 40, 30), (30, 160, 60), (40, 60, 200), (240, 220, 40)
PALETTE: tuple[Rgb, ...] = (RED, GREEN, BLUE, YELLOW)
STILL = Transform(format="png")
OFTEN, FEW = examples(150), examples(50)


def plain(color: int, size: tuple[int, int], at: tuple[int, int] = (0, 0), **fields: object) -> Frame:
    return Frame(size, bytes([color]) * (size[0] * size[1]), at, **fields)  # type: ignore[arg-type]


def gif(*frames: Frame, screen: tuple[int, int] = (16, 12), **fields: object) -> Gif:
    return Gif(screen, frames, PALETTE, **fields)  # type: ignore[arg-type]


@st.composite
def frames(draw: st.DrawFn) -> Frame:
    size = draw(st.tuples(st.integers(0, 20), st.integers(0, 20)))
    coarse = draw(st.binary(min_size=9, max_size=9))
    pixels = bytes(coarse[y * 3 // size[1] * 3 + x * 3 // size[0]] % 6 for y in range(size[1]) for x in range(size[0]))
    palette = draw(st.none() | st.lists(st.tuples(*[st.integers(0, 255)] * 3), min_size=2, max_size=8).map(tuple))
    return Frame(
        size,
        pixels,
        at=draw(st.tuples(st.integers(0, 18), st.integers(0, 18))),
        palette=palette,
        transparent=draw(st.none() | st.integers(0, 7)),
        disposal=draw(st.sampled_from((0, KEEP, CLEAR, CLEAR, RESTORE, RESTORE, 4, 5))),
        delay=draw(st.integers(0, 500)),
        interlaced=draw(st.booleans()),
    )


@st.composite
def gifs(draw: st.DrawFn) -> Gif:
    return Gif(
        screen=draw(st.tuples(st.integers(1, 20), st.integers(1, 20)) | st.just((0, 0))),
        frames=(
            replace(draw(frames()), size=(7, 5), indices=bytes(range(5)) * 7),
            *draw(st.lists(frames(), max_size=5)),
        ),
        palette=draw(st.none() | st.just(PALETTE)),
        background=draw(st.integers(0, 5)),
        loop=draw(st.none() | st.integers(0, 65_535)),
        trailer=draw(st.booleans()),
    )


def pages(data: bytes, count: int = 0) -> list[Image.Image]:
    """The first `count` frames as the renderer scales them, or all."""
    libvips.start(DEFAULT_INPUTS)
    header = read_header(data, frozenset(DEFAULT_INPUTS))
    found = animation.pages(data, header, count or header.frames, libvips.Deadline(60))
    return [
        Image.frombytes("RGBA" if page.bands == 4 else "RGB", (page.width, page.height), bytes(page.write_to_memory()))
        for page in found
    ]


def same(image: Image.Image, wanted: Image.Image) -> bool:
    """Whether they have the same pixels; the color of a transparent one is of no account."""
    blank = Image.new("RGBA", wanted.size)
    ours, theirs = (Image.composite(each, blank, each.getchannel("A")) for each in (image.convert("RGBA"), wanted))
    return image.size == wanted.size and ours.tobytes() == theirs.tobytes()


@given(gifs())
@settings(max_examples=OFTEN)
def test_every_frame_shows_what_browsers_show(one: Gif) -> None:
    found = pages(one.data())
    wanted = list(composed(one))
    assert len(found) == len(wanted)
    assert [number for number, pair in enumerate(zip(found, wanted, strict=True)) if not same(*pair)] == []


@given(gifs())
@settings(max_examples=FEW)
def test_a_still_is_the_first_frame_on_a_transparent_canvas(one: Gif) -> None:
    assert same(picture(one.data(), STILL), next(composed(one)))


@given(gifs())
@settings(max_examples=FEW)
def test_a_picture_has_an_alpha_channel_only_if_a_pixel_is_transparent(one: Gif) -> None:
    first = next(composed(one))
    assert ("A" in picture(one.data(), STILL).getbands()) == (min(first.getchannel("A").tobytes()) < 255)


@pytest.mark.parametrize("screen", [(640, 480), (800, 600), (1024, 768), (2049, 100), (100, 3000), (0, 0), (5, 90)])
def test_the_screen_is_the_canvas_whatever_its_size(screen: tuple[int, int]) -> None:
    """Decoders take some of these sizes for mistakes, and libvips' decoder every one over 2048."""
    one = gif(plain(0, (4, 4), (2, 3)), plain(1, (9, 9)), screen=screen)
    wanted = list(composed(one))
    assert wanted[0].size == (max(screen[0], 6), max(screen[1], 7))
    assert all(map(same, pages(one.data()), wanted))
    assert same(picture(one.data(), STILL), wanted[0])


@pytest.mark.parametrize("output", ["webp", "gif"])
def test_what_a_frame_clears_is_transparent_in_the_animation_that_comes_out(output: str) -> None:
    one = gif(plain(0, (16, 12), disposal=CLEAR), plain(1, (8, 6), (8, 6)))
    made = rendered(one.data(), Transform(format=output, quality=100, frames=ALL_FRAMES)).body
    second = pages(made)[1].convert("RGBA")
    assert [second.getpixel(at)[3] for at in ((2, 2), (12, 2), (12, 9))] == [0, 0, 255]  # type: ignore[index]


@pytest.mark.parametrize("at", [(16, 2), (2, 12), (20, 20)])
def test_a_frame_beyond_the_canvas_clears_nothing(at: tuple[int, int]) -> None:
    one = gif(plain(0, (16, 12)), plain(1, (8, 6), at, disposal=CLEAR), plain(2, (4, 4)), screen=(16, 12))
    assert all(map(same, pages(one.data()), composed(one)))


def test_an_opaque_frame_and_a_transparent_one_become_one_animation() -> None:
    one = gif(plain(0, (16, 12)), plain(1, (16, 12), disposal=CLEAR), plain(2, (4, 4)))
    image = decoded(rendered(one.data(), Transform(8, 6, "webp", 100, frames=ALL_FRAMES)).body)
    alphas = []
    for number in range(3):
        image.seek(number)
        alphas.append(image.convert("RGBA").getpixel((7, 5))[3])  # type: ignore[index]
    assert alphas == [255, 255, 0]


# ------------------------------------------------------------------------------------------------ ends of files

NOISE = bytes((x * 7 + y * 13 + x * y) % 4 for y in range(40) for x in range(40))
TWO = gif(Frame((40, 40), NOISE), Frame((40, 40), NOISE[::-1], interlaced=True), screen=(40, 40))


@pytest.mark.parametrize("lost", [b";", b"\0;"])
@pytest.mark.parametrize("interlaced", [False, True])
def test_a_file_without_its_end_is_whole(lost: bytes, interlaced: bool) -> None:
    one = gif(Frame((40, 40), NOISE, interlaced=interlaced), screen=(40, 40))
    assert one.data().endswith(lost)
    assert same(picture(one.data().removesuffix(lost), STILL), next(composed(one)))


@pytest.mark.parametrize(
    "after", [b"", b";", b"\0\0", b"junk", b",,,,,,,,,,,,,", b";" + block(plain(1, (4, 4)), PALETTE)]
)
def test_what_follows_the_trailer_is_not_part_of_the_file(after: bytes) -> None:
    assert all(map(same, pages(TWO.data() + after), composed(TWO)))


@pytest.mark.parametrize("junk", [b"junk", b"\0\0", b"\xff" * 20])
def test_what_is_no_block_ends_a_file_as_a_trailer_does(junk: bytes) -> None:
    found = pages(TWO.data()[:-1] + junk + block(plain(1, (4, 4)), PALETTE))
    assert len(found) == 2
    assert all(map(same, found, composed(TWO)))


@pytest.mark.parametrize("share", [0.3, 0.5, 0.8, 0.97])
@pytest.mark.parametrize("interlaced", [False, True])
def test_a_file_that_ends_within_its_first_frame_is_broken(share: float, interlaced: bool) -> None:
    data = gif(Frame((40, 40), NOISE, interlaced=interlaced), screen=(40, 40)).data()
    for output in ("png", "webp"):
        with pytest.raises(SourceBroken):
            rendered(data[: int(len(data) * share)], Transform(format=output))


def test_a_file_that_ends_within_a_later_frame_has_the_frames_before() -> None:
    data = TWO.data()
    for end in range(data.rindex(b",") + 1, len(data) - 20, 7):
        cut = data[:end]
        assert same(picture(cut, STILL), next(composed(TWO)))
        assert same(pages(cut, 1)[0], next(composed(TWO)))
        with pytest.raises(SourceBroken):
            rendered(cut, Transform(format="webp", frames=ALL_FRAMES))


def test_pixels_that_a_frame_lacks_show_what_is_below() -> None:
    """Encoders leave off a transparent end. Browsers show the rest."""
    whole = Frame((40, 40), NOISE)
    short = Frame((40, 40), NOISE[::-1][:800] + bytes([9]) * 800, transparent=9)
    written = replace(TWO, frames=(whole, short))
    data = TWO.data().replace(block(TWO.frames[1], PALETTE), block(replace(short, indices=NOISE[::-1][:800]), PALETTE))
    assert data != TWO.data()
    assert all(map(same, pages(data), composed(written)))
    first = replace(TWO, frames=(short,))
    data = first.data().replace(block(short, PALETTE), block(replace(short, indices=NOISE[::-1][:800]), PALETTE))
    assert same(picture(data, STILL), next(composed(first)))


# --------------------------------------------------------------------------------------------- times and repeats


@given(gifs())
@settings(max_examples=FEW)
def test_delays_and_repeats_are_those_of_the_file(one: Gif) -> None:
    header = read_header(one.data(), frozenset(DEFAULT_INPUTS))
    assert header.frames == len(one.frames)
    if len(one.frames) > 1:
        assert header.animation is not None
        assert list(header.animation.delays) == [10 * frame.delay for frame in one.frames]
        shown = 1 if one.loop is None else one.loop and one.loop + 1
        assert header.animation.loop == shown


def test_a_frame_without_a_control_block_is_shown_a_tenth_of_a_second() -> None:
    data = TWO.data().replace(b"!\xf9\x04\0\x0a\0\0\0", b"")
    header = read_header(data, frozenset(DEFAULT_INPUTS))
    assert header.animation is not None
    assert header.animation.delays == (100, 100)


def test_the_last_of_two_control_blocks_counts() -> None:
    """It says nothing of transparency, so that there is none."""
    frame = plain(0, (16, 12))
    data = gif(frame).data()
    both = data.replace(b"!\xf9\x04\0", b"!\xf9\x04\x09\x30\0\0\0!\xf9\x04\0")
    assert both != data
    assert same(picture(both, STILL), next(composed(gif(frame))))


@pytest.mark.parametrize("repeats", [0, 3])
def test_an_animation_in_repeats_as_often_out(repeats: int) -> None:
    made = rendered(replace(TWO, loop=repeats).data(), Transform(format="gif", frames=ALL_FRAMES)).body
    assert Image.open(io.BytesIO(made)).info["loop"] == repeats
