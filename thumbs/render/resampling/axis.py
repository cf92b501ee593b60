"""Makes libvips reduce from any position on: it only centers its output on its input."""

import math
from dataclasses import dataclass
from typing import Self

from thumbs.image.spans import Span

# Pixels of the output by which a span may be off without being resampled: less than can be seen.
_UNSEEN = 0.05
# Pixels on each side of an output pixel that libvips' Lanczos kernel reads, in output pixels.
_KERNEL = 4
# How many times as long as needed the input is made. The factor is changed by less than half a pixel in its length.
_LENGTHENED = 32
_ROUNDING_ERROR = 1e-6


@dataclass(frozen=True, slots=True)
class Reduction:
    """How to reduce one axis with libvips, which makes round(`length` / `factor`) pixels, centered on its input.

    The input is extended by copies of its outermost pixels to `length`, of which `before` are before its first pixel.
    Of the output, the pixels from `first` on are the span's.
    """

    before: int
    length: int
    factor: float
    first: int

    @classmethod
    def of(cls, span: Span, length: int) -> Self | None:
        """The reduction of a picture that is `length` pixels long; None where libvips has to enlarge."""
        if span.factor < 1 - _ROUNDING_ERROR:
            return None
        factor = max(span.factor, 1.0)
        return cls._centered(span.start, factor, length) or cls._shifted(span, factor, length)

    @classmethod
    def _centered(cls, start: float, factor: float, length: int) -> Self | None:
        """As libvips reduces by itself."""
        total = max(1, math.floor(length / factor + 0.5))
        # Exactly half a pixel could be rounded either way.
        factor = min(max(factor, length / (total + 0.499999)), length / (total - 0.499999))
        first = (start - (length - total * factor) / 2) / factor
        if factor < 1 or abs(first - round(first)) > _ROUNDING_ERROR * total or not 0 <= round(first) < total:
            return None
        return cls(0, length, factor, round(first))

    @classmethod
    def _shifted(cls, span: Span, factor: float, length: int) -> Self | None:
        """With copies before and after the picture: libvips then starts anywhere within a quarter of a pixel.

        The copies after it are so many that the factor hardly changes to make up for their whole number. They cost
        nothing, because libvips computes only what is asked for.
        """
        least = max(0, math.ceil((span.start - 0.5) / factor))
        for first in range(least, least + 64):
            start = span.start - first * factor
            before = max(0, -round(start))
            start += before
            if abs(start) < factor / 4 - _ROUNDING_ERROR:
                total = _LENGTHENED * (first + span.count + _KERNEL) + math.ceil((before + length) / factor)
                extended = round(total * factor + 2 * start)
                return cls(before, extended, (extended - 2 * start) / total, first)
        return None


def whole_pixels(span: Span) -> int | None:
    """The first of the pixels that are the span as they are; None where it has to be resampled."""
    first = round(span.start)
    off = max(abs(span.start - first), abs(span.end - (first + span.count)))
    inside = span.low <= first and first + span.count <= span.high
    return first if inside and off <= _UNSEEN else None
