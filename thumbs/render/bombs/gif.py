"""Detects a GIF of too many frames: libnsgif keeps a record of each before libvips can say how many there are."""

from thumbs.render.bombs.limits import MAX_GIF_FRAMES

# The terminator of the block before, and the separator of an image (GIF89a, 16 and 20).
_LATER_FRAME = b"\x00\x2c"


def is_bomb(data: bytes) -> bool:
    """Whether a GIF may have more than 100,000 frames. Other data has these two bytes once in 65,536."""
    return data.count(_LATER_FRAME) > MAX_GIF_FRAMES
