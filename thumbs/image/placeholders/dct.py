"""The cosine transform of ThumbHash: of a channel it keeps the lowest frequencies, and draws the channel from them.

Multiplications and additions are in the order of the reference implementation, so that their last bits are equal.
"""

import math
from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import chain, repeat
from operator import add, mul
from typing import NamedTuple

from thumbs.image.placeholders.cosine import cosine


class Channel(NamedTuple):
    """A transformed channel: its average, its other frequencies as 0 to 1, and the scale of these."""

    average: float
    frequencies: list[float]
    scale: float


def triangle(nx: int, ny: int) -> Iterator[tuple[int, int]]:
    """The frequencies along both sides that are kept, in their order in a hash; the first is the average."""
    for cy in range(ny):
        for cx in range(nx):
            if cx * ny >= nx * (ny - cy):
                break
            yield cx, cy


def transformed(channel: Sequence[float], size: tuple[int, int], nx: int, ny: int) -> Channel:
    """The `nx` by `ny` lowest frequencies of a channel, given as one value for each pixel, row by row."""
    width, height = size
    rows = [channel[start : start + width] for start in range(0, width * height, width)]
    columns = [rows] + [[list(map(mul, row, _wave(width, cx))) for row in rows] for cx in range(1, nx)]
    values = [_summed(columns[cx], _wave(height, cy)) / (width * height) for cx, cy in triangle(nx, ny)]
    average, *frequencies = values
    scale = max(map(abs, frequencies))
    if scale:
        frequencies = [0.5 + 0.5 / scale * value for value in frequencies]
    return Channel(average, frequencies, scale)


def restored(
    average: float, scale: float, nibbles: Iterator[int], frequencies: tuple[int, int], size: tuple[int, int]
) -> list[float]:
    """A channel of each pixel; takes its frequencies from `nibbles`."""
    width, height = size
    values = [average] * (width * height)
    for cx, cy in triangle(*frequencies):
        if cx or cy:
            factor = (next(nibbles) / 7.5 - 1) * scale
            row = [factor * wave for wave in _decoding_wave(width, cx)]
            terms = map(mul, row * height, _each_repeated([wave * 2 for wave in _decoding_wave(height, cy)], width))
            values = list(map(add, values, terms))
    return values


@lru_cache(maxsize=2048)
def _wave(size: int, frequency: int) -> tuple[float, ...]:
    return tuple(cosine(math.pi / size * frequency * (position + 0.5)) for position in range(size))


@lru_cache(maxsize=512)
def _decoding_wave(size: int, frequency: int) -> tuple[float, ...]:
    # The reference multiplies in another order here, which changes the last bit.
    return tuple(cosine(math.pi / size * (position + 0.5) * frequency) for position in range(size))


def _summed(rows: Sequence[Sequence[float]], factors: Sequence[float]) -> float:
    """The sum of all values, each row times its factor, added one by one as the reference does.

    Not `sum`: in Python 3.12 and later it corrects rounding errors, and of an even or symmetric picture these errors
    are all that is left in some frequencies.
    """
    total = 0.0
    for row, factor in zip(rows, factors, strict=True):
        for value in row:
            total += value * factor
    return total


def _each_repeated(values: Sequence[float], times: int) -> Iterator[float]:
    return chain.from_iterable(repeat(value, times) for value in values)
