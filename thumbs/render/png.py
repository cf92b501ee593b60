"""Walks the chunks of a PNG (RFC 2083, 3.2) and leaves its text chunks out."""

from thumbs.errors import SourceOverLimit
from thumbs.render.bombs.limits import MAX_PNG_CHUNKS

PNG = b"\x89PNG\r\n\x1a\n"
_TEXT_CHUNKS = (b"tEXt", b"zTXt", b"iTXt")
_END = b"IEND"


def without_texts(data: bytes) -> bytes:
    """A PNG without its text chunks; the same object when it has none. Raises `SourceOverLimit` for too many chunks.

    The chunks that are kept are copied once, all together.
    """
    kept: list[memoryview] = []
    view, start, at = memoryview(data), 0, len(PNG)
    for _ in range(MAX_PNG_CHUNKS):
        name = data[at + 4 : at + 8]
        if len(name) < 4 or name == _END:
            return b"".join((*kept, view[start:])) if kept else data
        after = at + 12 + int.from_bytes(data[at : at + 4], "big")
        if name in _TEXT_CHUNKS:
            kept.append(view[start:at])
            start = after
        at = after
    raise SourceOverLimit
