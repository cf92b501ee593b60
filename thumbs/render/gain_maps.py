"""Lets the gain map of a JPEG follow into a thumbnail that shows a part of it, turned or not, and nothing else."""

from dataclasses import fields, replace

import pyvips

from thumbs.errors import RenderTimeout, ThumbError
from thumbs.image.description import SRGB
from thumbs.image.geometry import Layout
from thumbs.image.spans import Span, stored
from thumbs.image.transforms import Transform
from thumbs.render import libvips
from thumbs.render.codecs.orientation import upright
from thumbs.render.containers.gain_map import GainMap, read_gain_map, with_gain_map
from thumbs.render.encode import File, encode
from thumbs.render.header import Header
from thumbs.render.resampling.resample import resampled
from thumbs.render.steps import StepContext, rotate
from thumbs.render.table import read_header
from thumbs.render.values import SourceLimits

_JPEG = "jpeg"
# Fields of a transform that change neither colors nor what is around the picture.
_GEOMETRY = {
    *("width", "height", "format", "quality", "fit", "crop", "gravity", "upscale", "linear", "dpr", "trim"),
    *("rotate", "flip", "flop", "frames", "version"),
}
# Pixels of a thumbnail on each axis for one of its map, which is smooth.
_REDUCED = 2
_QUALITY = 85


def may_follow(transform: Transform) -> bool:
    """Whether a thumbnail can have a gain map: it is a JPEG, and only its part and its size are asked for."""
    plain = Transform()
    others = (each.name for each in fields(Transform) if each.name not in _GEOMETRY)
    return transform.format == _JPEG and all(getattr(transform, name) == getattr(plain, name) for name in others)


def has_gain_map(data: bytes, header: Header) -> bool:
    """Whether the original has one that can be used."""
    return _usable(data, header) is not None


def followed(
    body: bytes, data: bytes, header: Header, layout: Layout, *, transform: Transform, deadline: libvips.Deadline
) -> bytes:
    """`body`, the thumbnail of `data`, with the gain map of that; `layout` is the final one.

    The thumbnail stays as it is where the original has none, or one that is damaged. Raises `RenderTimeout`.
    """
    found = None if layout.padded else _usable(data, header)
    if found is None:
        return body
    try:
        image = _fitted(found, header, layout)
        if image is None:
            return body
        image = rotate(upright(image, header.orientation), StepContext(transform, layout, _JPEG))
        picture = encode(image, File(_JPEG, _QUALITY), deadline)
    except RenderTimeout:
        raise
    except (ThumbError, *libvips.VIPS_ERRORS):
        return body
    return with_gain_map(body, replace(found, picture=picture))


def _usable(data: bytes, header: Header) -> GainMap | None:
    """The map; None for one with more pixels than the picture, which takes too long."""
    found = read_gain_map(data) if header.format == _JPEG else None
    if found is None:
        return None
    width, height = header.size
    try:
        own = read_header(found.picture, frozenset({_JPEG}))
        own.check(SourceLimits(pixels=width * height, whole_pixels=width * height))
    except ThumbError:
        return None
    # A map of three channels is made for the primaries of the picture, which become those of sRGB.
    return found if own.color_space != SRGB or header.color_space == SRGB else None


def _fitted(found: GainMap, header: Header, layout: Layout) -> pyvips.Image | None:
    """The part of the map that the thumbnail shows, as it is stored."""
    image = pyvips.Image.new_from_buffer(found.picture, "", access="sequential", fail_on="error").copy_memory()
    spans = stored(*layout.spans, header.size, header.orientation)
    sides = zip(spans, header.stored_size, (image.width, image.height), strict=True)
    x, y = (_reduced(span, own / side) for span, side, own in sides)
    return resampled(image, x.copied(pixel=1, length=image.width), y.copied(pixel=1, length=image.height))


def _reduced(span: Span, ratio: float) -> Span:
    """`span` in a map that is `ratio` times as long as the picture, with as few pixels as show no less of it."""
    length = span.count * span.factor * ratio
    count = max(1, min(-(-span.count // _REDUCED), int(length)))
    return Span(span.start * ratio, length / count, count, round(span.low * ratio), round(span.high * ratio))
