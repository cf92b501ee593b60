"""A renderer with the limits of one storage, whose work is done in children. Imports no pyvips."""

from collections.abc import Callable
from dataclasses import dataclass

from thumbs.errors import RenderFailed
from thumbs.image.outputs import JSON
from thumbs.image.transforms import ORIGINAL, Transform
from thumbs.render.isolation.descriptions import unpack
from thumbs.render.isolation.pool import ChildPool
from thumbs.render.isolation.wire import Answer, Call, Outcome, Work
from thumbs.render.values import Picture, RenderLimits, picture_of, stored


@dataclass(frozen=True, slots=True)
class IsolatedRenderer:
    """As `render.renderer.BoundRenderer`. `watermark` gives the file of a watermark by its name."""

    pool: ChildPool
    limits: RenderLimits
    watermark: Callable[[str], bytes]

    def __call__(self, data: bytes, transform: Transform, *, fallback: Transform | None) -> Picture:
        if transform.format == JSON:
            work = Work(self.limits, transform)
            return picture_of(unpack(self.pool.run(Call.DESCRIBE, work, data).body, work), len(data))
        if transform.format == ORIGINAL:  # the bytes need not come back, and what a child sends is not trusted
            self.pool.run(Call.CHECK, Work(self.limits), data)
            return stored(data)
        return _picture(self._run(Call.RENDER, data, transform, fallback))

    def make_proxy(self, data: bytes) -> bytes:
        return self.pool.run(Call.MAKE_PROXY, Work(self.limits), data).body

    def render_proxy(self, packed: bytes, transform: Transform, *, fallback: Transform | None) -> Picture | None:
        answer = self._run(Call.RENDER_PROXY, packed, transform, fallback)
        return None if answer.outcome == Outcome.TOO_SMALL else _picture(answer)

    def _run(self, call: Call, data: bytes, transform: Transform, fallback: Transform | None) -> Answer:
        watermark = None
        if transform.watermark is not None:
            name = transform.watermark.name
            try:
                watermark = name, self.watermark(name)
            except (KeyError, OSError) as error:
                raise RenderFailed from error
        return self.pool.run(call, Work(self.limits, transform, fallback), data, watermark)


def _picture(answer: Answer) -> Picture:
    return Picture(answer.body, answer.format, answer.encode_seconds, answer.outcome == Outcome.PART)
