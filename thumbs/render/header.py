"""The header of an original: its format and size, and whether it is within the limits for decoding."""

from collections.abc import Callable
from dataclasses import dataclass

import pyvips

from thumbs.errors import SourceBroken, SourceOverLimit, SourceUnsupported
from thumbs.image.formats import FORMATS, sniff
from thumbs.image.geometry import Size
from thumbs.image.limits import MAX_SOURCE_SIDE
from thumbs.image.transforms import ALL_FRAMES, Transform
from thumbs.render import libvips
from thumbs.render.avif.rewriting import rewritten
from thumbs.render.avif.samples import Samples, read_samples
from thumbs.render.bombs import avif, gif, jpeg, svg, tiff, webp
from thumbs.render.color.description import describe_colors
from thumbs.render.color.values import ColorSpace
from thumbs.render.containers.webp import with_right_headers
from thumbs.render.copyright import Copyright, read_copyright
from thumbs.render.png import PNG, without_texts
from thumbs.render.profiles import needs_main_picture, usable_profile
from thumbs.render.values import SourceLimits

# Files that crash or stall a library, or fill its memory, before it can report their size.
_BOMB_CHECKS: dict[str, Callable[[bytes], bool]] = {
    "avif": avif.is_bomb,
    "gif": gif.is_bomb,
    "jpeg": jpeg.is_bomb,
    "svg": svg.is_bomb,
    "tiff": tiff.is_bomb,
    "webp": webp.is_bomb,
}
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

    `size` is upright. `whole`: the decoder must hold the whole picture. `profile`: it has an ICC profile that is used.
    `color` is what its samples mean without one, None for sRGB.
    `scans` is the number of scans of a multi-scan JPEG, else 1. `main_only`: no other picture of the file may be
    decoded in place of the main one, and an unused profile must be removed. `samples`: how to correct those of an AVIF.
    `orientation` is the EXIF orientation that the decoder leaves to do.
    """

    format: str
    size: Size
    whole: bool
    cmyk: bool
    profile: bool
    frames: int = 1
    scans: int = 1
    animation: Animation | None = None
    copyright: Copyright | None = None
    main_only: bool = False
    samples: Samples | None = None
    color: ColorSpace | None = None
    orientation: int = 1

    @property
    def stored_size(self) -> Size:
        """The size of the picture as it is stored, before it is turned upright."""
        return self.size[::-1] if self.orientation in _SIDEWAYS else self.size

    def kept_frames(self, transform: Transform) -> int:
        """The number of frames of the thumbnail: 1 unless source, output format and `transform` are animated."""
        if self.animation is None or transform.format is None or not FORMATS[transform.format].animated:
            return 1
        return self.frames if transform.frames == ALL_FRAMES else min(transform.frames, self.frames)

    def check(self, limits: SourceLimits, *, frames: int = 1, trimmed: bool = False) -> None:
        """Raise `SourceOverLimit` for a picture of too many pixels or frames."""
        whole = self.whole or trimmed or frames > 1
        pixels = self.size[0] * self.size[1] * frames
        if self.scans * pixels > _MAX_SCANS * limits.whole_pixels:
            raise SourceOverLimit
        if pixels > (limits.whole_pixels if whole else limits.pixels):
            raise SourceOverLimit
        if max(self.size) > MAX_SOURCE_SIDE or self.frames > limits.frames:
            raise SourceOverLimit


def read_header(data: bytes, inputs: frozenset[str]) -> Header:
    """The header of an original.

    Raises `SourceUnsupported` for a format that is not one of `inputs`, `SourceBroken` for a damaged header, and
    `SourceOverLimit` for a decompression bomb (`render.bombs`).
    """
    name = sniff(data)
    if name is None or name not in inputs:
        raise SourceUnsupported
    try:
        if name in _BOMB_CHECKS and _BOMB_CHECKS[name](data):
            raise SourceOverLimit
    except svg.Unreadable as error:
        raise SourceBroken from error
    try:
        image = pyvips.Image.new_from_buffer(data, "", access="sequential", fail_on="error")
        fields = set(image.get_fields())
        orientation = image.get("orientation") if "orientation" in fields else 1
        multiscan = any(image.get(field) for field in ("jpeg-multiscan", "interlaced") if field in fields)
        frames = image.get("n-pages") if "n-pages" in fields else 1
        animation = _animation(image, fields) if frames > 1 and FORMATS[name].animated else None
        notice = read_copyright(image, fields)
        profile = usable_profile(data, name, image)
        colors = describe_colors(data, name, profile)
        profile = profile if colors.profile else None
        samples = read_samples(data) if name == "avif" else None
        main_only = samples is not None or colors.space is not None or needs_main_picture(data, name, image, profile)
    except libvips.VIPS_ERRORS as error:
        raise SourceBroken from error
    turned = orientation in _SIDEWAYS
    return Header(
        format=name,
        size=(image.height, image.width) if turned else (image.width, image.height),
        whole=multiscan or name == "avif",
        cmyk=image.interpretation == "cmyk",
        profile=colors.profile,
        frames=frames,
        # Counting bytes is exact: in coded data 0xFF is followed by 0 or a restart marker (ITU-T T.81, B.1.1.5).
        scans=data.count(_START_OF_SCAN) if name == "jpeg" and multiscan else 1,
        animation=animation,
        copyright=notice,
        main_only=main_only,
        samples=samples,
        color=colors.space,
        orientation=orientation,
    )


def normalized(data: bytes) -> bytes:
    """`data` in a form that libvips reads.

    libvips recognizes only some AVIF brands: others are replaced by `avif`. Properties of an AVIF are rewritten where
    libheif reads them otherwise than browsers do. A WebP gets right flags and its real size. A PNG loses its text
    chunks: libpng inflates each compressed one, a few kB to 8 MB, and pyvips fails on keywords that are not UTF-8.
    Raises `SourceOverLimit` for a PNG of more than 100,000 chunks.
    """
    if data.startswith(PNG):
        return without_texts(data)
    if data.startswith(b"RIFF") and sniff(data) == "webp":
        return with_right_headers(data)
    if data[4:8] == b"ftyp" and sniff(data) == "avif":
        data = rewritten(data)
        if data[8:12] in (b"avis", b"miaf"):
            return data[:8] + b"avif" + data[12:]
    return data


def _animation(image: pyvips.Image, fields: set[str]) -> Animation:
    delays = tuple(image.get("delay")) if "delay" in fields else ()
    return Animation(delays, image.get("loop") if "loop" in fields else 0)
