"""From pixels to a file: one row for each output format, with the options of libvips or the encoder of a package."""

from collections.abc import Callable
from dataclasses import dataclass, field

import pyvips

from thumbs.errors import RenderFailed
from thumbs.image.encoding import Encoding
from thumbs.render import jxl
from thumbs.render.copyright import Copyright
from thumbs.render.flatness import is_drawing
from thumbs.render.libvips import Deadline

# Chosen from the tables in docs/quality.md.
WEBP_EFFORT = 2
GIF_EFFORT = 1
# AVIF of drawings, and of photographs up to this many pixels on the longer side, is worth more time than of others.
_AVIF_EFFORT, _AVIF_LARGE_EFFORT = 1, 0
_AVIF_SMALL_SIDE = 640
# libvips passes these over where its libjpeg is not mozjpeg.
_MOZJPEG = {"quant_table": 2, "overshoot_deringing": True}
_BEST_QUALITY = 100


@dataclass(frozen=True, slots=True)
class File:
    """The file to make. `quality` is None for a format without one; `settings` decide whether `copyright` is kept."""

    output: str
    quality: int | None = None
    max_bytes: int | None = None
    settings: Encoding = field(default_factory=Encoding)
    copyright: Copyright | None = None


@dataclass(frozen=True, slots=True)
class _Saver:
    suffix: str
    options: Callable[[Encoding], dict[str, object]]
    takes_quality: bool = True
    exif: bool = True
    alpha_quality: str | None = None  # the option of alpha's own quality; AVIF has one quality for both
    by_picture: Callable[[pyvips.Image], dict[str, object]] | None = None  # options that depend on the pixels
    # Writes what libvips does not; None where libvips does, which is known in the process that renders.
    package: Callable[[], Callable[[pyvips.Image, int], bytes] | None] = lambda: None


def _avif_options(image: pyvips.Image) -> dict[str, object]:
    if is_drawing(image):  # colors have sharp edges
        return {"effort": _AVIF_EFFORT, "subsample_mode": "off"}
    small = max(image.width, image.height) <= _AVIF_SMALL_SIDE
    return {"effort": _AVIF_EFFORT if small else _AVIF_LARGE_EFFORT}


def _png_options(image: pyvips.Image) -> dict[str, object]:
    return {"filter": "none" if is_drawing(image) else "all"}


_SAVERS: dict[str, _Saver] = {
    "jpeg": _Saver(
        ".jpg",
        lambda chosen: {
            **_MOZJPEG,
            "optimize_coding": True,
            "interlace": chosen.jpeg_progressive,
            "subsample_mode": chosen.jpeg_subsampling,
        },
    ),
    "webp": _Saver(".webp", lambda _: {"effort": WEBP_EFFORT}, alpha_quality="alpha_q"),
    "avif": _Saver(".avif", lambda _: {"compression": "av1"}, by_picture=_avif_options),
    "png": _Saver(
        ".png",
        lambda chosen: {"compression": 6, "palette": chosen.png_palette},
        takes_quality=False,
        by_picture=_png_options,
    ),
    "jxl": _Saver(
        ".jxl",
        lambda _: {"effort": jxl.EFFORT},
        exif=False,
        package=lambda: None if jxl.libvips_writes() else jxl.encode,
    ),
    "gif": _Saver(".gif", lambda _: {"effort": GIF_EFFORT}, takes_quality=False, exif=False),
}


def encode(image: pyvips.Image, file: File, deadline: Deadline) -> bytes:
    """The bytes of the file.

    With `max_bytes`, they have the highest quality up to `file.quality` that fits, found by bisection, or are the
    smallest found; the quality of alpha goes down with it. Formats without a quality ignore `max_bytes`. Raises
    `RenderFailed` when libvips cannot write the file, and `RenderTimeout` at the deadline.
    """
    notice = file.copyright if file.settings.keep_copyright and _SAVERS[file.output].exif else None
    if notice is not None:
        image = notice.embed_into(image)
    # All other metadata is dropped, GPS positions among it. The pixels are sRGB, which needs no profile.
    keep = "none" if notice is None else "exif"
    by_picture = _SAVERS[file.output].by_picture
    chosen: dict[str, object] = {"keep": keep}
    if by_picture is not None:
        with deadline.watch(image, RenderFailed):
            image = image.copy_memory()
            chosen |= by_picture(image)
    encoded = _encoded(image, file, deadline, chosen, quality=file.quality)
    largest, quality = file.max_bytes, file.quality
    if largest is None or len(encoded) <= largest or quality is None or not _SAVERS[file.output].takes_quality:
        return encoded
    image = image.copy_memory()  # computed once, for several encodings
    best, low, high = encoded, 1, max(1, quality - 1)
    while low <= high:
        middle = (low + high) // 2
        # Alpha has all of its levels at the full quality, and the fewest at the lowest one.
        alpha = round(100 * (middle - 1) / max(1, quality - 1))
        encoded = _encoded(image, file, deadline, chosen, quality=middle, alpha=alpha)
        if len(encoded) <= largest:
            best, low = encoded, middle + 1
        else:
            best = min(best, encoded, key=len) if len(best) > largest else best
            high = middle - 1
    return best


def _encoded(
    image: pyvips.Image,
    file: File,
    deadline: Deadline,
    chosen: dict[str, object],
    *,
    quality: int | None,
    alpha: int | None = None,
) -> bytes:
    saver = _SAVERS[file.output]
    options = {**saver.options(file.settings), **chosen}
    if saver.takes_quality and quality is not None:
        options["Q"] = quality
    if saver.alpha_quality is not None and alpha is not None:
        options[saver.alpha_quality] = alpha
    package = saver.package()
    with deadline.watch(image, RenderFailed):
        if package is not None:
            return package(image, quality or _BEST_QUALITY)
        encoded: bytes = image.write_to_buffer(saver.suffix, **options)
    return encoded
