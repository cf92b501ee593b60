"""How each output format is written: the options of libvips, or the encoder of a package. `render.table` names them."""

from collections.abc import Callable
from dataclasses import dataclass

import pyvips

from thumbs.image.encoding import Encoding
from thumbs.render.codecs import jxl
from thumbs.render.codecs.flatness import is_drawing

# Chosen from the tables in docs/quality.md.
WEBP_EFFORT = 2
GIF_EFFORT = 1
# AVIF of drawings, and of photographs up to this many pixels on the longer side, is worth more time than of others.
_AVIF_EFFORT, _AVIF_LARGE_EFFORT = 1, 0
_AVIF_SMALL_SIDE = 640
# libvips passes these over where its libjpeg is not mozjpeg.
_MOZJPEG = {"quant_table": 2, "overshoot_deringing": True}


@dataclass(frozen=True, slots=True)
class Saver:
    """Writes a format with libvips, with the suffix of its files and `options`.

    `exif`: it can have an EXIF block. `alpha_quality` is the option of alpha's own quality: AVIF has one quality for
    both. `by_picture` are options that depend on the pixels. `package` is the encoder of a package, with the picture
    and the quality; None where libvips writes, which is known in the process that renders.
    """

    suffix: str
    options: Callable[[Encoding], dict[str, object]]
    takes_quality: bool = True
    exif: bool = True
    alpha_quality: str | None = None
    by_picture: Callable[[pyvips.Image], dict[str, object]] | None = None
    package: Callable[[], Callable[[pyvips.Image, int], bytes] | None] = lambda: None


def _avif_options(image: pyvips.Image) -> dict[str, object]:
    if is_drawing(image):  # colors have sharp edges
        return {"effort": _AVIF_EFFORT, "subsample_mode": "off"}
    small = max(image.width, image.height) <= _AVIF_SMALL_SIDE
    return {"effort": _AVIF_EFFORT if small else _AVIF_LARGE_EFFORT}


def _png_options(image: pyvips.Image) -> dict[str, object]:
    return {"filter": "none" if is_drawing(image) else "all"}


JPEG = Saver(
    ".jpg",
    lambda chosen: {
        **_MOZJPEG,
        "optimize_coding": True,
        "interlace": chosen.jpeg_progressive,
        "subsample_mode": chosen.jpeg_subsampling,
    },
)
WEBP = Saver(".webp", lambda _: {"effort": WEBP_EFFORT}, alpha_quality="alpha_q")
AVIF = Saver(".avif", lambda _: {"compression": "av1"}, by_picture=_avif_options)
PNG = Saver(
    ".png",
    lambda chosen: {"compression": 6, "palette": chosen.png_palette},
    takes_quality=False,
    by_picture=_png_options,
)
JXL = Saver(
    ".jxl",
    lambda _: {"effort": jxl.EFFORT},
    exif=False,
    package=lambda: None if jxl.libvips_writes() else jxl.encode,
)
GIF = Saver(".gif", lambda _: {"effort": GIF_EFFORT}, takes_quality=False, exif=False)
