"""The renderer of a storage, which loads libvips at the first render."""

from functools import cached_property
from typing import TYPE_CHECKING

from thumbs.conf.document import DocumentConf, LimitsConf
from thumbs.image.transforms import Transform
from thumbs.pipeline.ports import Picture

if TYPE_CHECKING:
    from thumbs.render.renderer import BoundRenderer


class LazyRenderer:
    """Loads libvips at the first render. A process that forks afterwards, or only makes URLs, must not load it."""

    def __init__(self, document: DocumentConf, limits: LimitsConf) -> None:
        self._document = document
        self._limits = limits

    @cached_property
    def _bound(self) -> "BoundRenderer":
        from thumbs.render.header import SourceLimits  # noqa: PLC0415
        from thumbs.render.renderer import BoundRenderer, Renderer, RenderLimits  # noqa: PLC0415
        from thumbs.render.watermarks import Watermarks  # noqa: PLC0415

        limits = self._limits
        source = SourceLimits(
            pixels=limits.max_source_pixels,
            whole_pixels=limits.max_whole_pixels,
            frames=limits.max_frames,
        )
        inputs = frozenset(self._document.input_formats)
        renderer = Renderer(
            inputs,
            self._document.vips_concurrency,
            self._document.encoding,
            Watermarks(self._document.watermarks, inputs),
        )
        caps = limits.max_avif_pixels, limits.max_gif_pixels
        return BoundRenderer(renderer, RenderLimits(source, limits.output, *caps, seconds=limits.render_seconds))

    def __call__(self, data: bytes, transform: Transform, *, fallback: Transform | None) -> Picture:
        return self._bound(data, transform, fallback=fallback)

    def make_proxy(self, data: bytes) -> bytes:
        return self._bound.make_proxy(data)

    def render_proxy(self, proxy: bytes, transform: Transform, *, fallback: Transform | None) -> Picture | None:
        return self._bound.render_proxy(proxy, transform, fallback=fallback)
