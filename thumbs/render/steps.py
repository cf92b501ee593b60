"""The steps from the scaled picture to the finished one, in the order of the table `STEPS`."""

from collections.abc import Callable
from dataclasses import dataclass

import pyvips

from thumbs.image.formats import FORMATS
from thumbs.image.geometry import Layout, Size
from thumbs.image.transforms import NO_PADDING, TRANSPARENT, WHITE, Color, Transform
from thumbs.render.effects import adjusted, blurred, sharpened
from thumbs.render.watermarks import composite


@dataclass(frozen=True, slots=True)
class StepContext:
    """What a step may use: transform, layout, output format, and the picture of the watermark."""

    transform: Transform
    layout: Layout
    output: str
    watermark: pyvips.Image | None = None


def crop_to_window(image: pyvips.Image, context: StepContext) -> pyvips.Image:
    """Crop to the window where decoding did not, because attention had to find its position first."""
    window = context.layout.window
    if (image.width, image.height) == window.size:
        return image
    return image.extract_area(window.left, window.top, *window.size)


def pad(image: pyvips.Image, context: StepContext) -> pyvips.Image:
    """Extend to the exact size of `fit(fill)`."""
    if not context.layout.padded:
        return image
    return _on_canvas(image, context, context.layout.offset, context.layout.size, color=context.transform.fill)


def rotate(image: pyvips.Image, context: StepContext) -> pyvips.Image:
    """Rotate clockwise, then mirror."""
    transform = context.transform
    if transform.rotate:
        image = image.rot(f"d{transform.rotate}")
    if transform.flip:
        image = image.flipver()
    return image.fliphor() if transform.flop else image


def color(image: pyvips.Image, context: StepContext) -> pyvips.Image:
    image = adjusted(image, context.transform)
    if not context.transform.grayscale or image.bands < 3:
        return image
    # A single gray band also makes the file smaller.
    return image.colourspace("b-w")


def blur_or_sharpen(image: pyvips.Image, context: StepContext) -> pyvips.Image:
    if context.transform.blur is not None:
        image = blurred(image, context.transform.blur)
    return image if context.transform.sharpen is None else sharpened(image, context.transform.sharpen)


def add_padding(image: pyvips.Image, context: StepContext) -> pyvips.Image:
    padding = context.transform.padding
    if padding == NO_PADDING:
        return image
    return _on_canvas(image, context, (padding.left, padding.top), context.layout.output)


def add_watermark(image: pyvips.Image, context: StepContext) -> pyvips.Image:
    if context.transform.watermark is None or context.watermark is None:
        return image
    return composite(image, context.transform.watermark, context.watermark)


def add_background(image: pyvips.Image, context: StepContext) -> pyvips.Image:
    """Composite over the requested background; over white when the output format has no alpha."""
    opaque = not FORMATS[context.output].alpha
    background = context.transform.background or (WHITE if opaque else None)
    if background is None or not image.hasalpha():
        return image
    if background.alpha < 255 and not opaque:
        plain = (pyvips.Image.black(1, 1) + list(background.values)).cast("uchar").copy(interpretation="srgb")
        under = plain.embed(0, 0, image.width, image.height, extend="copy")
        return under.composite2(_in_srgb(image, alpha=True), "over").cast("uchar")
    solid = [_over_white(value, background.alpha) for value in background.values[:3]]
    if image.bands < 3 and len(set(solid)) == 1:
        return image.flatten(background=solid[:1])
    return _in_srgb(image, alpha=True).flatten(background=solid)


Step = Callable[[pyvips.Image, StepContext], pyvips.Image]
# The documented order: resize (with gravity), rotate and flip, color and effects, padding, watermark, background.
STEPS: tuple[Step, ...] = (
    crop_to_window,
    pad,
    rotate,
    color,
    blur_or_sharpen,
    add_padding,
    add_watermark,
    add_background,
)


def _on_canvas(
    image: pyvips.Image, context: StepContext, offset: Size, size: Size, *, color: Color | None = None
) -> pyvips.Image:
    """`image` at `offset` on a canvas of `color`.

    By default the canvas is transparent if the output format has alpha or a background follows, and white otherwise.
    """
    if color is None:
        color = TRANSPARENT if FORMATS[context.output].alpha or context.transform.background else WHITE
    image = _in_srgb(image, alpha=color.alpha < 255)
    values = list(color.values[: image.bands])
    return image.embed(*offset, *size, extend="background", background=values)


def _over_white(value: int, alpha: int) -> int:
    return round(255 + (value - 255) * alpha / 255)


def _in_srgb(image: pyvips.Image, *, alpha: bool) -> pyvips.Image:
    image = image.colourspace("srgb") if image.bands < 3 else image
    return image.addalpha() if alpha and not image.hasalpha() else image
