"""A render that needs more memory than it may have is the fault of its request, in whichever library that shows."""

import random

import pytest
from PIL import Image

from tests.support.pictures import decoded, encoded
from tests.support.render_children import Counted, command
from thumbs.errors import SourceOverMemory
from thumbs.image.formats import FORMATS
from thumbs.image.transforms import Transform
from thumbs.render.isolation.renderer import IsolatedRenderer
from thumbs.render.values import RenderLimits

OPTIONS = {"GIF": {"interlace": 0}}  # an interlaced one may have half as many pixels
LIMITS = RenderLimits(seconds=300, avif_pixels=26_000_000)
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
