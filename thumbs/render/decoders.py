"""Decodes each format as it is stored, at the size that costs the least; `render.table` names the decoder of each."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import pyvips

from thumbs.image.geometry import Layout, Size
from thumbs.image.spans import Span, stored
from thumbs.render.animation import pages
from thumbs.render.codecs import heic, jxl, turbo
from thumbs.render.codecs.png import with_known_rows
from thumbs.render.codecs.shrinking import Shrunk, shrunk
from thumbs.render.color.linear import in_linear_light
from thumbs.render.color.profiles import with_profile, without_profile
from thumbs.render.completeness.decoding import WARNING
from thumbs.render.header import Header
from thumbs.render.libvips import Deadline
from thumbs.render.resampling.drawn import cropped_drawing_scale, drawing_scale
from thumbs.render.resampling.resample import resampled
from thumbs.render.tiff.pixels import open_tiff

# libvips stops to decode below the last row that is needed, libjpeg-turbo does not.
_LAST_ROWS = 0.85
# libwebp 1.6 scales a lossy picture with a side of at most this many pixels down to a green one.
_LIBWEBP_SIDE = 2
# Pixels that a decoded picture may lack.
_UNSEEN = 0.05

Spans = tuple[Span, Span]


@dataclass(frozen=True, slots=True)
class Decoded:
    """A picture of the source, perhaps smaller: each pixel is `pixel` source pixels wide and high.

    `spans` are the part that is wanted: positions in the source, whose pixel `origin` is the first one of the picture.
    """

    image: pyvips.Image
    spans: Spans
    pixel: tuple[float, float] = (1.0, 1.0)
    origin: tuple[int, int] = (0, 0)

    def part(self, *, linear: bool = False) -> pyvips.Image:
        """The part that is wanted, resampled; with `linear`, of a picture in sRGB, in linear light."""
        image = self.image
        sides = zip(self.spans, self.pixel, (image.width, image.height), self.origin, strict=True)
        x, y = (span.copied(pixel=pixel, length=length, origin=origin) for span, pixel, length, origin in sides)
        if linear:
            return in_linear_light(image, lambda light: resampled(light, x, y))
        return resampled(image, x, y)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What an original is decoded for. `fast`: the picture will be scaled down again."""

    layout: Layout
    deadline: Deadline
    fast: bool = False

    def spans(self, header: Header) -> Spans:
        """The part of the picture as it is stored."""
        return stored(*self.layout.spans, header.size, header.orientation)


Decode = Callable[[bytes, Header, Wanted], Decoded]


def ratio(source: Size, copy: Size) -> tuple[float, float]:
    """How many pixels of the source one of a copy is wide and high."""
    return source[0] / copy[0], source[1] / copy[1]


def decode_whole(data: bytes, header: Header, wanted: Wanted) -> Decoded:
    """Any format that libvips reads, at its full size."""
    return _decoded(_opened(data, header), header, wanted)


def decode_jpeg(data: bytes, header: Header, wanted: Wanted) -> Decoded:
    """At 1/2, 1/4 or 1/8, by libjpeg-turbo where it can be used."""
    size, spans = header.stored_size, wanted.spans(header)
    linear = wanted.layout.linear
    whole = Shrunk(data, size, 1, spans) if linear else shrunk(data, size, spans, fast=wanted.fast)
    image = _by_turbo(whole, header)
    if image is None:
        # Else the hundredth warning of libjpeg is an error.
        unlimited = {} if header.fail_on == WARNING else {"unlimited": True}
        image = _opened(whole.data, header, shrink=whole.times, **unlimited)
    return Decoded(_with_its_profile(image, header), whole.spans, (whole.times, whole.times))


def decode_webp(data: bytes, header: Header, wanted: Wanted) -> Decoded:
    """At the smallest scale that has enough pixels. A crop would begin between the pixels of a smaller picture."""
    layout, size = wanted.layout, header.stored_size
    options = {}
    if layout.region.size == header.size and not layout.linear and min(size) > _LIBWEBP_SIDE:
        options = {"scale": _webp_scale(size, wanted.spans(header))}
    return _decoded(_opened(data, header, **options), header, wanted)


def decode_png(data: bytes, header: Header, wanted: Wanted) -> Decoded:
    """At its full size, with transparent pixels where they are missing."""
    image = _opened(data, header)
    return _decoded(image if header.bands is None else with_known_rows(image, header.bands), header, wanted)


def decode_avif(data: bytes, header: Header, wanted: Wanted) -> Decoded:
    """At its full size, with right samples."""
    image = _opened(data, header)
    return _decoded(image if header.avif is None else header.avif.correct(image), header, wanted)


def decode_tiff(data: bytes, header: Header, wanted: Wanted) -> Decoded:
    """At its full size, with right samples."""
    image = _opened(data, header) if header.tiff is None else open_tiff(data, header.tiff)
    return _decoded(image, header, wanted)


def decode_gif(data: bytes, header: Header, wanted: Wanted) -> Decoded:
    """The first frame, in memory."""
    return _decoded(next(pages(data, header, 1, wanted.deadline)), header, wanted)


def decode_svg(data: bytes, header: Header, wanted: Wanted) -> Decoded:
    """Drawn at the scale at which it needs the least resampling."""
    sides, layout = header.sides or header.size, wanted.layout
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
    return _decoded(_opened(data, header, scale=scale), header, wanted)


def decode_jxl(data: bytes, header: Header, wanted: Wanted) -> Decoded:
    """At its full size, by imagecodecs where libvips has no decoder."""
    image = _opened(data, header) if header.jxl is None else jxl.decode(data, header.jxl)
    return _decoded(image, header, wanted)


def decode_heic(data: bytes, header: Header, wanted: Wanted) -> Decoded:
    """At its full size, by pillow-heif."""
    return _decoded(heic.decode(data, header.size), header, wanted)


def _opened(data: bytes, header: Header, **options: float) -> pyvips.Image:
    """The main picture as libvips reads it, not decoded yet."""
    return pyvips.Image.new_from_buffer(data, "", access="sequential", fail_on=header.fail_on, **options)


def _decoded(image: pyvips.Image, header: Header, wanted: Wanted) -> Decoded:
    """All of the picture as it is stored, as `image` of any size."""
    pixel = ratio(header.stored_size, (image.width, image.height))
    return Decoded(_with_its_profile(image, header), wanted.spans(header), pixel)


def _with_its_profile(image: pyvips.Image, header: Header) -> pyvips.Image:
    """`image` with the profile that is used, and without any other."""
    return without_profile(image) if header.profile is None else with_profile(image, header.profile)


def _by_turbo(whole: Shrunk, header: Header) -> pyvips.Image | None:
    """The picture in memory; None where libvips has to decode it."""
    if header.fail_on != WARNING or header.cmyk or whole.spans[1].end < _LAST_ROWS * whole.size[1]:
        return None
    return turbo.decode(whole.data, whole.size, whole.times)


def _webp_scale(size: Size, spans: Spans) -> float:
    """The smallest scale that leaves enough pixels on both axes; libwebp rounds both sides."""
    whole = (math.ceil(side / span.factor - _UNSEEN) / side for side, span in zip(size, spans, strict=True))
    return min(1.0, max(whole))
