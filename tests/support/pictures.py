"""Originals for the tests, drawn with Pillow: an oracle that shares no code with the renderer."""

import io
import random
from importlib import import_module
from pathlib import Path

from PIL import Image, ImageDraw

from thumbs.image.formats import sniff

RED, GREEN, BLUE, WHITE = (220, 40, 30), (30, 160, 60), (40, 60, 200), (250, 250, 250)
_EXIF_ORIENTATION = 0x0112


def quarters(width: int = 600, height: int = 400) -> Image.Image:
    """Four plain quarters: red, green, blue, white, row by row from the top left."""
    image = Image.new("RGB", (width, height), WHITE)
    draw = ImageDraw.Draw(image)
    for position, color in enumerate((RED, GREEN, BLUE)):
        left, top = (position % 2) * width // 2, (position // 2) * height // 2
        draw.rectangle((left, top, left + width // 2 - 1, top + height // 2 - 1), fill=color)
    return image


def noise(width: int, height: int, seed: int = 1) -> Image.Image:
    """Noise that compresses badly, as a photograph does."""
    small = Image.frombytes("RGB", (64, 64), random.Random(seed).randbytes(64 * 64 * 3))
    return small.resize((width, height), Image.Resampling.BICUBIC)


def scene(width: int = 1800, height: int = 1200) -> Image.Image:
    """A picture as detailed as a photograph: gradients, grain, thin lines and round edges, without symmetry."""
    sky = Image.merge("RGB", [Image.linear_gradient("L").rotate(turn).resize((width, height)) for turn in (0, 90, 180)])
    grain = Image.frombytes("RGB", (width // 4, height // 4), random.Random(5).randbytes(width * height // 16 * 3))
    image = Image.blend(sky, grain.resize((width, height), Image.Resampling.BICUBIC), 0.15)
    draw = ImageDraw.Draw(image)
    for number in range(12):
        left, top = number * width // 14, height // 3 + (number * 37) % (height // 2)
        draw.ellipse((left, top, left + width // 9, top + height // 7), fill=(20 * number, 255 - 20 * number, 90))
        draw.line((left, 0, width - left // 2, height), fill=(240, 240 - 15 * number, 10), width=2)
    return image


def encoded(image: Image.Image, format_name: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, format_name, **options)
    return buffer.getvalue()


def decoded(data: bytes) -> Image.Image:
    """A file by another decoder than libvips: Pillow, and imagecodecs for JPEG XL, where the first frame is decoded."""
    if sniff(data) == "jxl":
        return Image.fromarray(import_module("imagecodecs").jpegxl_decode(data, index=0))
    image = Image.open(io.BytesIO(data))
    image.load()
    return image


def turned(upright: Image.Image, orientation: int) -> Image.Image:
    """The pixels as `orientation` says that they lie (EXIF 2.32, 4.6.4)."""
    turns: dict[int, list[Image.Transpose]] = {
        1: [],
        2: [Image.Transpose.FLIP_LEFT_RIGHT],
        3: [Image.Transpose.ROTATE_180],
        4: [Image.Transpose.FLIP_TOP_BOTTOM],
        5: [Image.Transpose.TRANSPOSE],
        6: [Image.Transpose.ROTATE_90],
        7: [Image.Transpose.TRANSVERSE],
        8: [Image.Transpose.ROTATE_270],
    }
    stored = upright
    for turn in turns[orientation]:
        stored = stored.transpose(turn)
    return stored


def stored_turned(upright: Image.Image, orientation: int) -> bytes:
    """A JPEG whose pixels lie as `orientation` says, so that it shows `upright`."""
    exif = Image.Exif()
    exif[_EXIF_ORIENTATION] = orientation
    return encoded(turned(upright, orientation), "JPEG", quality=95, subsampling=0, exif=exif)


def draw_all(root: Path) -> None:
    """The originals of the HTTP tests, among them every kind that is refused."""
    files = {
        "quarters.jpg": encoded(quarters(), "JPEG", quality=95, subsampling=0),
        "quarters.png": encoded(quarters(), "PNG"),
        "quarters.webp": encoded(quarters(), "WEBP", lossless=True),
        "quarters.gif": encoded(quarters(), "GIF"),
        "quarters.avif": encoded(quarters(), "AVIF", quality=95),
        "noise.jpg": encoded(noise(1500, 1000), "JPEG", quality=90),
        "transparent.png": encoded(Image.new("RGBA", (300, 200), (*RED, 128)), "PNG"),
        "cats/tom & jerry?.jpg": encoded(noise(320, 240, seed=2), "JPEG"),
        "Bücher/été.jpg": encoded(noise(320, 240, seed=3), "JPEG"),
        "text.jpg": b"This is not a picture, whatever its name says.\n" * 20,
        "empty.jpg": b"",
        "tiff.jpg": encoded(quarters(), "TIFF"),
        "big.jpg": encoded(noise(3000, 3000, seed=4), "JPEG", quality=95),
        "huge.png": encoded(Image.new("1", (8000, 8000)), "PNG"),
    }
    files["truncated.jpg"] = files["noise.jpg"][: len(files["noise.jpg"]) // 2]
    for orientation in range(1, 9):
        files[f"turned-{orientation}.jpg"] = stored_turned(quarters(), orientation)
    for name, data in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
