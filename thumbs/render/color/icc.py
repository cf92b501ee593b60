"""Leaves out of an ICC profile what browsers do not read: littlecms reads it, and fails where it is damaged."""

import struct

from thumbs.render.bombs.limits import MAX_ICC_BYTES, MAX_ICC_ROWS

_TAG_TABLE, _TAG_ROW_BYTES, _TYPE_BYTES = 132, 12, 4
# Tables, matrix and curves (ICC.1:2022, 9.2), by which samples are converted to the connection space, and code points.
_TAGS = frozenset(b"A2B0 A2B1 A2B2 rXYZ gXYZ bXYZ rTRC gTRC bTRC kTRC cicp".split())
# Of multiProcessElements (10.16). Browsers do not read them, but such a profile has other colors without them.
_ELEMENT_TAGS = (b"D2B", b"B2D")
_DISPLAY = b"mntr"


def without_the_rest(profile: bytes) -> bytes | None:
    """The profile of a display with those tags of `profile` that browsers convert by; None where that is no profile.

    A tag that is there twice counts once. Browsers do not read the class (7.2.5), by which littlecms converts.
    """
    if len(profile) < _TAG_TABLE:
        return None
    declared, count = struct.unpack_from(">I124xI", profile)
    contents = _TAG_TABLE + _TAG_ROW_BYTES * count
    if count > MAX_ICC_ROWS or not contents <= declared <= len(profile):
        return None
    tags: dict[bytes, bytes] = {}
    for name, start, length in struct.iter_unpack(">4sII", profile[_TAG_TABLE:contents]):
        if length < _TYPE_BYTES or start + length > declared or name[:3] in _ELEMENT_TAGS:
            return None
        if name in _TAGS and name not in tags:
            tags[name] = profile[start : start + length]
    if sum(map(len, tags.values())) > MAX_ICC_BYTES:
        return None
    return _written(profile, tags)


def _written(profile: bytes, tags: dict[bytes, bytes]) -> bytes:
    rows, contents, at = b"", b"", _TAG_TABLE + _TAG_ROW_BYTES * len(tags)
    for name, content in tags.items():
        rows += struct.pack(">4sII", name, at + len(contents), len(content))
        contents += content + bytes(-len(content) % 4)
    head = profile[4:12] + _DISPLAY + profile[16:128] + len(tags).to_bytes(4, "big")
    return (at + len(contents)).to_bytes(4, "big") + head + rows + contents
