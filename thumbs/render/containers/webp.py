"""Walks the chunks of a WebP (WebP Container Specification, RIFF File Format) and mends what its headers say wrong."""

from collections.abc import Iterator
from typing import NamedTuple

from thumbs.render.containers.boxes import TooManyError, UnreadableError
from thumbs.render.containers.limits import MAX_WEBP_CHUNKS

_SIZE_AT = 4  # behind RIFF
_FIRST_CHUNK = 12  # behind RIFF, the size of what follows, and WEBP
_CHUNK_HEADER = 8
_FLAGS_AT = _FIRST_CHUNK + _CHUNK_HEADER  # of VP8X, which is the first chunk
_ALPHA = 0x10  # the same bit in the flags of VP8X and in the fifth byte of VP8L
_PICTURES = (b"VP8 ", b"VP8L")
_FRAME = b"ANMF"


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


def with_right_headers(data: bytes) -> bytes:
    """A WebP that libwebp reads as browsers do; the same object where nothing has to change.

    The flag for alpha in VP8X is set where a lossless picture says that it has alpha. A file that is shorter than it
    says, and whose picture is whole, gets its real size.
    """
    patches: list[tuple[int, bytes]] = []
    end = len(data)
    try:
        if end < _size(data):
            end = _real_end(data)
            patches.append((_SIZE_AT, (end + end % 2 - 8).to_bytes(4, "little")))
        if _lacks_alpha_flag(data):
            patches.append((_FLAGS_AT, bytes([data[_FLAGS_AT] | _ALPHA])))
    except (TooManyError, UnreadableError):
        return data
    return _patched(data[:end] if end < len(data) else data, patches) if patches else data


def _size(data: bytes) -> int:
    """The size of the file, as it says."""
    return 8 + int.from_bytes(data[_SIZE_AT : _SIZE_AT + 4], "little")


def _lacks_alpha_flag(data: bytes) -> bool:
    if data[_FIRST_CHUNK : _FIRST_CHUNK + 4] != b"VP8X" or len(data) <= _FLAGS_AT or data[_FLAGS_AT] & _ALPHA:
        return False
    picture = next((each for each in chunks(data) if each.name in (*_PICTURES, _FRAME)), None)
    if picture is None or picture.name != b"VP8L":
        return False
    return any(byte & _ALPHA for byte in data[picture.start + 4 : picture.start + 5])


def _real_end(data: bytes) -> int:
    """Where the last whole chunk ends. Raises `UnreadableError` where a picture or a frame is not whole."""
    end, whole, animated = 0, False, False
    for each in chunks(data):
        animated = animated or each.name == _FRAME
        if each.end > len(data):
            break
        end, whole = each.end, whole or each.name in _PICTURES
    if whole or (animated and len(data) in (end, end + end % 2)):
        return end
    raise UnreadableError


def _patched(data: bytes, patches: list[tuple[int, bytes]]) -> bytes:
    """`data` with other bytes at some places, and padded to an even length."""
    parts: list[memoryview | bytes] = []
    at, view = 0, memoryview(data)
    for start, patch in patches:
        parts += [view[at:start], patch]
        at = start + len(patch)
    return b"".join((*parts, view[at:], b"\0" * (len(data) % 2)))
