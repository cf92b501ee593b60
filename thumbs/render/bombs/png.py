"""Detects a PNG in an SVG whose color profile inflates without end: librsvg inflates all of it."""

import zlib

from thumbs.render.bombs.limits import MAX_ICC_BYTES, MAX_PNG_CHUNKS

_SIGNATURE = b"\x89PNG\r\n\x1a\n"


def is_bomb(data: bytes) -> bool:
    """Whether an iCCP chunk (PNG 1.2, 4.2.2.4) inflates to more than 4 MiB, or there are more than 100,000 chunks.

    False for other data, and for a chunk that is damaged.
    """
    if not data.startswith(_SIGNATURE):
        return False
    at = len(_SIGNATURE)
    for _ in range(MAX_PNG_CHUNKS):
        name = data[at + 4 : at + 8]
        if len(name) < 4 or name == b"IEND":
            return False
        after = at + 12 + int.from_bytes(data[at : at + 4])
        if name == b"iCCP" and _inflates(data, data.find(b"\0", at + 8, after) + 2, after - 4):
            return True
        at = after
    return True


def _inflates(data: bytes, start: int, end: int) -> bool:
    try:
        return len(zlib.decompressobj().decompress(memoryview(data)[start:end], MAX_ICC_BYTES + 1)) > MAX_ICC_BYTES
    except zlib.error:
        return False
