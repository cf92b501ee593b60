"""Finds what is wrong with a size, and the nearest right one: in its spelling, over the limits, or not offered."""

import math
import re
import unicodedata
from collections.abc import Callable, Iterable

from thumbs.errors import SizeOverLimit
from thumbs.image.geometry import OutputLimits
from thumbs.image.transforms import Transform
from thumbs.request.grammar import SIZE
from thumbs.request.mistakes.located import Mistake, Span

SIZES = "A size is 400x300, 400x, x300, or x for that of the original, without leading zeros."
Sides = tuple[int | None, int | None]

_NUMBER = re.compile(r"[0-9]+(?:\.[0-9]+)?")
# What stands around the numbers of a size in other systems: 400px, w400, w_400,h_300, 400:300.
_WORDS = re.compile(r"width|height|px|[whx]|[\s+*:;,_=.-]|by")
_HEIGHT_FIRST = re.compile(r"\s*(?:height|h|x)")
_NO_NUMBER = ("", "x", "xx", "auto", "full", "orig", "original")


def near_size(text: str) -> str:
    """The size that `text` spells in another way; empty when it is no size at all."""
    plain = unicodedata.normalize("NFKC", text).lower().replace("×", "x")
    plain = "".join(str(unicodedata.decimal(char, char)) for char in plain)
    numbers = [number.partition(".")[0].lstrip("0") for number in _NUMBER.findall(plain)]
    words = _NUMBER.sub("", plain)
    if not numbers:
        return "x" if words.strip() in _NO_NUMBER else ""
    if _WORDS.sub("", words) and not (len(words) == 1 and plain[0].isdigit() and len(numbers) <= 2):
        return ""
    if len(numbers) == 1:
        numbers.insert(0 if _HEIGHT_FIRST.match(plain) else 1, "")
    near = "x".join(numbers)
    return near if SIZE.fullmatch(near) else ""


def sides_of(size: str) -> Sides | None:
    """The sides of a size in pixels; None for a text that is not a size."""
    match = SIZE.fullmatch(size)
    return None if match is None else (int(match[1]) if match[1] else None, int(match[2]) if match[2] else None)


def over_limit(sides: Sides, dpr: float, limits: OutputLimits) -> tuple[str, str]:
    """Why a thumbnail of `sides`, in pixels before `dpr`, is too large, and the largest size of its ratio."""
    width, height = (side or 1 for side in sides)
    times = f" × dpr {dpr:g}" if dpr != 1 else ""
    sentence = (
        f"{_text(sides)}{times} is larger than thumbnails may be: {limits.side:,} pixels a side, "
        f"{limits.pixels:,} in all."
    )
    factor = min(limits.side / (dpr * max(width, height)), math.sqrt(limits.pixels / (width * height)) / dpr)
    smaller = _scaled(sides, factor)
    while _is_over(smaller, dpr, limits):  # sides are rounded when they are multiplied by `dpr`
        factor *= 0.999
        smaller = _scaled(sides, factor)
    return sentence, _text(smaller)


def nearest_offered(sides: Sides, offered: Iterable[str], dpr: float) -> str:
    """The size nearest to `sides`, of the same form if possible, that is one of `offered` when multiplied by `dpr`.

    Empty when there is none.
    """
    best: tuple[tuple[bool, int], str] | None = None
    for size in sorted(offered):
        there = sides_of(size)
        if there is None:
            continue
        before = _scaled(there, 1 / dpr, round)
        if Transform(*before, dpr=dpr).target != there:
            continue  # no size becomes this one
        distance = sum(abs((ours or 0) - (theirs or 0)) for ours, theirs in zip(sides, before, strict=True))
        other_form = [side is None for side in sides] != [side is None for side in before]
        if best is None or (other_form, distance) < best[0]:
            best = ((other_form, distance), _text(before))
    return "" if best is None else best[1]


def size_mistake(size: Span) -> Mistake | None:
    """What is wrong with the spelling of a size."""
    return None if SIZE.fullmatch(size.text) else size.mistake(SIZES, near_size(size.text))


def _scaled(sides: Sides, factor: float, rounded: Callable[[float], int] = math.floor) -> Sides:
    width, height = (None if side is None else max(1, rounded(side * factor)) for side in sides)
    return width, height


def _is_over(sides: Sides, dpr: float, limits: OutputLimits) -> bool:
    try:
        limits.check_target(Transform(*sides, dpr=dpr))
    except SizeOverLimit:
        return max(side or 1 for side in sides) > 1
    return False


def _text(sides: Sides) -> str:
    return f"{sides[0] or ''}x{sides[1] or ''}"
