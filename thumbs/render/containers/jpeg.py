"""The segments of a JPEG before its pixels (ITU-T T.81, annex B), as libjpeg finds them."""

import re
from collections.abc import Iterator
from typing import NamedTuple

from thumbs.render.containers.limits import MAX_JPEG_HEADER_SEGMENTS

# A marker (B.1.1.2): any number of 0xFF, then its code. libjpeg passes over other bytes before it.
_MARKER = re.compile(rb"\xff[^\xff\x00]")
_WITHOUT_LENGTH = (0x01, *range(0xD0, 0xD9))  # TEM, RSTm, SOI
_END_OF_IMAGE, _START_OF_SCAN = 0xD9, 0xDA
_FRAMES = tuple(code for code in range(0xC0, 0xD0) if code not in (0xC4, 0xC8, 0xCC))
_MOST_PIXELS = 65_500  # of a side, in libjpeg
EXIF_SEGMENT, PROFILE_SEGMENT = 0xE1, 0xE2  # APP1, APP2
# EXIF 2.32, 4.7.2.2: a name and its terminator. Browsers do not read the byte behind them, which fills up.
_EXIF, _EXIF_HEADER_BYTES = b"Exif\0", 6


class Segment(NamedTuple):
    """The contents `data[start:end]` of a segment, behind its length; the last one may end behind the data."""

    code: int
    start: int
    end: int


def segments(data: bytes) -> Iterator[Segment]:
    """The segments with contents before the first scan, 1000 at most."""
    at = 2
    for _ in range(MAX_JPEG_HEADER_SEGMENTS):
        marker = _MARKER.search(data, at)
        if marker is None:
            return
        code, at = data[marker.end() - 1], marker.end()
        if code in (_START_OF_SCAN, _END_OF_IMAGE):
            return
        if code not in _WITHOUT_LENGTH:
            start, at = at + 2, at + int.from_bytes(data[at : at + 2], "big")
            yield Segment(code, start, at)


def exif_block(data: bytes) -> bytes | None:
    """The EXIF block, without its name. As in browsers, it is that of the first segment with more than a name."""
    for code, start, end in segments(data):
        if code == EXIF_SEGMENT and end - start > _EXIF_HEADER_BYTES and data.startswith(_EXIF, start):
            return data[start + _EXIF_HEADER_BYTES : end]
    return None


def with_size(data: bytes, size: tuple[int, int], whole: tuple[int, int]) -> bytes | None:
    """A JPEG of `size` as one of the size `whole`, which has as many blocks: 8 × 8 pixels each (A.1.1, A.2.4).

    None where another size stands in the file, or the number of blocks could be another.
    """
    blocks = [[-(-side // 8) for side in sides] for sides in (size, whole)]
    if max(whole) > _MOST_PIXELS or blocks[0] != blocks[1]:
        return None
    found = next((each for each in segments(data) if each.code in _FRAMES), None)
    if found is None:
        return None
    content = data[found.start : found.end]
    rows = [content[at] for at in range(7, len(content), 3)]
    if content[1:5] != _stated(size) or not rows or not _are_whole(rows):
        return None
    view = memoryview(data)
    return b"".join((view[: found.start + 1], _stated(whole), view[found.start + 5 :]))


def _stated(size: tuple[int, int]) -> bytes:
    """Height and width, as they stand in a frame header (B.2.2)."""
    return size[1].to_bytes(2, "big") + size[0].to_bytes(2, "big")


def _are_whole(samplings: list[int]) -> bool:
    """Whether the largest sampling factors are multiples of all others: then a component keeps its number of blocks."""
    for factors in ([each >> 4 for each in samplings], [each & 15 for each in samplings]):
        if 0 in factors or any(max(factors) % each for each in factors):
            return False
    return True
