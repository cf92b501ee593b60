"""Ladders: one picture encoded at several qualities, and what it takes at one score."""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median

import pyvips
from PIL import Image

from bench.quality.scores import score
from thumbs.render.codecs import jxl


@dataclass(frozen=True, slots=True)
class Rung:
    quality: int
    size: int  # bytes
    score: float


def climb(reference: Image.Image, encode: Callable[[int], bytes], qualities: Iterable[int]) -> tuple[Rung, ...]:
    rungs = []
    for quality in qualities:
        body = encode(quality)
        rungs.append(Rung(quality, len(body), score(reference, body)))
    return tuple(rungs)


def at_score(rungs: Sequence[Rung], wanted: float) -> tuple[float, float] | None:
    """The quality and the bytes at a score, between two rungs; None where the ladder does not hold it.

    The logarithm of bytes is taken as linear in the score.
    """
    for low, high in pairwise(rungs):
        if low.score <= wanted <= high.score:
            share = (wanted - low.score) / (high.score - low.score or 1)
            quality = low.quality + share * (high.quality - low.quality)
            return quality, math.exp(math.log(low.size) + share * math.log(high.size / low.size))
    return None


def middle(numbers: Iterable[float | None]) -> float | None:
    """The median of those that there are."""
    found = [number for number in numbers if number is not None]
    return median(found) if found else None


def saver(picture: pyvips.Image, suffix: str, **options: object) -> Callable[[int], bytes]:
    """Encodes `picture` at a quality with options of libvips; a JPEG XL with an effort, by what Mage writes it with."""

    def encode(quality: int) -> bytes:
        if suffix == ".jxl" and not jxl.libvips_writes():
            return jxl.encode(picture, quality, **options)  # type: ignore[arg-type]
        body: bytes = picture.write_to_buffer(suffix, Q=quality, keep="none", **options)
        return body

    return encode
