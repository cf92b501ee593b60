"""From pixels to a file: one row of libvips' options for each output format."""

from dataclasses import dataclass

import pyvips

from thumbs.errors import RenderFailed
from thumbs.render.engine import Deadline

# `keep` drops all metadata, GPS above all: the pixels are sRGB, which needs no profile.
_ALWAYS = {"keep": "none"}


# Chosen from the tables in docs/quality.md.
WEBP_EFFORT = 2
AVIF_EFFORT = 0


@dataclass(frozen=True, slots=True)
class _Saver:
    suffix: str
    options: dict[str, object]
    takes_quality: bool = True


_SAVERS: dict[str, _Saver] = {
    "jpeg": _Saver(".jpg", {"optimize_coding": True}),
    "webp": _Saver(".webp", {"effort": WEBP_EFFORT}),
    "avif": _Saver(".avif", {"compression": "av1", "effort": AVIF_EFFORT}),
    "png": _Saver(".png", {"compression": 6}, takes_quality=False),
    "gif": _Saver(".gif", {"effort": 4}, takes_quality=False),
}


def encode(
    image: pyvips.Image, output: str, quality: int | None, deadline: Deadline, *, max_bytes: int | None = None
) -> bytes:
    """The file's bytes; with `max_bytes`, at the highest quality up to `quality` that fits, or else the smallest.

    Formats without a quality stay as they are. Raises `RenderFailed` when libvips cannot write them, `RenderTimeout` at
    the deadline.
    """
    encoded = _encoded(image, output, quality, deadline)
    if max_bytes is None or len(encoded) <= max_bytes or quality is None or not _SAVERS[output].takes_quality:
        return encoded
    image = image.copy_memory()  # it is encoded again and again, and need not be made so
    best, low, high = encoded, 1, quality - 1
    while low <= high:
        middle = (low + high) // 2
        encoded = _encoded(image, output, middle, deadline)
        if len(encoded) <= max_bytes:
            best, low = encoded, middle + 1
        else:
            best = min(best, encoded, key=len) if len(best) > max_bytes else best
            high = middle - 1
    return best


def _encoded(image: pyvips.Image, output: str, quality: int | None, deadline: Deadline) -> bytes:
    saver = _SAVERS[output]
    options = saver.options | _ALWAYS
    if saver.takes_quality and quality is not None:
        options = options | {"Q": quality}
    with deadline.watch(image, RenderFailed):
        encoded: bytes = image.write_to_buffer(saver.suffix, **options)
    return encoded
