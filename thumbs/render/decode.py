"""From untrusted bytes to the scaled picture: its header is checked first, then as little as possible is decoded."""

from dataclasses import dataclass

import pyvips

from thumbs.errors import SourceBroken, SourceOverLimit, SourceUnsupported
from thumbs.formats import sniff
from thumbs.geometry import Box, Layout, Size
from thumbs.render import engine

# `fail_on=` as an argument is not passed on by thumbnail_buffer; in the option string it reaches the loader. Without
# it a file that is cut short becomes a picture that is half grey.
_STRICT = "[fail_on=error]"
_SWAPPED = (5, 6, 7, 8)  # EXIF orientations that lie on their side
# libjpeg decodes at 1/8, 1/4 and 1/2 for next to nothing, and by how many times more pixels must be left than the
# target has: with these, thumbnails of photographs stay at 40 dB or above against those of a whole decode; with less
# they fall off (docs/quality.md).
_JPEG_SHRINKS = ((8, 2.0), (4, 1.5), (2, 2.0))


@dataclass(frozen=True, slots=True)
class SourceLimits:
    """What is decoded at all. `whole_pixels` is for decoders that hold the whole picture in memory."""

    pixels: int = 50_000_000
    whole_pixels: int = 25_000_000
    frames: int = 1000


@dataclass(frozen=True, slots=True)
class Header:
    """What the first bytes tell: the format, the upright size, how many frames, and how it is stored."""

    format: str
    size: Size
    turned: bool
    whole: bool
    cmyk: bool
    profile: bool
    frames: int = 1

    def check(self, limits: SourceLimits) -> None:
        """Raise `SourceOverLimit` for a picture of too many pixels or frames."""
        pixels = limits.whole_pixels if self.whole else limits.pixels
        if self.size[0] * self.size[1] > pixels or self.frames > limits.frames:
            raise SourceOverLimit


def read_header(data: bytes, inputs: frozenset[str]) -> Header:
    """Raises `SourceUnsupported` for a format that is not one of `inputs`, `SourceBroken` for a damaged header."""
    name = sniff(data)
    if name is None or name not in inputs:
        raise SourceUnsupported
    try:
        image = pyvips.Image.new_from_buffer(data, "", access="sequential", fail_on="error")
        fields = set(image.get_fields())
        orientation = image.get("orientation") if "orientation" in fields else 1
        multiscan = any(image.get(field) for field in ("jpeg-multiscan", "interlaced") if field in fields)
    except pyvips.Error as error:
        raise SourceBroken from error
    turned = orientation in _SWAPPED
    return Header(
        format=name,
        size=(image.height, image.width) if turned else (image.width, image.height),
        turned=turned,
        whole=multiscan or name == "avif",
        cmyk=image.interpretation == "cmyk",
        profile="icc-profile-data" in fields,
        frames=image.get("n-pages") if "n-pages" in fields else 1,
    )


def scaled(data: bytes, header: Header, layout: Layout, deadline: engine.Deadline) -> pyvips.Image:
    """The window of `layout` (all of `scaled` under attention) in memory: upright, in sRGB or grey, 8 bits a channel.

    Raises `SourceBroken` when decoding fails and `RenderTimeout` at the deadline.
    """
    try:
        if _must_cut_first(header, layout):
            image = _region(data, header, layout, deadline)
        else:
            image = _whole(data, header, layout)
    except pyvips.Error as error:
        raise SourceBroken from error
    with deadline.watch(image, SourceBroken):
        return image.copy_memory()


def _must_cut_first(header: Header, layout: Layout) -> bool:
    """Whether to cut the source before scaling: it was asked for, or most of what is scaled would be thrown away."""
    if layout.region.size != header.size:
        return True
    window = layout.window.width * layout.window.height
    return layout.attention is None and layout.scaled[0] * layout.scaled[1] > 8 * window


def _whole(data: bytes, header: Header, layout: Layout) -> pyvips.Image:
    width, height = layout.scaled
    if header.format == "jpeg":
        source = pyvips.Image.new_from_buffer(
            data, "", access="sequential", fail_on="error", shrink=_jpeg_shrink(header.size, layout.scaled)
        )
        image = source.thumbnail_image(width, height=height, size="force", **_colour(header))
    else:
        image = pyvips.Image.thumbnail_buffer(
            data, width, height=height, size="force", option_string=_STRICT, **_colour(header)
        )
    if layout.attention is not None or layout.window.size == layout.scaled:
        return image
    return image.extract_area(layout.window.left, layout.window.top, *layout.window.size)


def _region(data: bytes, header: Header, layout: Layout, deadline: engine.Deadline) -> pyvips.Image:
    box = layout.needed
    target = layout.scaled if layout.attention is not None else layout.window.size
    options: dict[str, int] = {}
    if header.format == "jpeg":
        # With more pixels than the target needs, the edges of the cut stay within half an output pixel.
        shrink = _jpeg_shrink(box.size, target)
        options = {"shrink": shrink}
        box = _shrunk(box, shrink)
    image = pyvips.Image.new_from_buffer(data, "", access="sequential", fail_on="error", **options)
    if image.get_typeof("orientation"):
        if image.get("orientation") != 1:
            with deadline.watch(image, SourceBroken):
                image = image.copy_memory()  # turning needs every row at once
        image = image.autorot()
    # A shrunk picture has rounded sides; the cut may not leave it.
    width, height = min(box.width, image.width - box.left), min(box.height, image.height - box.top)
    image = image.extract_area(box.left, box.top, width, height)
    return image.thumbnail_image(target[0], height=target[1], size="force", **_colour(header))


def _jpeg_shrink(source: Size, target: Size) -> int:
    ratio = min(source[0] / target[0], source[1] / target[1])
    return next((shrink for shrink, least in _JPEG_SHRINKS if ratio >= shrink * least), 1)


def _shrunk(box: Box, shrink: int) -> Box:
    left, top = round(box.left / shrink), round(box.top / shrink)
    right, bottom = round((box.left + box.width) / shrink), round((box.top + box.height) / shrink)
    return Box(left, top, max(1, right - left), max(1, bottom - top))


def _colour(header: Header) -> dict[str, str]:
    """To sRGB through the embedded profile; CMYK without one through libvips' own."""
    if header.cmyk:
        return {"output_profile": "srgb", "input_profile": "cmyk"}
    return {"output_profile": "srgb"} if header.profile else {}
