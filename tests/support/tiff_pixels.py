"""What a pixel of a generated TIFF looks like: arithmetic of TIFF 6.0, independent of the renderer."""

from collections.abc import Sequence

from tests.support import tiff_files as tf
from tests.support.tiff_files import Tiff


def limits(page: Tiff) -> tuple[int, int]:
    """The values of black and white."""
    match page.sample_format:
        case tf.FLOATING:
            return 0, 1
        case tf.SIGNED:
            return -(2 ** (page.bits - 1)), 2 ** (page.bits - 1) - 1
        case _:
            return 0, 2**page.bits - 1


def levels(page: Tiff, pixel: Sequence[float]) -> tuple[float, float, float, float]:
    """RGB and alpha, 0 to 255, of a pixel of a gray or RGB picture, or of a YCbCr picture with the usual numbers."""
    least, largest = limits(page)
    whole = [(sample - least) / (largest - least) for sample in pixel]
    alpha = alpha_of(page)
    colors = whole[:3] if _is_colored(page, alpha) else whole[:1] * 3
    opacity = 1.0 if alpha is None else whole[alpha]
    if alpha is not None and page.extra and page.extra[alpha - _own(page)] == tf.ASSOCIATED:
        colors = [min(1.0, color / opacity) if opacity else 0.0 for color in colors]
    if page.photometric == tf.MIN_IS_WHITE:
        colors = [1 - color for color in colors]
    if page.photometric == tf.YCBCR:
        colors = _from_ycbcr(colors)
    if page.photometric == tf.RGB and page.sample_format == tf.FLOATING:
        colors = [encoded_light(color) for color in colors]
    red, green, blue = (255 * color for color in colors)
    return red, green, blue, 255 * opacity


def alpha_of(page: Tiff) -> int | None:
    if page.extra is None:
        return 3 if (page.photometric, page.samples) == (tf.RGB, 4) else None
    alphas = (_own(page) + index for index, kind in enumerate(page.extra) if kind in (1, 2))
    return next(alphas, None)


def _own(page: Tiff) -> int:
    return 3 if page.photometric in (tf.RGB, tf.YCBCR) else 1


def _is_colored(page: Tiff, alpha: int | None) -> bool:
    return _own(page) == 3 or (page.samples if alpha is None else alpha) >= 3


def _from_ycbcr(colors: Sequence[float]) -> list[float]:
    """ITU-R BT.601, full range."""
    luma, blue, red = colors[0], colors[1] - 128 / 255, colors[2] - 128 / 255
    found = (luma + 1.402 * red, luma - 0.344136 * blue - 0.714136 * red, luma + 1.772 * blue)
    return [min(1.0, max(0.0, color)) for color in found]


def encoded_light(linear: float) -> float:
    """IEC 61966-2-1, the curve of sRGB."""
    return 12.92 * linear if linear <= 0.0031308 else 1.055 * linear ** (1 / 2.4) - 0.055
