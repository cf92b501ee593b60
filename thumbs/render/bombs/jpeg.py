"""Detects a JPEG of too many segments: libjpeg keeps every application segment in memory, even an empty one."""

import re
from itertools import islice

from thumbs.render.bombs.limits import MAX_JPEG_SEGMENTS

# A marker (ITU-T T.81, B.1.1.2): any number of 0xFF, then its code. libjpeg passes over other bytes before it.
_MARKER = re.compile(rb"\xff[^\xff\x00]")
_APPLICATION_MARKER = re.compile(rb"\xff[\xe0-\xef]")
_WITHOUT_LENGTH = (0x01, *range(0xD0, 0xD9))  # TEM, RSTm, SOI
_END_OF_IMAGE, _START_OF_SCAN = 0xD9, 0xDA
_SEQUENTIAL = (0xC0, 0xC1)
_FRAMES = tuple(code for code in range(0xC0, 0xD0) if code not in (0xC4, 0xC8, 0xCC))


def is_bomb(data: bytes) -> bool:
    """Whether there are more than 200,000 segments before the pixels, or application segments between the scans.

    False where the JPEG cannot be parsed.
    """
    at, components, sequential = 2, 0, True
    for _ in range(MAX_JPEG_SEGMENTS):
        marker = _MARKER.search(data, at)
        code = data[marker.end() - 1] if marker else _END_OF_IMAGE
        if marker is None or code == _END_OF_IMAGE:
            return False
        at = marker.end()
        if code in _WITHOUT_LENGTH:
            continue
        if code == _START_OF_SCAN:
            # A picture of one scan is decoded up to its last row; libjpeg does not read what comes after it.
            one_scan = sequential and int.from_bytes(data[at + 2 : at + 3]) >= components
            return not one_scan and _has_many_after(data, at)
        if code in _FRAMES:
            sequential, components = code in _SEQUENTIAL, int.from_bytes(data[at + 7 : at + 8])
        at += int.from_bytes(data[at : at + 2])
    return True


def _has_many_after(data: bytes, at: int) -> bool:
    """In coded data 0xFF is followed by 0 or a restart marker (B.1.1.5), so that other matches are in segments."""
    return any(islice(_APPLICATION_MARKER.finditer(data, at), MAX_JPEG_SEGMENTS, None))
