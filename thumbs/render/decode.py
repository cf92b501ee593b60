"""From a checked original to the scaled picture, decoding as few pixels as possible."""

import math
from dataclasses import dataclass, replace

import pyvips

from thumbs.errors import SourceBroken
from thumbs.image.geometry import Layout, Size
from thumbs.image.spans import Span, stored
from thumbs.render import libvips
from thumbs.render.animation import pages
from thumbs.render.color.conversion import deepened, to_srgb_picture
from thumbs.render.color.profiles import with_profile, without_profile
from thumbs.render.header import Header
from thumbs.render.orientation import upright
from thumbs.render.png import with_transparent_rows
from thumbs.render.resampling.drawn import cropped_drawing_scale, drawing_scale
from thumbs.render.resampling.resample import resampled
from thumbs.render.shrinking import shrunk
from thumbs.render.tiff.pixels import open_tiff

# libwebp 1.6 scales a lossy picture with a side of at most this many pixels down to a green one.
_LIBWEBP_SIDE = 2
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
        if header.format == "jpeg":
            whole = shrunk(data, header.stored_size, spans, fast=fast)
            spans = whole.spans
            copy = _Copy(_opened(whole.data, header, shrink=whole.times), (whole.times, whole.times))
        else:
            copy = _decoded(data, header, layout, spans)
        image = _in_srgb(copy, *spans, header)
    except libvips.VIPS_ERRORS as error:
        raise SourceBroken from error
    with deadline.watch(image, SourceBroken):
        image = image.copy_memory()
    return image if header.orientation == 1 else upright(image, header.orientation).copy_memory()


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


def _decoded(data: bytes, header: Header, layout: Layout, spans: tuple[Span, Span]) -> _Copy:
    """The picture as it is stored, at the size that costs the least."""
    size = header.stored_size
    if header.format == "svg":
        return _drawn(data, header, layout)
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
    sides = header.sides or header.size
    x, y = layout.spans
    least = 1 / min(x.factor, y.factor)
    if layout.region.size == header.size:
        scale = drawing_scale(sides, least)
    else:
        inner = [
            edge
            for span, side in zip((x, y), header.size, strict=True)
            for edge in (span.low, span.high)
            if 0 < edge < side
        ]
        scale = cropped_drawing_scale(sides, least, inner, x.count * y.count)
    image = _opened(data, header, scale=scale)
    return _Copy(image, _ratio(header.size, (image.width, image.height)))


def _ratio(source: Size, copy: Size) -> tuple[float, float]:
    return source[0] / copy[0], source[1] / copy[1]


def _opened(data: bytes, header: Header, **options: float) -> pyvips.Image:
    """The main picture, not decoded yet, with right samples, and without a profile that is not used."""
    if header.tiff is not None:
        image = open_tiff(data, header.tiff)
    else:
        if header.format == "jpeg" and header.fail_on != "warning":
            options["unlimited"] = True  # else the hundredth warning of libjpeg is an error
        image = pyvips.Image.new_from_buffer(data, "", access="sequential", fail_on=header.fail_on, **options)
    if header.rows is not None:
        image = with_transparent_rows(image, header.rows)
    if header.avif is not None:
        image = header.avif.correct(image)
    return without_profile(image) if header.profile is None else with_profile(image, header.profile)


def _in_srgb(copy: _Copy, x: Span, y: Span, header: Header) -> pyvips.Image:
    """The part that the spans say, converted to sRGB or gray as `vips_thumbnail` does."""
    if header.color is not None:
        if header.color.has_high_range:  # means of its values are not those of what is shown
            return replace(copy, image=to_srgb_picture(copy.image, header.color)).resampled(x, y)
        image = deepened(copy.image, header.color)
        return to_srgb_picture(replace(copy, image=image).resampled(x, y), header.color)
    if not header.cmyk and not header.profile:
        space = "b-w" if copy.image.bands < 3 else "srgb"
        if copy.image.interpretation != space:
            copy = replace(copy, image=copy.image.colourspace(space))
        return copy.resampled(x, y)
    options = {"input_profile": "cmyk"} if header.cmyk else {}
    return copy.resampled(x, y).icc_transform("srgb", embedded=True, depth=8, intent="relative", **options)
