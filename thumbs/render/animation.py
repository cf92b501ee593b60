"""Frames of an animation in the form that libvips saves: one below the other, with their delays."""

from collections.abc import Sequence

import pyvips

from thumbs.render.header import Animation


def join_frames(frames: Sequence[pyvips.Image], animation: Animation) -> pyvips.Image:
    """One image of all `frames`, which have one size, with the delays and the loop count of the source."""
    image = pyvips.Image.arrayjoin(list(frames), across=1).copy()
    image.set_type(pyvips.GValue.gint_type, "page-height", frames[0].height)
    image.set_type(pyvips.GValue.gint_type, "loop", animation.loop)
    if len(animation.delays) >= len(frames):
        image.set_type(pyvips.GValue.array_int_type, "delay", list(animation.delays[: len(frames)]))
    return image
