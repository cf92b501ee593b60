"""Detects a TIFF with a huge description: libtiff refuses to read it, and libvips then follows a null pointer."""

_DESCRIPTION = 270  # ImageDescription (TIFF 6.0, section 8)
_MAX_BYTES = 1_000_000
_MAX_DIRECTORIES = 1000


def is_bomb(data: bytes) -> bool:
    """Whether a directory of a TIFF has a description of more than 1,000,000 bytes; False where it cannot be parsed."""
    order = "little" if data[:2] == b"II" else "big"

    def number(at: int, size: int) -> int:
        return int.from_bytes(data[at : at + size], order)  # type: ignore[arg-type]  # one of the two

    at = number(4, 4)
    for _ in range(_MAX_DIRECTORIES):  # bounded: a directory may name itself as the next one
        if not 8 <= at <= len(data) - 2:
            return False
        entries = number(at, 2)
        for entry in range(at + 2, min(at + 2 + 12 * entries, len(data)), 12):
            if number(entry, 2) == _DESCRIPTION and number(entry + 4, 4) > _MAX_BYTES:
                return True
        at = number(at + 2 + 12 * entries, 4)
    return False
