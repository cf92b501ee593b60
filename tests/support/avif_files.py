"""Writes AVIF files of any items and properties (ISO/IEC 23008-12), from pictures that an encoder wrote."""

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate

from PIL import Image

from tests.support.pictures import encoded

_ESSENTIAL = (b"av1C", b"irot", b"imir", b"clap", b"a1op", b"lsel")
FTYP = struct.pack(">I", 28) + b"ftypavif\0\0\0\0avifmif1miaf"


@dataclass(frozen=True, slots=True)
class Item:
    """A picture of the file, with its profiles: the four letters of the color type, and the ICC profile."""

    image: Image.Image
    profiles: tuple[tuple[bytes, bytes], ...] = ()


@dataclass(frozen=True, slots=True)
class Part:
    """An item as it is in a file: four letters of its type, its data, and the boxes of its properties."""

    kind: bytes
    data: bytes
    properties: tuple[bytes, ...] = ()

    def without(self, *names: bytes) -> "Part":
        return replace(self, properties=tuple(each for each in self.properties if each[4:8] not in names))

    def having(self, *properties: bytes) -> "Part":
        return replace(self, properties=(*self.properties, *properties))

    def property(self, name: bytes) -> bytes | None:
        return next((each for each in self.properties if each[4:8] == name), None)


# The kind of a reference, the number of the item that refers, and those that it refers to; the first item is 1.
Reference = tuple[bytes, int, tuple[int, ...]]


def box(name: bytes, *contents: bytes) -> bytes:
    content = b"".join(contents)
    return struct.pack(">I", 8 + len(content)) + name + content


def full_box(name: bytes, *contents: bytes, version: int = 0, flags: int = 0) -> bytes:
    return box(name, struct.pack(">I", version << 24 | flags), *contents)


def nclx(primaries: int, transfer: int, matrix: int, *, full: bool) -> bytes:
    return box(b"colr", b"nclx", struct.pack(">HHHB", primaries, transfer, matrix, 0x80 * full))


def rotation(quarters: int) -> bytes:
    """Counterclockwise."""
    return box(b"irot", bytes([quarters]))


def mirroring(axis: int) -> bytes:
    """0: top and bottom change places, 1: left and right do."""
    return box(b"imir", bytes([axis]))


