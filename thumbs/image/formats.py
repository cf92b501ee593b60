"""The table of picture formats, one row each, and how a format is found from bytes or from a file name.

`render.header`, `render.decode` and `render.encode` have the code of each row, in tables with the same names.
"""

import re
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Format:
    """A picture format.

    `signature` matches the first bytes of its files. `loader` is libvips' operation class that reads it; None where
    libvips is not used. `alpha`: it can be transparent. `output`: thumbnails can have it. `animated`: animations are
    read and written. `whole`: every decoder of it holds the whole picture. `extra` is the extra of the distribution
    whose package reads and writes what libvips does not; without it the format may be missing.
    """

    name: str
    content_type: str
    extensions: tuple[str, ...]
    signature: re.Pattern[bytes]
    loader: str | None
    alpha: bool = True
    output: bool = True
    animated: bool = False
    whole: bool = False
    extra: str | None = None


def _starts(pattern: bytes) -> re.Pattern[bytes]:
    return re.compile(pattern, re.DOTALL)


# The first bytes are those of the specifications: JFIF and EXIF, PNG (RFC 2083), RIFF, GIF89a, TIFF 6.0 and BigTIFF, a
# bare codestream and the container of JPEG XL (ISO/IEC 18181-2). HEIF files (ISO/IEC 14496-12) begin with a `ftyp` box:
# the general brands (mif1, miaf, msf1) are of both kinds, so a compatible brand must name the codec. SVG is text and
# may begin with a comment.
FORMATS: dict[str, Format] = {
    row.name: row
    for row in (
        Format(
            "jpeg",
            "image/jpeg",
            ("jpg", "jpeg", "jpe", "jfif"),
            _starts(rb"\xff\xd8\xff"),
            "VipsForeignLoadJpeg",
            alpha=False,
        ),
        Format("png", "image/png", ("png", "apng"), _starts(rb"\x89PNG\r\n\x1a\n"), "VipsForeignLoadPng"),
        Format("webp", "image/webp", ("webp",), _starts(rb"RIFF....WEBP"), "VipsForeignLoadWebp", animated=True),
        Format(
            "avif",
            "image/avif",
            ("avif",),
            _starts(rb"....ftyp(?:avi[fs]|(?:mif1|miaf|msf1).{4}(?:.{4}){0,16}?avi[fs])"),
            "VipsForeignLoadHeif",
            whole=True,
        ),
        Format("gif", "image/gif", ("gif",), _starts(rb"GIF8[79]a"), "VipsForeignLoadNsgif", animated=True),
        Format(
            "tiff", "image/tiff", ("tif", "tiff"), _starts(rb"II[*+]\0|MM\0[*+]"), "VipsForeignLoadTiff", output=False
        ),
        Format(
            "svg",
            "image/svg+xml",
            ("svg",),
            _starts(rb"(?:\xef\xbb\xbf)?\s*<(?:svg\b|(?:\?xml|!).{0,1000}?<svg\b)"),
            "VipsForeignLoadSvg",
            output=False,
        ),
        Format(
            "jxl",
            "image/jxl",
            ("jxl",),
            _starts(rb"\xff\x0a|\0\0\0\x0cJXL \r\n\x87\n"),
            "VipsForeignLoadJxl",
            whole=True,
            extra="jxl",
        ),
        Format(
            "heic",
            "image/heic",
            ("heic", "heif"),
            _starts(rb"....ftyp(?:hei[cxms]|(?:mif1|miaf|msf1).{4}(?:.{4}){0,16}?hei[cxms])"),
            None,
            output=False,
            whole=True,
            extra="heic",
        ),
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
# With `format(auto)`, originals of these formats keep theirs where `Accept` names no better one. An SVG becomes a
# picture without loss, and all others the best format that every maintained client shows.
_KEPT = ("jpeg", "png", "gif", "webp")
_AUTO_OUTPUTS = {**{name: name for name in _KEPT}, "svg": "png"}
_AUTO_OUTPUT = "webp"


def format_of_extension(path: str) -> str | None:
    """The format of the last extension of `path`, ignoring case; None for an unknown extension."""
    _, dot, extension = path.rpartition("/")[2].rpartition(".")
    return BY_EXTENSION.get(extension.lower()) if dot else None


def default_output(path: str) -> str:
    """The output format for an original at `path` when the URL has no `format`."""
    name = format_of_extension(path)
    return name if name is not None and FORMATS[name].output else FALLBACK_OUTPUT


def auto_output(path: str) -> str:
    """The output format of `format(auto)` for an original at `path` where `Accept` names no better one."""
    return _AUTO_OUTPUTS.get(format_of_extension(path) or "", _AUTO_OUTPUT)


def sniff(data: bytes) -> str | None:
    """The format that `data` begins like; None for a format that is not in the table."""
    return next((name for name, row in FORMATS.items() if row.signature.match(data)), None)
