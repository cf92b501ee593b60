"""HEIC, by pillow-heif, which works on whole pictures and cannot be interrupted.

It is imported at the first use, with Pillow; a child that is locked down calls `load` before.
"""

from dataclasses import dataclass
from functools import cache
from importlib import import_module
from typing import Any

import pyvips

from thumbs.errors import SourceBroken
from thumbs.render.color.conversion import DEEP

_PROFILE = "icc-profile-data"
# Of pillow-heif: bands and bytes per sample.
_MODES = {"L": (1, 1), "LA": (2, 1), "RGB": (3, 1), "RGBA": (4, 1), "RGBa": (4, 1)}
_DEEP = {"I;16": (1, 2), "I;16L": (1, 2), "LA;16": (2, 2), "RGB;16": (3, 2), "RGBA;16": (4, 2), "RGBa;16": (4, 2)}
_PREMULTIPLIED = "RGBa"


@dataclass(frozen=True, slots=True)
class Heic:
    """What is known before decoding. `size` is upright; `profile` is the ICC profile, None without one."""

    size: tuple[int, int]
    bands: int
    profile: bytes | None

    def stub(self) -> pyvips.Image:
        """A picture of one pixel with the channels and the profile of this one."""
        return _described(pyvips.Image.black(1, 1, bands=self.bands), self.profile)


@cache
def load() -> Any:
    """The package, with one thread for each picture. Raises ImportError."""
    package = import_module("pillow_heif")
    package.options.DECODE_THREADS = 1
    package.options.THUMBNAILS = False
    return package


def read(data: bytes) -> Heic:
    """The header of a file. Raises `SourceBroken`."""
    image = _opened(data)
    bands, _ = _layout(image.mode)
    if min(image.size) < 1:  # sides from 2 ** 31 on wrap around
        raise SourceBroken
    return Heic(image.size, bands, image.info.get("icc_profile") or None)


def decode(data: bytes, size: tuple[int, int]) -> pyvips.Image:
    """The main picture, upright, in memory, with 8 or 16 bits per channel and its profile. Raises `SourceBroken`."""
    image = _opened(data)
    bands, depth = _layout(image.mode)
    width, height = image.size
    try:
        samples, stride = image.data, image.stride
    except MemoryError:
        raise
    except Exception as error:  # the package names no common class
        raise SourceBroken from error
    if (width, height) != size or stride < width * bands * depth:
        raise SourceBroken
    kind = "uchar" if depth == 1 else "ushort"
    row = width * bands * depth
    if stride != row:
        view = memoryview(samples)
        samples = b"".join(view[at : at + row] for at in range(0, height * stride, stride))
    made = pyvips.Image.new_from_memory(samples, width, height, bands, kind)
    made = _described(made, image.info.get("icc_profile") or None)
    if not image.mode.startswith(_PREMULTIPLIED):
        return made
    shown = made.unpremultiply(max_alpha=255 if depth == 1 else 2**16 - 1).rint().cast(kind)
    return shown.copy(interpretation=made.interpretation)


def _opened(data: bytes) -> Any:
    package = load()
    try:
        file = package.open_heif(data, convert_hdr_to_8bit=False)
        return file[file.primary_index]
    except MemoryError:
        raise
    except Exception as error:  # as above
        raise SourceBroken from error


def _layout(mode: str) -> tuple[int, int]:
    found = _MODES.get(mode) or _DEEP.get(mode)
    if found is None:
        raise SourceBroken
    return found


def _described(image: pyvips.Image, profile: bytes | None) -> pyvips.Image:
    names = ("b-w", "srgb") if image.format == "uchar" else DEEP
    image = image.copy(interpretation=names[image.bands > 2])
    if profile is not None:
        image.set_type(pyvips.GValue.blob_type, _PROFILE, profile)
    return image
