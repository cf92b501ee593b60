"""Detects a WebP of too many chunks: libwebp keeps a record of each, even of unknown and empty ones."""

from thumbs.render.containers.boxes import TooManyError
from thumbs.render.containers.webp import chunks


def is_bomb(data: bytes) -> bool:
    """Whether a WebP has more than 100,000 chunks."""
    try:
        for _ in chunks(data):
            pass
    except TooManyError:
        return True
    return False
