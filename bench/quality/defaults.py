"""The default qualities: for each format and class of sizes the score at the default, and the quality at one score."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from statistics import median
from typing import NamedTuple

import pyvips

from bench.quality.ladders import Rung, at_score, climb, middle
from bench.quality.scores import to_pillow, whole
from bench.table import markdown
from thumbs.image.encoding import Encoding
from thumbs.image.quality import DEFAULT_QUALITIES, quality_for
from thumbs.image.transforms import Fit, Transform
from thumbs.render.renderer import Renderer
from thumbs.render.values import RenderLimits

# The larger side of a thumbnail in each class of sizes: up to 256, up to 640, above.
SIDES = (200, 500, 1200)
# The first format has the score that the others aim at.
_LADDERS = {
    "jpeg": (60, 68, 76, 84, 90),
    "webp": (64, 72, 79, 85, 90),
    "avif": (48, 56, 63, 70, 78),
    "jxl": (58, 66, 74, 82, 90),
}
_AIMED_AT = "jpeg"
_RENDERER = Renderer(settings=Encoding())
_LIMITS = RenderLimits()


class Found(NamedTuple):
    """For one format and side: medians over the photographs."""

    default: int
    score: float
    size: float
    quality: float | None  # at the score of JPEG at its default
    ratio: float | None  # of the bytes there to those of JPEG
    photos: int


def ladder(data: bytes, side: int, output: str, qualities: tuple[int, ...]) -> tuple[Rung, ...]:
    """What Mage makes of an original, `side` pixels on the longer side, compared with the pixels that it encodes.

    What decoding and resizing cost is equal for all formats, and would hide what they differ in.
    """
    transform = Transform(side, side, output, fit=Fit.CONTAIN, upscale=False)
    lossless = _RENDERER.render(data, replace(transform, format="png"), _LIMITS).body
    reference = to_pillow(pyvips.Image.new_from_buffer(lossless, ""))

    def encode(quality: int) -> bytes:
        return _RENDERER.render(data, replace(transform, quality=quality), _LIMITS).body

    return climb(reference, encode, qualities)


def measured(originals: Mapping[str, bytes]) -> Iterator[tuple[str, int, Found]]:
    for side in SIDES:
        large = [data for data in originals.values() if max(whole(data).size) > side]
        aims: list[Rung] = []
        for output, qualities in _LADDERS.items():
            default = quality_for(DEFAULT_QUALITIES, output, side) or 0
            steps = tuple(sorted({*qualities, default}))
            ladders = [ladder(data, side, output, steps) for data in large]
            own = [next(rung for rung in each if rung.quality == default) for each in ladders]
            aims = aims or own
            there = [at_score(each, aim.score) for each, aim in zip(ladders, aims, strict=True)]
            ratios = (found and found[1] / aim.size for found, aim in zip(there, aims, strict=True))
            yield (
                output,
                side,
                Found(
                    default,
                    median(rung.score for rung in own),
                    median(rung.size for rung in own),
                    middle(found and found[0] for found in there),
                    middle(ratios),
                    len(large),
                ),
            )


def table(originals: Mapping[str, bytes]) -> str:
    """The score and bytes at the default, and the quality and bytes at the score of JPEG, of each format and side."""
    beside = f"at the score of {_AIMED_AT}"
    header = ["format, longer side", "default", "score", "KB", f"quality {beside}", f"bytes {beside}", "photographs"]
    rows = []
    for output, side, found in measured(originals):
        quality = "–" if found.quality is None else f"{found.quality:.1f}"
        ratio = "–" if found.ratio is None else f"{found.ratio:.2f}"
        cells = [str(found.default), f"{found.score:.1f}", f"{found.size / 1000:.1f}", quality, ratio]
        rows.append([f"{output}, {side}", *cells, str(found.photos)])
    return markdown(header, rows)
