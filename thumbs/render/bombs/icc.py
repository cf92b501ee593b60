"""Decides which ICC profiles littlecms may read.

littlecms builds a conversion in one call that no deadline interrupts. A profile of a few hundred bytes can make that
call take minutes and gigabytes. So only tag types whose cost is bounded are let through, and only profiles that
littlecms can use. Everything is read from counts and offsets, in a few thousand steps and without a copy.
"""

import struct
from collections.abc import Callable
from dataclasses import dataclass

from thumbs.render.bombs.limits import (
    MAX_ICC_BYTES,
    MAX_ICC_ENTRIES,
    MAX_ICC_GRID_BYTES,
    MAX_ICC_RECORDS,
    MAX_ICC_TAG_BYTES,
    MAX_ICC_TAGS,
)

_CHANNELS = {b"RGB ": 3, b"GRAY": 1, b"CMYK": 4}
# Scanners, displays, printers, color spaces (ICC.1:2022, 7.2.5): no device links, abstract or named color profiles.
_CLASSES = (b"scnr", b"mntr", b"prtr", b"spac")
_CONNECTION_SPACES = (b"XYZ ", b"Lab ")
_MAX_MAJOR_VERSION = 4
_TAG_TABLE = 132  # after the header of 128 bytes and the number of tags
_TAG_ROW_BYTES = 12
# Tags of multiProcessElements (10.16), which littlecms prefers to all others. Its elements may be repeated without end.
_ELEMENT_TAGS = (b"D2B", b"B2D")
_WHITE_AT, _D50, _MOST_OFF = 68, (0.9642, 1.0, 0.8249), 0.01
# s15Fixed16Numbers of each function of a parametric curve (10.18).
_PARAMETERS = (1, 3, 4, 5, 7)


def is_safe(profile: bytes) -> bool:
    """Whether littlecms may convert from `profile`: an ICC profile of a gray, RGB or CMYK device, version 2 or 4.

    False for a damaged profile too. The profile then counts as absent.
    """
    try:
        return _is_safe(profile)
    except (struct.error, IndexError):
        return False


@dataclass(frozen=True, slots=True)
class _Tag:
    """The content `data[start:end]` of the tag `name`, in a profile of a device with `channels` channels."""

    data: bytes
    name: bytes
    start: int
    end: int
    channels: int

    @property
    def type(self) -> bytes:
        return self.data[self.start : self.start + 4]

    def number(self, size: int, at: int) -> int:
        """The unsigned number of `size` bytes at the offset `at` from the start of the tag."""
        start = self.start + at
        if start + size > self.end:
            raise IndexError(at)
        return int.from_bytes(self.data[start : start + size], "big")


def _is_safe(profile: bytes) -> bool:
    if not _TAG_TABLE <= len(profile) <= MAX_ICC_BYTES or profile[36:40] != b"acsp":
        return False
    device_class, space, connection = profile[12:16], profile[16:20], profile[20:24]
    if device_class not in _CLASSES or space not in _CHANNELS or connection not in _CONNECTION_SPACES:
        return False
    if profile[8] > _MAX_MAJOR_VERSION:
        return False
    size, count = struct.unpack_from(">I124xI", profile)
    contents = _TAG_TABLE + _TAG_ROW_BYTES * count
    if size > len(profile) or count > MAX_ICC_TAGS or contents > size or not _is_under_d50(profile):
        return False
    tags: dict[bytes, _Tag] = {}
    total = 0
    for row in range(_TAG_TABLE, contents, _TAG_ROW_BYTES):
        name, start, length = struct.unpack_from(">4sII", profile, row)
        total += length
        if name in tags or start < contents or length < 8 or start + length > size or total > MAX_ICC_TAG_BYTES:
            return False
        tags[name] = _Tag(profile, name, start, start + length, _CHANNELS[space])
    return _describes_device(tags, space, connection) and all(_is_bounded(tag) for tag in tags.values())


