"""What the items of an AVIF are said to measure together: the same bytes named again and again would be a bomb.

An item location box (ISO/IEC 14496-12, 8.11.3) lists the pieces of the file that each item is put together of, and
libheif puts together what it is told to before anybody has asked for it: 2.5 GB out of 1 MB.
"""

_MOST_PIECES = 10_000
_SPARE_BYTES = 1_048_576


def is_bomb(data: bytes) -> bool:
    """Whether the items have more than twice the bytes of the file, or countless pieces.

    Where that cannot be read they are not: libvips tells what else is wrong with the file.
    """
    try:
        meta = _box(data, b"meta", 0, len(data))
        place = meta and _box(data, b"iloc", meta[0] + 4, meta[1])
        return place is not None and _measure(data, place[0]) > 2 * len(data) + _SPARE_BYTES
    except IndexError:
        return False


def _box(data: bytes, name: bytes, at: int, end: int) -> tuple[int, int] | None:
    """Where the contents of the first box `name` between these begin and end (8.1.1: sizes of 4 or 8 bytes)."""
    while at + 8 <= end:
        size, start = int.from_bytes(data[at : at + 4], "big"), at + 8
        if size == 1:
            size, start = int.from_bytes(data[at + 8 : at + 16], "big"), at + 16
        after = end if size == 0 else at + size
        if data[at + 4 : at + 8] == name:
            return start, min(after, end)
        if after <= at:
            return None
        at = after
    return None


def _measure(data: bytes, at: int) -> int:
    """The bytes of all pieces of all items in the item location box whose contents begin `at`."""
    version, sizes, more = data[at], data[at + 4], data[at + 5]
    offset_size, length_size, base_size = sizes >> 4, sizes & 15, more >> 4
    index_size = more & 15 if version else 0
    wide = 4 if version >= 2 else 2
    items, at = int.from_bytes(data[at + 6 : at + 6 + wide], "big"), at + 6 + wide
    before = wide + (2 if version else 0) + 2 + base_size  # its number, how it is made, where from, where from there
    total = pieces = 0
    for _ in range(items):
        at += before
        count, at = data[at] << 8 | data[at + 1], at + 2
        pieces += count
        if pieces > _MOST_PIECES:
            return 2**63
        for _ in range(count):
            at += index_size + offset_size
            length = int.from_bytes(data[at : at + length_size], "big")
            at += length_size
            total += length or len(data)  # 0: all of the file
    return total
