"""Small drawings with transparency, for which the formats stand in another order than for photographs."""

import io
import random
from collections.abc import Callable, Iterator
from statistics import median

from PIL import Image, ImageDraw, ImageFont

from bench.quality.defaults import ladder
from bench.quality.detail import logo
from bench.quality.ladders import Rung, at_score, middle
from bench.table import markdown
from thumbs.image.quality import DEFAULT_QUALITIES, quality_for

_SIDE = 64
# The first format has the score that the others aim at.
_LADDERS = {"webp": (64, 72, 77, 85, 92), "avif": (40, 50, 60, 70, 80, 90), "jxl": (50, 64, 72, 80, 86, 92, 96)}


def badge() -> Image.Image:
    """A shaded disk with a letter."""
    picture = Image.new("RGBA", (512, 512), (0, 0, 0, 0))
    draw = ImageDraw.Draw(picture)
    for ring in range(240):
        draw.ellipse((16 + ring, 16 + ring, 496 - ring, 496 - ring), (30 + ring // 2, 90 + ring // 3, 200, 255))
    draw.text((150, 60), "M", "white", ImageFont.load_default(300))
    return picture


def confetti() -> Image.Image:
    """Shapes of many colors, half transparent."""
    picture, chance = Image.new("RGBA", (512, 512), (0, 0, 0, 0)), random.Random(6)
    for _ in range(40):
        layer = Image.new("RGBA", picture.size, (0, 0, 0, 0))
        x, y, side = chance.randrange(400), chance.randrange(400), chance.randrange(40, 110)
        color = (*(chance.randrange(256) for _ in range(3)), chance.randrange(90, 256))
        ImageDraw.Draw(layer).regular_polygon((x + 50, y + 50, side / 2), chance.randrange(3, 8), fill=color)
        picture.alpha_composite(layer)
    return picture


ICONS: tuple[Callable[[], Image.Image], ...] = (logo, badge, confetti)


def table() -> str:
    """For each format the score and the bytes at its default, and the bytes at the score of WebP, as a ratio to those.

    Medians over the icons.
    """
    header = ["64×64, with alpha", "default", "score", "bytes", "bytes at the score of webp"]
    return markdown(header, list(_rows()))


def _rows() -> Iterator[list[str]]:
    icons = [_file(draw()) for draw in ICONS]
    aims: list[Rung] = []
    for output, qualities in _LADDERS.items():
        default = quality_for(DEFAULT_QUALITIES, output, _SIDE) or 0
        ladders = [ladder(data, _SIDE, output, tuple(sorted({*qualities, default}))) for data in icons]
        own = [next(rung for rung in each if rung.quality == default) for each in ladders]
        aims = aims or own
        there = [at_score(each, aim.score) for each, aim in zip(ladders, aims, strict=True)]
        ratio = middle(found and found[1] / aim.size for found, aim in zip(there, aims, strict=True))
        size, score = median(rung.size for rung in own), median(rung.score for rung in own)
        yield [output, str(default), f"{score:.1f}", f"{size:.0f}", "–" if ratio is None else f"{ratio:.2f}"]
    lossless = [ladder(data, _SIDE, "png", (1,))[0].size for data in icons]
    ratio = median(size / aim.size for size, aim in zip(lossless, aims, strict=True))
    yield ["png", "–", "100.0", f"{median(lossless):.0f}", f"{ratio:.2f} (without loss)"]


def _file(picture: Image.Image) -> bytes:
    body = io.BytesIO()
    picture.save(body, "PNG")
    return body.getvalue()
