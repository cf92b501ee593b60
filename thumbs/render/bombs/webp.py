"""Detects a WebP of too many chunks: libwebp keeps a record of each, even of unknown and empty ones."""

from thumbs.render.bombs.limits import MAX_WEBP_CHUNKS

_FIRST_CHUNK = 12  # after RIFF, the size of the file, and WEBP
_CHUNK_HEADER = 8


def is_bomb(data: bytes) -> bool:
    """Whether a WebP has more than 100,000 chunks (WebP Container Specification, RIFF File Format)."""
    at = _FIRST_CHUNK
    for _ in range(MAX_WEBP_CHUNKS):
        if at + _CHUNK_HEADER > len(data):
            return False
        size = int.from_bytes(data[at + 4 : at + 8], "little")
        at += _CHUNK_HEADER + size + size % 2
    return at + _CHUNK_HEADER <= len(data)