def boxes(data: bytes, at: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    """Name, start of the contents, and end of each box."""
    while at < end:
        size = struct.unpack_from(">I", data, at)[0]
        yield data[at + 4 : at + 8], at + 8, at + size
        at += size


def find(data: bytes, *path: bytes) -> bytes:
    """The contents of the first box at a path; `meta` is a full box."""
    at, end = 0, len(data)
    for name in path:
        at, end = next((start, after) for each, start, after in boxes(data, at, end) if each == name)
        at += 4 if name == b"meta" else 0
    return data[at:end]


def parts_of(data: bytes) -> list[Part]:
    """The items of a file that libavif or libheif wrote: 16-bit numbers, 32-bit offsets, one extent each."""
    meta = find(data, b"meta")
    kinds = {
        struct.unpack_from(">H", meta, at + 4)[0]: meta[at + 8 : at + 12]
        for at in _starts(find(data, b"meta", b"iinf"), 6, meta)
    }
    locations = find(data, b"meta", b"iloc")
    assert locations[0] <= 1
    assert locations[4] == 0x44
    base, method = locations[5] >> 4, 2 * locations[0]
    bytes_of, at = {}, 8
    for _ in range(struct.unpack_from(">H", locations, 6)[0]):
        number = struct.unpack_from(">H", locations, at)[0]
        offset = int.from_bytes(locations[at + 4 + method : at + 4 + method + base], "big")
        at += 4 + method + base
        count, start, length = struct.unpack_from(">HII", locations, at)
        assert count == 1
        bytes_of[number] = data[offset + start : offset + start + length]
        at += 10
    container = find(data, b"meta", b"iprp", b"ipco")
    found = [container[start - 8 : end] for _, start, end in boxes(container, 0, len(container))]
    associations = find(data, b"meta", b"iprp", b"ipma")
    assert associations[:4] == bytes(4)
    numbers, at = {}, 8
    for _ in range(struct.unpack_from(">I", associations, 4)[0]):
        number, count = struct.unpack_from(">HB", associations, at)
        numbers[number] = [each & 127 for each in associations[at + 3 : at + 3 + count]]
        at += 3 + count
    return [
        Part(kinds[number], bytes_of[number], tuple(found[each - 1] for each in numbers.get(number, ())))
        for number in sorted(bytes_of)
    ]


def _starts(content: bytes, skip: int, inside: bytes) -> list[int]:
    """Where the contents of the boxes in `content` begin within `inside`."""
    first = inside.index(content)
    return [first + start for _, start, _ in boxes(content, skip, len(content))]


def assembled(
    parts: Sequence[Part], references: Sequence[Reference] = (), *, ftyp: bytes = FTYP, repeated: int = 1
) -> bytes:
    """A file of these items, whose primary item is the first one.

    Items of equal data share it, as libavif writes them. Each item is its data `repeated` times.
    """
    properties = list(dict.fromkeys(each for part in parts for each in part.properties))
    associations = b""
    for number, part in enumerate(parts, 1):
        own = [properties.index(each) + 1 | 0x80 * (each[4:8] in _ESSENTIAL) for each in part.properties]
        associations += struct.pack(">HB", number, len(own)) + bytes(own)
    entries = b"".join(
        full_box(b"infe", struct.pack(">HH", number, 0), part.kind, b"\0", version=2)
        for number, part in enumerate(parts, 1)
    )
    bound = b"".join(
        box(kind, struct.pack(f">HH{len(targets)}H", source, len(targets), *targets))
        for kind, source, targets in references
    )

    contents = list(dict.fromkeys(part.data for part in parts))
    starts = dict(zip(contents, accumulate(map(len, contents), initial=0), strict=False))

    def meta(start: int) -> bytes:
        locations = b""
        for number, part in enumerate(parts, 1):
            extent = struct.pack(">II", start + starts[part.data], len(part.data))
            locations += struct.pack(">HHH", number, 0, repeated) + extent * repeated
        return full_box(
            b"meta",
            full_box(b"hdlr", bytes(4), b"pict", bytes(13)),
            full_box(b"pitm", b"\0\1"),
            full_box(b"iloc", b"\x44\0", struct.pack(">H", len(parts)), locations),
            full_box(b"iinf", struct.pack(">H", len(parts)), entries),
            *([full_box(b"iref", bound)] if bound else []),
            box(b"iprp", box(b"ipco", *properties), full_box(b"ipma", struct.pack(">I", len(parts)), associations)),
        )

    return ftyp + meta(len(ftyp) + len(meta(0)) + 8) + box(b"mdat", *contents)


def avif(main: Item, *thumbnails: Item) -> bytes:
    """An AVIF of `main`, with thumbnails of it."""
    parts = []
    for item in (main, *thumbnails):
        coded = parts_of(encoded(item.image, "AVIF", quality=95, subsampling="4:4:4"))[0].without(b"colr")
        parts.append(coded.having(*(box(b"colr", kind, profile) for kind, profile in item.profiles)))
    return assembled(parts, [(b"thmb", number, (1,)) for number in range(2, len(parts) + 1)])


def grid(tiles: Sequence[Part], size: tuple[int, int], *, columns: int, properties: Sequence[bytes] = ()) -> list[Part]:
    """A grid (ISO/IEC 23008-12, 6.6.2.3) of `size` pixels, and its tiles."""
    rows = len(tiles) // columns
    content = struct.pack(">BBBBHH", 0, 0, rows - 1, columns - 1, *size)
    own = (full_box(b"ispe", struct.pack(">II", *size)), *properties)
    return [Part(b"grid", content, own), *tiles]


def tiles_of_grid(count: int, *, first: int = 1) -> Reference:
    """What binds a grid with the number `first` to the tiles behind it."""
    return (b"dimg", first, tuple(range(first + 1, first + 1 + count)))
