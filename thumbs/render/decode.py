"""From a checked original to the scaled picture, decoding as few pixels as possible."""

import pyvips

from thumbs.errors import SourceBroken
from thumbs.image.geometry import Box, Layout, Size
from thumbs.render import libvips
from thumbs.render.header import Header
from thumbs.render.orientation import without_orientation
from thumbs.render.profiles import without_profile

# thumbnail_buffer passes `fail_on=` to the loader only in the option string. Without it, a truncated file becomes a
# picture that is partly gray.
_FAIL_ON = "[fail_on={}]"
# libjpeg decodes at 1/8, 1/4 and 1/2 of the size at a fraction of the cost. The second number is how many times the
# target's side must be left after that. With these, thumbnails of photographs have a PSNR of about 40 dB or more
# against those of a full decode (docs/quality.md).
_JPEG_SHRINKS = ((8, 2.0), (4, 1.5), (2, 2.0))
# libwebp 1.6 scales a lossy picture with a side of at most this many pixels down to a green one.
_LIBWEBP_SIDE = 2


def scaled(
    data: bytes, header: Header, layout: Layout, deadline: libvips.Deadline, *, fast: bool = False
) -> pyvips.Image:
    """The window of `layout` in memory: upright, sRGB or gray, 8 bits per channel. With attention, all of `scaled`.

    `fast` decodes a JPEG at the smallest size that is not below `layout.scaled`; use it for a picture that will be
    scaled down again. Raises `SourceBroken` when decoding fails and `RenderTimeout` at the deadline.
    """
    try:
        if _crops_before_scaling(header, layout):
            image = _region(data, header, layout, deadline)
        else:
            image = _whole(data, header, layout, fast=fast)
    except libvips.VIPS_ERRORS as error:
        raise SourceBroken from error
    with deadline.watch(image, SourceBroken):
        return image.copy_memory()


def pages(data: bytes, header: Header, count: int, deadline: libvips.Deadline) -> list[pyvips.Image]:
    """The first `count` frames in memory, each complete and upright. Raises as `scaled` does."""
    try:
        image = _opened(data, header, n=count)
    except libvips.VIPS_ERRORS as error:
        raise SourceBroken from error
    with deadline.watch(image, SourceBroken):
        image = image.copy_memory()
    height = image.height // count
    return [image.extract_area(0, number * height, image.width, height).autorot() for number in range(count)]


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
    box = layout.needed
    if source_size is not None:
        box = _resized(box, source_size, (image.width, image.height))
    target = layout.scaled if layout.attention is not None else layout.window.size
    color = {} if header is None else _to_srgb(header)
    try:
        part = image.extract_area(box.left - origin[0], box.top - origin[1], *box.size)
        scaled_part = part.thumbnail_image(target[0], height=target[1], size="force", **color)
    except libvips.VIPS_ERRORS as error:
        raise SourceBroken from error
    with deadline.watch(scaled_part, SourceBroken):
        return scaled_part.copy_memory()


def _resized(box: Box, source: Size, smaller: Size) -> Box:
    """`box` in a picture of the size `source`, as a box in a copy of the size `smaller`."""
    x_scale, y_scale = smaller[0] / source[0], smaller[1] / source[1]
    left, top = min(round(box.left * x_scale), smaller[0] - 1), min(round(box.top * y_scale), smaller[1] - 1)
    right, bottom = round((box.left + box.width) * x_scale), round((box.top + box.height) * y_scale)
    return Box(left, top, max(1, min(right, smaller[0]) - left), max(1, min(bottom, smaller[1]) - top))


def _crops_before_scaling(header: Header, layout: Layout) -> bool:
    """Whether to crop the source before scaling: the URL has a crop, or the window is a small part of `scaled`."""
    if layout.region.size != header.size:
        return True
    window = layout.window.width * layout.window.height
    return layout.attention is None and layout.scaled[0] * layout.scaled[1] > 8 * window


def _whole(data: bytes, header: Header, layout: Layout, *, fast: bool) -> pyvips.Image:
    width, height = layout.scaled
    if header.format == "jpeg":
        shrink = _jpeg_shrink(header.size, layout.scaled, fast=fast)
        source = _opened(data, header, shrink=shrink)
        image = source.thumbnail_image(width, height=height, size="force", **_to_srgb(header))
    elif header.main_only or (header.format == "webp" and min(header.size) <= _LIBWEBP_SIDE):
        source = _opened(data, header)
        image = source.thumbnail_image(width, height=height, size="force", **_to_srgb(header))
    else:
        image = pyvips.Image.thumbnail_buffer(
            data, width, height=height, size="force", option_string=_FAIL_ON.format(header.fail_on), **_to_srgb(header)
        )
    if layout.attention is not None or layout.window.size == layout.scaled:
        return image
    return image.extract_area(layout.window.left, layout.window.top, *layout.window.size)


def _opened(data: bytes, header: Header, **options: float) -> pyvips.Image:
    """The main picture, not decoded yet, without a profile that is not used."""
    if header.format == "jpeg" and header.fail_on != "warning":
        options["unlimited"] = True  # else the hundredth warning of libjpeg is an error
    image = pyvips.Image.new_from_buffer(data, "", access="sequential", fail_on=header.fail_on, **options)
    if header.misread_orientation:
        image = without_orientation(image)
    return image if header.profile else without_profile(image)


def _region(data: bytes, header: Header, layout: Layout, deadline: libvips.Deadline) -> pyvips.Image:
    box = layout.needed
    target = layout.scaled if layout.attention is not None else layout.window.size
    options: dict[str, float] = {}
    if header.format == "svg":  # draw it at the size that is needed
        scale = max(target[0] / box.width, target[1] / box.height)
        options = {"scale": scale}
        box = _grown(box, scale)
    if header.format == "jpeg":
        # More pixels than the target has: rounding moves the edges of the crop by less than half an output pixel.
        shrink = _jpeg_shrink(box.size, target)
        options = {"shrink": shrink}
        box = _grown(box, 1 / shrink)
    image = _opened(data, header, **options)
    if image.get_typeof("orientation"):
        if image.get("orientation") != 1:
            with deadline.watch(image, SourceBroken):
                image = image.copy_memory()  # rotation needs random access
        image = image.autorot()
    # The sides of a shrunk picture are rounded: keep the crop inside.
    width, height = min(box.width, image.width - box.left), min(box.height, image.height - box.top)
    image = image.extract_area(box.left, box.top, width, height)
    return image.thumbnail_image(target[0], height=target[1], size="force", **_to_srgb(header))


def _grown(box: Box, scale: float) -> Box:
    left, top = round(box.left * scale), round(box.top * scale)
    right, bottom = round((box.left + box.width) * scale), round((box.top + box.height) * scale)
    return Box(left, top, max(1, right - left), max(1, bottom - top))


def _jpeg_shrink(source: Size, target: Size, *, fast: bool = False) -> int:
    for shrink, least in _JPEG_SHRINKS:
        # libjpeg rounds up: half of 5 pixels is 3.
        left = -(-source[0] // shrink), -(-source[1] // shrink)
        times = 1.0 if fast else least
        if left[0] >= times * target[0] and left[1] >= times * target[1]:
            return shrink
    return 1


def _to_srgb(header: Header) -> dict[str, str]:
    """Options that convert to sRGB: by the embedded profile, and for CMYK without one by libvips' own."""
    if header.cmyk:
        return {"output_profile": "srgb", "input_profile": "cmyk"}
    return {"output_profile": "srgb"} if header.profile else {}
