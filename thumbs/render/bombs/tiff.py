"""Detects a TIFF with a huge description, or with directories without end.

libtiff refuses to read such a description, and libvips then follows a null pointer.
"""

from thumbs.render.bombs.limits import MAX_TIFF_DESCRIPTION_BYTES, MAX_TIFF_DIRECTORIES, MAX_TIFF_ENTRIES

_DESCRIPTION = 270  # ImageDescription (TIFF 6.0, section 8)


def is_bomb(data: bytes) -> bool:
    """Whether a description has more than 1,000,000 bytes, or there are too many directories or entries.

    False where the TIFF cannot be parsed. Directories may overlap: 1 MB can hold millions of entries.
    """
    order = "little" if data[:2] == b"II" else "big"

    def number(at: int, size: int) -> int:
        return int.from_bytes(data[at : at + size], order)  # type: ignore[arg-type]  # one of the two

    at, total, seen = number(4, 4), 0, set[int]()
    while 8 <= at <= len(data) - 2 and at not in seen:  # libtiff stops where directories form a circle
        seen.add(at)
        entries = number(at, 2)
        total += entries
        if total > MAX_TIFF_ENTRIES or len(seen) > MAX_TIFF_DIRECTORIES:
            return True
        for entry in range(at + 2, min(at + 2 + 12 * entries, len(data)), 12):
            if number(entry, 2) == _DESCRIPTION and number(entry + 4, 4) > MAX_TIFF_DESCRIPTION_BYTES:
                return True
        at = number(at + 2 + 12 * entries, 4)
    return False
