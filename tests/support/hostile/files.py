"""All hostile files, always in the same order. They are built in every run, always the same."""

from collections.abc import Iterable, Iterator
from functools import partial

from tests.support.hostile.avif import avifs
from tests.support.hostile.foreign import other_formats
from tests.support.hostile.gif import gifs
from tests.support.hostile.jpeg import jpegs
from tests.support.hostile.parts import (
    BROKEN,
    EITHER,
    HUGE,
    Hostile,
    cut,
    false_header,
    flipped,
)
from tests.support.hostile.png import pngs
from tests.support.hostile.svg import svgs
from tests.support.hostile.tiff import tiffs
from tests.support.hostile.webp import webps


def _damaged() -> Iterator[Hostile]:
    for kind in ("jpeg", "progressive", "png", "webp", "gif", "avif"):
        for percent in (1, 10, 50, 75, 90, 99):
            # What is missing may lie in rows that the thumbnail does not need.
            right = BROKEN if percent < 75 else EITHER
            yield Hostile(f"{kind}-cut-at-{percent}-percent", right, partial(cut, kind, percent))
        for bits in (1, 8, 64):
            yield Hostile(f"{kind}-with-{bits}-bits-flipped", EITHER, partial(flipped, kind, bits))
        yield Hostile(f"{kind}-with-a-false-header", HUGE, partial(false_header, kind))


def _all() -> Iterable[Hostile]:
    for group in (_damaged, jpegs, pngs, gifs, webps, other_formats, avifs, tiffs, svgs):
        yield from group()


FILES: tuple[Hostile, ...] = tuple(_all())
