"""Decodes an original strictly, and once more where that fails although the picture is complete, or may be cut off."""

import contextlib
from collections.abc import Callable
from typing import NamedTuple, TypeVar

from thumbs.errors import SourceBroken
from thumbs.render.completeness.jpeg import ends_early, is_cut_off
from thumbs.render.completeness.libjpeg import watched
from thumbs.render.completeness.png import Bands, read_pixels
from thumbs.render.completeness.segments import EOI, Unreadable, read_segments

T = TypeVar("T")
# Names of libvips' `fail_on`. `WARNING` is for JPEG only: libjpeg says only in a warning that data is missing.
NONE, TRUNCATED, ERROR, WARNING = "none", "truncated", "error", "warning"
# libjpeg reads up to 8 bytes ahead.
_PADDING = bytes(8)


class Attempt(NamedTuple):
    """How to decode an original: its data, libvips' `fail_on`, and the rows that a PNG has where some are missing."""

    data: bytes
    fail_on: str = ERROR
    bands: Bands | None = None


Decode = Callable[[Attempt], T]


def decode_checked(data: bytes, name: str, decode: Decode[T], *, render_truncated: bool = False) -> tuple[T, bool]:
    """What `decode` makes of an original of the format `name`, and whether the original is cut off.

    Raises as `decode` does; `SourceBroken` for an original that is cut off, unless `render_truncated`. Only what is
    decoded is judged: the rows below a crop are not read.
    """
    if name == "jpeg":
        with contextlib.suppress(SourceBroken):
            return _without_warning(data, decode), False
        return _decode_jpeg(data, decode, render_truncated=render_truncated)
    try:
        return decode(Attempt(data)), False
    except SourceBroken:
        if name == "png":
            return _decode_png(data, decode, render_truncated=render_truncated)
        if name == "gif" and render_truncated:
            return decode(Attempt(data, NONE)), True
        raise


def _decode_png(data: bytes, decode: Decode[T], *, render_truncated: bool) -> tuple[T, bool]:
    """Decodes again without the checksums of the pixels, which browsers do not need to be right."""
    pixels = read_pixels(data)
    if pixels is None:
        raise SourceBroken
    if pixels.is_complete:
        return decode(Attempt(pixels.mended)), False
    if not render_truncated:
        raise SourceBroken
    return decode(Attempt(pixels.mended, NONE, pixels.bands)), True


def _without_warning(data: bytes, decode: Decode[T]) -> T:
    with watched() as watch:
        value = decode(Attempt(data, WARNING))
    if watch.warned:
        raise SourceBroken
    return value


def _decode_jpeg(data: bytes, decode: Decode[T], *, render_truncated: bool) -> tuple[T, bool]:
    try:
        jpeg = read_segments(data)
    except Unreadable as error:
        raise SourceBroken from error
    cut: bool | None = ends_early(jpeg)
    if not cut and not data.startswith(jpeg.mended):
        with contextlib.suppress(SourceBroken):
            return _without_warning(jpeg.mended, decode), False
    if not cut and jpeg.is_single_scan:
        # The scan is the last thing in this file: libjpeg fails, and does not only warn, where it needs more than that.
        with contextlib.suppress(SourceBroken):
            value = decode(Attempt(jpeg.mended[: -len(EOI)] + _PADDING, TRUNCATED))
            if not is_cut_off(data, jpeg):
                return value, False
        cut = True
    elif not cut:
        cut = is_cut_off(data, jpeg)
    if cut is None:
        # What the log said may have been of another file, which this thread closed late.
        with contextlib.suppress(SourceBroken):
            return _without_warning(jpeg.mended, decode), False
    if cut is not False and not render_truncated:
        raise SourceBroken
    return decode(Attempt(jpeg.mended, ERROR if cut is False else NONE)), cut is not False
