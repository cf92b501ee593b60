"""Walks the chunks of a WebP (WebP Container Specification, RIFF File Format) and mends its flag for alpha."""

from collections.abc import Iterator
from typing import NamedTuple

from thumbs.render.containers.boxes import TooManyError
from thumbs.render.containers.limits import MAX_WEBP_CHUNKS

_FIRST_CHUNK = 12  # behind RIFF, the size of what follows, and WEBP
_CHUNK_HEADER = 8
_FLAGS_AT = _FIRST_CHUNK + _CHUNK_HEADER  # of VP8X, which is the first chunk
_ALPHA = 0x10  # the same bit in the flags of VP8X and in the fifth byte of VP8L
_PICTURES = (b"VP8 ", b"VP8L", b"ANMF")


class Chunk(NamedTuple):
    """The contents `data[start:end]` of a chunk; the last one may end behind the data."""

    name: bytes
    start: int
    end: int


def chunks(data: bytes) -> Iterator[Chunk]:
    """The chunks of a WebP in their order. Raises `TooManyError` after 100,000."""
    at = _FIRST_CHUNK
    for _ in range(MAX_WEBP_CHUNKS):
        if at + _CHUNK_HEADER > len(data):
            return
        start = at + _CHUNK_HEADER
        end = start + int.from_bytes(data[at + 4 : start], "little")
        yield Chunk(data[at : at + 4], start, end)
        at = end + (end - start) % 2
    if at + _CHUNK_HEADER <= len(data):
        raise TooManyError


def with_alpha_flag(data: bytes) -> bytes:
    """A WebP whose header VP8X has the flag for alpha where its lossless picture says that it has alpha.

    Browsers show this alpha whatever the flag says. libwebp's reader of files needs the flag. The chunk ALPH of a lossy
    picture is ignored without the flag by both. The same object is returned where nothing has to change.
    """
    if data[_FIRST_CHUNK : _FIRST_CHUNK + 4] != b"VP8X" or len(data) <= _FLAGS_AT or data[_FLAGS_AT] & _ALPHA:
        return data
    try:
        picture = next((each for each in chunks(data) if each.name in _PICTURES), None)
    except TooManyError:
        return data
    if picture is None or picture.name != b"VP8L" or not _says_alpha(data, picture.start):
        return data
    view = memoryview(data)
    return b"".join((view[:_FLAGS_AT], bytes([data[_FLAGS_AT] | _ALPHA]), view[_FLAGS_AT + 1 :]))


def _says_alpha(data: bytes, start: int) -> bool:
    """The bit alpha_is_used of VP8L (WebP Lossless Bitstream, 3), behind a signature and twice 14 bits."""
    return start + 4 < len(data) and bool(data[start + 4] & _ALPHA)
