"""What tests make photos with."""

import io
import itertools

from django.core.files.base import ContentFile
from PIL import Image

from tests.ordinary_site.models import Photo

Color = tuple[int, int, int]

RED, BLUE = (200, 20, 20), (20, 20, 200)
_numbers = itertools.count()


def picture(color: Color = RED, size: tuple[int, int] = (90, 60)) -> bytes:
    """A PNG of one color."""
    file = io.BytesIO()
    Image.new("RGB", size, color).save(file, "PNG")
    return file.getvalue()


def photo(color: Color = RED, *, name: str | None = None) -> Photo:
    """A saved photo, as a factory of factory_boy makes one."""
    made = Photo(image=ContentFile(picture(color), name or f"{next(_numbers)}.png"))
    made.save()
    return made


def color_of(body: bytes) -> Color | None:
    """RED or BLUE, whichever a picture shows; None for any other."""
    with Image.open(io.BytesIO(body)) as opened:
        pixel = opened.convert("RGB").getpixel((3, 3))
    assert isinstance(pixel, tuple)
    return next(
        (color for color in (RED, BLUE) if all(abs(a - b) < 40 for a, b in zip(pixel, color, strict=True))), None
    )


def size_of(body: bytes) -> tuple[int, int]:
    """Width and height of a picture."""
    with Image.open(io.BytesIO(body)) as opened:
        return opened.size
