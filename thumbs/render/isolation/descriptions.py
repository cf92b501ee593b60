"""Descriptions between a child and its parent: fixed numbers and values of closed lists. Imports no pyvips.

The parent trusts none of them more than a picture: it makes the document that clients get by itself.
"""

import struct

from thumbs.image.description import COLOR_SPACES, Description
from thumbs.image.formats import FORMATS
from thumbs.image.limits import MAX_SOURCE_SIDE
from thumbs.image.outputs import COLOR, THUMBHASH
from thumbs.image.placeholders import thumbhash
from thumbs.render.isolation.wire import Invalid, Work

# Format, width, height, frames, orientation, alpha, color space; then width and height of the thumbnail, whether the
# original is cut off, whether there is a color, the color, the length of the hash, and the hash with zeros behind it.
_DESCRIPTION = struct.Struct(f">BIIIB?BII??3sB{thumbhash.MAX_BYTES}s")
_FORMATS = tuple(FORMATS)
_ORIENTATIONS = range(1, 9)


def pack(described: Description) -> bytes:
    """The message; `unpack` is the inverse."""
    return _DESCRIPTION.pack(
        _FORMATS.index(described.format),
        *described.size,
        described.frames,
        described.orientation,
        described.has_alpha,
        COLOR_SPACES.index(described.color_space),
        *described.output,
        described.truncated,
        described.color is not None,
        bytes(described.color or (0, 0, 0)),
        len(described.thumbhash),
        described.thumbhash,
    )


def unpack(message: bytes, work: Work) -> Description:
    """The description in an answer to `work`. Raises `Invalid` for what `pack` cannot have made for it."""
    try:
        fields = _DESCRIPTION.unpack(message)
    except struct.error as error:
        raise Invalid from error
    number, width, height, frames, orientation, has_alpha, space = fields[:7]
    out_width, out_height, truncated, has_color, levels, length, hashed = fields[7:]
    if not (number < len(_FORMATS) and space < len(COLOR_SPACES) and orientation in _ORIENTATIONS and frames >= 1):
        raise Invalid
    if not (_are_sides(width, height, MAX_SOURCE_SIDE) and _are_sides(out_width, out_height, work.limits.output.side)):
        raise Invalid
    asked = () if work.transform is None else work.transform.data
    if has_color != (COLOR in asked) or bool(length) != (THUMBHASH in asked):
        raise Invalid
    if truncated and not work.limits.truncated:
        raise Invalid
    red, green, blue = levels
    return Description(
        format=_FORMATS[number],
        size=(width, height),
        frames=frames,
        orientation=orientation,
        has_alpha=has_alpha,
        color_space=COLOR_SPACES[space],
        output=(out_width, out_height),
        thumbhash=_checked(hashed[:length]) if length else b"",
        color=(red, green, blue) if has_color else None,
        truncated=truncated,
    )


def is_description(message: bytes, work: Work) -> bool:
    """Whether `unpack` raises nothing."""
    try:
        unpack(message, work)
    except Invalid:
        return False
    return True


def _are_sides(width: int, height: int, most: int) -> bool:
    return 1 <= width <= most and 1 <= height <= most


def _checked(data: bytes) -> bytes:
    try:
        thumbhash.aspect_ratio(data)
    except ValueError as error:
        raise Invalid from error
    return data
