"""The orientation of an original: metadata that is damaged, or not as EXIF 2.32 defines it, counts as absent."""

import struct

import pyvips

from thumbs.render.containers.jpeg import exif_block

_FIELD, _EXIF = "orientation", "exif-data"
# Their orientation is in an EXIF block. libvips reads that of TIFF from the picture's own tags, and turns AVIF itself.
_FORMATS = ("jpeg", "png", "webp")
_PREFIX = b"Exif\0\0"
_ORDERS = {b"II*\0": "<", b"MM\0*": ">"}
_TAG, _SHORT = 0x0112, 3
_ENTRY_BYTES = 12
_MAX_ENTRIES = 5461  # of a directory: those of a JPEG segment
_UPRIGHT, _VALUES = 1, range(1, 9)


def read_orientation(image: pyvips.Image, data: bytes, name: str) -> int:
    """1 to 8 (EXIF 2.32, 4.6.4), for the file `data` of the format `name`, opened as `image`."""
    if name not in _FORMATS:
        return int(image.get(_FIELD)) if image.get_typeof(_FIELD) else _UPRIGHT
    if not image.get_typeof(_EXIF):
        return _UPRIGHT
    block = exif_block(data) if name == "jpeg" else image.get(_EXIF).removeprefix(_PREFIX)
    return _UPRIGHT if block is None else _stated(block)


def upright(image: pyvips.Image, orientation: int) -> pyvips.Image:
    """`image`, stored with `orientation`, as it is to be shown; libvips may have read another one."""
    if orientation == _UPRIGHT:
        return image
    image = image.copy()
    image.set_type(pyvips.GValue.gint_type, _FIELD, orientation)
    return image.autorot()


def _stated(tiff: bytes) -> int:
    """The orientation in the first directory, if it is one number of 16 bits, as in browsers; libexif takes others."""
    order = _ORDERS.get(tiff[:4])
    if order is None:
        return _UPRIGHT
    try:
        (start,) = struct.unpack_from(f"{order}I", tiff, 4)
        (count,) = struct.unpack_from(f"{order}H", tiff, start)
        for at in range(start + 2, start + 2 + _ENTRY_BYTES * min(count, _MAX_ENTRIES), _ENTRY_BYTES):
            tag, kind, numbers, value = struct.unpack_from(f"{order}HHIH", tiff, at)
            if tag == _TAG and (kind, numbers) == (_SHORT, 1) and value in _VALUES:
                return int(value)
    except struct.error:
        pass
    return _UPRIGHT
