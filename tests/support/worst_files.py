"""Files that cost a parser of originals the most, of the largest size that is read or at the size of its bound."""

import base64
import struct
import zlib

from tests.support.avif_files import FTYP, box, full_box, nclx
from tests.support.icc_profiles import rgb_profile, translations, with_rows
from tests.support.jxl_files import ENUM, Bits, codestream, container
from tests.support.jxl_files import box as jxl_box
from tests.support.pictures import encoded, noise
from tests.support.signaled_colors import chunk
from thumbs.image.limits import MAX_SOURCE_BYTES
from thumbs.render.bombs import limits
from thumbs.render.containers import limits as container_limits
from thumbs.render.containers.limits import MAX_JXL_CHANNELS

FULL = MAX_SOURCE_BYTES - 200_000


def filled(before: bytes, unit: bytes, after: bytes = b"", *, count: int = 0) -> bytes:
    return before + unit * (count or (FULL - len(before) - len(after)) // len(unit)) + after


PNG = encoded(noise(16, 16), "PNG")
TEXT = b"\0\0\0\3tEXta\0b" + bytes(4)
EMPTY_CHUNK = chunk(b"prVt", b"")
DAMAGED_CHUNK = b"\0\0\0\0prVt" + bytes(4)
JPEG = encoded(noise(16, 16), "JPEG")
PROGRESSIVE = encoded(noise(16, 16), "JPEG", progressive=True)
WEBP = encoded(noise(16, 16), "WEBP")
AVIF = encoded(noise(16, 16), "AVIF")
GIF = b"GIF89a\1\0\1\0\x80\0\0" + bytes(6)
GIF_FRAME = b"\x2c" + struct.pack("<HHHHB", 0, 0, 1, 1, 0) + b"\2\2\x4c\1\0"


def png(count: int = 0) -> bytes:
    """A text chunk makes the parser copy the others."""
    return filled(PNG[:33] + TEXT, EMPTY_CHUNK, PNG[33:], count=count)


def png_of_texts() -> bytes:
    """Every second chunk is kept, so that there are as many parts as can be."""
    return filled(PNG[:33], TEXT + EMPTY_CHUNK, PNG[33:], count=(limits.MAX_PNG_CHUNKS - 10) // 2)


def png_of_pixels(piece: int, *, side: int = 7000, damage: bytes = b"") -> bytes:
    """A picture of RGBA in pieces of so many bytes; its compressed data ends with `damage`."""
    header = struct.pack(">IIBBBBB", side, side, 8, 6, 0, 0, 0)
    packer = zlib.compressobj(9)
    row = bytes(1 + 4 * side)
    content = b"".join((*(packer.compress(row) for _ in range(side)), packer.flush()))[:-4] + damage
    pieces = (chunk(b"IDAT", content[at : at + piece]) for at in range(0, len(content), piece))
    return PNG[:8] + chunk(b"IHDR", header) + b"".join(pieces) + chunk(b"IEND", b"")


def png_of_passes(side: int = 8000) -> bytes:
    """An interlaced picture of RGBA, as large as one is filled, that ends after a few pixels."""
    header = struct.pack(">IIBBBBB", side, side, 8, 6, 0, 0, 1)
    content = zlib.compress(bytes(1000))[:-4]
    return PNG[:8] + chunk(b"IHDR", header) + chunk(b"IDAT", content) + chunk(b"IEND", b"")


def jpeg_of_parts() -> bytes:
    """As many parts of a profile as are read, of which the last one is missing."""
    part = b"\xff\xe2\xff\xffICC_PROFILE\0%c\xff" + bytes(65_519)
    return JPEG[:2] + b"".join(part.replace(b"%c", bytes([number])) for number in range(1, 255)) + JPEG[2:]


def jpeg_of_pictures() -> bytes:
    """As many pictures as are looked at: all the rest of the file, with as many segments as are read.

    The last one is the description of a gain map that begins many elements and ends none.
    """
    name = b"http://ns.adobe.com/xap/1.0/\0"
    packet = name + (b"<hdrgm:Gamma>" * 2000)[: container_limits.MAX_JPEG_GAIN_MAP_BYTES]
    described = b"\xff\xe1" + (len(packet) + 2).to_bytes(2, "big") + packet
    parts = b"\xff\xe2\0\2" * (container_limits.MAX_JPEG_HEADER_SEGMENTS - 1) + described
    count = container_limits.MAX_JPEG_PICTURES
    size = FULL - 10_000
    at = 8 + 2 + 12 + 4
    rows = struct.pack(">IIIHH", 0, size, at + 16 * count, 0, 0) * count
    index = b"MPF\0MM\0*" + struct.pack(">IHHHIII", 8, 1, 0xB002, 7, len(rows), at, 0) + rows
    first = b"\xff\xd8\xff\xe2" + (len(index) + 2).to_bytes(2, "big") + index
    return (first + b"\xff\xd8" + parts).ljust(FULL, b"\0")


def icc_of_rows() -> bytes:
    """As many tags as are read, all of them of a conversion but not the first of their name."""
    rows = [(b"rXYZ", 0, 20)] * limits.MAX_ICC_ROWS
    return with_rows(rows, bytes(limits.MAX_ICC_BYTES - 132 - 12 * len(rows)))


def png_of_large_chunks() -> bytes:
    return filled(PNG[:33] + TEXT, struct.pack(">I", 8_000_000) + b"prVt" + bytes(8_000_004), PNG[33:])


def png_of_profile(length: int) -> bytes:
    """A profile that inflates to so many bytes; without a length, one that fills the file and is not inflated."""
    content = zlib.compress(bytes(length)) if length else bytes(FULL)
    return PNG[:33] + chunk(b"iCCP", b"name\0\0" + content) + PNG[33:]


def avif_items(count: int, *, extents: int = 0) -> bytes:
    """An item location box of 16-bit ids and no sizes: six bytes an item."""
    items = struct.pack(">HHH", 1, 0, extents) * count
    iloc = struct.pack(">I4sI", 18 + len(items), b"iloc", 2 << 24) + b"\0\0" + struct.pack(">I", count) + items
    return AVIF[:32] + struct.pack(">I4sI", 12 + len(iloc), b"meta", 0) + iloc


def avif_parts(items: int, extents: int, references: int, properties: int, *, metas: int = 1) -> bytes:
    """Items of so many extents, each with so many properties, and as many references between them."""
    numbers = range(1, items + 1)
    name = b"av01\0"
    entries = [full_box(b"infe", struct.pack(">HH", number, 0), name, version=2) for number in numbers]
    places = [struct.pack(">HHH", number, 0, extents) + bytes((0, 0, 0, 0, 0, 0, 0, 1)) * extents for number in numbers]
    bound = [box(b"thmb", struct.pack(">HHH", number % items + 1, 1, number % 7 + 1)) for number in range(references)]
    own = [struct.pack(">HB", number, properties) + b"\1" * properties for number in numbers]
    meta = (
        full_box(b"pitm", b"\0\1"),
        full_box(b"iloc", b"\x44\0", struct.pack(">H", items), *places),
        full_box(b"iinf", struct.pack(">H", items), *entries),
        full_box(b"iref", *bound),
        box(b"iprp", box(b"ipco", nclx(2, 2, 2, full=True)), full_box(b"ipma", struct.pack(">I", items), *own)),
    )
    return FTYP + full_box(b"meta", *meta) * metas + box(b"mdat", bytes(FULL - 1_000_000))


def tiff_directories(count: int, entries: int, *, step: int = 4) -> bytes:
    """Directories that overlap: each begins `step` bytes behind the one before, and names the next one."""
    data = bytearray(8 + step * count + 12 * entries + 16)
    data[:8] = b"II*\0" + struct.pack("<I", 8)
    for number in range(count):
        at = 8 + step * number
        struct.pack_into("<H", data, at, entries)
        struct.pack_into("<I", data, at + 2 + 12 * entries, at + step if number < count - 1 or step == 0 else 0)
    return bytes(data)


def svg_of(*contents: bytes, before: bytes = b"") -> bytes:
    return before + b"<svg xmlns='http://www.w3.org/2000/svg'>" + b"".join(contents) + b"</svg>"


def svg_uses() -> bytes:
    """Half of the elements use one part, and the other half is what it uses."""
    return svg_of(b"<g id='q'/><g id='p'>", b"<use href='#q'/>" * 49_000, b"</g>", b"<use href='#p'/>" * 50_000)


def svg_doubling() -> bytes:
    levels = (b"<g id='g%d'><use href='#g%d'/><use href='#g%d'/></g>" % (n, n - 1, n - 1) for n in range(1, 33_000))
    return svg_of(b"<g id='g0'/>", *levels)


def svg_entities(length: int, references: int) -> bytes:
    entity = b"<!DOCTYPE svg [<!ENTITY a '" + b"x" * length + b"'>]>"
    return svg_of(b"<g id='" + b"&a;" * references + b"'/>", before=entity)


def svg_documents() -> bytes:
    """As many documents as may be drawn, each in a URL of its own."""
    document = b"data:;base64," + base64.b64encode(b"<svg>" + b"<g/>" * 20 + b"</svg>")
    return filled(b"<svg>", b"<image href='" + document + b"'/>", b"</svg>")


def svg_nested_entities() -> bytes:
    rows = b"".join(b"<!ENTITY l%d '%s'>" % (n, b"&l%d;" % (n - 1) * 10) for n in range(1, 9))
    return svg_of(b"<g id='&l8;'/>", before=b"<!DOCTYPE svg [<!ENTITY l0 'lol'>" + rows + b"]>")


def icc_of_translations() -> bytes:
    """As many tags as there may be, each with as many records as there may be, at the same place."""
    base, text = rgb_profile({}), translations(limits.MAX_ICC_RECORDS)
    count = struct.unpack_from(">I", base, 128)[0]
    rows = [struct.unpack_from(">4sII", base, 132 + 12 * number) for number in range(count)]
    moved = [(name, at - 132 - 12 * count + len(text), size) for name, at, size in rows]
    more = [(b"x%03d" % number, 0, len(text)) for number in range(limits.MAX_ICC_TAGS - count)]
    return with_rows([*moved, *more], text + base[132 + 12 * count :])


def jxl_of_channels() -> bytes:
    """As many further channels as are read, each with the longest name and all of its fields; then custom colors."""
    bits = Bits().size(30, 20).flags(False, False, False).put(0, 2).flags(True)
    bits.choice(MAX_JXL_CHANNELS, ((0, 0), (0, 1), (4, 2), (12, 1)))
    for _ in range(MAX_JXL_CHANNELS):
        bits.flags(False).choice(2, ENUM).flags(True).put(3, 2).put(31, 6).put(0, 4).put(3, 2).put(0, 3)
        bits.put(3, 2).put(128, 10)
        for _ in range(176 * 8 // 32):
            bits.put(0, 32)
        bits.put(0, 64)
    return codestream(bits.flags(True, False, False).choice(0, ENUM).choice(2, ENUM).put(0, 400))


def jxl_of_parts(part: int, *, behind: int = 0) -> bytes:
    """The same in a container, in parts of so many bytes."""
    stream = jxl_of_channels() + bytes(behind)
    pieces = (stream[at : at + part] for at in range(0, len(stream), part))
    return container(*(jxl_box(b"jxlp", bytes(4) + piece) for piece in pieces))