def _is_under_d50(profile: bytes) -> bool:
    """Browsers use no profile with another white of the connection space (7.2.16); littlecms does not read it."""
    numbers = struct.unpack_from(">3i", profile, _WHITE_AT)
    return all(abs(number / 65536 - wanted) <= _MOST_OFF for number, wanted in zip(numbers, _D50, strict=True))


def _describes_device(tags: dict[bytes, _Tag], space: bytes, connection: bytes) -> bool:
    """Whether there is a table, or what else colors are computed with (8.3 to 8.6); browsers need XYZ for gray."""
    if b"A2B0" in tags or b"A2B1" in tags:
        return True
    if space == b"GRAY":
        return b"kTRC" in tags and connection == b"XYZ "
    return space == b"RGB " and tags.keys() >= {b"rXYZ", b"gXYZ", b"bXYZ", b"rTRC", b"gTRC", b"bTRC"}


def _is_bounded(tag: _Tag) -> bool:
    if tag.name[:3] in _ELEMENT_TAGS:
        return False
    check = _CHECKS.get(tag.type)
    types = _types_of(tag.name)
    if types is None:
        return tag.type in _INERT_TYPES or (check is not None and check(tag))
    return tag.type in types and check is not None and check(tag)


def _types_of(name: bytes) -> tuple[bytes, ...] | None:
    """The types that a tag may have which littlecms reads for a conversion; None for other tags."""
    if name[:3] == b"A2B":
        return (b"mft1", b"mft2", b"mAB ")
    if name[:3] == b"B2A":
        return (b"mft1", b"mft2", b"mBA ")
    if name[1:] == b"TRC":
        return (b"curv", b"para")
    if name[1:] == b"XYZ" or name in (b"wtpt", b"bkpt"):
        return (b"XYZ ",)
    return (b"sf32",) if name == b"chad" else None


# ------------------------------------------------------------------------------------------ numbers and texts


def _curve(tag: _Tag) -> bool:
    return _curve_end(tag, 0) is not None


def _curve_end(tag: _Tag, at: int) -> int | None:
    """The offset behind the curve at the offset `at` of a tag; None for a curve that is not let through."""
    kind, end = tag.number(4, at), None
    if kind == _CURVE:
        entries = tag.number(4, at + 8)
        end = at + 12 + 2 * entries if entries <= MAX_ICC_ENTRIES else None
    elif kind == _PARAMETRIC:
        function = tag.number(2, at + 8)
        end = at + 12 + 4 * _PARAMETERS[function] if function < len(_PARAMETERS) else None
    return end if end is not None and tag.start + end <= tag.end else None


_CURVE, _PARAMETRIC = (int.from_bytes(name, "big") for name in (b"curv", b"para"))


def _numbers(size: int) -> Callable[[_Tag], bool]:
    return lambda tag: size <= tag.end - tag.start - 8 <= size * MAX_ICC_ENTRIES


def _description(tag: _Tag) -> bool:
    return 12 + tag.number(4, 8) <= tag.end - tag.start


def _translations(tag: _Tag) -> bool:
    """multiLocalizedUnicode (10.15): records of 12 bytes, each with the length and the offset of its text."""
    count, record, size = tag.number(4, 8), tag.number(4, 12), tag.end - tag.start
    if count > MAX_ICC_RECORDS or record != 12 or 16 + 12 * count > size:
        return False
    records = tag.data[tag.start + 16 : tag.start + 16 + 12 * count]
    texts = list(struct.iter_unpack(">4xII", records))
    return (
        all(offset + length <= size for length, offset in texts) and sum(text[0] for text in texts) <= MAX_ICC_TAG_BYTES
    )


# ----------------------------------------------------------------------------------------------------- tables


def _grid_bytes(points: list[int], outputs: int, width: int) -> int | None:
    """The bytes of a grid with so many points in each direction; None where that is too much or no grid."""
    size = outputs * width
    for count in points:
        size *= count
        if count < 2 or size > MAX_ICC_GRID_BYTES:
            return None
    return size


