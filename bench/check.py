"""Checks that a response is the requested picture: its type, its size and, for JPEG, its quality."""

from dataclasses import dataclass

import pyvips

_LOADERS = {"jpegload_buffer": "jpeg", "webpload_buffer": "webp", "pngload_buffer": "png", "heifload_buffer": "avif"}
# The luminance table of ITU-T T.81, annex K.1, in the zigzag order in which a file holds it.
_LUMINANCE = (
    *(16, 11, 12, 14, 12, 10, 16, 14, 13, 14, 18, 17, 16, 19, 24, 40),
    *(26, 24, 22, 22, 24, 49, 35, 37, 29, 40, 58, 51, 61, 60, 57, 51),
    *(56, 55, 64, 72, 92, 78, 64, 68, 87, 69, 55, 56, 80, 109, 81, 87),
    *(95, 98, 103, 104, 103, 62, 77, 113, 121, 112, 100, 120, 92, 101, 103, 99),
)


class WrongAnswerError(Exception):
    """A server's response does not count; the message says why."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """The requested picture: pixels, format name, quality 1–100."""

    width: int
    height: int
    format: str
    quality: int


def check(body: bytes, content_type: str, wanted: Wanted) -> None:
    """Raise `WrongAnswerError` unless `body` is the `wanted` picture."""
    if content_type.partition(";")[0].strip().lower() != f"image/{wanted.format}":
        raise WrongAnswerError(f"answered the type {content_type!r}, not image/{wanted.format}")
    found, width, height = identify(body)
    if found != wanted.format:
        raise WrongAnswerError(f"answered {found}, not {wanted.format}")
    if (width, height) != (wanted.width, wanted.height):
        raise WrongAnswerError(f"answered {width}×{height} pixels, not {wanted.width}×{wanted.height}")
    quality = jpeg_quality(body)
    if quality is not None and quality != wanted.quality:
        raise WrongAnswerError(f"answered a JPEG of quality {quality}, not {wanted.quality}")


def identify(body: bytes) -> tuple[str, int, int]:
    """Format, width and height from the header. Raises `WrongAnswerError` when `body` is not a picture."""
    try:
        image = pyvips.Image.new_from_buffer(body, "", access="sequential")
        loader: str = image.get("vips-loader")
    except pyvips.Error:
        raise WrongAnswerError("answered something that is not a picture") from None
    return _LOADERS.get(loader, loader), image.width, image.height


def decode(body: bytes) -> None:
    """Decode the whole picture. Raises `WrongAnswerError` when it is truncated or damaged."""
    try:
        pyvips.Image.new_from_buffer(body, "", access="sequential", fail_on="error").avg()
    except pyvips.Error:
        raise WrongAnswerError("answered a damaged picture") from None


def jpeg_quality(body: bytes) -> int | None:
    """The quality 1–100 of a JPEG by its luminance table; None for other files and for other tables than annex K's."""
    table = _luminance_table(body)
    return next((quality for quality in range(1, 101) if table == _scaled(quality)), None) if table else None


def is_progressive(body: bytes) -> bool:
    """Whether a JPEG is sent in several scans: smaller, and slower to make."""
    return any(marker == 0xC2 for marker, _ in _segments(body))


def _luminance_table(body: bytes) -> tuple[int, ...] | None:
    for marker, content in _segments(body):
        if marker == 0xDB and content[:1] == b"\x00":  # table 0 with 8 bits, first in its segment
            return tuple(content[1:65])
    return None


def _segments(body: bytes) -> list[tuple[int, bytes]]:
    """The marker segments before the first scan (T.81, B.1.1.4)."""
    segments = []
    at = 2
    while body[:2] == b"\xff\xd8" and at + 4 <= len(body) and body[at] == 0xFF and body[at + 1] != 0xDA:
        length = int.from_bytes(body[at + 2 : at + 4], "big")
        segments.append((body[at + 1], body[at + 4 : at + 2 + length]))
        at += 2 + length
    return segments


def _scaled(quality: int) -> tuple[int, ...]:
    """Annex K's table as the Independent JPEG Group's software scales it (`jpeg_quality_scaling`)."""
    percent = 5000 // quality if quality < 50 else 200 - 2 * quality
    return tuple(min(max((value * percent + 50) // 100, 1), 255) for value in _LUMINANCE)
