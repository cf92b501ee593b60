"""The formats that this environment reads and writes: those of libvips, and those of the extras that are installed."""

from importlib import import_module
from typing import Any

from PIL import Image

from tests.support.heic_files import heic
from thumbs import extras
from thumbs.image.formats import FORMATS

INPUTS = tuple(name for name, row in FORMATS.items() if row.extra is None or extras.is_installed(row.extra))
OUTPUTS = tuple(name for name in INPUTS if FORMATS[name].output)
# Those of the extras.
OPTIONAL_OUTPUTS = tuple(name for name in OUTPUTS if FORMATS[name].extra is not None)


def originals_of_packages(photo: Image.Image) -> dict[str, bytes]:
    """File names, and files, of the formats that packages of extras read."""
    found = {}
    if "jxl" in INPUTS:
        codec: Any = import_module("imagecodecs")
        numpy: Any = import_module("numpy")
        found["a.jxl"] = codec.jpegxl_encode(numpy.asarray(photo), distance=1.0)
    if "heic" in INPUTS:
        found["a.heic"] = heic(photo)
    return found
