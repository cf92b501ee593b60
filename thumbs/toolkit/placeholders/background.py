"""Placeholders as rows hold them: a ThumbHash as bytes or as base64. What is no hash counts as no placeholder."""

import base64
import binascii
import struct
import zlib
from collections.abc import Mapping
from functools import lru_cache

from django.utils.safestring import SafeString

from thumbs.image.placeholders import thumbhash

TEXT_LENGTH = 36  # characters of the longest hash in base64
_SIDE = 12  # pixels: browsers scale it up smoothly, and a hash has at most seven waves along a side
_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_ALPHA_BYTE, _ALPHA_BIT = 2, 0x80  # of a hash
_TRUECOLOR, _WITH_ALPHA = 2, 6


def as_text(data: bytes) -> str:
    """A hash for a column of text; `""` for none."""
    return base64.b64encode(data).decode("ascii")


def as_bytes(value: object) -> bytes:
    """The hash that a column of text or of bytes holds; empty where it holds none, or more than one."""
    if isinstance(value, str):
        if len(value) > TEXT_LENGTH:
            return b""
        try:
            return base64.b64decode(value + "=" * (-len(value) % 4), validate=True)
        except (binascii.Error, ValueError):
            return b""
    if not isinstance(value, bytes | bytearray | memoryview) or memoryview(value).nbytes > thumbhash.MAX_BYTES:
        return b""
    return bytes(value)


def data_url(value: object) -> str:
    """The placeholder of a column as the URL of a PNG, about 500 characters; `""` where there is none.

    URLs of the last 2,000 hashes are remembered.
    """
    data = as_bytes(value)
    return _data_url(data) if data else ""


def with_placeholder(attributes: Mapping[str, object], value: object) -> Mapping[str, object]:
    """The attributes of an `<img>` with the placeholder of a column as its background, before their own `style`.

    An attribute `placeholder=False` leaves it out. So does a hash with transparency: nothing would cover it.
    """
    if "placeholder" in attributes:
        value = value if attributes["placeholder"] else None
        attributes = {name: each for name, each in attributes.items() if name != "placeholder"}
    url = data_url(value) if value else ""
    if not url or as_bytes(value)[_ALPHA_BYTE] & _ALPHA_BIT:
        return attributes
    own = attributes.get("style")
    style = f"background:url({url}) center/cover no-repeat"
    both = f"{style};{own}" if own else style
    return {**attributes, "style": SafeString(both) if hasattr(own, "__html__") else both}


@lru_cache(maxsize=2000)
def _data_url(data: bytes) -> str:
    try:
        pixels = thumbhash.decode(data, side=_SIDE)
    except ValueError:
        return ""
    return "data:image/png;base64," + base64.b64encode(_png(pixels)).decode("ascii")


def _png(pixels: thumbhash.Pixels) -> bytes:
    """A PNG whose rows are stored as differences to the rows above (filter type 2; PNG 3, 9.2)."""
    opaque = set(pixels.rgba[3::4]) == {255}
    channels = 3 if opaque else 4
    values = [value for at, value in enumerate(pixels.rgba) if not opaque or at % 4 != 3]
    row = pixels.width * channels
    above = [0] * row + values[:-row]
    differences = bytes((value - other) % 256 for value, other in zip(values, above, strict=True))
    lines = b"".join(b"\2" + differences[start : start + row] for start in range(0, len(differences), row))
    kind = _TRUECOLOR if opaque else _WITH_ALPHA
    header = struct.pack(">IIBBBBB", pixels.width, pixels.height, 8, kind, 0, 0, 0)
    return _SIGNATURE + _chunk(b"IHDR", header) + _chunk(b"IDAT", zlib.compress(lines, 9)) + _chunk(b"IEND", b"")


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
