"""One original in, one thumbnail out."""

import itertools
import time
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

import pyvips

from thumbs.errors import SizeOverLimit
from thumbs.image.description import Description
from thumbs.image.encoding import Encoding
from thumbs.image.formats import DEFAULT_INPUTS, FALLBACK_OUTPUT
from thumbs.image.geometry import Layout, OutputLimits, plan
from thumbs.image.outputs import JSON
from thumbs.image.transforms import ORIGINAL, Transform
from thumbs.render import animation, decode, gain_maps, libvips, smartcrop, trim
from thumbs.render.codecs.copyright import Copyright
from thumbs.render.completeness.decoding import Attempt, decode_checked
from thumbs.render.describing import describe
from thumbs.render.encode import File, encode
from thumbs.render.header import Animation, Header
from thumbs.render.proxy import Proxy, make_proxy
from thumbs.render.steps import STEPS, StepContext
from thumbs.render.table import normalized, read_header
from thumbs.render.values import Picture, RenderLimits, picture_of, stored
from thumbs.render.watermarks import Watermarks


@dataclass(frozen=True, slots=True)
class Renderer:
    """Renders in this process. `inputs` are the formats that it reads, `concurrency` is the threads per render."""

    inputs: frozenset[str] = frozenset(DEFAULT_INPUTS)
    concurrency: int = 1
    settings: Encoding = field(default_factory=Encoding)
    watermarks: Watermarks | None = None

    def render(
        self, data: bytes, transform: Transform, limits: RenderLimits, *, fallback: Transform | None = None
    ) -> Picture:
        """The thumbnail of an original; `transform` has all defaults.

        `fallback` is rendered instead when the output exceeds the cap of its format; without a fallback, that is
        refused. Raises `SourceUnsupported`, `SourceBroken`, `SourceOverLimit`, `SizeOverLimit`, `BadFilter`,
        `RenderTimeout` and `RenderFailed`.
        """
        deadline = libvips.Deadline(limits.seconds)
        libvips.start(self.inputs, concurrency=self.concurrency)
        data = normalized(data)
        header = read_header(data, self.inputs)
        frames = header.kept_frames(transform)
        header.check(limits.source, frames=frames, trimmed=transform.trim is not None)
        transform = _encodable(plan(header.size, transform), transform, limits, frames, fallback)

        def decode_once(attempt: Attempt) -> tuple[list[pyvips.Image], Layout]:
            return _decoded(attempt.data, header.attempted(attempt), transform, frames, deadline, limits.output)

        (images, layout), truncated = decode_checked(
            data, header.format, decode_once, render_truncated=limits.truncated
        )
        job = _Job(transform, layout, deadline, header.animation if frames > 1 else None, header.copyright)
        picture = self._assemble(images, job)
        if self.settings.keep_gain_map and not truncated and gain_maps.may_follow(transform):
            body = gain_maps.followed(picture.body, data, header, layout, transform=transform, deadline=deadline)
            picture = replace(picture, body=body)
        return replace(picture, truncated=truncated)

    def check(self, data: bytes, limits: RenderLimits) -> None:
        """Raise what `render` raises for an original of another format, a broken header or too many pixels.

        All frames count, because the stored bytes have all of them. No pixel is decoded.
        """
        libvips.start(self.inputs, concurrency=self.concurrency)
        header = read_header(normalized(data), self.inputs)
        header.check(limits.source, frames=1 if header.animation is None else header.frames)

    def make_proxy(self, data: bytes, limits: RenderLimits) -> bytes:
        """The packed proxy of an original; empty where a proxy gains nothing, or the original is cut off.

        Raises as `render` does.
        """
        deadline = libvips.Deadline(limits.seconds)
        libvips.start(self.inputs, concurrency=self.concurrency)
        data = normalized(data)
        header = read_header(data, self.inputs)
        header.check(limits.source)

        def decode_once(attempt: Attempt) -> Proxy | None:
            return make_proxy(attempt.data, header.attempted(attempt), deadline)

        proxy, truncated = decode_checked(data, header.format, decode_once, render_truncated=limits.truncated)
        return b"" if proxy is None or truncated else proxy.pack()

    def render_proxy(
        self, packed: bytes, transform: Transform, limits: RenderLimits, *, fallback: Transform | None = None
    ) -> Picture | None:
        """As `render`, from a packed proxy; None when the original has to be used.

        The proxy may have too few pixels, was reduced in other light, or lacks a gain map that follows.
        """
        deadline = libvips.Deadline(limits.seconds)
        libvips.start(self.inputs, concurrency=self.concurrency)
        source = Proxy.unpack(packed)
        layout = plan(source.size, transform)
        limits.output.check_layout(layout)
        if layout.linear or not source.suffices(layout):
            return None
        if source.has_gain_map and self.settings.keep_gain_map and gain_maps.may_follow(transform):
            return None
        transform = _encodable(layout, transform, limits, 1, fallback)
        image = source.fitted(layout, deadline)
        layout = smartcrop.locate_window(image, layout)
        return self._assemble([image], _Job(transform, layout, deadline, None, source.copyright))

    def describe(self, data: bytes, transform: Transform, limits: RenderLimits) -> Description:
        """What is to be said of an original, and the size of the thumbnail that `transform` would give.

        No pixels are decoded, unless the transform asks for data that need them, or trims. Raises as `render` does.
        """
        deadline = libvips.Deadline(limits.seconds)
        libvips.start(self.inputs, concurrency=self.concurrency)
        data = normalized(data)
        return describe(data, read_header(data, self.inputs), transform, limits=limits, deadline=deadline)

    def _assemble(self, images: list[pyvips.Image], job: "_Job") -> Picture:
        """Run the steps on scaled frames and encode them."""
        transform = job.transform
        output = transform.format or FALLBACK_OUTPUT
        watermark = None
        if transform.watermark is not None and self.watermarks is not None:
            watermark = self.watermarks.picture(transform.watermark.name)
        context = StepContext(transform, job.layout, output, watermark)
        images = [_run_steps(image, context) for image in images]
        image = images[0] if job.animation is None else animation.join_frames(images, job.animation, output)
        file = File(output, transform.quality, transform.max_bytes, self.settings, job.copyright)
        encoding = time.perf_counter()
        body = encode(image, file, job.deadline)
        return Picture(body, output, time.perf_counter() - encoding)


