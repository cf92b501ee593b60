"""Reads the chunks of a PNG that say something of its colors (PNG Third Edition, 11.3.2)."""

import zlib

from thumbs.render.bombs.limits import MAX_PNG_CHUNKS

_FIRST_CHUNK = 8  # after the signature
_PIXELS = b"IDAT"
_PALETTE = b"PLTE"
_CICP = b"cICP"
# Names and lengths. A chunk of another length counts as absent.
_LENGTHS = {_CICP: 4, b"sRGB": 1, b"gAMA": 4, b"cHRM": 32, b"cLLI": 8, b"mDCV": 24}


def color_chunks(data: bytes) -> dict[bytes, bytes]:
    """The contents of `cICP`, `sRGB`, `gAMA`, `cHRM`, `cLLI` and `mDCV`, by name: the first of each before the pixels.

    As in browsers, a chunk with a wrong checksum counts as absent, and so does a `cICP` behind a palette.
    """
    found: dict[bytes, bytes] = {}
    ignored: set[bytes] = set()
    at = _FIRST_CHUNK
    for _ in range(MAX_PNG_CHUNKS):
        length, name = int.from_bytes(data[at : at + 4], "big"), data[at + 4 : at + 8]
        if len(name) < 4 or name == _PIXELS:
            break
        if name == _PALETTE:
            ignored.add(_CICP)
        if _LENGTHS.get(name) == length and name not in found and name not in ignored:
            end = at + 8 + length
            if zlib.crc32(data[at + 4 : end]).to_bytes(4, "big") == data[end : end + 4]:
                found[name] = data[at + 8 : end]
        at += 12 + length
    return found
