"""How far libjpeg shrinks a JPEG while it decodes it: as far as every pixel stays in its place."""

from dataclasses import dataclass, replace

from thumbs.image.geometry import Size
from thumbs.image.spans import Span
from thumbs.render.containers.jpeg import with_size

# libjpeg decodes at 1/8, 1/4 and 1/2 of the size at a fraction of the cost.
_SHRINKS = (8, 4, 2)
# How many times the target's side must be left after that. With less, thumbnails of fine detail lose up to 8 points of
# SSIMULACRA2 (docs/quality.md).
_LEFT = 2.0
# Output pixels between a window and an edge of the source from which on the edge cannot be seen.
_KERNEL = 4
# The largest part of an output pixel that may be missing at an edge, together with half a decoded pixel. A ramp is then
# less than 0.1 output pixels off.
_MOST_LOST = 0.3
# The largest part of an output pixel that may be what the encoder filled the last blocks up with: copies of the last
# pixels (ITU-T T.81, A.2.4), or what was cut off there. A ramp that goes on in it is then less than 0.1 output pixels
# off: half of the square of the part.
_MOST_FILLED = 0.44
_ROUNDING_ERROR = 1e-6


@dataclass(frozen=True, slots=True)
class Shrunk:
    """A JPEG of `size`, to be decoded at 1/`times` of that. `spans` are positions in it, whose sides may be longer."""

    data: bytes
    size: Size
    times: int
    spans: tuple[Span, Span]


def shrunk(data: bytes, size: Size, spans: tuple[Span, Span], *, fast: bool) -> Shrunk:
    """The JPEG `data` of `size`, for the part that `spans` say; `fast`: at the smallest size that is not below it.

    libvips drops the last pixel of a shrunk JPEG if it is not whole. The blocks of the file are whole: where the pixel
    is needed, the file gets a size of whole pixels.
    """
    left = 1.0 if fast else _LEFT
    for times in _SHRINKS:
        if any(span.factor < left * times - _ROUNDING_ERROR for span in spans):
            continue
        sides = [_side(side, span, times) for side, span in zip(size, spans, strict=True)]
        if None in sides:
            continue
        whole = (sides[0] or 0, sides[1] or 0)
        if whole == size:
            return Shrunk(data, size, times, spans)
        larger = with_size(data, size, whole)
        if larger is not None:
            x, y = (lengthened(span, *each) for span, each in zip(spans, zip(size, whole, strict=True), strict=True))
            return Shrunk(larger, whole, times, (x, y))
    return Shrunk(data, size, 1, spans)


def keeps_edges(span: Span, pixel: float, length: int) -> bool:
    """Whether a copy of `length` pixels, each as long as `pixel` of the source, shows the edges of `span` in place.

    libvips drops the last pixel of a shrunk JPEG if it is not whole, and a crop may begin inside a pixel.
    """
    if length < 1:
        return False
    copy = span.copied(pixel=pixel, length=length)
    near = _KERNEL * span.factor
    lost = max(
        abs(copy.low * pixel - span.low) if span.start < span.low + near else 0.0,
        abs(span.high - copy.high * pixel) if span.end > span.high - near else 0.0,
    )
    return lost < _ROUNDING_ERROR or lost + pixel / 2 <= _MOST_LOST * span.factor


def lengthened(span: Span, side: int, whole: int) -> Span:
    """`span` of a source that is `whole` long in place of `side`."""
    return replace(span, high=whole) if span.high == side else span


def _side(side: int, span: Span, times: int) -> int | None:
    """The side that is to be decoded: the file's, or the next one of whole pixels; None where neither is right."""
    if keeps_edges(span, times, side // times):
        return side
    whole = side + -side % times
    is_right = keeps_edges(lengthened(span, side, whole), times, whole // times)
    return whole if is_right and whole - side <= _MOST_FILLED * span.factor else None
