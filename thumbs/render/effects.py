"""Color and sharpness: arithmetic on sRGB values. Alpha changes only with blur."""

from collections.abc import Callable

import pyvips

from thumbs.image.transforms import Transform

# libvips truncates its Gaussian below this amplitude. Its default, 0.2, is far from a Gaussian.
_GAUSSIAN = {"min_ampl": 0.01}
# The gain in flat areas (m1) and at edges (m2). Low values suit photographs.
_SHARPENING = {"m1": 1.0, "m2": 2.0}
# Rec. 709 luma, rounded as in Filter Effects Module Level 1 (feColorMatrix of type saturate).
_LUMA = (0.213, 0.715, 0.072)


def adjusted(image: pyvips.Image, transform: Transform) -> pyvips.Image:
    """`image` (sRGB or gray, 8 bits, perhaps with alpha) with brightness, contrast and saturation of `transform`.

    Contrast and saturation are linear, as in the filter effects of CSS. Brightness, in percent of white, is added.
    """
    if transform.brightness:
        image = _on_color_bands(image, lambda colors: colors + 255 * transform.brightness / 100)
    if transform.contrast:
        factor = _contrast_factor(transform.contrast)
        image = _on_color_bands(image, lambda colors: (colors - 127.5) * factor + 127.5)
    if transform.saturation:
        image = _on_color_bands(image, lambda colors: _saturated(colors, 1 + transform.saturation / 100))
    return image


def blurred(image: pyvips.Image, sigma: float) -> pyvips.Image:
    """A Gaussian blur. Colors are weighted by alpha, so that the colors of transparent pixels do not spread."""
    if not image.hasalpha():
        return image.gaussblur(sigma, **_GAUSSIAN)
    return image.premultiply().gaussblur(sigma, **_GAUSSIAN).unpremultiply().cast(image.format)


def sharpened(image: pyvips.Image, sigma: float) -> pyvips.Image:
    """Sharpens the lightness with libvips' unsharp mask, which limits the change of each pixel."""
    if image.bands < 3:
        return image.colourspace("srgb").sharpen(sigma=sigma, **_SHARPENING).colourspace("b-w")
    return image.sharpen(sigma=sigma, **_SHARPENING)


def _contrast_factor(contrast: int) -> float:
    """0 at -100, 1 at 0, 250 at 100."""
    return (100 + contrast) / 100 if contrast <= 0 else 100 / max(100 - contrast, 0.4)


def _saturated(colors: pyvips.Image, amount: float) -> pyvips.Image:
    if colors.bands < 3:
        return colors
    rows = [
        [luma + (1 - luma if row == column else -luma) * amount for column, luma in enumerate(_LUMA)]
        for row in range(3)
    ]
    return colors.recomb(pyvips.Image.new_from_array(rows))


def _on_color_bands(image: pyvips.Image, act: Callable[[pyvips.Image], pyvips.Image]) -> pyvips.Image:
    if not image.hasalpha():
        return _rounded(act(image), image)
    colors = image.extract_band(0, n=image.bands - 1)
    return _rounded(act(colors), image).bandjoin(image.extract_band(image.bands - 1))


def _rounded(values: pyvips.Image, like: pyvips.Image) -> pyvips.Image:
    return values.rint().cast(like.format).copy(interpretation=like.interpretation)
