"""One original in, one thumbnail out."""

import time
from dataclasses import dataclass, field

from thumbs.errors import SizeOverLimit
from thumbs.formats import DEFAULT_INPUTS, FALLBACK_OUTPUT
from thumbs.geometry import Layout, OutputLimits, plan
from thumbs.render import engine
from thumbs.render.decode import SourceLimits, read_header, scaled
from thumbs.render.encode import encode
from thumbs.render.steps import STEPS, Work
from thumbs.transforms import Transform


@dataclass(frozen=True, slots=True)
class RenderLimits:
    """Everything that is refused before work begins. `avif_pixels` caps AVIF output, which costs the most to encode."""

    source: SourceLimits = field(default_factory=SourceLimits)
    output: OutputLimits = field(default_factory=OutputLimits)
    avif_pixels: int = 4_000_000
    seconds: float = 15


@dataclass(frozen=True, slots=True)
class Picture:
    """A finished thumbnail. `render_seconds` is decoding and every step, `encode_seconds` the rest."""

    body: bytes
    format: str
    render_seconds: float
    encode_seconds: float


@dataclass(frozen=True, slots=True)
class Renderer:
    """Renders in this process. `inputs` are the formats that it reads, `concurrency` its threads per render."""

    inputs: frozenset[str] = frozenset(DEFAULT_INPUTS)
    concurrency: int = 1

    def render(
        self, data: bytes, transform: Transform, limits: RenderLimits, *, spare: Transform | None = None
    ) -> Picture:
        """Make `transform` (its format and quality settled) of `data`.

        `spare` is made instead of AVIF when the output is over `avif_pixels`; without one that is refused.
        Raises `SourceUnsupported`, `SourceBroken`, `SourceOverLimit`, `SizeOverLimit`, `BadFilter`, `RenderTimeout`
        and `RenderFailed`.
        """
        began = time.perf_counter()
        deadline = engine.Deadline(limits.seconds)
        engine.start(self.inputs, concurrency=self.concurrency)
        header = read_header(data, self.inputs)
        header.check(limits.source)
        layout = plan(header.size, transform)
        limits.output.check_layout(layout)
        transform = _affordable(layout, transform, limits, spare)
        output = transform.format or FALLBACK_OUTPUT
        work = Work(transform, layout, output)
        image = scaled(data, header, layout, deadline)
        for step in STEPS:
            image = step(image, work)
        rendered = time.perf_counter()
        body = encode(image, output, transform.quality, deadline, max_bytes=transform.max_bytes)
        return Picture(body, output, rendered - began, time.perf_counter() - rendered)


def _affordable(layout: Layout, transform: Transform, limits: RenderLimits, spare: Transform | None) -> Transform:
    width, height = layout.output
    if transform.format != "avif" or width * height <= limits.avif_pixels:
        return transform
    if spare is None:
        raise SizeOverLimit
    return spare
