"""Detects a TIFF with a huge description, or with directories without end.

libtiff refuses to read such a description, and libvips then follows a null pointer.
"""

from thumbs.render.bombs.limits import MAX_TIFF_DESCRIPTION_BYTES, MAX_TIFF_DIRECTORIES, MAX_TIFF_ENTRIES
from thumbs.render.tiff.tags import directories

_DESCRIPTION = 270  # ImageDescription (TIFF 6.0, section 8)


def is_bomb(data: bytes) -> bool:
    """Whether a description has more than 1,000,000 bytes, or there are too many directories or entries.

    False where the TIFF cannot be parsed. Directories may overlap: 1 MB can hold millions of entries.
    """
    total = 0
    for number, directory in enumerate(directories(data), 1):
        total += directory.count
        if total > MAX_TIFF_ENTRIES or number > MAX_TIFF_DIRECTORIES:
            return True
        for tag, _, count in directory.entries(data):
            if tag == _DESCRIPTION and count > MAX_TIFF_DESCRIPTION_BYTES:
                return True
    return False
