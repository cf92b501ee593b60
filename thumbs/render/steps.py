"""What happens to the scaled picture, in the order of the table."""

from collections.abc import Callable
from dataclasses import dataclass

import pyvips

from thumbs.image.formats import FORMATS
from thumbs.image.geometry import Layout, Size
from thumbs.image.transforms import NO_PADDING, TRANSPARENT, WHITE, Color, Transform
from thumbs.render.effects import adjusted, blurred, sharpened
from thumbs.render.watermarks import composite


@dataclass(frozen=True, slots=True)
class Work:
    """What a step may know: the recipe, the layout, the output format that was settled on, and the watermark."""

    transform: Transform
    layout: Layout
    output: str
    mark: pyvips.Image | None = None


def cut(image: pyvips.Image, work: Work) -> pyvips.Image:
    """Cut the window out, where decoding has not: its place had to be found first."""
    window = work.layout.window
    if (image.width, image.height) == window.size:
        return image
    return image.extract_area(window.left, window.top, *window.size)


def pad(image: pyvips.Image, work: Work) -> pyvips.Image:
    """Fill up to the exact size of `fit(fill)`."""
    if not work.layout.padded:
        return image
    return _on_canvas(image, work, work.layout.offset, work.layout.size, color=work.transform.fill)


def turn(image: pyvips.Image, work: Work) -> pyvips.Image:
    """Rotate clockwise, then mirror."""
    transform = work.transform
    if transform.rotate:
        image = image.rot(f"d{transform.rotate}")
    if transform.flip:
        image = image.flipver()
    return image.fliphor() if transform.flop else image


def color(image: pyvips.Image, work: Work) -> pyvips.Image:
    image = adjusted(image, work.transform)
    if not work.transform.grayscale or image.bands < 3:
        return image
    # libvips has a grey space of its own; with it the file is smaller, too.
    return image.colourspace("b-w")


def focus(image: pyvips.Image, work: Work) -> pyvips.Image:
    if work.transform.blur is not None:
        image = blurred(image, work.transform.blur)
    return image if work.transform.sharpen is None else sharpened(image, work.transform.sharpen)


def add_padding(image: pyvips.Image, work: Work) -> pyvips.Image:
    padding = work.transform.padding
    if padding == NO_PADDING:
        return image
    return _on_canvas(image, work, (padding.left, padding.top), work.layout.output)


def lay_watermark(image: pyvips.Image, work: Work) -> pyvips.Image:
    if work.transform.watermark is None or work.mark is None:
        return image
    return composite(image, work.transform.watermark, work.mark)


def lay_background(image: pyvips.Image, work: Work) -> pyvips.Image:
    """Put the colour asked for under transparency, or white under what the output cannot show as transparent."""
    opaque = not FORMATS[work.output].alpha
    background = work.transform.background or (WHITE if opaque else None)
    if background is None or not image.hasalpha():
        return image
    if background.alpha < 255 and not opaque:
        plain = (pyvips.Image.black(1, 1) + list(background.values)).cast("uchar").copy(interpretation="srgb")
        under = plain.embed(0, 0, image.width, image.height, extend="copy")
        return under.composite2(_with_colour(image, alpha=True), "over").cast("uchar")
    solid = [_over_white(value, background.alpha) for value in background.values[:3]]
    if image.bands < 3 and len(set(solid)) == 1:
        return image.flatten(background=solid[:1])
    return _with_colour(image, alpha=True).flatten(background=solid)


Step = Callable[[pyvips.Image, Work], pyvips.Image]
# SPEC 2: resize (with gravity), rotate and flip, colour and effects, padding, watermark, background.
STEPS: tuple[Step, ...] = (cut, pad, turn, color, focus, add_padding, lay_watermark, lay_background)


def _on_canvas(
    image: pyvips.Image, work: Work, offset: Size, size: Size, *, color: Color | None = None
) -> pyvips.Image:
    """`image` at `offset` on a canvas of `colour`: else transparent where that can be or is to be covered, or white."""
    if color is None:
        color = TRANSPARENT if FORMATS[work.output].alpha or work.transform.background else WHITE
    image = _with_colour(image, alpha=color.alpha < 255)
    values = list(color.values[: image.bands])
    return image.embed(*offset, *size, extend="background", background=values)


def _over_white(value: int, alpha: int) -> int:
    return round(255 + (value - 255) * alpha / 255)


def _with_colour(image: pyvips.Image, *, alpha: bool) -> pyvips.Image:
    image = image.colourspace("srgb") if image.bands < 3 else image
    return image.addalpha() if alpha and not image.hasalpha() else image
