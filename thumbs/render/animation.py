"""The frames of an animation as libvips saves them: one below the other, with their times."""

from collections.abc import Sequence

import pyvips

from thumbs.render.header import Animation


def joined(frames: Sequence[pyvips.Image], animation: Animation) -> pyvips.Image:
    """One image of all `frames`, each shown for as long as in the source."""
    image = pyvips.Image.arrayjoin(list(frames), across=1).copy()
    image.set_type(pyvips.GValue.gint_type, "page-height", frames[0].height)
    image.set_type(pyvips.GValue.gint_type, "loop", animation.loop)
    if len(animation.delays) >= len(frames):
        image.set_type(pyvips.GValue.array_int_type, "delay", list(animation.delays[: len(frames)]))
    return image
