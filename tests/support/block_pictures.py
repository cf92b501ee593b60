"""Originals of colored blocks, on which other image servers were asked, and a coarse measure of their answers.

Of six by six colors no two are alike and none is gray: where a cut lies can be read from any two of them.
"""

import io
from pathlib import Path

from PIL import Image, ImageDraw, ImageOps, ImageStat

from tests.support.pictures import encoded

_HUES = ((224, 32, 32), (32, 176, 32), (32, 64, 224), (224, 192, 32), (192, 32, 192), (32, 192, 192))
_SHADES = (1.0, 0.8, 0.62, 0.46, 0.32, 0.2)
_EXIF_ORIENTATION, _EXIF_ARTIST, _EXIF_COPYRIGHT = 0x0112, 0x013B, 0x8298

Grid = tuple[tuple[int, int, int], ...]


def blocks(width: int, height: int, columns: int, rows: int, shift: int = 0) -> Image.Image:
    """Blocks whose hue steps with the column and with the row, and whose shade steps with the row."""
    image = Image.new("RGB", (width, height))
    draw = ImageDraw.Draw(image)
    for row in range(rows):
        for column in range(columns):
            hue, shade = _HUES[(column + shift + row) % len(_HUES)], _SHADES[row % len(_SHADES)]
            left, top = column * width // columns, row * height // rows
            right, bottom = (column + 1) * width // columns - 1, (row + 1) * height // rows - 1
            draw.rectangle((left, top, right, bottom), fill=tuple(round(level * shade) for level in hue))
    return image


def _transparent(image: Image.Image) -> Image.Image:
    """The left quarter transparent, the right quarter half so."""
    alpha = Image.new("L", image.size, 255)
    draw, quarter = ImageDraw.Draw(alpha), image.width // 4
    draw.rectangle((0, 0, quarter - 1, image.height), fill=0)
    draw.rectangle((image.width - quarter, 0, image.width, image.height), fill=128)
    image = image.convert("RGBA")
    image.putalpha(alpha)
    return image


def _jpeg(image: Image.Image, *, orientation: int = 1, artist: str = "") -> bytes:
    exif = Image.Exif()
    exif[_EXIF_ORIENTATION] = orientation
    if artist:
        exif[_EXIF_ARTIST] = exif[_EXIF_COPYRIGHT] = artist
    return encoded(image, "JPEG", quality=92, subsampling=0, exif=exif)


def _animation() -> bytes:
    frames = [blocks(300, 200, 3, 2, shift) for shift in range(3)]
    return encoded(frames[0], "GIF", save_all=True, append_images=frames[1:], duration=100, loop=0)


def originals() -> dict[str, bytes]:
    """The bytes of each original, by its key."""
    medium = blocks(600, 400, 6, 4)
    framed = Image.new("RGB", (400, 300), (255, 255, 255))
    framed.paste(blocks(300, 200, 3, 2), (40, 20))
    photo = _jpeg(medium)
    return {
        "landscape.jpg": _jpeg(blocks(1200, 800, 6, 4), artist="Mage"),
        "portrait.jpg": _jpeg(blocks(600, 900, 4, 6)),
        "rotated.jpg": _jpeg(medium.transpose(Image.Transpose.ROTATE_90), orientation=6),
        "medium.jpg": photo,
        "alpha.png": encoded(_transparent(medium), "PNG"),
        "opaque.png": encoded(medium, "PNG"),
        "small.jpg": _jpeg(blocks(120, 80, 6, 4)),
        "odd.jpg": _jpeg(blocks(501, 333, 5, 3)),
        "framed.png": encoded(framed, "PNG"),
        "moving.gif": _animation(),
        "photo.webp": encoded(medium, "WEBP", lossless=True),
        "mark.png": encoded(_transparent(blocks(60, 30, 2, 1, shift=3)), "PNG"),
        "nested/deep/photo.jpg": photo,
        "späce näme ü.jpg": photo,
        "a@b.jpg": photo,
        "plus+sign.jpg": photo,
        "100%.jpg": photo,
        "noextension": photo,
        "liar.png": photo,
        "truncated.jpg": photo[:3000],
        "text.jpg": b"This is not a picture.\n",
    }


def write_originals(directory: Path) -> Path:
    for key, data in originals().items():
        path = directory / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return directory


def measured(data: bytes) -> tuple[tuple[int, int], Grid]:
    """The upright size of the first frame, and the mean colors of a grid of 4 × 4 cells on white, row by row."""
    with Image.open(io.BytesIO(data)) as opened:
        image = ImageOps.exif_transpose(opened).convert("RGBA")
    width, height = image.size
    flat = Image.alpha_composite(Image.new("RGBA", image.size, (255, 255, 255, 255)), image).convert("RGB")
    grid = []
    for row in range(4):
        for column in range(4):
            left, top = min(column * width // 4, width - 1), min(row * height // 4, height - 1)
            right = max((column + 1) * width // 4, left + 1)
            bottom = max((row + 1) * height // 4, top + 1)
            red, green, blue = ImageStat.Stat(flat.crop((left, top, right, bottom))).mean
            grid.append((round(red), round(green), round(blue)))
    return (width, height), tuple(grid)
