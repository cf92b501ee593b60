"""Mode `dummy`: plain pictures through the usual pipeline, so that every filter and every format works."""

import math
from dataclasses import replace

from thumbs.conf.document import DocumentConf, LimitsConf
from thumbs.errors import ThumbError
from thumbs.image.geometry import Layout, plan
from thumbs.image.transforms import ORIGINAL, Crop, Transform
from thumbs.pipeline.ports import Picture, Render
from thumbs.sources.bitmap import Area, draw, title_of
from thumbs.sources.dummy import SIZE, colors_of

# A crop in pixels may lie outside the drawn original. It is enlarged up to this factor then.
_MOST = 4
_MEGAPIXELS = SIZE[0] * SIZE[1] * _MOST**2 / 1_000_000
_LONGEST_NAME = 24


class DummyRender:
    """Draws the original anew with the size of the thumbnail in the part that it shows, then renders it."""

    def __init__(self, render: Render) -> None:
        self._render = render

    def __call__(self, data: bytes, transform: Transform, *, fallback: Transform | None) -> Picture:
        shown = Transform() if transform.format == ORIGINAL else transform
        return self._render(_labeled(data, shown), transform, fallback=fallback)

    def make_proxy(self, data: bytes) -> bytes:
        return self._render.make_proxy(data)

    def render_proxy(self, proxy: bytes, transform: Transform, *, fallback: Transform | None) -> Picture | None:
        return self._render.render_proxy(proxy, transform, fallback=fallback)


def drawable(document: DocumentConf) -> DocumentConf:
    """`document` with the format of the drawn originals among those that are decoded."""
    return replace(document, input_formats=tuple(dict.fromkeys((*document.input_formats, "png"))))


def large_enough(limits: LimitsConf) -> LimitsConf:
    """`limits` that allow the drawn originals."""
    megapixels = max(limits.max_source_megapixels, _MEGAPIXELS), max(limits.max_whole_megapixels, _MEGAPIXELS)
    return replace(limits, max_source_megapixels=megapixels[0], max_whole_megapixels=megapixels[1])


def _labeled(data: bytes, transform: Transform) -> bytes:
    path = title_of(data)
    size = _size_for(transform)
    try:
        layout = plan(size, transform)
    except ThumbError:  # the renderer raises it, too
        return data
    width, height = layout.output
    name = path.rpartition("/")[2]
    lines = (f"{width}×{height}", *([name] if len(name) <= _LONGEST_NAME else []))
    return draw(size, colors_of(path), path, lines, _shown(layout))


def _shown(layout: Layout) -> Area:
    """The part of the original that the thumbnail shows: with attention, in the middle, where the text attracts it."""
    shown, region = layout.needed, layout.region
    if layout.attention is None:
        return Area(shown.left, shown.top, shown.width, shown.height)
    width = region.width * layout.window.width // layout.scaled[0]
    height = region.height * layout.window.height // layout.scaled[1]
    return Area(region.left + (region.width - width) // 2, region.top + (region.height - height) // 2, width, height)


def _size_for(transform: Transform) -> tuple[int, int]:
    crop = transform.crop
    times = math.ceil(max(crop.x2 / SIZE[0], crop.y2 / SIZE[1])) if isinstance(crop, Crop) and not crop.percent else 1
    times = min(max(times, 1), _MOST)
    return SIZE[0] * times, SIZE[1] * times
