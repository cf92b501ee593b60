"""What happens to the scaled picture, in the order of the table."""

from collections.abc import Callable
from dataclasses import dataclass

import pyvips

from thumbs.formats import FORMATS
from thumbs.geometry import Layout
from thumbs.transforms import TRANSPARENT, WHITE, Attention, Colour, Transform

_INTERESTING = {Attention.SMART: "attention", Attention.ENTROPY: "entropy"}


@dataclass(frozen=True, slots=True)
class Work:
    """What a step may know: the recipe, the layout, and the output format that was settled on."""

    transform: Transform
    layout: Layout
    output: str


def cut_by_attention(image: pyvips.Image, work: Work) -> pyvips.Image:
    if work.layout.attention is None:
        return image
    width, height = work.layout.window.size
    return image.smartcrop(width, height, interesting=_INTERESTING[work.layout.attention])


def pad(image: pyvips.Image, work: Work) -> pyvips.Image:
    if not work.layout.padded:
        return image
    colour = work.transform.fill or (TRANSPARENT if FORMATS[work.output].alpha else WHITE)
    image = _with_colour(image, alpha=colour.alpha < 255)
    left, top = work.layout.offset
    values = list(colour.values[: image.bands])
    return image.embed(left, top, *work.layout.size, extend="background", background=values)


def flatten(image: pyvips.Image, work: Work) -> pyvips.Image:
    """Put white under what the output cannot show as transparent."""
    if FORMATS[work.output].alpha or not image.hasalpha():
        return image
    background = _opaque(WHITE) if image.bands > 2 else [255]
    return image.flatten(background=background)


STEPS: tuple[Callable[[pyvips.Image, Work], pyvips.Image], ...] = (cut_by_attention, pad, flatten)


def _with_colour(image: pyvips.Image, *, alpha: bool) -> pyvips.Image:
    image = image.colourspace("srgb") if image.bands < 3 else image
    return image.addalpha() if alpha and not image.hasalpha() else image


def _opaque(colour: Colour) -> list[int]:
    return list(colour.values[:3])
