"""From a checked original to the scaled picture in sRGB, decoding as few pixels as possible."""

from dataclasses import replace

import pyvips

from thumbs.errors import SourceBroken
from thumbs.image.geometry import Layout
from thumbs.render import libvips
from thumbs.render.codecs.orientation import upright
from thumbs.render.color.conversion import deepened, to_srgb_picture
from thumbs.render.decoders import Decoded, Wanted
from thumbs.render.header import Header
from thumbs.render.table import CODECS


def scaled(
    data: bytes, header: Header, layout: Layout, deadline: libvips.Deadline, *, fast: bool = False
) -> pyvips.Image:
    """The window of `layout` in memory: upright, sRGB or gray, 8 bits per channel. With attention, all of `scaled`.

    With `layout.linear`, the whole picture is decoded and resized in linear light. `fast` decodes a JPEG at the
    smallest size that is not below `layout.scaled`; use it for a picture that will be scaled down again. Raises
    `SourceBroken` when decoding fails and `RenderTimeout` at the deadline.
    """
    try:
        decoded = CODECS[header.format].decode(data, header, Wanted(layout, deadline, fast))
        image = _in_srgb(decoded, header, linear=layout.linear)
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
    header: Header | None = None,
) -> pyvips.Image:
    """As `scaled`, from `image`: an upright picture in memory whose top left pixel is `origin` in the source.

    `header` is the header of the source when `image` is not converted to sRGB yet.
    """
    decoded = Decoded(image, layout.spans, origin=origin)
    try:
        part = decoded.part(linear=layout.linear) if header is None else _in_srgb(decoded, header, linear=layout.linear)
    except libvips.VIPS_ERRORS as error:
        raise SourceBroken from error
    with deadline.watch(part, SourceBroken):
        return part.copy_memory()


def _in_srgb(decoded: Decoded, header: Header, *, linear: bool) -> pyvips.Image:
    """The part that is wanted, converted to sRGB or gray as `vips_thumbnail` does."""
    image = decoded.image
    if linear:
        return replace(decoded, image=_whole_in_srgb(image, header)).part(linear=True)
    if header.color is not None:
        if header.color.has_high_range:  # means of its values are not those of what is shown
            return replace(decoded, image=to_srgb_picture(image, header.color)).part()
        return to_srgb_picture(replace(decoded, image=deepened(image, header.color)).part(), header.color)
    if not header.cmyk and not header.profile:
        return replace(decoded, image=_whole_in_srgb(image, header)).part()
    return _by_profile(decoded.part(), header)


def _whole_in_srgb(image: pyvips.Image, header: Header) -> pyvips.Image:
    """All of `image` in sRGB or gray, 8 bits per channel."""
    if header.color is not None:
        return to_srgb_picture(image, header.color)
    if header.cmyk or header.profile:
        return _by_profile(image, header)
    space = "b-w" if image.bands < 3 else "srgb"
    if image.interpretation == space:
        return image
    if image.bands == 2 and image.format == "ushort":  # libvips makes some levels of its alpha one too low
        alpha = (image.extract_band(1) >> 8).cast("uchar")
        return image.extract_band(0).colourspace(space).bandjoin(alpha).copy(interpretation=space)
    return image.colourspace(space)


def _by_profile(image: pyvips.Image, header: Header) -> pyvips.Image:
    options = {"input_profile": "cmyk"} if header.cmyk else {}
    return image.icc_transform("srgb", embedded=True, depth=8, intent="relative", **options)
