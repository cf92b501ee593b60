"""JPEGs with a gain map, written and read by libultrahdr, which libvips 8.18 may have: an independent oracle."""

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache

import pytest
import pyvips
from PIL import Image

from tests.support.pictures import encoded

# In linear light; three channels each.
BOOSTS = {"gainmap-max-content-boost": 4.0, "gainmap-min-content-boost": 1.0, "gainmap-gamma": 1.0}
OFFSETS = {"gainmap-offset-sdr": 1 / 64, "gainmap-offset-hdr": 1 / 64}
CAPACITIES = {"gainmap-hdr-capacity-min": 1.0, "gainmap-hdr-capacity-max": 4.0}


@dataclass(frozen=True)
class UltraHdr:
    """A picture with its map, as libultrahdr reads both. `said` is how the map is to be applied."""

    picture: Image.Image
    map: Image.Image
    said: Mapping[str, float]


def ultra_hdr(picture: Image.Image, gains: Image.Image) -> bytes:
    """A JPEG of `picture` with the map `gains`, gray or RGB."""
    _need()
    with _allowed():
        image = pyvips.Image.new_from_buffer(encoded(picture, "JPEG", quality=95), "").copy()
        image.set_type(pyvips.GValue.image_type, "gainmap", _vips(gains))
        for name, value in {**BOOSTS, **OFFSETS}.items():
            image.set_type(pyvips.GValue.array_double_type, name, [value] * 3)
        for name, value in CAPACITIES.items():
            image.set_type(pyvips.GValue.gdouble_type, name, value)
        image.set_type(pyvips.GValue.gint_type, "gainmap-use-base-cg", 1)
        made: bytes = image.uhdrsave_buffer(keep="gainmap", Q=95)
    return made


def read_ultra_hdr(data: bytes) -> UltraHdr | None:
    """What libultrahdr finds in a file; None where that is no map."""
    _need()
    with _allowed():
        try:
            image = pyvips.Image.uhdrload_buffer(data)
            gains = pyvips.Image.jpegload_buffer(image.get("gainmap-data"))
            shown = _pillow(image), _pillow(gains)
        except pyvips.Error:
            return None
        names = (*BOOSTS, *OFFSETS, *CAPACITIES)
        said = {name: image.get(name) for name in names}
    return UltraHdr(*shown, {name: value[0] if isinstance(value, list) else value for name, value in said.items()})


def _need() -> None:
    if not _is_there():
        pytest.skip("needs libvips with libultrahdr")


@cache
def _is_there() -> bool:
    return bool(pyvips.type_find("VipsForeignLoad", "uhdrload_buffer"))


@contextlib.contextmanager
def _allowed() -> Iterator[None]:
    """The app blocks every loader that it does not use, in the whole process."""
    pyvips.operation_block_set("VipsForeignLoadUhdr", False)
    try:
        yield
    finally:
        pyvips.operation_block_set("VipsForeignLoadUhdr", True)


def _vips(image: Image.Image) -> pyvips.Image:
    bands = len(image.getbands())
    made = pyvips.Image.new_from_memory(image.tobytes(), *image.size, bands, "uchar")
    # A picture among the metadata of another does not keep the bytes of Pillow's alive.
    return made.copy(interpretation="b-w" if bands == 1 else "srgb").copy_memory()


def _pillow(image: pyvips.Image) -> Image.Image:
    mode = "L" if image.bands == 1 else "RGB"
    return Image.frombytes(mode, (image.width, image.height), image.write_to_memory())
