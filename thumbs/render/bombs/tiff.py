"""How long the description in a TIFF is said to be: libvips follows a null pointer when libtiff refuses to read it."""

_DESCRIPTION = 270  # ImageDescription (TIFF 6.0, section 8)
_MOST_BYTES = 1_000_000
_MOST_DIRECTORIES = 1000


def is_bomb(data: bytes) -> bool:
    """Whether any directory of a TIFF has a description of more than a megabyte. What cannot be read has none."""
    order = "little" if data[:2] == b"II" else "big"

    def number(at: int, size: int) -> int:
        return int.from_bytes(data[at : at + size], order)  # type: ignore[arg-type]  # one of the two

    at = number(4, 4)
    for _ in range(_MOST_DIRECTORIES):  # a directory may name itself as the next one
        if not 8 <= at <= len(data) - 2:
            return False
        entries = number(at, 2)
        for entry in range(at + 2, min(at + 2 + 12 * entries, len(data)), 12):
            if number(entry, 2) == _DESCRIPTION and number(entry + 4, 4) > _MOST_BYTES:
                return True
        at = number(at + 2 + 12 * entries, 4)
    return False
