"""ThumbHash: a blurred picture in 25 bytes, the same bytes as those of the reference implementation in JavaScript.

The algorithm is Evan Wallace's (https://evanw.github.io/thumbhash/): a discrete cosine transform of the luminance, two
differences of colors, and the opacity, of which the lowest frequencies are kept in four bits each.
"""

import math
from collections.abc import Iterator, Sequence
from functools import reduce
from itertools import chain
from operator import add, mul, sub
from typing import NamedTuple

from thumbs.image.placeholders.dct import Channel, restored, transformed, triangle

MAX_SIDE = 100  # pixels: encoding a larger picture takes longer and changes nothing
MAX_BYTES = 25
# Frequencies of the luminance along the longer side. With opacity there are fewer, which keeps the hash short.
_LUMINANCE, _LUMINANCE_WITH_ALPHA = 7, 5
_COLOR, _ALPHA = 3, 5
# Decoding makes up for the saturation that rounding takes.
_SATURATION = 1.25
_SHADES = tuple(1 / 255 * value for value in range(256))


class Pixels(NamedTuple):
    """A picture: rows of pixels from the top left, four bytes each: red, green, blue, alpha (not premultiplied)."""

    width: int
    height: int
    rgba: bytes


class _Header(NamedTuple):
    """The first bytes of a hash. `lx` and `ly` are the frequencies of the luminance along the two sides."""

    l: float  # noqa: E741 - the algorithm's names of the channels: luminance, yellow to blue, red to green, alpha
    p: float
    q: float
    a: float
    scales: tuple[float, float, float, float]
    lx: int
    ly: int
    has_alpha: bool


def encode(width: int, height: int, rgba: bytes) -> bytes:
    """The hash of a picture of at most 100 by 100 pixels. `rgba` as in `Pixels`.

    Raises ValueError for another size, and where `rgba` has not four bytes for each pixel.
    """
    if not (0 < width <= MAX_SIDE and 0 < height <= MAX_SIDE):
        raise ValueError(f"a picture of {width}x{height} pixels: 1 to {MAX_SIDE} on each side are needed")
    if len(rgba) != width * height * 4:
        raise ValueError(f"{len(rgba)} bytes for {width}x{height} pixels: four for each are needed")
    l, *others = _channels(rgba)  # noqa: E741
    has_alpha = len(others) > 2
    luminance, longest = (_LUMINANCE_WITH_ALPHA if has_alpha else _LUMINANCE), max(width, height)
    lx, ly = (max(1, _rounded(luminance * side / longest)) for side in (width, height))
    size = width, height
    frequencies = (_COLOR, _COLOR, _ALPHA)
    channels = [transformed(l, size, max(3, lx), max(3, ly))]
    channels += [transformed(each, size, most, most) for each, most in zip(others, frequencies, strict=False)]
    return _packed(channels, short=ly if width > height else lx, is_landscape=width > height)


def decode(data: bytes, *, side: int = 32) -> Pixels:
    """The placeholder: its longer side has `side` pixels. Raises ValueError for data that is no hash."""
    header = _header(data)
    ratio = header.lx / header.ly
    width = _rounded(side if ratio > 1 else side * ratio)
    height = _rounded(side / ratio if ratio > 1 else side)
    nibbles = _nibbles(data[6 if header.has_alpha else 5 :])
    luminance = max(3, header.lx), max(3, header.ly)
    l_scale, p_scale, q_scale, a_scale = header.scales
    l = restored(header.l, l_scale, nibbles, luminance, (width, height))  # noqa: E741
    p = restored(header.p, p_scale * _SATURATION, nibbles, (_COLOR, _COLOR), (width, height))
    q = restored(header.q, q_scale * _SATURATION, nibbles, (_COLOR, _COLOR), (width, height))
    transparency = (_ALPHA, _ALPHA) if header.has_alpha else (1, 1)  # of one frequency there is the average only
    a = restored(header.a, a_scale, nibbles, transparency, (width, height))
    pixels = (_rgba(*values) for values in zip(l, p, q, a, strict=True))
    return Pixels(width, height, bytes(max(0, int(255 * min(1, value))) for value in chain.from_iterable(pixels)))


def average_color(data: bytes) -> tuple[float, float, float, float]:
    """Red, green, blue and alpha, 0 to 1 each. Raises ValueError for data that is no hash."""
    header = _header(data)
    red, green, blue, alpha = _rgba(header.l, header.p, header.q, header.a)
    return _clamped(red), _clamped(green), _clamped(blue), alpha


def aspect_ratio(data: bytes) -> float:
    """About width by height, in steps of a seventh. Raises ValueError for data that is no hash."""
    header = _header(data)
    return header.lx / header.ly


