"""Writes AVIF files with several pictures and any properties (ISO/IEC 23008-12), from pictures that Pillow encoded."""

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from PIL import Image

from tests.support.pictures import encoded


@dataclass(frozen=True, slots=True)
class Item:
    """A picture of the file, with its profiles: the four letters of the color type, and the ICC profile."""

    image: Image.Image
    profiles: tuple[tuple[bytes, bytes], ...] = ()


def box(name: bytes, *contents: bytes) -> bytes:
    content = b"".join(contents)
    return struct.pack(">I", 8 + len(content)) + name + content


def full_box(name: bytes, *contents: bytes, version: int = 0, flags: int = 0) -> bytes:
    return box(name, struct.pack(">I", version << 24 | flags), *contents)


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


def avif(main: Item, *thumbnails: Item) -> bytes:
    """An AVIF of `main`, with thumbnails of it."""
    items = (main, *thumbnails)
    files = [encoded(item.image, "AVIF", quality=95, subsampling="4:4:4") for item in items]
    payloads = [find(data, b"mdat") for data in files]
    properties: list[bytes] = []
    associations = b""
    for number, (item, data) in enumerate(zip(items, files, strict=True), 1):
        own = [
            full_box(b"ispe", struct.pack(">II", *item.image.size)),
            box(b"av1C", find(data, b"meta", b"iprp", b"ipco", b"av1C")),
            full_box(b"pixi", b"\3\x08\x08\x08"),
            *(box(b"colr", kind, profile) for kind, profile in item.profiles),
        ]
        first = len(properties) + 1
        associations += struct.pack(">HB", number, len(own)) + bytes(range(first, first + len(own)))
        properties += own
    entries = b"".join(
        full_box(b"infe", struct.pack(">HH", number, 0), b"av01\0", version=2) for number in range(1, len(items) + 1)
    )
    references = b"".join(box(b"thmb", struct.pack(">HHH", number, 1, 1)) for number in range(2, len(items) + 1))
    ftyp = box(b"ftyp", b"avif\0\0\0\0avifmif1miaf")

    def meta(start: int) -> bytes:
        locations = b""
        for number, payload in enumerate(payloads, 1):
            locations += struct.pack(">HHHII", number, 0, 1, start, len(payload))
            start += len(payload)
        return full_box(
            b"meta",
            full_box(b"hdlr", bytes(4), b"pict", bytes(13)),
            full_box(b"pitm", b"\0\1"),
            full_box(b"iloc", b"\x44\0", struct.pack(">H", len(items)), locations),
            full_box(b"iinf", struct.pack(">H", len(items)), entries),
            *([full_box(b"iref", references)] if references else []),
            box(
                b"iprp",
                box(b"ipco", *properties),
                full_box(b"ipma", struct.pack(">I", len(items)), associations),
            ),
        )

    return ftyp + meta(len(ftyp) + len(meta(0)) + 8) + box(b"mdat", *payloads)
