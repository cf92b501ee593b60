"""The orientation of an original: metadata that is damaged, or not as EXIF 2.32 defines it, counts as absent."""

import struct

import pyvips

_FIELD, _EXIF = "orientation", "exif-data"
# Their orientation is in an EXIF block. libvips reads that of TIFF from the picture's own tags, and turns AVIF itself.
_FORMATS = ("jpeg", "png", "webp")
_PREFIX = b"Exif\0\0"
_ORDERS = {b"II*\0": "<", b"MM\0*": ">"}
_TAG, _SHORT = 0x0112, 3
_ENTRY_BYTES = 12
_MAX_ENTRIES = 1000  # of a directory; cameras write about 20
_UPRIGHT = 1


def read_orientation(image: pyvips.Image, name: str) -> int:
    """1 to 8 (EXIF 2.32, 4.6.4), for a file of the format `name`, opened as `image`."""
    if not image.get_typeof(_FIELD):
        return _UPRIGHT
    found = int(image.get(_FIELD))
    if found == _UPRIGHT or name not in _FORMATS or not image.get_typeof(_EXIF):
        return found
    return found if _stated(image.get(_EXIF)) == found else _UPRIGHT


def _stated(exif: bytes) -> int | None:
    """The orientation in the first directory, if it is one number of 16 bits, as in browsers; libexif takes others."""
    tiff = exif.removeprefix(_PREFIX)
    order = _ORDERS.get(tiff[:4])
    if order is None:
        return None
    try:
        (start,) = struct.unpack_from(f"{order}I", tiff, 4)
        (count,) = struct.unpack_from(f"{order}H", tiff, start)
        for at in range(start + 2, start + 2 + _ENTRY_BYTES * min(count, _MAX_ENTRIES), _ENTRY_BYTES):
            tag, kind, numbers, value = struct.unpack_from(f"{order}HHIH", tiff, at)
            if tag == _TAG:
                return int(value) if (kind, numbers) == (_SHORT, 1) else None
    except struct.error:
        pass
    return None
