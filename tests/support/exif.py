"""EXIF blocks with a thumbnail, which Pillow does not write."""

import struct

_HEAD = b"Exif\0\0"
_COMPRESSION, _START, _LENGTH = 0x0103, 0x0201, 0x0202
_JPEG = 6
_SHORT, _LONG = 3, 4


def with_thumbnail(exif: bytes, thumbnail: bytes) -> bytes:
    """A block with a second directory (IFD1), which has a JPEG (EXIF 2.32, 4.6.9)."""
    block = bytearray(exif.removeprefix(_HEAD))
    block += b"\0" * (len(block) % 2)
    order = {b"II": "<", b"MM": ">"}[bytes(block[:2])]
    (first,) = struct.unpack_from(f"{order}I", block, 4)
    (entries,) = struct.unpack_from(f"{order}H", block, first)
    struct.pack_into(f"{order}I", block, first + 2 + 12 * entries, len(block))  # where the next directory is
    after = len(block) + 2 + 12 * 3 + 4
    block += struct.pack(f"{order}HHHIHH", 3, _COMPRESSION, _SHORT, 1, _JPEG, 0)
    block += struct.pack(f"{order}HHII", _START, _LONG, 1, after)
    block += struct.pack(f"{order}HHIII", _LENGTH, _LONG, 1, len(thumbnail), 0)
    return _HEAD + bytes(block) + thumbnail
