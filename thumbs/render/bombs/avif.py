"""Detects an AVIF whose items are much larger than its file.

The item location box (ISO/IEC 14496-12, 8.11.3) lists the extents of the file that each item consists of. Extents may
overlap, and libheif copies all of them when it opens the file: 1 MB can become 2.5 GB.
"""

from thumbs.render.bombs.limits import MAX_AVIF_BOXES, MAX_AVIF_EXTENTS

_MARGIN_BYTES = 1_048_576
_NO_BOX = b""


class _TooManyError(Exception):
    pass


def is_bomb(data: bytes) -> bool:
    """Whether all extents together have more than twice the bytes of the file, or there are too many extents or boxes.

    False for a box that cannot be parsed: libvips then finds the error.
    """
    try:
        _box(data, _NO_BOX, 0, len(data))  # counts the boxes of the file: libheif reads all of them
        meta = _box(data, b"meta", 0, len(data))
        locations = meta and _box(data, b"iloc", meta[0] + 4, meta[1])
        return locations is not None and _extent_bytes(data, locations[0]) > 2 * len(data) + _MARGIN_BYTES
    except _TooManyError:
        return True
    except IndexError:
        return False


def _box(data: bytes, name: bytes, at: int, end: int) -> tuple[int, int] | None:
    """Start and end of the contents of the first box `name` in `data[at:end]`; None without one.

    A box has a size of 4 or 8 bytes (8.1.1).
    """
    for _ in range(MAX_AVIF_BOXES):
        if at + 8 > end:
            return None
        size, start = int.from_bytes(data[at : at + 4], "big"), at + 8
        if size == 1:
            size, start = int.from_bytes(data[at + 8 : at + 16], "big"), at + 16
        after = end if size == 0 else at + size
        if data[at + 4 : at + 8] == name:
            return start, min(after, end)
        if after <= at:
            return None
        at = after
    raise _TooManyError


def _extent_bytes(data: bytes, at: int) -> int:
    """The total length of all extents in the item location box whose contents start at `at`."""
    version, sizes, more = data[at], data[at + 4], data[at + 5]
    offset_size, length_size, base_size = sizes >> 4, sizes & 15, more >> 4
    index_size = more & 15 if version else 0
    wide = 4 if version >= 2 else 2
    items, at = int.from_bytes(data[at + 6 : at + 6 + wide], "big"), at + 6 + wide
    # item_ID, construction_method, data_reference_index, base_offset
    before = wide + (2 if version else 0) + 2 + base_size
    if items > MAX_AVIF_EXTENTS:
        raise _TooManyError
    total = extents = 0
    for _ in range(items):
        at += before
        count, at = data[at] << 8 | data[at + 1], at + 2
        extents += count
        if extents > MAX_AVIF_EXTENTS:
            raise _TooManyError
        for _ in range(count):
            at += index_size + offset_size
            length = int.from_bytes(data[at : at + length_size], "big")
            at += length_size
            total += length or len(data)  # 0: the whole file
    return total
