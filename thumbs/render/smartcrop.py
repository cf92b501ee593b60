"""Finds the position of an attention crop on a small copy, so that its cost does not grow with the picture."""

from dataclasses import replace

import pyvips

from thumbs.image.geometry import Box, Layout, Size
from thumbs.image.transforms import Attention

_INTERESTING = {Attention.SMART: "attention", Attention.ENTROPY: "entropy"}
_SAMPLE_SIDE = 512  # pixels of the longer side
_EVEN = 2  # levels: noise that cannot be seen


def locate_window(image: pyvips.Image, layout: Layout) -> Layout:
    """`layout` with the final position of its window; unchanged without attention.

    `image` has the size `layout.scaled`. Where no position is better than others, the window stays in the center.
    """
    if layout.attention is None:
        return layout
    width, height = layout.window.size
    ratio = min(1.0, _SAMPLE_SIDE / max(image.width, image.height))
    small = image if ratio == 1 else image.resize(ratio)
    size = min(max(1, round(width * ratio)), small.width), min(max(1, round(height * ratio)), small.height)
    start, first = _found(small, size, layout.attention)
    if start == (0, 0) and first and _is_even(small, size):
        return replace(layout, attention=None)
    left = min(round(start[0] / ratio), image.width - width)
    top = min(round(start[1] / ratio), image.height - height)
    return replace(layout, window=Box(left, top, width, height), attention=None)


def _found(image: pyvips.Image, size: Size, attention: Attention) -> tuple[tuple[int, int], bool]:
    """Left and top of the window of `size` that libvips finds, and whether they may be the first of equal ones."""
    found, point = image.smartcrop(*size, interesting=_INTERESTING[attention], attention_x=True, attention_y=True)
    # With attention, libvips takes the first of the points that attract most. Entropy has no point: it is always 0.
    first = point["attention_x"] == 0 if size[0] < image.width else point["attention_y"] == 0
    return (-found.xoffset, -found.yoffset), first  # libvips records the origin of a crop as a negative offset


def _is_even(image: pyvips.Image, size: Size) -> bool:
    """Whether a window of `size` shows the same wherever it is."""
    if size[0] < image.width:
        first = image.extract_area(0, 0, 1, image.height).replicate(image.width, 1)
    else:
        first = image.extract_area(0, 0, image.width, 1).replicate(1, image.height)
    return bool((image - first).abs().max() <= _EVEN)