def _has_channels(tag: _Tag, inputs: int, outputs: int) -> bool:
    """Whether a table has the channels of the profile: from the device to the connection space, or back."""
    if tag.name[:3] == b"A2B":
        return (inputs, outputs) == (tag.channels, 3)
    if tag.name[:3] == b"B2A":
        return (inputs, outputs) == (3, tag.channels)
    return 1 <= inputs <= 4 and 1 <= outputs <= 4


def _table(width: int) -> Callable[[_Tag], bool]:
    """lut8 and lut16 (10.10, 10.11): curves, a grid with as many points in each direction, curves."""

    def check(tag: _Tag) -> bool:
        inputs, outputs, points = (tag.number(1, at) for at in (8, 9, 10))
        start, before, after = 48, 256, 256
        if width == 2:
            start, before, after = 52, tag.number(2, 48), tag.number(2, 50)
        if not (
            2 <= before <= MAX_ICC_ENTRIES and 2 <= after <= MAX_ICC_ENTRIES and _has_channels(tag, inputs, outputs)
        ):
            return False
        grid = _grid_bytes([points] * inputs, outputs, width)
        return grid is not None and start + width * (before * inputs + after * outputs) + grid <= tag.end - tag.start

    return check


def _pipeline(tag: _Tag) -> bool:
    """lutAToB and lutBToA (10.12, 10.13): up to three sets of curves, a matrix and a grid, each at an offset.

    They may overlap, but each is bounded, and none stands twice.
    """
    inputs, outputs = tag.number(1, 8), tag.number(1, 9)
    if not _has_channels(tag, inputs, outputs):
        return False
    b_curves, matrix, m_curves, grid, a_curves = (tag.number(4, at) for at in range(12, 32, 4))
    b_count, a_count = (outputs, inputs) if tag.type == b"mAB " else (inputs, outputs)
    sets = ((b_curves, b_count), (m_curves, b_count), (a_curves, a_count))
    if not all(at == 0 or _has_curves(tag, at, count) for at, count in sets):
        return False
    if matrix and tag.start + matrix + 48 > tag.end:
        return False
    if grid == 0:
        return inputs == outputs
    points, width = [tag.number(1, grid + axis) for axis in range(16)], tag.number(1, grid + 16)
    size = _grid_bytes(points[:inputs], outputs, width)
    # littlecms refuses one point in a direction that is not used, too.
    return width in (1, 2) and 1 not in points and size is not None and tag.start + grid + 20 + size <= tag.end


def _has_curves(tag: _Tag, at: int, count: int) -> bool:
    for _ in range(count):
        end = _curve_end(tag, at)
        if end is None:
            return False
        at = end + -(tag.start + end) % 4  # littlecms aligns to the start of the profile
    return True


_CHECKS: dict[bytes, Callable[[_Tag], bool]] = {
    b"curv": _curve,
    b"para": _curve,
    b"XYZ ": _numbers(12),
    b"sf32": _numbers(4),
    b"mft1": _table(1),
    b"mft2": _table(2),
    b"mAB ": _pipeline,
    b"mBA ": _pipeline,
    b"text": lambda _: True,
    b"desc": _description,
    b"mluc": _translations,
}
# These stand in most profiles of cameras and displays. littlecms reads them in no conversion, so they cost nothing.
_INERT_TYPES = frozenset(
    (
        *(b"sig ", b"view", b"meas", b"chrm", b"dtim", b"data", b"dict", b"clrt", b"clro", b"cicp", b"ui08", b"ui16"),
        *(b"ui32", b"ui64", b"uf32", b"pseq", b"psid", b"bfd ", b"crdi", b"scrn", b"devs", b"rcs2"),
        # Of displays, by Apple and Microsoft.
        *(b"vcgt", b"vcgp", b"mmod", b"ndin", b"MHC2"),
    )
)
