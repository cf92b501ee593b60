"""`grid="m6 l4"`: the columns that a picture takes at each breakpoint, as `sizes` and widths for `srcset`."""

import math
from collections.abc import Mapping
from typing import NamedTuple

from thumbs.problems import nearest
from thumbs.toolkit.errors import WrongSpec

COLUMNS = 12
_STEP = 200  # pixels between two widths of a srcset


class Grid(NamedTuple):
    """The value of `sizes`, and the widths of a `srcset` in pixels."""

    sizes: str
    widths: tuple[int, ...]


def parse_grid(
    text: str, breakpoints: Mapping[str, int], container_width: int | None, densities: tuple[float, ...]
) -> Grid:
    """The grid of a text such as `m6 l4`: below the first breakpoint that it names, the picture takes all columns.

    `breakpoints` are CSS pixels by name. From `container_width` on, columns no longer grow. Raises `WrongSpec`.
    """
    spans = {0: COLUMNS}
    for part in text.split():
        name = part.rstrip("0123456789")
        if name not in breakpoints:
            raise WrongSpec(f"{part!r} in the grid {text!r} begins with no breakpoint. {nearest(name, breakpoints)}")
        span = int(part[len(name) :] or 0)
        if not 1 <= span <= COLUMNS:
            raise WrongSpec(f"{part!r} in the grid {text!r} has no number of columns from 1 to {COLUMNS}.")
        spans[breakpoints[name]] = span
    segments = _segments(spans, container_width)
    largest = max(_largest(segments, index, container_width) for index in range(len(segments)))
    most = math.ceil(largest * max(densities) / _STEP) * _STEP
    return Grid(_sizes(segments, container_width), tuple(range(_STEP, most + 1, _STEP)))


def _segments(spans: Mapping[int, int], container_width: int | None) -> list[tuple[int, int]]:
    """From which viewport width on how many columns are taken, narrowest first, divided at the container's width."""
    segments = sorted(spans.items())
    if container_width is not None and container_width not in spans:
        span = next(span for start, span in reversed(segments) if start <= container_width)
        segments = sorted([*segments, (container_width, span)])
    return segments


def _largest(segments: list[tuple[int, int]], index: int, container_width: int | None) -> float:
    """The largest width of the picture in a segment, in CSS pixels."""
    start, span = segments[index]
    last = index + 1 == len(segments)
    viewport = max(start, 1) if last else segments[index + 1][0]
    if container_width is not None:
        viewport = min(viewport, container_width) if not last else container_width
    elif last:
        viewport = max(viewport, 1920)  # where nothing bounds a page, a usual screen
    return viewport * span / COLUMNS


def _sizes(segments: list[tuple[int, int]], container_width: int | None) -> str:
    texts = []
    for start, span in reversed(segments):
        if container_width is not None and start >= container_width:
            size = f"{math.ceil(container_width * span / COLUMNS)}px"
        else:
            size = f"{round(100 * span / COLUMNS, 2):g}vw"
        texts.append(f"(min-width: {start}px) {size}" if start else size)
    return ", ".join(texts)
