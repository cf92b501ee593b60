"""The first bytes of an original: what it is, how large, and whether it is decoded at all."""

from collections.abc import Callable
from dataclasses import dataclass

import pyvips

from thumbs.errors import SourceBroken, SourceOverLimit, SourceUnsupported
from thumbs.image.formats import FORMATS, sniff
from thumbs.image.geometry import Size
from thumbs.image.limits import MAX_FRAMES, MAX_SOURCE_PIXELS, MAX_SOURCE_SIDE, MAX_WHOLE_PIXELS
from thumbs.image.transforms import ALL_FRAMES, Transform
from thumbs.render import libvips
from thumbs.render.bombs import avif, svg, tiff
from thumbs.render.copyright import Rights, rights_of

# What a library would choke on before it could be asked how large the picture is.
_TRAPS: dict[str, Callable[[bytes], bool]] = {
    "avif": avif.is_bomb,
    "svg": svg.is_bomb,
    "tiff": tiff.is_bomb,
}
_PNG = b"\x89PNG\r\n\x1a\n"
_TEXTS = (b"tEXt", b"zTXt", b"iTXt")
_START_OF_SCAN = b"\xff\xda"
# libjpeg goes over the whole picture for each scan, and no deadline stops it: so many at the most on the largest one.
# Encoders make about ten.
_MOST_SCANS = 20
_SWAPPED = (5, 6, 7, 8)  # EXIF orientations that lie on their side


@dataclass(frozen=True, slots=True)
class SourceLimits:
    """What is decoded at all: pixels, and pixels a side, which is what JPEG can hold.

    `whole_pixels` is for what must be held in memory whole, all frames together.
    """

    pixels: int = MAX_SOURCE_PIXELS
    whole_pixels: int = MAX_WHOLE_PIXELS
    frames: int = MAX_FRAMES
    side: int = MAX_SOURCE_SIDE


@dataclass(frozen=True, slots=True)
class Animation:
    """How the frames of an animation follow one another: milliseconds each is shown, and repeats (0: for ever)."""

    delays: tuple[int, ...]
    loop: int


@dataclass(frozen=True, slots=True)
class Header:
    """What the first bytes tell: the format, the upright size, how many frames, and how it is stored."""

    format: str
    size: Size
    whole: bool
    cmyk: bool
    profile: bool
    frames: int = 1
    scans: int = 1
    animation: Animation | None = None
    rights: Rights | None = None

    def kept_frames(self, transform: Transform) -> int:
        """How many frames a thumbnail has: one, unless the source and the output are animated and more are asked."""
        if self.animation is None or transform.format is None or not FORMATS[transform.format].animated:
            return 1
        return self.frames if transform.frames == ALL_FRAMES else min(transform.frames, self.frames)

    def check(self, limits: SourceLimits, *, frames: int = 1, trimmed: bool = False) -> None:
        """Raise `SourceOverLimit` for a picture of too many pixels or frames."""
        whole = self.whole or trimmed or frames > 1
        pixels = self.size[0] * self.size[1] * frames
        if self.scans * pixels > _MOST_SCANS * limits.whole_pixels:
            raise SourceOverLimit
        if pixels > (limits.whole_pixels if whole else limits.pixels):
            raise SourceOverLimit
        if max(self.size) > limits.side or self.frames > limits.frames:
            raise SourceOverLimit


def read_header(data: bytes, inputs: frozenset[str]) -> Header:
    """Raises `SourceUnsupported` for a format that is not one of `inputs`, `SourceBroken` for a damaged header.

    And `SourceOverLimit` for one that would be too much to read by itself.
    """
    name = sniff(data)
    if name is None or name not in inputs:
        raise SourceUnsupported
    if name in _TRAPS and _TRAPS[name](data):
        raise SourceOverLimit
    try:
        image = pyvips.Image.new_from_buffer(data, "", access="sequential", fail_on="error")
        fields = set(image.get_fields())
        orientation = image.get("orientation") if "orientation" in fields else 1
        multiscan = any(image.get(field) for field in ("jpeg-multiscan", "interlaced") if field in fields)
        frames = image.get("n-pages") if "n-pages" in fields else 1
        animation = _animation(image, fields) if frames > 1 and FORMATS[name].animated else None
        rights = rights_of(image, fields)
    except libvips.FAILURES as error:
        raise SourceBroken from error
    turned = orientation in _SWAPPED
    return Header(
        format=name,
        size=(image.height, image.width) if turned else (image.width, image.height),
        whole=multiscan or name == "avif",
        cmyk=image.interpretation == "cmyk",
        profile="icc-profile-data" in fields and _is_of_colors(image.get("icc-profile-data")),
        frames=frames,
        # In what a JPEG codes, a byte 0xFF is followed by 0 or by a restart (ITU-T T.81, B.1.1.5): never by this.
        scans=data.count(_START_OF_SCAN) if name == "jpeg" and multiscan else 1,
        animation=animation,
        rights=rights,
    )


def _is_of_colors(profile: bytes) -> bool:
    """Whether the profile describes a device (ICC.1:2022, 7.2.6): what is in XYZ or Lab was not taken by one."""
    return profile[16:20] in (b"RGB ", b"GRAY", b"CMYK")


def readable(data: bytes) -> bytes:
    """`data` as libvips knows it: of the brands that AVIF files begin with, it looks for one.

    And a PNG without texts: libpng unpacks every compressed one, 8 MB out of a few kB, and pyvips reads names as UTF-8.
    """
    if data.startswith(_PNG):
        return _without_texts(data)
    if data[4:8] == b"ftyp" and data[8:12] in (b"avis", b"miaf") and sniff(data) == "avif":
        return data[:8] + b"avif" + data[12:]
    return data


def _without_texts(data: bytes) -> bytes:
    """The chunks of a PNG (RFC 2083, 3.2) but for its texts; the same bytes when it has none."""
    if not any(name in data for name in _TEXTS):
        return data
    kept, at = [_PNG], len(_PNG)
    while at + 8 <= len(data):
        after = at + 12 + int.from_bytes(data[at : at + 4], "big")
        if data[at + 4 : at + 8] not in _TEXTS:
            kept.append(data[at:after])
        at = after
    return b"".join((*kept, data[at:]))


def _animation(image: pyvips.Image, fields: set[str]) -> Animation:
    delays = tuple(image.get("delay")) if "delay" in fields else ()
    return Animation(delays, image.get("loop") if "loop" in fields else 0)
