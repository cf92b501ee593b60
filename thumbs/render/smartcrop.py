"""Where a cut by attention lies: found on a small copy, so that it costs the same however large the picture is."""

from dataclasses import replace

import pyvips

from thumbs.image.geometry import Box, Layout
from thumbs.image.transforms import Attention

_INTERESTING = {Attention.SMART: "attention", Attention.ENTROPY: "entropy"}
_LOOKED_AT = 512  # pixels of the longer side


def settled(image: pyvips.Image, layout: Layout) -> Layout:
    """`layout` with its window where `image`, scaled to `layout.scaled`, is most interesting; as it is without."""
    if layout.attention is None:
        return layout
    width, height = layout.window.size
    ratio = min(1.0, _LOOKED_AT / max(image.width, image.height))
    small = image if ratio == 1 else image.resize(ratio)
    size = min(max(1, round(width * ratio)), small.width), min(max(1, round(height * ratio)), small.height)
    found = small.smartcrop(*size, interesting=_INTERESTING[layout.attention])
    # libvips notes where a part came from as a negative offset.
    left = min(round(-found.xoffset / ratio), image.width - width)
    top = min(round(-found.yoffset / ratio), image.height - height)
    return replace(layout, window=Box(left, top, width, height), attention=None)
