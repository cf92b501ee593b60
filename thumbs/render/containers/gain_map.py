"""The gain map of a JPEG, which makes it brighter on screens of high dynamic range: found in a file, and put into one.

The map is a second JPEG behind the first. The first has an index of both (CIPA DC-007, "MPF"). The second says how to
apply it: as XMP (Ultra HDR Image Format 1.1), as ISO 21496-1, or both. Only numbers are taken over.
"""

import re
import struct
from dataclasses import dataclass

from thumbs.render.containers.jpeg import Segment, segments
from thumbs.render.containers.limits import MAX_JPEG_GAIN_MAP_BYTES, MAX_JPEG_PICTURES

_START, _APP0, _APP1, _APP2, _APP15 = b"\xff\xd8", 0xE0, 0xE1, 0xE2, 0xEF
_MOST_CONTENTS = 65_533  # of a segment
_XMP, _MPF, _ISO = b"http://ns.adobe.com/xap/1.0/\0", b"MPF\0", b"urn:iso:std:iso:ts:21496:-1\0"
_ORDERS = {b"II*\0": "<", b"MM\0*": ">"}
# Of the index: the tag of the list of pictures, and a row of it: attributes, size, offset, and two references.
_PICTURES, _PICTURE_BYTES = 0xB002, 16
_ENTRY_BYTES, _MAX_ENTRIES = 12, 100
_PRIMARY = 0x30000  # attributes: the main picture
# Of the first and second JPEG in ISO 21496-1: versions of the format and of the writer, and flags behind them.
_ISO_VERSION = bytes(4)
_MULTICHANNEL, _COMMON_DENOMINATOR, _BACKWARD = 0x80, 0x08, 0x04
# In XMP, attributes or elements of the namespace "hdrgm": a number, or a list of three.
_NUMBERS = ("GainMapMin", "GainMapMax", "Gamma", "OffsetSDR", "OffsetHDR", "HDRCapacityMin", "HDRCapacityMax")
_REQUIRED = ("GainMapMax", "HDRCapacityMax")
_NUMBER = re.compile(rb"-?\d{1,8}(?:\.\d{1,16})?")
_ATTRIBUTE = re.compile(rb"hdrgm:(\w{1,32})\s*=\s*[\"']([^\"']{1,32})[\"']")
_ELEMENT = re.compile(rb"<hdrgm:(\w{1,32})>(.{1,999}?)</hdrgm:\1>", re.DOTALL)
_ITEM = re.compile(rb"<rdf:li>([^<]{1,32})</rdf:li>")
_VERSION = b"1.0"


@dataclass(frozen=True, slots=True)
class GainMap:
    """`picture` is the JPEG of the map. How to apply it: `xmp` has the numbers of `hdrgm`, one or three each, and `iso`
    is the contents of a segment of ISO 21496-1. One of both may be empty.
    """

    picture: bytes
    xmp: dict[str, tuple[bytes, ...]]
    iso: bytes


def read_gain_map(data: bytes) -> GainMap | None:
    """The gain map of a JPEG; None without one, and for one that makes the picture darker."""
    candidates = (_gain_map(data[start : start + size]) for start, size in _pictures(data))
    return next(filter(None, candidates), None)


def with_gain_map(data: bytes, gain_map: GainMap) -> bytes:
    """The JPEG `data`, which has none, with a gain map."""
    xmp, iso = gain_map.xmp, gain_map.iso
    own = (_segment(_APP1, _XMP + _packet(_described(xmp))) if xmp else b"") + (
        _segment(_APP2, _ISO + iso) if iso else b""
    )
    second = _inserted(gain_map.picture, own)
    said = (_segment(_APP1, _XMP + _packet(_directory(len(second)))) if xmp else b"") + (
        _segment(_APP2, _ISO + _ISO_VERSION) if iso else b""
    )
    at = _behind_metadata(data)
    length = len(data) + len(said) + len(_index(0, 0, 0))
    # Offsets count from the header of the index, behind the marker, the length and the name of its segment.
    index = _index(length, len(second), length - (at + len(said) + 4 + len(_MPF)))
    return b"".join((data[:at], said, index, data[at:], second))


def _gain_map(picture: bytes) -> GainMap | None:
    """`picture` as a map; None where it is no JPEG, or none that says how to apply it."""
    if not picture.startswith(_START):
        return None
    xmp = _numbers(_first(picture, _APP1, _XMP))
    iso = _checked(_first(picture, _APP2, _ISO))
    return GainMap(picture, xmp, iso) if xmp or iso else None


def _first(picture: bytes, code: int, name: bytes) -> bytes:
    """The contents of the first segment of this name; empty without one."""
    named = (each for each in segments(picture) if each.code == code and picture.startswith(name, each.start))
    found = next(named, None)
    return b"" if found is None else picture[found.start + len(name) : found.end]


def _pictures(data: bytes) -> list[tuple[int, int]]:
    """Where the pictures behind the first one should be, and their sizes."""
    for segment in segments(data):
        if segment.code == _APP2 and data.startswith(_MPF, segment.start):
            try:
                return _listed(data, segment.start + len(_MPF), segment)
            except struct.error:
                return []
    return []


