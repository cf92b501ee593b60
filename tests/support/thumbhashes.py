"""Pictures for the tests of ThumbHash: noise, plain and symmetric ones, transparent ones, and every shape."""

import functools
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


NAMES = [f"{kind} {width}x{height}" for width, height in _SIZES for kind in ("noise", *_DRAWINGS)]


@functools.cache
def small_picture(name: str) -> Image.Image:
    """One of `NAMES`, RGBA. No library draws it: its next release may differ."""
    kind, _, sides = name.rpartition(" ")
    width, height = map(int, sides.split("x"))
    size = width, height
    if kind == "noise":
        return Image.frombytes("RGBA", size, random.Random(width * height).randbytes(width * height * 4))
    color = _DRAWINGS[kind]
    pixels = (map(int, color(x / width, y / height)) for y in range(height) for x in range(width))
    return Image.frombytes("RGBA", size, b"".join(map(bytes, pixels)))


def small_pictures() -> Iterator[tuple[str, Image.Image]]:
    """All names and pictures, of at most 100 by 100 pixels."""
    return ((name, small_picture(name)) for name in NAMES)
