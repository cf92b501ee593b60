"""A red and a blue original, and which of them a thumbnail shows: a cache serves the old one, or the new one."""

from PIL import Image

from tests.support import pictures

RED = pictures.encoded(Image.new("RGB", (300, 200), pictures.RED), "JPEG")
BLUE = pictures.encoded(Image.new("RGB", (300, 200), pictures.BLUE), "JPEG")


def is_red(body: bytes) -> bool:
    red, _, blue = pictures.decoded(body).convert("RGB").getpixel((10, 10))  # type: ignore[misc]
    return bool(red > blue)
