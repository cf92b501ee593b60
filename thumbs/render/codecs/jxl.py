"""JPEG XL where libvips has no libjxl: by imagecodecs, which works on whole pictures and cannot be interrupted.

imagecodecs and numpy are imported at the first use; a child that is locked down calls `load` before.
"""

from functools import cache
from importlib import import_module
from typing import Any

import pyvips

from thumbs.errors import RenderFailed, SourceBroken
from thumbs.render.color.conversion import DEEP
from thumbs.render.containers.jxl import Jxl, Space

# Chosen from the tables in docs/quality.md.
EFFORT = 3
_LOADER, _SAVER = "jxlload_buffer", "jxlsave_buffer"
_THREADS = 1
# By bands and type of the samples.
_INTERPRETATIONS = {"uchar": ("b-w", "srgb"), "ushort": DEEP}
_MOST = {"uchar": 255, "ushort": 2**16 - 1}


@cache
def libvips_reads() -> bool:
    """Whether libvips has a decoder of its own."""
    return bool(pyvips.type_find("VipsForeignLoad", _LOADER))


@cache
def libvips_writes() -> bool:
    """Whether libvips has an encoder of its own."""
    return bool(pyvips.type_find("VipsForeignSave", _SAVER))


@cache
def load() -> tuple[Any, Any]:
    """The codec of imagecodecs, and numpy. Raises ImportError."""
    return import_module("imagecodecs._jpegxl"), import_module("numpy")


def is_available() -> bool:
    """Whether the packages can be imported."""
    try:
        load()
    except ImportError:
        return False
    return True


def stub(header: Jxl) -> pyvips.Image:
    """A picture of one pixel with the colors of that of `header`."""
    bands = 1 if header.colors.space is Space.GRAY else 3
    return pyvips.Image.black(1, 1, bands=bands).copy(interpretation=_INTERPRETATIONS["uchar"][bands > 2])


def decode(data: bytes, header: Jxl) -> pyvips.Image:
    """The first picture of a file, upright, in memory, with 8 or 16 bits per channel. Raises `SourceBroken`."""
    codec, numpy = load()
    try:
        samples = codec.jpegxl_decode(data, index=0, numthreads=_THREADS)
    except MemoryError:
        raise
    except Exception as error:  # the package names no common class
        raise SourceBroken from error
    if header.is_planar:
        samples = samples[0]
    height, width, *bands = samples.shape
    if (width, height) != header.size:
        raise SourceBroken
    count = bands[0] if bands else 1
    array = numpy.ascontiguousarray(samples)
    kind = {"uint8": "uchar", "uint16": "ushort"}.get(array.dtype.name)
    image = pyvips.Image.new_from_memory(
        array.astype("float32") if kind is None else array, width, height, count, kind or "float"
    )
    return _unassociated(_scaled(image, header), header)


def _scaled(image: pyvips.Image, header: Jxl) -> pyvips.Image:
    """`image` with the full range of its type. imagecodecs leaves samples of other depths as they are in the file."""
    if image.format == "float":
        image = (image * _MOST["ushort"]).rint().cast("ushort")
    most = _MOST[image.format]
    largest = most if header.floating else (1 << header.bits) - 1
    if largest < most:
        image = (image * (most / largest)).rint().cast(image.format)
    return image.copy(interpretation=_INTERPRETATIONS[image.format][image.bands > 2])


def _unassociated(image: pyvips.Image, header: Jxl) -> pyvips.Image:
    """`image` with colors that are not multiplied by its alpha."""
    if not header.associated or image.bands not in (2, 4):
        return image
    shown = image.unpremultiply(max_alpha=_MOST[image.format])
    return shown.rint().cast(image.format).copy(interpretation=image.interpretation)


def encode(image: pyvips.Image, quality: int, *, effort: int = EFFORT) -> bytes:
    """The file of a picture of 8 bits per channel, with an effort from 1 to 9.

    Raises `RenderFailed`, and what libvips raises.
    """
    codec, numpy = load()
    shape = (image.height, image.width) if image.bands == 1 else (image.height, image.width, image.bands)
    samples = numpy.frombuffer(image.write_to_memory(), "uint8").reshape(shape)
    try:
        encoded = codec.jpegxl_encode(samples, distance=distance(quality), effort=effort, numthreads=_THREADS)
    except MemoryError:
        raise
    except Exception as error:  # the package names no common class
        raise RenderFailed from error
    return bytes(encoded)


def distance(quality: int) -> float:
    """The distance of a quality from 1 to 100, as in libjxl (JxlEncoderDistanceFromQuality) and libvips."""
    if quality >= 100:
        return 0.0
    if quality >= 30:
        return 0.1 + (100 - quality) * 0.09
    return 53 / 3000 * quality**2 - 23 / 20 * quality + 25
