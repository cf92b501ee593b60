"""HEIC files, as pillow-heif writes them."""

import io
from importlib import import_module
from typing import Any

from PIL import Image


def heic(image: Image.Image, **options: object) -> bytes:
    package: Any = import_module("pillow_heif")
    buffer = io.BytesIO()
    package.from_pillow(image).save(buffer, format="HEIF", **{"quality": 90, "save_as_brand": "heic", **options})
    return buffer.getvalue()
