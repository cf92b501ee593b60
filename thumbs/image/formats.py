"""The table of picture formats, one row each, and how a format is found from bytes or from a file name."""

import re
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Format:
    """A picture format.

    `loader` is libvips' operation class that reads it. `alpha`: it can be transparent. `output`: thumbnails can have
    it. `animated`: animations are read and written.
    """

    name: str
    content_type: str
    extensions: tuple[str, ...]
    loader: str
    alpha: bool
    output: bool = True
    animated: bool = False


FORMATS: dict[str, Format] = {
    row.name: row
    for row in (
        Format("jpeg", "image/jpeg", ("jpg", "jpeg", "jpe", "jfif"), "VipsForeignLoadJpeg", alpha=False),
        Format("png", "image/png", ("png", "apng"), "VipsForeignLoadPng", alpha=True),
        Format("webp", "image/webp", ("webp",), "VipsForeignLoadWebp", alpha=True, animated=True),
        Format("avif", "image/avif", ("avif",), "VipsForeignLoadHeif", alpha=True),
        Format("gif", "image/gif", ("gif",), "VipsForeignLoadNsgif", alpha=True, animated=True),
        Format("tiff", "image/tiff", ("tif", "tiff"), "VipsForeignLoadTiff", alpha=True, output=False),
        Format("svg", "image/svg+xml", ("svg",), "VipsForeignLoadSvg", alpha=True, output=False),
    )
}

# The arguments of `format()` and their formats. `auto` is not among them: `Accept` decides it per request.
OUTPUT_NAMES: dict[str, str] = {
    **{name: name for name, row in FORMATS.items() if row.output},
    "jpg": "jpeg",
}
BY_EXTENSION: dict[str, str] = {extension: row.name for row in FORMATS.values() for extension in row.extensions}
DEFAULT_INPUTS: tuple[str, ...] = ("jpeg", "png", "webp", "gif", "avif")
FALLBACK_OUTPUT = "jpeg"

# The first bytes of each format, from its specification: JFIF and EXIF, PNG (RFC 2083), RIFF, GIF89a, the `ftyp`
# brands of AV1 images (ISO/IEC 14496-12), TIFF 6.0 and BigTIFF. SVG is text and may begin with a comment.
_SIGNATURES: tuple[tuple[str, re.Pattern[bytes]], ...] = (
    ("jpeg", re.compile(rb"\xff\xd8\xff")),
    ("png", re.compile(rb"\x89PNG\r\n\x1a\n")),
    ("webp", re.compile(rb"RIFF....WEBP", re.DOTALL)),
    ("gif", re.compile(rb"GIF8[79]a")),
    # The general brands (mif1, miaf, msf1) are HEIC's too: with them, a compatible brand must name AV1.
    ("avif", re.compile(rb"....ftyp(?:avi[fs]|(?:mif1|miaf|msf1).{4}(?:.{4}){0,16}?avi[fs])", re.DOTALL)),
    ("tiff", re.compile(rb"II[*+]\0|MM\0[*+]")),
    ("svg", re.compile(rb"(?:\xef\xbb\xbf)?\s*<(?:svg\b|(?:\?xml|!).{0,1000}?<svg\b)", re.DOTALL)),
)


def format_of_extension(path: str) -> str | None:
    """The format of the last extension of `path`, ignoring case; None for an unknown extension."""
    _, dot, extension = path.rpartition("/")[2].rpartition(".")
    return BY_EXTENSION.get(extension.lower()) if dot else None


def default_output(path: str) -> str:
    """The output format for an original at `path` when the URL has no `format`."""
    name = format_of_extension(path)
    return name if name is not None and FORMATS[name].output else FALLBACK_OUTPUT


def sniff(data: bytes) -> str | None:
    """The format that `data` begins like; None for a format that is not in the table."""
    return next((name for name, signature in _SIGNATURES if signature.match(data)), None)
