"""The header of an original: its format and size, and whether it is within the limits for decoding.

`render.table` has the reader of each format. They raise `SourceBroken`, `SourceOverLimit` and `SourceUnsupported`.
"""

from dataclasses import dataclass, replace
from typing import Self

import pyvips

from thumbs.errors import JXL_OF_UNKNOWN_COLORS, JXL_WITH_PROFILE, SourceBroken, SourceOverLimit, SourceUnsupported
from thumbs.image.description import LAB, SRGB
from thumbs.image.formats import FORMATS
from thumbs.image.geometry import Size
from thumbs.image.limits import MAX_SOURCE_SIDE
from thumbs.image.transforms import ALL_FRAMES, Transform
from thumbs.render import libvips
from thumbs.render.avif.samples import Samples as AvifSamples
from thumbs.render.avif.samples import read_samples as read_avif_samples
from thumbs.render.codecs import heic, jxl
from thumbs.render.codecs.copyright import Copyright, read_copyright
from thumbs.render.codecs.orientation import read_orientation
from thumbs.render.codecs.svg import open_drawing
from thumbs.render.color.description import describe_colors
from thumbs.render.color.jxl import UndescribedError, color_space
from thumbs.render.color.naming import color_space_name
from thumbs.render.color.profiles import usable_profile
from thumbs.render.color.values import ColorDescription, ColorSpace
from thumbs.render.completeness.decoding import Attempt
from thumbs.render.completeness.png import Bands
from thumbs.render.containers.boxes import TooManyError, UnreadableError
from thumbs.render.containers.gif import Gif, TooManyBlocks, Unreadable, read_gif
from thumbs.render.containers.jxl import Jxl, Kind, read_jxl
from thumbs.render.tiff.pixels import open_tiff
from thumbs.render.tiff.samples import Samples as TiffSamples
from thumbs.render.tiff.samples import read_samples as read_tiff_samples
from thumbs.render.values import SourceLimits

_START_OF_SCAN = b"\xff\xda"
# libjpeg processes the whole picture for each scan, and no deadline interrupts it. This many scans are allowed for the
# largest picture, more for smaller ones. Encoders write about ten.
_MAX_SCANS = 20
_SIDEWAYS = (5, 6, 7, 8)  # EXIF orientations that swap width and height


@dataclass(frozen=True, slots=True)
class Animation:
    """`delays` are the milliseconds that each frame is shown, `loop` the number of repeats (0: forever)."""

    delays: tuple[int, ...]
    loop: int


@dataclass(frozen=True, slots=True)
class Header:
    """What is known before decoding.

    `size` is upright. `whole`: the decoder must hold the whole picture. `profile` is its ICC profile where that is
    used. `color` is what its samples mean without one, None for sRGB. `scans` is the number of scans of a multi-scan
    JPEG, else 1. `orientation` is the EXIF orientation that the decoder leaves to do. `tiff` and `avif` are the samples
    of a file that libvips alone would read wrongly, `gif` is the structure of a GIF, `jxl` is the header of a JPEG XL
    that libvips does not read. `fail_on` is that of libvips: what ends a decode. `bands` are the rows that a PNG has,
    where some are missing. `sides` are those of a drawing, not rounded. `has_alpha` and `color_space` are those of a
    `Description`.
    """

    format: str
    size: Size
    whole: bool
    cmyk: bool
    profile: bytes | None
    has_alpha: bool
    color_space: str
    frames: int = 1
    scans: int = 1
    animation: Animation | None = None
    copyright: Copyright | None = None
    tiff: TiffSamples | None = None
    avif: AvifSamples | None = None
    gif: Gif | None = None
    jxl: Jxl | None = None
    color: ColorSpace | None = None
    orientation: int = 1
    fail_on: str = "error"
    bands: Bands | None = None
    sides: tuple[float, float] | None = None

    @property
    def stored_size(self) -> Size:
        """The size of the picture as it is stored, before it is turned upright."""
        return self.size[::-1] if self.orientation in _SIDEWAYS else self.size

    def attempted(self, attempt: Attempt) -> Self:
        """The header for one decode."""
        return replace(self, fail_on=attempt.fail_on, bands=attempt.bands)

    def kept_frames(self, transform: Transform) -> int:
        """The number of frames of the thumbnail: 1 unless source, output format and `transform` are animated."""
        if self.animation is None or transform.format is None or not FORMATS[transform.format].animated:
            return 1
        return self.frames if transform.frames == ALL_FRAMES else min(transform.frames, self.frames)

    def check(self, limits: SourceLimits, *, frames: int = 1, trimmed: bool = False) -> None:
        """Raise `SourceOverLimit` for a picture of too many pixels; `frames` is how many are kept of it."""
        animated = frames > 1
        pixels = self.size[0] * self.size[1]
        if self.scans * pixels > _MAX_SCANS * limits.whole_pixels:
            raise SourceOverLimit
        if pixels > (limits.whole_pixels if (self.whole or trimmed) and not animated else limits.pixels):
            raise SourceOverLimit
        if animated and (pixels * frames > limits.animation_pixels or frames > limits.frames):
            raise SourceOverLimit
        if max(self.size) > MAX_SOURCE_SIDE:
            raise SourceOverLimit


