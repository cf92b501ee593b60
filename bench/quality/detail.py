"""Originals that are drawn: full of fine detail, or flat. They are the same on every machine."""

import io
import random
from collections.abc import Callable

from PIL import Image, ImageDraw, ImageFont

SIZE = WIDTH, HEIGHT = 3000, 2000
_FILE_QUALITY = 92
_WORDS = ("one", "two", "three", "seven", "eight", "eleven", "red", "green", "violet", "left", "upper", "small", "wide")


def text() -> Image.Image:
    """A page of small print, in two columns, with a table."""
    picture = Image.new("RGB", SIZE, "white")
    draw, chance = ImageDraw.Draw(picture), random.Random(1)
    draw.text((120, 60), "A page of small print", "black", ImageFont.load_default(90))
    small = ImageFont.load_default(30)
    for left in (120, 1560):
        for top in range(220, 1900, 40):
            line = " ".join(chance.choice(_WORDS) for _ in range(14))
            draw.text((left, top), line[:74], "black", small)
    for row in range(12):
        shade = "#dde6f0" if row % 2 else "#f6f0dd"
        draw.rectangle((1560, 1300 + 50 * row, 2880, 1350 + 50 * row), shade, "#456")
        for column in range(6):
            draw.text((1580 + 220 * column, 1306 + 50 * row), f"{chance.random() * 1e4:.2f}", "#003", small)
    return picture


def foliage() -> Image.Image:
    """Leaves over leaves, each a few pixels wide, lit from above."""
    picture = Image.new("RGB", SIZE, "#16240f")
    draw, chance = ImageDraw.Draw(picture), random.Random(2)
    for number in range(90_000):
        x, y = chance.uniform(-20, WIDTH), chance.uniform(-20, HEIGHT)
        length, bend = chance.uniform(8, 34), chance.uniform(-9, 9)
        light = 0.35 + 0.65 * number / 90_000 + chance.uniform(-0.25, 0.15)
        color = tuple(max(0, min(255, int(part * light))) for part in (96 + chance.randint(0, 70), 150, 52))
        draw.polygon([(x, y), (x + length / 2, y + bend), (x + length, y + length / 3), (x + length / 2, y)], color)
    return picture


def grain() -> Image.Image:
    """Noise of every coarseness, as gravel or skin has it."""
    chance = random.Random(3)
    layers = []
    for cell in (1, 2, 4, 9, 20, 60, 200):
        size = -(-WIDTH // cell), -(-HEIGHT // cell)
        noise = Image.frombytes("L", size, chance.randbytes(size[0] * size[1]))
        layers.append(noise.resize(SIZE, Image.Resampling.BICUBIC))
    tone = layers[-1]
    for number, layer in enumerate(reversed(layers[:-1]), 2):
        tone = Image.blend(tone, layer, 1 / number)
    return Image.merge("RGB", [tone.point([min(255, int(v * part)) for v in range(256)]) for part in (1.1, 1.0, 0.85)])


def logo() -> Image.Image:
    """A flat drawing in five colors, with transparency."""
    large = Image.new("RGBA", (WIDTH, HEIGHT), (0, 0, 0, 0))
    draw = ImageDraw.Draw(large)
    draw.ellipse((200, 200, 1800, 1800), "#0a4d8c")
    draw.pieslice((420, 420, 1580, 1580), 30, 300, "#f4b400")
    draw.rounded_rectangle((1500, 700, 2800, 1300), 160, "#db4437")
    draw.text((1620, 780), "Thumb", "white", ImageFont.load_default(380))
    draw.line((300, 1900, 2700, 1850), "#0f9d58", 30)
    return large


def chart() -> Image.Image:
    """A chart: bars, a grid, labels."""
    picture = Image.new("RGB", SIZE, "#fbfbfd")
    draw, chance = ImageDraw.Draw(picture), random.Random(5)
    label = ImageFont.load_default(48)
    for row in range(9):
        draw.line((200, 200 + 200 * row, 2900, 200 + 200 * row), "#c8ccd4", 4)
        draw.text((60, 175 + 200 * row), str(80 - 10 * row), "#333", label)
    for number in range(24):
        top, left = chance.randint(250, 1700), 230 + 110 * number
        draw.rectangle((left, top, left + 70, 1800), ("#4285f4", "#34a853", "#ea4335")[number % 3])
        draw.text((left, 1830), f"w{number + 1}", "#333", label)
    return picture


def gradient() -> Image.Image:
    """A smooth ramp on both axes."""
    across = Image.linear_gradient("L").resize(SIZE, Image.Resampling.BICUBIC)
    down = Image.linear_gradient("L").rotate(90).resize(SIZE, Image.Resampling.BICUBIC)
    return Image.merge("RGB", (across, down, Image.blend(across, down, 0.5)))


# Fine detail, on which a decode at too small a scale shows; flat pictures, on which settings of encoders do.
DETAIL: dict[str, Callable[[], Image.Image]] = {"text": text, "foliage": foliage, "grain": grain}
DRAWINGS: dict[str, Callable[[], Image.Image]] = {"text": text, "chart": chart, "logo": logo, "gradient": gradient}


def as_jpeg(picture: Image.Image) -> bytes:
    """The file of a camera: JPEG with subsampled colors."""
    body = io.BytesIO()
    picture.convert("RGB").save(body, "JPEG", quality=_FILE_QUALITY)
    return body.getvalue()


def as_png(picture: Image.Image) -> bytes:
    body = io.BytesIO()
    picture.save(body, "PNG", compress_level=1)
    return body.getvalue()
