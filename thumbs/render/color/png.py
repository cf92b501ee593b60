"""Reads the chunks of a PNG that say something of its colors (PNG Third Edition, 11.3.2)."""

import zlib
from collections.abc import Iterator

from thumbs.render.bombs.limits import MAX_ICC_BYTES, MAX_PNG_CHUNKS

_FIRST_CHUNK = 8  # after the signature
_PIXELS = b"IDAT"
_PALETTE = b"PLTE"
_DEFLATE = b"\0"  # the method behind the name
_CICP, _PROFILE = b"cICP", b"iCCP"
_MOST_NAME = 80  # bytes of the name of a profile in browsers; the specification has 79
# Names and lengths. A chunk of another length counts as absent.
_LENGTHS = {_CICP: 4, b"sRGB": 1, b"gAMA": 4, b"cHRM": 32, b"cLLI": 8, b"mDCV": 24}


def color_chunks(data: bytes) -> dict[bytes, bytes]:
    """The contents of `cICP`, `sRGB`, `gAMA`, `cHRM`, `cLLI` and `mDCV`, by name: the first of each before the pixels.

    As in browsers, a chunk with a wrong checksum counts as absent, and so does a `cICP` behind a palette.
    """
    found: dict[bytes, bytes] = {}
    ignored: set[bytes] = set()
    for name, at, length in _chunks(data):
        if name == _PALETTE:
            ignored.add(_CICP)
        if _LENGTHS.get(name) == length and name not in found and name not in ignored:
            content = _checked(data, at, length)
            if content is not None:
                found[name] = content
    return found


def profile_chunk(data: bytes) -> bytes | None:
    """The ICC profile in the first chunk `iCCP` before the pixels; None where it cannot be read, or is too long.

    libpng leaves some out that browsers use, such as one of RGB for a gray picture, and reads others that they do not.
    """
    found = next(((at, length) for name, at, length in _chunks(data) if name == _PROFILE), (0, 0))
    content = _checked(data, *found) if 0 < found[1] <= MAX_ICC_BYTES else None
    end = -1 if content is None else content.find(b"\0", 0, _MOST_NAME + 1)
    if content is None or end < 1 or content[end + 1 : end + 2] != _DEFLATE:
        return None
    inflater = zlib.decompressobj()
    try:
        profile = inflater.decompress(content[end + 2 :], MAX_ICC_BYTES)
    except zlib.error:
        return None
    return profile if inflater.eof else None


def _chunks(data: bytes) -> Iterator[tuple[bytes, int, int]]:
    """Name, place and length of the chunks before the pixels. A place is that of the length in front of the name."""
    at = _FIRST_CHUNK
    for _ in range(MAX_PNG_CHUNKS):
        length, name = int.from_bytes(data[at : at + 4], "big"), data[at + 4 : at + 8]
        if len(name) < 4 or name == _PIXELS:
            break
        yield name, at, length
        at += 12 + length


def _checked(data: bytes, at: int, length: int) -> bytes | None:
    end = at + 8 + length
    checksum = zlib.crc32(memoryview(data)[at + 4 : end])
    return data[at + 8 : end] if checksum.to_bytes(4, "big") == data[end : end + 4] else None
