"""Finds the position of an attention crop on a small copy, so that its cost does not grow with the picture."""

from dataclasses import replace

import pyvips

from thumbs.image.geometry import Box, Layout, Size
from thumbs.image.transforms import Attention

_INTERESTING = {Attention.SMART: "attention", Attention.ENTROPY: "entropy"}
_SAMPLE_SIDE = 512  # pixels of the longer side


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
    start = _found(small, size, layout.attention)
    if start == (0, 0):
        # libvips takes the first of equal positions. If it is the first in the mirrored picture too, all are equal.
        mirrored = small.fliphor() if size[0] < small.width else small.flipver()
        if _found(mirrored, size, layout.attention) == (0, 0):
            return replace(layout, attention=None)
    left = min(round(start[0] / ratio), image.width - width)
    top = min(round(start[1] / ratio), image.height - height)
    return replace(layout, window=Box(left, top, width, height), attention=None)


def _found(image: pyvips.Image, size: Size, attention: Attention) -> tuple[int, int]:
    """Left and top of the window of `size` that libvips finds."""
    found = image.smartcrop(*size, interesting=_INTERESTING[attention])
    return -found.xoffset, -found.yoffset  # libvips records the origin of a crop as a negative offset