def libvips_header(data: bytes, name: str) -> Header:
    """That of a file of the format `name`, as libvips opens it."""
    tiff_samples = read_tiff_samples(data) if name == "tiff" else None
    try:
        drawing = open_drawing(data) if name == "svg" else None
        if drawing is not None:
            image = drawing.image
        elif tiff_samples is None:
            image = pyvips.Image.new_from_buffer(data, "", access="sequential", fail_on="error")
        else:
            image = open_tiff(data, tiff_samples, measured=False)
        fields = set(image.get_fields())
        orientation = read_orientation(image, data, name)
        multiscan = any(image.get(field) for field in ("jpeg-multiscan", "interlaced") if field in fields)
        frames = image.get("n-pages") if "n-pages" in fields else 1
        animation = _animation(image, fields) if frames > 1 and FORMATS[name].animated else None
        notice = read_copyright(image, fields)
        profile = usable_profile(data, name, image)
        colors = describe_colors(data, name, profile)
        profile = profile if colors.profile else None
        space = color_space_name(image, profile, colors)
        space = LAB if tiff_samples is not None and tiff_samples.is_lab else space
        avif_samples = read_avif_samples(data) if name == "avif" else None
    except libvips.VIPS_ERRORS as error:
        raise SourceBroken from error
    size = (image.width, image.height) if drawing is None else drawing.size
    return Header(
        format=name,
        size=size[::-1] if orientation in _SIDEWAYS else size,
        whole=multiscan or FORMATS[name].whole,
        cmyk=image.interpretation == "cmyk",
        profile=profile,
        has_alpha=bool(image.hasalpha()),
        color_space=space,
        frames=frames,
        # Counting bytes is exact: in coded data 0xFF is followed by 0 or a restart marker (ITU-T T.81, B.1.1.5).
        scans=data.count(_START_OF_SCAN) if name == "jpeg" and multiscan else 1,
        animation=animation,
        copyright=notice,
        tiff=tiff_samples,
        avif=avif_samples,
        color=colors.space,
        orientation=orientation,
        sides=None if drawing is None else drawing.sides,
    )


def gif_header(data: bytes) -> Header:
    """libvips would read every block to the same end, and knows less of what browsers show."""
    try:
        gif = read_gif(data)
    except TooManyBlocks as error:
        raise SourceOverLimit from error
    except Unreadable as error:
        raise SourceBroken from error
    frames = len(gif)
    return Header(
        format="gif",
        size=gif.size,
        whole=gif.interlaced,
        cmyk=False,
        profile=None,
        has_alpha=gif.may_be_transparent(data),
        color_space=SRGB,
        frames=frames,
        animation=Animation(gif.delays(data), gif.loop) if frames > 1 else None,
        gif=gif,
    )


def jxl_header(data: bytes) -> Header:
    """That of a file as libvips opens it, else for imagecodecs, which gives out samples and nothing else."""
    if jxl.libvips_reads():
        return libvips_header(data, "jxl")
    try:
        found = read_jxl(data)
        space = color_space(found)
    except TooManyError as error:
        raise SourceOverLimit from error
    except UnreadableError as error:
        raise SourceBroken from error
    except UndescribedError as error:
        raise SourceUnsupported(JXL_WITH_PROFILE if found.colors.profile else JXL_OF_UNKNOWN_COLORS) from error
    return Header(
        format="jxl",
        size=found.size,
        whole=True,
        cmyk=False,
        profile=None,
        has_alpha=Kind.ALPHA in found.kinds,
        color_space=color_space_name(jxl.stub(found), None, ColorDescription(space=space)),
        jxl=found,
        color=space,
    )


def heic_header(data: bytes) -> Header:
    """That of a file as pillow-heif opens it."""
    found = heic.read(data)
    stub = found.stub()
    profile = usable_profile(data, "heic", stub)
    colors = describe_colors(data, "heic", profile)
    profile = profile if colors.profile else None
    return Header(
        format="heic",
        size=found.size,
        whole=True,
        cmyk=False,
        profile=profile,
        has_alpha=bool(stub.hasalpha()),
        color_space=color_space_name(stub, profile, colors),
        color=colors.space,
    )


def _animation(image: pyvips.Image, fields: set[str]) -> Animation:
    delays = tuple(image.get("delay")) if "delay" in fields else ()
    return Animation(delays, image.get("loop") if "loop" in fields else 0)
