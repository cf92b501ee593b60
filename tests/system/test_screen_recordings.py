"""A screen recording is rendered in a child, frame after frame: its memory does not grow with the number of frames."""

import io
from collections.abc import Iterator

import pytest
from PIL import Image, ImageSequence

from tests.support.gif_files import CLEAR, Frame, Gif, block
from tests.support.render_children import Counted, command
from thumbs.errors import SourceOverLimit
from thumbs.image.transforms import ALL_FRAMES, Attention, Transform, Trim
from thumbs.render.isolation.renderer import IsolatedRenderer
from thumbs.render.values import RenderLimits, SourceLimits

SIZE, FRAMES = (978, 720), 125
PALETTE = tuple((number, 255 - number, number * 7 % 256) for number in range(256))
# All frames of the canvas together take 352 MB, those of the thumbnail 45 MB.
MEBIBYTES = 260
LIMITS = RenderLimits(seconds=300)
NO_WATERMARKS: dict[str, bytes] = {}


def lines_of_text(size: tuple[int, int], seed: int) -> bytes:
    """Rows of short dashes on a plain ground, as a terminal or an editor has them."""
    plain, row = bytes([250]) * size[0], bytes((x * seed // 5 % 7 + x // 60) % 256 for x in range(size[0]))
    return b"".join(row if y % 16 in (5, 6, 9) else plain for y in range(size[1]))


@pytest.fixture(scope="module")
def recording() -> bytes:
    """Whole frames and, between them, parts that change: where they do not, they are transparent."""
    whole = [block(Frame(SIZE, lines_of_text(SIZE, seed), delay=8), PALETTE) for seed in (1, 2)]
    parts = [
        block(Frame((300, 200), lines_of_text((300, 200), seed), (seed * 37, seed * 29), None, 250, delay=8), PALETTE)
        for seed in range(3, 12)
    ]
    blocks = (whole[number // 5 % 2] if number % 5 == 0 else parts[number % 9] for number in range(FRAMES))
    return Gif(SIZE, (), PALETTE, loop=0, trailer=False).data() + b"".join(blocks) + b";"


@pytest.fixture
def render() -> Iterator[IsolatedRenderer]:
    counted = Counted(command(), memory=MEBIBYTES * 1024 * 1024)
    try:
        yield IsolatedRenderer(counted.pool, LIMITS, NO_WATERMARKS.__getitem__)
    finally:
        counted.pool.close()


def frames_of(body: bytes) -> list[Image.Image]:
    return [frame.copy() for frame in ImageSequence.Iterator(Image.open(io.BytesIO(body)))]


@pytest.mark.parametrize(
    "fields", [{}, {"gravity": Attention.SMART}, {"trim": Trim(5)}], ids=["plain", "smart", "trim"]
)
def test_a_screen_recording_is_animated_in_little_memory(
    recording: bytes, render: IsolatedRenderer, fields: dict[str, object]
) -> None:
    made = render(recording, Transform(320, 240, "webp", 70, frames=ALL_FRAMES, **fields), fallback=None)  # type: ignore[arg-type]
    image = Image.open(io.BytesIO(made.body))
    assert (image.size, image.n_frames, image.info["loop"]) == ((320, 240), FRAMES, 0)  # type: ignore[attr-defined]


def test_a_recording_that_clears_its_frames_is_animated_in_little_memory(render: IsolatedRenderer) -> None:
    """These have an alpha channel in every frame."""
    blocks = [block(Frame(SIZE, lines_of_text(SIZE, seed), (0, 0), None, 250, CLEAR), PALETTE) for seed in (4, 9)]
    data = Gif(SIZE, (), PALETTE, trailer=False).data() + b"".join(blocks * (FRAMES // 2)) + b";"
    made = render(data, Transform(320, 240, "webp", 70, frames=ALL_FRAMES), fallback=None)
    first = frames_of(made.body)[0].convert("RGBA")
    alphas = first.getchannel("A").tobytes()
    assert min(alphas) < 20
    assert max(alphas) > 100


def test_an_animated_webp_is_decoded_a_few_frames_at_a_time(render: IsolatedRenderer) -> None:
    shades = [
        Image.linear_gradient("L").resize((978, 720)).point(lambda value, k=k: (value + k) % 256) for k in range(3)
    ]
    frames = [Image.merge("RGB", (shades[k % 3], shades[(k + 1) % 3], shades[k // 3 % 3])) for k in range(FRAMES)]
    buffer = io.BytesIO()
    frames[0].save(buffer, "WEBP", save_all=True, append_images=frames[1:], duration=80, method=0, quality=30)
    made = render(buffer.getvalue(), Transform(240, 180, "webp", 70, frames=ALL_FRAMES), fallback=None)
    shown = Image.open(io.BytesIO(made.body))
    assert (shown.size, shown.n_frames) == ((240, 180), FRAMES)  # type: ignore[attr-defined]


def test_a_child_knows_the_limit_of_animations(recording: bytes, render: IsolatedRenderer) -> None:
    pixels = SIZE[0] * SIZE[1] * FRAMES
    for allowed in (pixels, pixels - 1):
        limits = RenderLimits(SourceLimits(animation_pixels=allowed), seconds=300)
        limited = IsolatedRenderer(render.pool, limits, NO_WATERMARKS.__getitem__)
        if allowed == pixels:
            assert limited(recording, Transform(90, 60, "webp", frames=ALL_FRAMES), fallback=None)
        else:
            with pytest.raises(SourceOverLimit):
                limited(recording, Transform(90, 60, "webp", frames=ALL_FRAMES), fallback=None)
