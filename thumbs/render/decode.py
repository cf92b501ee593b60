"""From a checked original to the scaled picture, decoding as few pixels as possible."""

import math
from dataclasses import dataclass, replace

import pyvips

from thumbs.errors import SourceBroken
from thumbs.image.geometry import Layout, Size
from thumbs.image.spans import Span, stored
from thumbs.render import heic, jxl, libvips, turbo
from thumbs.render.animation import pages
from thumbs.render.color.conversion import deepened, to_srgb_picture
from thumbs.render.color.linear import in_linear_light
from thumbs.render.color.profiles import with_profile, without_profile
from thumbs.render.completeness.decoding import WARNING
from thumbs.render.header import Header
from thumbs.render.orientation import upright
from thumbs.render.png import with_transparent_rows
from thumbs.render.resampling.drawn import cropped_drawing_scale, drawing_scale
from thumbs.render.resampling.resample import resampled
from thumbs.render.shrinking import Shrunk, shrunk
from thumbs.render.tiff.pixels import open_tiff

# libvips stops to decode below the last row that is needed, libjpeg-turbo does not.
_LAST_ROWS = 0.85
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

    def resampled(self, x: Span, y: Span, *, linear: bool = False) -> pyvips.Image:
        """The part that the spans say; with `linear`, of a picture in sRGB, in linear light."""
        image = self.image
        x = x.copied(pixel=self.pixel[0], length=image.width, origin=self.origin[0])
        y = y.copied(pixel=self.pixel[1], length=image.height, origin=self.origin[1])
        if linear:
            return in_linear_light(image, lambda light: resampled(light, x, y))
        return resampled(image, x, y)


def scaled(
    data: bytes, header: Header, layout: Layout, deadline: libvips.Deadline, *, fast: bool = False
) -> pyvips.Image:
    """The window of `layout` in memory: upright, sRGB or gray, 8 bits per channel. With attention, all of `scaled`.

    With `layout.linear`, the whole picture is decoded and resized in linear light. `fast` decodes a JPEG at the
    smallest size that is not below `layout.scaled`; use it for a picture that will be scaled down again. Raises
    `SourceBroken` when decoding fails and `RenderTimeout` at the deadline.
    """
    if header.gif is not None:
        return fitted(next(pages(data, header, 1, deadline)), layout, deadline)
    try:
        spans = stored(*layout.spans, header.size, header.orientation)
        if header.format == "jpeg":
            copy, spans = _decoded_jpeg(data, header, spans, linear=layout.linear, fast=fast)
        else:
            copy = _decoded(data, header, layout, spans)
        image = _in_srgb(copy, spans, header, linear=layout.linear)
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
        if header is None:
            part = copy.resampled(*layout.spans, linear=layout.linear)
        else:
            part = _in_srgb(copy, layout.spans, header, linear=layout.linear)
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
    crops = layout.region.size != header.size
    if header.format == "webp" and not crops and not layout.linear and min(size) > _LIBWEBP_SIDE:
        options = {"scale": _webp_scale(size, spans)}
    image = _opened(data, header, **options)
    return _Copy(image, _ratio(size, (image.width, image.height)))


def _decoded_jpeg(
    data: bytes, header: Header, spans: tuple[Span, Span], *, linear: bool, fast: bool
) -> tuple[_Copy, tuple[Span, Span]]:
    """The picture as it is stored, and where the spans are in it."""
    size = header.stored_size
    whole = Shrunk(data, size, 1, spans) if linear else shrunk(data, size, spans, fast=fast)
    image = _decoded_by_turbo(whole, header)
    if image is None:
        image = _opened(whole.data, header, shrink=whole.times)
    return _Copy(image, (whole.times, whole.times)), whole.spans


def _decoded_by_turbo(whole: Shrunk, header: Header) -> pyvips.Image | None:
    """The picture in memory; None where libvips has to decode it."""
    if header.fail_on != WARNING or header.cmyk or whole.spans[1].end < _LAST_ROWS * whole.size[1]:
        return None
    image = turbo.decode(whole.data, whole.size, whole.times)
    return image if image is None or header.profile is None else with_profile(image, header.profile)


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
    elif header.jxl is not None:
        image = jxl.decode(data, header.jxl)
    elif header.format == "heic":
        image = heic.decode(data, header.size)
    else:
        if header.format == "jpeg" and header.fail_on != "warning":
            options["unlimited"] = True  # else the hundredth warning of libjpeg is an error
        image = pyvips.Image.new_from_buffer(data, "", access="sequential", fail_on=header.fail_on, **options)
    if header.rows is not None:
        image = with_transparent_rows(image, header.rows)
    if header.avif is not None:
        image = header.avif.correct(image)
    return without_profile(image) if header.profile is None else with_profile(image, header.profile)


def _in_srgb(copy: _Copy, spans: tuple[Span, Span], header: Header, *, linear: bool) -> pyvips.Image:
    """The part that the spans say, converted to sRGB or gray as `vips_thumbnail` does."""
    if linear:
        return replace(copy, image=_whole_in_srgb(copy.image, header)).resampled(*spans, linear=True)
    if header.color is not None:
        if header.color.has_high_range:  # means of its values are not those of what is shown
            return replace(copy, image=to_srgb_picture(copy.image, header.color)).resampled(*spans)
        image = deepened(copy.image, header.color)
        return to_srgb_picture(replace(copy, image=image).resampled(*spans), header.color)
    if not header.cmyk and not header.profile:
        return replace(copy, image=_whole_in_srgb(copy.image, header)).resampled(*spans)
    return _by_profile(copy.resampled(*spans), header)


def _whole_in_srgb(image: pyvips.Image, header: Header) -> pyvips.Image:
    """All of `image` in sRGB or gray, 8 bits per channel."""
    if header.color is not None:
        return to_srgb_picture(image, header.color)
    if header.cmyk or header.profile:
        return _by_profile(image, header)
    space = "b-w" if image.bands < 3 else "srgb"
    return image if image.interpretation == space else image.colourspace(space)


def _by_profile(image: pyvips.Image, header: Header) -> pyvips.Image:
    options = {"input_profile": "cmyk"} if header.cmyk else {}
    return image.icc_transform("srgb", embedded=True, depth=8, intent="relative", **options)
