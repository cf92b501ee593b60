"""The renderer of a storage: in threads of this process, which load libvips at the first render, or in children."""

import sys
import time
from collections.abc import Callable
from functools import cache, cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from thumbs.conf.document import OFF, REQUIRE, DocumentConf, LimitsConf
from thumbs.conf.installation import interpreter
from thumbs.image.transforms import Transform
from thumbs.pipeline.ports import Picture, Render
from thumbs.render.isolation import lockdown
from thumbs.render.isolation.pool import ChildPool
from thumbs.render.isolation.process import Command
from thumbs.render.isolation.renderer import IsolatedRenderer
from thumbs.render.isolation.wire import LAYER_BITS, Setup
from thumbs.render.values import RenderLimits, SourceLimits

if TYPE_CHECKING:
    from thumbs.render.renderer import BoundRenderer


class Isolation:
    """Which layers stand between a decoder and the server: `process`, and those of the sandbox.

    `pool` is None where renders run in threads.
    """

    def __init__(self, pool: ChildPool | None) -> None:
        self._pool = pool

    @property
    def layers(self) -> dict[str, bool]:
        """Whether each layer holds: in the last child, or, before the first, whether the kernel offers it."""
        if self._pool is None:
            return dict.fromkeys(("process", *LAYER_BITS), False)
        held = self._pool.layers
        if held is None:
            held = sum(LAYER_BITS[name] for name in _offered())
        return {"process": True, **{name: bool(held & bit) for name, bit in LAYER_BITS.items()}}

    @property
    def unavailable_seconds(self) -> float:
        """For how many seconds no child could be started; 0.0 where the last try was successful."""
        since = None if self._pool is None else self._pool.unavailable.since
        return 0.0 if since is None else time.monotonic() - since

    def retry(self) -> None:
        """Try again where no child could be started. Returns when it is ready, or could not be started."""
        if self._pool is not None:
            self._pool.retry()


class Rendering:
    """Makes the renderers of a process's storages, for as many renders at once as there are `places`.

    `outputs` are the optional formats that a storage offers. `pool` is None where renders run in threads.
    """

    def __init__(
        self,
        document: DocumentConf,
        places: int,
        count: Callable[[str], None],
        *,
        outputs: frozenset[str] = frozenset(),
    ) -> None:
        self._document = document
        self.pool = None if document.isolation == OFF else _pool(document, places, count, outputs)
        self.isolation = Isolation(self.pool)
        self._watermark = cache(lambda name: Path(document.watermarks[name]).read_bytes())

    def close(self) -> None:
        """End the child processes. Those that render end with their render."""
        if self.pool is not None:
            self.pool.close()

    def renderer(self, limits: LimitsConf, *, truncated: bool = False) -> Render:
        """A renderer with `limits`, those of a storage. `truncated`: it renders originals that are cut off."""
        own = _render_limits(limits, truncated=truncated)
        if self.pool is None:
            return LazyRenderer(self._document, own, self._watermark)
        return IsolatedRenderer(self.pool, own, self._watermark)


def description(isolation: str) -> str:
    """Where renders run, as a line for the log."""
    if isolation == OFF:
        return "renders run in threads of the server"
    layers = " and ".join(name for name in LAYER_BITS if name in _offered())
    return f"renders run in child processes, {f'locked down by {layers}' if layers else 'not locked down'}"


class LazyRenderer:
    """Loads libvips at the first render. A process that forks afterwards, or only makes URLs, must not load it."""

    def __init__(self, document: DocumentConf, limits: RenderLimits, watermark: Callable[[str], bytes]) -> None:
        self._document = document
        self._limits = limits
        self._watermark = watermark

    @cached_property
    def _bound(self) -> "BoundRenderer":
        from thumbs.render.renderer import BoundRenderer, Renderer  # noqa: PLC0415
        from thumbs.render.watermarks import Watermarks  # noqa: PLC0415

        document = self._document
        inputs = frozenset(document.input_formats)
        watermarks = Watermarks(self._watermark, inputs)
        renderer = Renderer(inputs, document.vips_concurrency, document.encoding, watermarks)
        return BoundRenderer(renderer, self._limits)

    def __call__(self, data: bytes, transform: Transform, *, fallback: Transform | None) -> Picture:
        return self._bound(data, transform, fallback=fallback)

    def make_proxy(self, data: bytes) -> bytes:
        return self._bound.make_proxy(data)

    def render_proxy(self, proxy: bytes, transform: Transform, *, fallback: Transform | None) -> Picture | None:
        return self._bound.render_proxy(proxy, transform, fallback=fallback)


def _pool(document: DocumentConf, places: int, count: Callable[[str], None], outputs: frozenset[str]) -> ChildPool:
    setup = Setup(
        inputs=frozenset(document.input_formats),
        concurrency=document.vips_concurrency,
        encoding=document.encoding,
        memory=document.limits.render_memory_mb * 1024 * 1024,
        layers=_offered(),
        outputs=outputs,
    )
    wanted = sum(LAYER_BITS.values()) if document.isolation == REQUIRE else 0
    command = Command.of_this_process(interpreter() or sys.executable)
    return ChildPool(command, setup, places=places, wanted=wanted, count=count)


def _offered() -> frozenset[str]:
    """The layers of the sandbox that this machine offers."""
    return frozenset(LAYER_BITS) - set(lockdown.missing())


def _render_limits(limits: LimitsConf, *, truncated: bool) -> RenderLimits:
    source = SourceLimits(
        pixels=limits.max_source_pixels,
        whole_pixels=limits.max_whole_pixels,
        frames=limits.max_frames,
        animation_pixels=limits.max_animation_pixels,
    )
    caps = limits.max_avif_pixels, limits.max_gif_pixels
    seconds, jxl_pixels = limits.render_seconds, limits.max_jxl_pixels
    return RenderLimits(source, limits.output, *caps, seconds=seconds, truncated=truncated, jxl_pixels=jxl_pixels)
