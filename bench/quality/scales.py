"""The score by factor: what decoding at a reduced size and resizing cost, for Mage, libvips and other servers."""

from collections.abc import Callable, Mapping

import pyvips

from bench.quality.scores import reduced, score, shown_box, whole
from bench.table import markdown
from thumbs.image.geometry import Size
from thumbs.image.transforms import Transform
from thumbs.render.renderer import Renderer
from thumbs.render.values import RenderLimits

FACTORS = (1.5, 1.9, 2.5, 3.2, 3.9, 4.1, 5.0, 6.33, 7.6, 8.1, 9.0, 11.0, 12.7, 15.0, 16.2, 18.0, 20.0)
_QUALITY = 80
_RENDERER = Renderer()
_LIMITS = RenderLimits()
# Makes a JPEG of an original, `width` and `height` pixels.
Make = Callable[[bytes, int, int], bytes]


def _mage(*, linear: bool) -> Make:
    def make(data: bytes, width: int, height: int) -> bytes:
        transform = Transform(width, height, "jpeg", _QUALITY, linear=linear)
        return _RENDERER.render(data, transform, _LIMITS).body

    return make


def _libvips(*, linear: bool) -> Make:
    def make(data: bytes, width: int, height: int) -> bytes:
        image = pyvips.Image.thumbnail_buffer(data, width, height=height, size="force", linear=linear)
        body: bytes = image.write_to_buffer(".jpg", Q=_QUALITY, optimize_coding=True, keep="none")
        return body

    return make


MAKERS: Mapping[str, Make] = {
    "Mage": _mage(linear=False),
    "pyvips": _libvips(linear=False),
    "Mage, `linear`": _mage(linear=True),
    "pyvips, `linear`": _libvips(linear=True),
}


def scores(data: bytes, factor: float, makers: Mapping[str, Make]) -> dict[str, float]:
    """The score of each maker: in gamma space, or in linear light for those that resize there."""
    source = whole(data).size
    size = _size(source, factor)
    # Mage's own part of the original, which is a fraction of a pixel smaller where the ratio of the sides differs.
    _, own = shown_box(source, Transform(*size))
    everything = (0.0, 0.0, float(source[0]), float(source[1]))
    found = {}
    for name, make in makers.items():
        box = own if name.startswith("Mage") else everything
        reference = reduced(data, size, box, linear="linear" in name)
        found[name] = score(reference, make(data, *size))
    return found


def _size(source: Size, factor: float) -> Size:
    """About the size of a source divided by `factor`, with the ratio of its sides as nearly as whole pixels allow."""
    widths = range(round(source[0] / factor) - 2, round(source[0] / factor) + 3)
    heights = {width: width * source[1] / source[0] for width in widths}
    width = min(widths, key=lambda width: abs(heights[width] - round(heights[width])))
    return width, round(heights[width])


def table(originals: Mapping[str, bytes], makers: Mapping[str, Make]) -> str:
    """For each factor the lowest score of each maker, and the largest step of Mage below libvips."""
    rows = []
    for factor in FACTORS:
        found = [scores(data, factor, makers) for data in originals.values()]
        below = [max(one[libvips] - one[mage] for one in found) for mage, libvips in _PAIRS]
        lowest = [f"{min(one[name] for one in found):.1f}" for name in makers]
        rows.append([f"{factor:g}", *lowest, *(f"{most:.1f}" for most in below)])
    header = ["factor", *makers, *(f"{libvips} − {mage}, most" for mage, libvips in _PAIRS)]
    return markdown(header, rows)


_PAIRS = (("Mage", "pyvips"), ("Mage, `linear`", "pyvips, `linear`"))