def _rounded(value: float) -> int:
    """As JavaScript rounds: a half upwards."""
    return math.floor(value + 0.5)


def _clamped(value: float) -> float:
    return max(0.0, min(1.0, value))


def _rgba(l: float, p: float, q: float, a: float) -> tuple[float, float, float, float]:  # noqa: E741
    blue = l - 2 / 3 * p
    red = (3 * l - blue + q) / 2
    return red, red - q, blue, a


def _channels(rgba: bytes) -> list[list[float]]:
    """Luminance, yellow to blue, red to green of each pixel, and alpha where a pixel is not opaque.

    What is transparent lies over the average color.
    """
    *colors, alphas = (rgba[channel::4] for channel in range(4))
    is_opaque = min(alphas) == 255
    a = [value / 255 for value in alphas]
    red, green, blue = map(_opaque, colors) if is_opaque else _composited(colors, a)
    l = [(r + g + b) / 3 for r, g, b in zip(red, green, blue, strict=True)]  # noqa: E741
    p = [(r + g) / 2 - b for r, g, b in zip(red, green, blue, strict=True)]
    q = list(map(sub, red, green))
    return [l, p, q] if is_opaque else [l, p, q, a]


def _opaque(values: bytes) -> list[float]:
    return [_SHADES[value] for value in values]


def _composited(colors: Sequence[bytes], a: Sequence[float]) -> Iterator[list[float]]:
    weights = [value / 255 for value in a]
    opacity = reduce(add, a)  # not `sum`: see `dct`
    for values in colors:
        average = reduce(add, map(mul, weights, values)) / (opacity or 1)
        yield [average * (1 - alpha) + weight * value for alpha, weight, value in zip(a, weights, values, strict=True)]


def _packed(channels: Sequence[Channel], *, short: int, is_landscape: bool) -> bytes:
    l, p, q, *alpha = channels  # noqa: E741
    first = (
        _rounded(63 * l.average)
        | _rounded(31.5 + 31.5 * p.average) << 6
        | _rounded(31.5 + 31.5 * q.average) << 12
        | _rounded(31 * l.scale) << 18
        | bool(alpha) << 23
    )
    second = short | _rounded(63 * p.scale) << 3 | _rounded(63 * q.scale) << 9 | is_landscape << 15
    packed = bytearray(first.to_bytes(3, "little") + second.to_bytes(2, "little"))
    for a in alpha:
        packed.append(_rounded(15 * a.average) | _rounded(15 * a.scale) << 4)
    nibbles = [_rounded(15 * value) for channel in channels for value in channel.frequencies]
    nibbles += [0] * (len(nibbles) % 2)
    packed += bytes(low | high << 4 for low, high in zip(nibbles[::2], nibbles[1::2], strict=True))
    return bytes(packed)


def _header(data: bytes) -> _Header:
    if not 6 <= len(data) <= MAX_BYTES:
        raise ValueError(f"a ThumbHash has 6 to {MAX_BYTES} bytes, not {len(data)}")
    first, second = int.from_bytes(data[:3], "little"), int.from_bytes(data[3:5], "little")
    has_alpha, is_landscape = bool(first >> 23), bool(second >> 15)
    longer, shorter = (_LUMINANCE_WITH_ALPHA if has_alpha else _LUMINANCE), second & 7
    lx, ly = (longer, shorter) if is_landscape else (shorter, longer)
    if not shorter:
        raise ValueError("a ThumbHash of a picture without a side")
    header = _Header(
        l=(first & 63) / 63,
        p=(first >> 6 & 63) / 31.5 - 1,
        q=(first >> 12 & 63) / 31.5 - 1,
        a=(data[5] & 15) / 15 if has_alpha else 1.0,
        scales=((first >> 18 & 31) / 31, (second >> 3 & 63) / 63, (second >> 9 & 63) / 63, (data[5] >> 4) / 15),
        lx=lx,
        ly=ly,
        has_alpha=has_alpha,
    )
    needed = _length(header)
    if len(data) != needed:
        raise ValueError(f"this ThumbHash has {needed} bytes, not {len(data)}")
    return header


def _length(header: _Header) -> int:
    sides = [(max(3, header.lx), max(3, header.ly)), (_COLOR, _COLOR), (_COLOR, _COLOR)]
    sides += [(_ALPHA, _ALPHA)] if header.has_alpha else []
    nibbles = sum(len(list(triangle(*each))) - 1 for each in sides)
    return (6 if header.has_alpha else 5) + (nibbles + 1) // 2


def _nibbles(data: bytes) -> Iterator[int]:
    for byte in data:
        yield byte & 15
        yield byte >> 4