def _listed(data: bytes, header: int, segment: Segment) -> list[tuple[int, int]]:
    index = data[header : segment.end]
    order = _ORDERS.get(index[:4])
    if order is None:
        return []
    (at,) = struct.unpack_from(f"{order}I", index, 4)
    (count,) = struct.unpack_from(f"{order}H", index, at)
    for entry in range(at + 2, at + 2 + _ENTRY_BYTES * min(count, _MAX_ENTRIES), _ENTRY_BYTES):
        tag, _, size, offset = struct.unpack_from(f"{order}HHII", index, entry)
        if tag == _PICTURES:
            rows = min(size // _PICTURE_BYTES, MAX_JPEG_PICTURES)
            found = (struct.unpack_from(f"{order}III", index, offset + _PICTURE_BYTES * row) for row in range(rows))
            places = [(header + start, size) for _, size, start in found if start]
            return [(start, size) for start, size in places if start + size <= len(data)]
    return []


def _numbers(packet: bytes) -> dict[str, tuple[bytes, ...]]:
    """The numbers of `hdrgm`; empty where they are no complete description of a map that makes brighter."""
    if len(packet) > MAX_JPEG_GAIN_MAP_BYTES:
        return {}
    texts: dict[str, tuple[bytes, ...]] = {}
    for found in _ELEMENT.finditer(packet):
        items = tuple(item.strip() for item in _ITEM.findall(found[2]))
        texts[found[1].decode()] = items or (found[2].strip(),)
    for found in _ATTRIBUTE.finditer(packet):
        texts[found[1].decode()] = (found[2].strip(),)
    if texts.get("Version") != (_VERSION,) or texts.get("BaseRenditionIsHDR", (b"False",)) != (b"False",):
        return {}
    numbers = {name: texts[name] for name in _NUMBERS if name in texts}
    right = all(len(each) in (1, 3) and all(map(_NUMBER.fullmatch, each)) for each in numbers.values())
    return numbers if right and all(name in numbers for name in _REQUIRED) else {}


def _checked(iso: bytes) -> bytes:
    """`iso`; empty where it is not of the known version and length, or of a map that makes darker."""
    if len(iso) <= len(_ISO_VERSION) or iso[:2] != _ISO_VERSION[:2] or iso[4] & _BACKWARD:
        return b""
    channels = 3 if iso[4] & _MULTICHANNEL else 1
    numbers = 3 + 5 * channels if iso[4] & _COMMON_DENOMINATOR else 4 + 10 * channels
    return iso if len(iso) == len(_ISO_VERSION) + 1 + 4 * numbers else b""


def _described(numbers: dict[str, tuple[bytes, ...]]) -> bytes:
    """The description of a map."""
    single = b"".join(b' hdrgm:%s="%s"' % (name.encode(), each[0]) for name, each in numbers.items() if len(each) == 1)
    lists = (
        b"<hdrgm:%s><rdf:Seq>%s</rdf:Seq></hdrgm:%s>"
        % (name.encode(), b"".join(b"<rdf:li>%s</rdf:li>" % item for item in each), name.encode())
        for name, each in numbers.items()
        if len(each) == 3
    )
    return b'%s hdrgm:BaseRenditionIsHDR="False">%s' % (single, b"".join(lists))


def _directory(length: int) -> bytes:
    """What the first JPEG says: that a map of `length` bytes is behind it."""
    item = b"<rdf:li rdf:parseType='Resource'><Container:Item Item:Mime='image/jpeg' Item:Semantic='%s'%s/></rdf:li>"
    items = item % (b"Primary", b"") + item % (b"GainMap", b" Item:Length='%d'" % length)
    return b"><Container:Directory><rdf:Seq>%s</rdf:Seq></Container:Directory>" % items


def _packet(contents: bytes) -> bytes:
    return (
        b"<x:xmpmeta xmlns:x='adobe:ns:meta/'><rdf:RDF xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#'>"
        b"<rdf:Description xmlns:hdrgm='http://ns.adobe.com/hdr-gain-map/1.0/'"
        b" xmlns:Container='http://ns.google.com/photos/1.0/container/'"
        b" xmlns:Item='http://ns.google.com/photos/1.0/container/item/'"
        b' hdrgm:Version="%s"%s</rdf:Description></rdf:RDF></x:xmpmeta>' % (_VERSION, contents)
    )


def _index(first: int, second: int, offset: int) -> bytes:
    """The index of two pictures: their sizes, and where the second one is."""
    rows = struct.pack(">IIIHHIIIHH", _PRIMARY, first, 0, 0, 0, 0, second, offset, 0, 0)
    entries = (
        struct.pack(">HHI4s", 0xB000, 7, 4, b"0100"),
        struct.pack(">HHII", 0xB001, 4, 1, 2),
        struct.pack(">HHII", _PICTURES, 7, len(rows), 8 + 2 + 3 * _ENTRY_BYTES + 4),
    )
    return _segment(_APP2, b"".join((_MPF, b"MM\0*\0\0\0\x08\0\x03", *entries, bytes(4), rows)))


def _segment(code: int, contents: bytes) -> bytes:
    if len(contents) > _MOST_CONTENTS:
        raise ValueError("a segment has at most 65,533 bytes")
    return bytes((0xFF, code)) + (len(contents) + 2).to_bytes(2, "big") + contents


def _inserted(data: bytes, added: bytes) -> bytes:
    at = _behind_metadata(data)
    return data[:at] + added + data[at:]


def _behind_metadata(data: bytes) -> int:
    """Behind the application segments at the beginning."""
    at = len(_START)
    for segment in segments(data):
        if not _APP0 <= segment.code <= _APP15:
            break
        at = segment.end
    return at
