"""The frames of an animation as both show them, at the times at which the browser shows those of the original."""

import bisect
import itertools
from collections.abc import Sequence
from dataclasses import dataclass

from bench.browser.canvas import MOST_FRAMES, Drawing, Frame

_SAME_TIME = 0.5  # milliseconds


@dataclass(frozen=True, slots=True)
class Pair:
    """Both drawings at the start of a frame of the original; `number` counts from 1."""

    number: int
    thumbnail: Drawing
    original: Drawing

    @property
    def difference(self) -> float:
        """The larger one of the differences of color and alpha."""
        return max(self.thumbnail.difference(self.original))


def worst(thumbnail: Sequence[Frame], original: Sequence[Frame]) -> Pair:
    """The pair that differs most. Encoders join equal frames, so pairs are found by time, not by number."""
    starts = _starts(thumbnail)
    pairs = (
        Pair(number, thumbnail[bisect.bisect_right(starts, start + _SAME_TIME) - 1].drawing, frame.drawing)
        for number, (start, frame) in enumerate(zip(_starts(original), original, strict=True), 1)
    )
    return max(pairs, key=lambda pair: pair.difference)


def have_same_length(thumbnail: Sequence[Frame], original: Sequence[Frame]) -> bool:
    """Whether both are shown for as long; True as well where the original has more frames than are compared."""
    if len(original) == MOST_FRAMES:
        return True
    lengths = [sum(frame.milliseconds for frame in frames) for frames in (thumbnail, original)]
    return abs(lengths[0] - lengths[1]) <= _SAME_TIME * len(original)


def _starts(frames: Sequence[Frame]) -> list[float]:
    return list(itertools.accumulate((frame.milliseconds for frame in frames[:-1]), initial=0.0))
