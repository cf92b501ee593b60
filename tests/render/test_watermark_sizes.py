"""The size of a watermark on a picture: by its scale or its own size, within the picture, and never empty."""

import pytest

from thumbs.image.geometry import Size
from thumbs.image.transforms import Watermark
from thumbs.render.watermarks import _size


@pytest.mark.parametrize(
    ("image", "scale", "picture", "expected"),
    [
        ((100, 60), 0, (20, 10), (20, 10)),
        ((100, 60), 0, (100, 60), (100, 60)),
        ((100, 60), 0, (200, 60), (100, 30)),
        ((100, 60), 0, (50, 120), (25, 60)),
        ((60, 100), 0, (50, 120), (42, 100)),
        ((100, 60), 0.5, (20, 10), (50, 25)),
        ((100, 60), 0.5, (20, 20), (30, 30)),
        ((60, 100), 0.5, (20, 20), (30, 30)),
        ((100, 60), 1.0, (20, 10), (100, 50)),
        ((100, 60), 0, (3000, 1), (100, 1)),
        ((100, 60), 0, (1, 3000), (1, 60)),
        ((1, 1), 0.01, (20, 10), (1, 1)),
        ((101, 60), 1.0, (202, 7), (101, 4)),
    ],
)
def test_a_watermark_has_the_size(image: Size, scale: float, picture: Size, expected: Size) -> None:
    assert _size(image, Watermark("logo", scale=scale), picture) == expected
