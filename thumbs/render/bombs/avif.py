"""Detects an AVIF or a HEIC whose items are much larger than its file.

The item location box (ISO/IEC 14496-12, 8.11.3) lists the extents of the file that each item consists of. Extents may
overlap, within an item and between items: layers of a picture share all of their bytes. libheif copies every item that
is no picture when it opens the file, and keeps what describes a picture; of the pictures it copies those that it
decodes. So 1 MB can become 2.5 GB. Pictures that are not decoded cost nothing.
"""

from thumbs.render.containers.avif import read_locations, read_metas, structure_of
from thumbs.render.containers.boxes import Box, TooManyError, UnreadableError
from thumbs.render.containers.items import Location, Structure

_MARGIN_BYTES = 16_777_216
_PICTURES = (b"av01", b"hvc1")
# How a picture is bound to one that it is decoded with: it is its alpha or its thumbnail.
_WITH = (b"auxl", b"thmb")
_MADE_OF = b"dimg"  # a grid of its tiles


def is_bomb(data: bytes) -> bool:
    """Whether libheif copies more than 16 MiB and twice the bytes of the file, or there are too many items or boxes.

    False for a box that cannot be parsed: libvips then finds the error.
    """
    most = 2 * len(data) + _MARGIN_BYTES
    try:
        metas = read_metas(data)
        all_bytes = sum(_size(location, len(data)) for meta in metas for _, location in read_locations(meta))
        return all_bytes > most and sum(map(_copied_bytes, metas)) > most
    except TooManyError:
        return True
    except UnreadableError:
        return False


def _copied_bytes(meta: Box) -> int:
    locations = read_locations(meta)
    structure = structure_of(meta)
    decoded = set() if structure is None else _decoded(structure)
    return sum(
        _size(location, len(meta.data))
        for item, location in locations
        if structure is None or item in decoded or structure.types.get(item) not in _PICTURES
    )


def _size(location: Location, whole: int) -> int:
    return sum(extent.length or whole for extent in location.extents)


def _decoded(structure: Structure) -> set[int]:
    """The main picture, its alpha, its thumbnails, and what each of these is made of."""
    found: set[int] = set()
    next_ones = {structure.primary}
    while next_ones:
        found |= next_ones
        made_of = {
            target
            for each in structure.references
            if each.kind == _MADE_OF and each.source in next_ones
            for target in each.targets
        }
        beside = {
            each.source
            for each in structure.references
            if each.kind in _WITH and not next_ones.isdisjoint(each.targets)
        }
        next_ones = (made_of | beside) - found
    return found
