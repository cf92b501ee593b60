"""From a checked original to the scaled picture, decoding as few pixels as possible."""

import math
from dataclasses import dataclass, replace

import pyvips

from thumbs.errors import SourceBroken
from thumbs.image.geometry import Layout, Size
from thumbs.image.spans import Span, stored
from thumbs.render import heic, jxl, libvips
from thumbs.render.animation import pages
from thumbs.render.color.conversion import deepened, to_srgb_picture
from thumbs.render.color.profiles import with_profile, without_profile
from thumbs.render.header import Header
from thumbs.render.resampling.drawn import crop_scale, drawing_scale
from thumbs.render.resampling.resample import resampled
from thumbs.render.tiff.pixels import open_tiff

# libjpeg decodes at 1/8, 1/4 and 1/2 of the size at a fraction of the cost. The second number is how many times the
# target's side must be left after that. With these, thumbnails of photographs have a PSNR of about 40 dB or more
# against those of a full decode (docs/quality.md).
_JPEG_SHRINKS = ((8, 2.0), (4, 1.5), (2, 2.0))
# libwebp 1.6 scales a lossy picture with a side of at most this many pixels down to a green one.
_LIBWEBP_SIDE = 2
# Output pixels between a window and an edge of the source from which on the edge cannot be seen.
_KERNEL = 4
# The largest part of an output pixel that may be missing at an edge, together with half a decoded pixel. A ramp is then
# less than 0.1 output pixels off.
_MOST_LOST = 0.3
# The longer side, in pixels, at which the sides of a drawing are exact enough.
_PRECISE_SIDE = 100_000
_ROUNDING_ERROR = 1e-6
# Pixels that a decoded picture may lack.
_UNSEEN = 0.05


@dataclass(frozen=True, slots=True)
class _Copy:
    """A decoded picture of the source, perhaps smaller: each pixel is `pixel` source pixels wide and high."""

    image: pyvips.Image
    pixel: tuple[float, float]
    origin: tuple[int, int] = (0, 0)

    def resampled(self, x: Span, y: Span) -> pyvips.Image:
        image = self.image
        return resampled(
            image,
            x.copied(pixel=self.pixel[0], length=image.width, origin=self.origin[0]),
            y.copied(pixel=self.pixel[1], length=image.height, origin=self.origin[1]),
        )


def scaled(
    data: bytes, header: Header, layout: Layout, deadline: libvips.Deadline, *, fast: bool = False
) -> pyvips.Image:
    """The window of `layout` in memory: upright, sRGB or gray, 8 bits per channel. With attention, all of `scaled`.

    `fast` decodes a JPEG at the smallest size that is not below `layout.scaled`; use it for a picture that will be
    scaled down again. Raises `SourceBroken` when decoding fails and `RenderTimeout` at the deadline.
    """
    if header.gif is not None:
        return fitted(next(pages(data, header, 1, deadline)), layout, deadline)
    try:
        spans = stored(*layout.spans, header.size, header.orientation)
        image = _in_srgb(_decoded(data, header, layout, spans, fast=fast), *spans, header)
    except libvips.VIPS_ERRORS as error:
        raise SourceBroken from error
    with deadline.watch(image, SourceBroken):
        image = image.copy_memory()
    return image if header.orientation == 1 else image.autorot().copy_memory()


def fitted(
    image: pyvips.Image,
    layout: Layout,
    deadline: libvips.Deadline,
    *,
    origin: tuple[int, int] = (0, 0),
    source_size: Size | None = None,
    header: Header | None = None,
) -> pyvips.Image:
    """As `scaled`, from `image`: an upright picture in memory whose top left pixel is `origin` in the source.

    `source_size` is given when `image` is the whole source at another size. `header` is the header of the source when
    `image` is not converted to sRGB yet.
    """
    pixel = (1.0, 1.0) if source_size is None else _ratio(source_size, (image.width, image.height))
    copy = _Copy(image, pixel, origin)
    try:
        part = copy.resampled(*layout.spans) if header is None else _in_srgb(copy, *layout.spans, header)
    except libvips.VIPS_ERRORS as error:
        raise SourceBroken from error
    with deadline.watch(part, SourceBroken):
        return part.copy_memory()


