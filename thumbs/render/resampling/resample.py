"""Resamples exactly what two spans say, with libvips' Lanczos kernel to reduce and its bicubic one to enlarge."""

from dataclasses import replace

import pyvips

from thumbs.image.spans import Span
from thumbs.render.resampling.axis import Reduction, whole_pixels

# libvips averages whole pixels first, as long as at least this factor is left for the kernel. Its own default.
_GAP = 2.0


def resampled(image: pyvips.Image, x: Span, y: Span) -> pyvips.Image:
    """The part of `image` that the spans say, whose positions are pixels of it; colors are weighted by alpha."""
    left, top = whole_pixels(x), whole_pixels(y)
    if left is not None and top is not None:
        return image.extract_area(left, top, x.count, y.count)
    if (x.low, y.low, x.high, y.high) != (0, 0, image.width, image.height):
        image = image.extract_area(x.low, y.low, x.high - x.low, y.high - y.low)
        x, y = (replace(span, start=span.start - span.low, low=0, high=span.high - span.low) for span in (x, y))
    if not image.hasalpha():
        return _on_both_axes(image, x, y)
    colors = image.premultiply().cast(image.format)
    return _on_both_axes(colors, x, y).unpremultiply().cast(image.format).copy(interpretation=image.interpretation)


def _on_both_axes(image: pyvips.Image, x: Span, y: Span) -> pyvips.Image:
    # Rows first: libvips keeps whole rows of a picture that is decoded from top to bottom.
    down, across = _reduction(y, image.height), _reduction(x, image.width)
    if down is not None:
        if (down.before, down.length) != (0, image.height):
            image = image.embed(0, down.before, image.width, down.length, extend="copy")
        image = image.reducev(down.factor, gap=_GAP)
        image = _part(image, 0, down.first, image.width, y.count)
    if across is not None:
        if (across.before, across.length) != (0, image.width):
            image = image.embed(across.before, 0, across.length, image.height, extend="copy")
        image = image.reduceh(across.factor, gap=_GAP)
        image = _part(image, across.first, 0, x.count, image.height)
    if down is not None and across is not None:
        return image
    return _enlarged(image, None if across is not None else x, None if down is not None else y)


def _part(image: pyvips.Image, left: int, top: int, width: int, height: int) -> pyvips.Image:
    """The area; an operation takes time even where that is all of `image`."""
    if (left, top, width, height) == (0, 0, image.width, image.height):
        return image
    return image.extract_area(left, top, width, height)


def _reduction(span: Span, length: int) -> Reduction | None:
    first = whole_pixels(span)
    return Reduction.of(span, length) if first is None else Reduction(0, length, 1.0, first)


def _enlarged(image: pyvips.Image, x: Span | None, y: Span | None) -> pyvips.Image:
    """`image` enlarged on the axes that have a span.

    `vips_resize` enlarges half an output pixel off and more, hence `vips_affine`, for which a pixel is a point.
    """
    (x_scale, x_offset, width), (y_scale, y_offset, height) = (
        (1.0, 0.0, side) if span is None else _affine(span) for span, side in ((x, image.width), (y, image.height))
    )
    return image.affine(
        [x_scale, 0, 0, y_scale],
        odx=x_offset,
        ody=y_offset,
        oarea=[0, 0, width, height],
        interpolate=pyvips.Interpolate.new("bicubic"),
        extend="copy",
        premultiplied=True,
    )


def _affine(span: Span) -> tuple[float, float, int]:
    """Scale, offset and size of the output on one axis."""
    scale = 1 / span.factor
    return scale, (scale - 1) / 2 - span.start * scale, span.count
