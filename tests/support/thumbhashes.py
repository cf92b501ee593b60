"""Pictures for the tests of ThumbHash: noise, plain and symmetric ones, transparent ones, and every shape."""

import random
from collections.abc import Callable, Iterator

from PIL import Image

_SIZES = [(100, 67), (67, 100), (100, 100), (1, 1), (100, 1), (1, 100), (3, 50), (90, 2), (37, 61)]
_QUARTERS = (220, 40, 30, 255), (30, 160, 60, 255), (40, 60, 200, 255), (250, 250, 250, 255)
# The color of a pixel, by its position as fractions of the sides.
_DRAWINGS: dict[str, Callable[[float, float], tuple[float, ...]]] = {
    "quarters": lambda x, y: _QUARTERS[(x >= 0.5) + 2 * (y >= 0.5)],
    "plain": lambda *_: (200, 30, 90, 255),
    "half transparent": lambda *_: (200, 30, 90, 128),
    "transparent": lambda *_: (200, 30, 90, 0),
    "diagonal": lambda x, y: (255 * x, 255 * y, 90, 255),
    "horizontal": lambda x, _: (255 * x, 255 * x, 255 * x, 255),
    "vertical": lambda _, y: (0, 200 * y, 255 - 200 * y, 255),
    "fading": lambda x, y: (240, 200 * x, 200 * y, 120 * (x + y)),
}


def small_pictures() -> Iterator[tuple[str, Image.Image]]:
    """Names and RGBA pictures of at most 100 by 100 pixels. No library draws them: its next release may differ."""
    for width, height in _SIZES:
        size = width, height
        noise = random.Random(width * height).randbytes(width * height * 4)
        yield f"noise {width}x{height}", Image.frombytes("RGBA", size, noise)
        for name, color in _DRAWINGS.items():
            pixels = (map(int, color(x / width, y / height)) for y in range(height) for x in range(width))
            yield f"{name} {width}x{height}", Image.frombytes("RGBA", size, b"".join(map(bytes, pixels)))
