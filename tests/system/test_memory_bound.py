"""A render that needs more memory than it may have is the fault of its request, in whichever library that shows."""

import random

import pytest
from PIL import Image

from tests.support.pictures import decoded, encoded
from tests.support.render_children import Counted, Script, command, setup
from thumbs.errors import SourceBroken, SourceOverMemory
from thumbs.image.formats import FORMATS
from thumbs.image.transforms import Transform
from thumbs.render.isolation.process import Child
from thumbs.render.isolation.renderer import IsolatedRenderer
from thumbs.render.isolation.wire import Call, Work
from thumbs.render.values import RenderLimits

OPTIONS = {"GIF": {"interlace": 0}}  # an interlaced one may have half as many pixels
LIMITS = RenderLimits(seconds=300, avif_pixels=26_000_000)
STACKS = 64 * 1024 * 1024  # of threads that had not yet ended when the limit was set
LEFT_FREE = 64 * 1024 * 1024  # with the allocator, by the samples
NO_WATERMARKS: dict[str, bytes] = {}


def grain() -> bytes:
    return encoded(Image.frombytes("RGB", (600, 600), random.Random(1).randbytes(600 * 600 * 3)), "JPEG", quality=90)


def test_an_encoder_that_lacks_memory_is_no_failure_of_the_server() -> None:
    """It says only that it failed, and has had less than half of the memory: the next piece would not fit."""
    counted = Counted(command())
    try:
        render = IsolatedRenderer(counted.pool, LIMITS, NO_WATERMARKS.__getitem__)
        for _ in range(2):
            with pytest.raises(SourceOverMemory):
                render(grain(), Transform(4500, 4500, "avif", 90, upscale=True), fallback=None)
        assert counted.events["retired"] == 2
        assert render(grain(), Transform(45, 45, "avif", 90), fallback=None).format == "avif"
    finally:
        counted.pool.close()


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "GIF", "TIFF"])
def test_a_picture_of_more_than_100_mb_of_pixels_is_held_in_memory(kind: str) -> None:
    """libvips would write it to a temporary file, which no child may."""
    counted = Counted(command(), inputs=tuple(FORMATS))
    data = encoded(Image.new("RGB", (12_000, 3000), (200, 90, 30)), kind, **OPTIONS.get(kind, {}))
    try:
        render = IsolatedRenderer(counted.pool, LIMITS, NO_WATERMARKS.__getitem__)
        made = decoded(render(data, Transform(4000, 3000, "png"), fallback=None).body)
        assert made.size == (4000, 3000)
        render(data, Transform(4000, 3000, "png", rotate=90, flip=True), fallback=None)
    finally:
        counted.pool.close()


_GREEDY = """
import sys
from thumbs.render.isolation import child, lockdown, wire
PIECE = 100_000
warm_up, kept = lockdown.warm_up, []

def untidy(*arguments, **options):
    warm_up(*arguments, **options)
    pieces = [bytes(PIECE) for _ in range(2000)]
    kept.append(pieces.pop())  # all pieces below it stay with the allocator

def greedy(*_):
    pieces = []
    try:
        while True:
            pieces.append(bytes(PIECE))
    except MemoryError:
        count = len(pieces)
    pieces.clear()
    return wire.Answer(wire.Outcome.BYTES, "", 0.0, 0.0, str(count * PIECE).encode())

lockdown.warm_up = untidy
child._Server._answer = greedy
child.main(int(sys.argv[1]))
"""


def test_a_render_adds_no_more_than_its_memory_whatever_the_child_has_freed_before() -> None:
    """200 MB that the allocator has kept since the start are a render's too, but for what the samples may leave."""
    allowed = 300 * 1024 * 1024
    child = Child(Script(command().python, command().path, _GREEDY), setup(memory=allowed))
    try:
        child.hello()
        taken = int(child.ask(Call.MAKE_PROXY, Work(LIMITS), b"original").body)
        assert 0.8 * allowed < taken <= allowed + LEFT_FREE + STACKS
    finally:
        child.end()


_UNTIDY = """
import sys
from thumbs.render.isolation import child
PIECE = 100_000
do, kept = child._Server._do, []

def untidy(server, *arguments):
    made = do(server, *arguments)
    if not kept:
        pieces = [bytes(PIECE) for _ in range(5000)]
        kept.extend(pieces[::10])  # what is freed between them stays with the allocator, and fits nothing large
    return made

child._Server._do = untidy
child.main(int(sys.argv[1]))
"""


def test_whether_a_picture_is_rendered_does_not_depend_on_those_before_it() -> None:
    """A first render has left most of what its child may add with the allocator."""
    frames = [Image.new("RGB", (7000, 7000), color) for color in ("red", "blue")]
    large = encoded(frames[0], "WEBP", save_all=True, append_images=frames[1:])
    counted = Counted(Script(command().python, command().path, _UNTIDY))
    try:
        render = IsolatedRenderer(counted.pool, LIMITS, NO_WATERMARKS.__getitem__)
        for _ in range(2):
            assert render(grain(), Transform(90, 60, "webp", 80), fallback=None).format == "webp"
            assert render(large, Transform(90, 60, "png"), fallback=None).format == "png"
    finally:
        counted.pool.close()
    assert counted.events["retired"] >= 1, "the picture fitted after all: the test shows nothing"


def test_a_damaged_original_is_tried_once_by_a_child_that_has_not_grown() -> None:
    counted = Counted(command())
    try:
        render = IsolatedRenderer(counted.pool, LIMITS, NO_WATERMARKS.__getitem__)
        for _ in range(3):
            assert render(grain(), Transform(90, 60, "webp", 80), fallback=None).format == "webp"
            with pytest.raises(SourceBroken):
                render(b"\x89PNG\r\n\x1a\n", Transform(90, 60, "png"), fallback=None)
        assert counted.events == {"started": 2}
    finally:
        counted.pool.close()
