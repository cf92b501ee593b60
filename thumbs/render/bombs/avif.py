"""Detects an AVIF whose items are much larger than its file.

The item location box (ISO/IEC 14496-12, 8.11.3) lists the extents of the file that each item consists of. Extents may
overlap, and libheif copies all of them when it opens the file: 1 MB can become 2.5 GB.
"""

from thumbs.render.containers.avif import read_locations, read_metas
from thumbs.render.containers.boxes import TooManyError, UnreadableError

_MARGIN_BYTES = 1_048_576


def is_bomb(data: bytes) -> bool:
    """Whether all extents together have more than twice the bytes of the file, or there are too many items or boxes.

    False for a box that cannot be parsed: libvips then finds the error.
    """
    try:
        locations = [location for meta in read_metas(data) for location in read_locations(meta)]
    except TooManyError:
        return True
    except UnreadableError:
        return False
    extents = (extent for location in locations for extent in location.extents)
    # 0: the whole file
    return sum(extent.length or len(data) for extent in extents) > 2 * len(data) + _MARGIN_BYTES