@dataclass(frozen=True, slots=True)
class BoundRenderer:
    """A renderer with the limits of one storage."""

    renderer: Renderer
    limits: RenderLimits

    def __call__(self, data: bytes, transform: Transform, *, fallback: Transform | None) -> Picture:
        if transform.format == JSON:
            return picture_of(self.renderer.describe(data, transform, self.limits), len(data))
        if transform.format == ORIGINAL:
            self.renderer.check(data, self.limits)
            return stored(data)
        return self.renderer.render(data, transform, self.limits, fallback=fallback)

    def make_proxy(self, data: bytes) -> bytes:
        return self.renderer.make_proxy(data, self.limits)

    def render_proxy(self, packed: bytes, transform: Transform, *, fallback: Transform | None) -> Picture | None:
        return self.renderer.render_proxy(packed, transform, self.limits, fallback=fallback)


@dataclass(frozen=True, slots=True)
class _Job:
    """What `_assemble` needs besides the scaled frames."""

    transform: Transform
    layout: Layout
    deadline: libvips.Deadline
    animation: Animation | None
    copyright: Copyright | None


def _decoded(
    data: bytes, header: Header, transform: Transform, frames: int, deadline: libvips.Deadline, limits: OutputLimits
) -> tuple[list[pyvips.Image], Layout]:
    """The scaled frames and their layout, whose window has its final position."""
    layout = plan(header.size, transform)
    limits.check_layout(layout, frames=frames)
    if frames > 1:
        pages = animation.pages(data, header, frames, deadline)
        first = next(pages)
        if transform.trim is not None:
            margins = decode.fitted(first, plan(header.size, Transform(crop=transform.crop)), deadline, header=header)
            layout = _trimmed(margins, header, transform, limits, frames)
        return _fitted(itertools.chain([first], pages), header, layout, deadline)
    if transform.trim is not None:
        full = plan(header.size, Transform(crop=transform.crop))
        whole = decode.scaled(data, header, full, deadline)
        layout = _trimmed(whole, header, transform, limits, frames)
        images = [decode.fitted(whole, layout, deadline, origin=(full.region.left, full.region.top))]
    else:
        images = [decode.scaled(data, header, layout, deadline)]
    return images, smartcrop.locate_window(images[0], layout)


def _fitted(
    pages: Iterable[pyvips.Image], header: Header, layout: Layout, deadline: libvips.Deadline
) -> tuple[list[pyvips.Image], Layout]:
    """The windows of all pages, one page after the other; the first one decides where a window with attention is."""
    images: list[pyvips.Image] = []
    final = layout
    for page in pages:
        image = decode.fitted(page, layout, deadline, header=header)
        if not images:
            final = smartcrop.locate_window(image, layout)
        if layout.attention is not None:  # all of the scaled picture: keep no more than the window
            window = final.window
            image = image.extract_area(window.left, window.top, *window.size).copy_memory()
        images.append(image)
    return images, final


def _trimmed(whole: pyvips.Image, header: Header, transform: Transform, limits: OutputLimits, frames: int) -> Layout:
    layout = trim.trimmed_layout(whole, header.size, transform)
    limits.check_layout(layout, frames=frames)
    return layout


def _run_steps(image: pyvips.Image, context: StepContext) -> pyvips.Image:
    for step in STEPS:
        image = step(image, context)
    return image


def _encodable(
    layout: Layout, transform: Transform, limits: RenderLimits, frames: int, fallback: Transform | None
) -> Transform:
    """`transform`, or `fallback` when its encoder would cost too much. Raises `SizeOverLimit` without a fallback."""
    caps = {"avif": limits.avif_pixels, "gif": limits.gif_pixels, "jxl": limits.jxl_pixels}
    width, height = layout.output
    if width * height * frames <= caps.get(transform.format or "", limits.output.pixels):
        return transform
    if fallback is None:
        raise SizeOverLimit
    return fallback
