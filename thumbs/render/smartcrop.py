"""Finds the position of an attention crop on a small copy, so that its cost does not grow with the picture."""

from dataclasses import replace

import pyvips

from thumbs.image.geometry import Box, Layout
from thumbs.image.transforms import Attention

_INTERESTING = {Attention.SMART: "attention", Attention.ENTROPY: "entropy"}
_SAMPLE_SIDE = 512  # pixels of the longer side


def locate_window(image: pyvips.Image, layout: Layout) -> Layout:
    """`layout` with the final position of its window; unchanged without attention.

    `image` has the size `layout.scaled`.
    """
    if layout.attention is None:
        return layout
    width, height = layout.window.size
    ratio = min(1.0, _SAMPLE_SIDE / max(image.width, image.height))
    small = image if ratio == 1 else image.resize(ratio)
    size = min(max(1, round(width * ratio)), small.width), min(max(1, round(height * ratio)), small.height)
    found = small.smartcrop(*size, interesting=_INTERESTING[layout.attention])
    # libvips records the origin of a crop as a negative offset.
    left = min(round(-found.xoffset / ratio), image.width - width)
    top = min(round(-found.yoffset / ratio), image.height - height)
    return replace(layout, window=Box(left, top, width, height), attention=None)