def _decoded(data: bytes, header: Header, layout: Layout, spans: tuple[Span, Span], *, fast: bool) -> _Copy:
    """The picture as it is stored, at the size that costs the least."""
    size = header.stored_size
    if header.format == "svg":
        return _drawn(data, header, layout)
    if header.format == "jpeg":
        shrink = _jpeg_shrink(size, spans, fast=fast)
        return _Copy(_opened(data, header, shrink=shrink), (shrink, shrink))
    options = {}
    # A crop would begin between the pixels of a smaller picture.
    if header.format == "webp" and layout.region.size == header.size and min(size) > _LIBWEBP_SIDE:
        options = {"scale": _webp_scale(size, spans)}
    image = _opened(data, header, **options)
    return _Copy(image, _ratio(size, (image.width, image.height)))


def _webp_scale(size: Size, spans: tuple[Span, Span]) -> float:
    """The smallest scale that leaves enough pixels on both axes; libwebp rounds both sides."""
    whole = (math.ceil(side / span.factor - _UNSEEN) / side for side, span in zip(size, spans, strict=True))
    return min(1.0, max(whole))


def _drawn(data: bytes, header: Header, layout: Layout) -> _Copy:
    # The sides of a drawing need not be whole pixels: libvips rounds them for each scale.
    times = max(1.0, _PRECISE_SIDE / max(header.size))
    precise = _opened(data, header, scale=times)
    sides = precise.width / times, precise.height / times
    x, y = layout.spans
    least = 1 / min(x.factor, y.factor)
    if layout.region.size != header.size:
        least = crop_scale(least, x.count * y.count)
    image = _opened(data, header, scale=drawing_scale(sides, least))
    return _Copy(image, _ratio(header.size, (image.width, image.height)))


def _ratio(source: Size, copy: Size) -> tuple[float, float]:
    return source[0] / copy[0], source[1] / copy[1]


def _opened(data: bytes, header: Header, **options: float) -> pyvips.Image:
    """The main picture, not decoded yet, with right samples, and without a profile that is not used."""
    if header.tiff is not None:
        image = open_tiff(data, header.tiff)
    elif header.jxl is not None:
        image = jxl.decode(data, header.jxl)
    elif header.format == "heic":
        image = heic.decode(data, header.size)
    else:
        if header.format == "jpeg" and header.fail_on != "warning":
            options["unlimited"] = True  # else the hundredth warning of libjpeg is an error
        image = pyvips.Image.new_from_buffer(data, "", access="sequential", fail_on=header.fail_on, **options)
    if header.avif is not None:
        image = header.avif.correct(image)
    return with_profile(image, data, header.format) if header.profile else without_profile(image)


def _jpeg_shrink(size: Size, spans: tuple[Span, Span], *, fast: bool) -> int:
    for shrink, least in _JPEG_SHRINKS:
        times = 1.0 if fast else least
        if all(
            span.factor >= times * shrink - _ROUNDING_ERROR and keeps_edges(span, shrink, side // shrink)
            for span, side in zip(spans, size, strict=True)
        ):
            return shrink
    return 1


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


def _in_srgb(copy: _Copy, x: Span, y: Span, header: Header) -> pyvips.Image:
    """The part that the spans say, converted to sRGB or gray as `vips_thumbnail` does."""
    if header.color is not None:
        if header.color.has_high_range:  # means of its values are not those of what is shown
            return replace(copy, image=to_srgb_picture(copy.image, header.color)).resampled(x, y)
        image = deepened(copy.image, header.color)
        return to_srgb_picture(replace(copy, image=image).resampled(x, y), header.color)
    if not header.cmyk and not header.profile:
        image = copy.image.colourspace("b-w" if copy.image.bands < 3 else "srgb")
        return replace(copy, image=image).resampled(x, y)
    options = {"input_profile": "cmyk"} if header.cmyk else {}
    return copy.resampled(x, y).icc_transform("srgb", embedded=True, depth=8, intent="relative", **options)
