"""Every parser of originals of ours: its worst file costs a bounded number of steps and bytes.

Steps are lines of Python that run. Each parser gets the file that costs it the most, of the largest size that is read
or of the size at which it reaches its bound; the bounds are those of docs/security.md.
"""

import base64
import re
import struct
import sys
import tracemalloc
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

import pytest

from tests.support.avif_files import FTYP, box, full_box, nclx
from tests.support.color import PROFILES
from tests.support.icc_profiles import bomb, curve, pipeline, rgb_profile, translations, with_rows
from tests.support.jxl_files import ENUM, Bits, codestream, container
from tests.support.jxl_files import box as jxl_box
from tests.support.pictures import encoded, noise
from tests.support.signaled_colors import chunk, gama
from thumbs.errors import SourceOverLimit
from thumbs.image.formats import sniff
from thumbs.image.limits import MAX_SOURCE_BYTES
from thumbs.render.avif.rewriting import rewritten
from thumbs.render.avif.samples import read_samples as read_avif_samples
from thumbs.render.bombs import avif, icc, jpeg, limits, svg, tiff, webp
from thumbs.render.color.icc import without_the_rest
from thumbs.render.color.jpeg import profile_segments
from thumbs.render.color.png import color_chunks, profile_chunk
from thumbs.render.completeness.png import read_pixels
from thumbs.render.containers import limits as container_limits
from thumbs.render.containers.boxes import TooManyError
from thumbs.render.containers.cicp import read_cicp
from thumbs.render.containers.gain_map import read_gain_map
from thumbs.render.containers.gif import Gif, TooManyBlocks, read_gif
from thumbs.render.containers.jpeg import exif_block, with_size
from thumbs.render.containers.jxl import read_jxl
from thumbs.render.containers.limits import MAX_AVIF_ITEMS, MAX_JXL_CHANNELS
from thumbs.render.containers.webp import with_alpha_flag
from thumbs.render.table import normalized
from thumbs.render.tiff.samples import read_samples as read_tiff_samples

ROOT = Path(__file__).resolve().parents[2]
FULL = MAX_SOURCE_BYTES - 200_000
MEBIBYTE = 2**20


def count_steps(call: Callable[[], object]) -> tuple[int, object]:
    """The lines of the app's own code that `call` runs, and its result."""
    steps = 0

    def trace(frame: FrameType, event: str, _: object) -> object:
        nonlocal steps
        if "/thumbs/" not in frame.f_code.co_filename:
            return None
        steps += event == "line"
        return trace

    before = sys.gettrace()
    sys.settrace(trace)  # type: ignore[arg-type]
    try:
        result = call()
    finally:
        sys.settrace(before)
    return steps, result


def peak_bytes(call: Callable[[], object]) -> int:
    tracemalloc.start()
    try:
        call()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def is_over_limit(data: bytes) -> bool:
    try:
        normalized(data)
    except SourceOverLimit:
        return True
    return False


def has_too_many_blocks(data: bytes) -> bool:
    try:
        gif = read_gif(data)
    except TooManyBlocks:
        return True
    return not frames_of(gif, data)


def frames_of(gif: Gif, data: bytes) -> int:
    """Reads what a render reads of each frame, but for its pixels."""
    return len(gif.delays(data))


def has_too_many_boxes(data: bytes) -> bool:
    try:
        return not read_jxl(data).size
    except TooManyError:
        return True


def has_colors(data: bytes) -> bool:
    return bool(color_chunks(data))


def is_complete(data: bytes) -> bool:
    pixels = read_pixels(data)
    return pixels is not None and pixels.is_complete


def has_profile(data: bytes) -> bool:
    return profile_chunk(data) is not None


# ------------------------------------------------------------------------------------------------ the files


def filled(before: bytes, unit: bytes, after: bytes = b"", *, count: int = 0) -> bytes:
    return before + unit * (count or (FULL - len(before) - len(after)) // len(unit)) + after


_PNG = encoded(noise(16, 16), "PNG")
_TEXT = b"\0\0\0\3tEXta\0b" + bytes(4)
_EMPTY_CHUNK = chunk(b"prVt", b"")
_DAMAGED_CHUNK = b"\0\0\0\0prVt" + bytes(4)
_JPEG = encoded(noise(16, 16), "JPEG")
_PROGRESSIVE = encoded(noise(16, 16), "JPEG", progressive=True)
_WEBP = encoded(noise(16, 16), "WEBP")
_AVIF = encoded(noise(16, 16), "AVIF")
_GIF = b"GIF89a\1\0\1\0\x80\0\0" + bytes(6)
_GIF_FRAME = b"\x2c" + struct.pack("<HHHHB", 0, 0, 1, 1, 0) + b"\2\2\x4c\1\0"


def png(count: int = 0) -> bytes:
    """A text chunk makes the parser copy the others."""
    return filled(_PNG[:33] + _TEXT, _EMPTY_CHUNK, _PNG[33:], count=count)


def png_of_texts() -> bytes:
    """Every second chunk is kept, so that there are as many parts as can be."""
    return filled(_PNG[:33], _TEXT + _EMPTY_CHUNK, _PNG[33:], count=(limits.MAX_PNG_CHUNKS - 10) // 2)


def png_of_pixels(piece: int, *, side: int = 7000, damage: bytes = b"") -> bytes:
    """A picture of RGBA in pieces of so many bytes; its compressed data ends with `damage`."""
    header = struct.pack(">IIBBBBB", side, side, 8, 6, 0, 0, 0)
    packer = zlib.compressobj(9)
    row = bytes(1 + 4 * side)
    content = b"".join((*(packer.compress(row) for _ in range(side)), packer.flush()))[:-4] + damage
    pieces = (chunk(b"IDAT", content[at : at + piece]) for at in range(0, len(content), piece))
    return _PNG[:8] + chunk(b"IHDR", header) + b"".join(pieces) + chunk(b"IEND", b"")


def jpeg_of_parts() -> bytes:
    """As many parts of a profile as are read, of which the last one is missing."""
    part = b"\xff\xe2\xff\xffICC_PROFILE\0%c\xff" + bytes(65_519)
    return _JPEG[:2] + b"".join(part.replace(b"%c", bytes([number])) for number in range(1, 255)) + _JPEG[2:]


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
    return filled(_PNG[:33] + _TEXT, struct.pack(">I", 8_000_000) + b"prVt" + bytes(8_000_004), _PNG[33:])


def png_of_profile(length: int) -> bytes:
    """A profile that inflates to so many bytes; without a length, one that fills the file and is not inflated."""
    content = zlib.compress(bytes(length)) if length else bytes(FULL)
    return _PNG[:33] + chunk(b"iCCP", b"name\0\0" + content) + _PNG[33:]


def avif_items(count: int, *, extents: int = 0) -> bytes:
    """An item location box of 16-bit ids and no sizes: six bytes an item."""
    items = struct.pack(">HHH", 1, 0, extents) * count
    iloc = struct.pack(">I4sI", 18 + len(items), b"iloc", 2 << 24) + b"\0\0" + struct.pack(">I", count) + items
    return _AVIF[:32] + struct.pack(">I4sI", 12 + len(iloc), b"meta", 0) + iloc


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


@dataclass(frozen=True)
class Worst:
    """`kind` is the row of the table, `refused` what the parser says of the file."""

    kind: str
    parse: Callable[[bytes], object]
    build: Callable[[], bytes]
    refused: bool | None = None


WORST: dict[str, Worst] = {
    "png, full of chunks": Worst("PNG", is_over_limit, png, True),
    "png, chunks at the limit": Worst("PNG", is_over_limit, lambda: png(limits.MAX_PNG_CHUNKS - 10), False),
    "png, texts between": Worst("PNG", is_over_limit, png_of_texts, False),
    "png, damaged chunks": Worst(
        "PNG", is_over_limit, lambda: filled(_PNG[:33], _DAMAGED_CHUNK + _EMPTY_CHUNK, _PNG[33:], count=49_000), False
    ),
    "png, pixels in one chunk": Worst("pixels", is_complete, lambda: png_of_pixels(10**9), True),
    "png, pixels in small chunks": Worst("pixels", is_complete, lambda: png_of_pixels(7), True),
    "png, pixels that end with damage": Worst(
        "pixels", is_complete, lambda: png_of_pixels(10**9, damage=b"\xff" * 100), True
    ),
    "png, pixels of random bytes": Worst(
        "pixels", is_complete, lambda: png_of_pixels(10**9, side=300, damage=bytes(range(256)) * 200_000), True
    ),
    "png, full of large chunks": Worst("PNG", is_over_limit, png_of_large_chunks, False),
    "colors, chunks before the pixels": Worst("colors", has_colors, lambda: filled(_PNG[:33], _EMPTY_CHUNK), False),
    "colors, of another length": Worst("colors", has_colors, lambda: filled(_PNG[:33], chunk(b"gAMA", b"")), False),
    "colors, damaged": Worst("colors", has_colors, lambda: filled(_PNG[:33], gama(1)[:-4] + bytes(4)), False),
    "colors, a profile that inflates to more": Worst(
        "colors", has_profile, lambda: png_of_profile(64 * MEBIBYTE), False
    ),
    "colors, a profile that is too long": Worst("colors", has_profile, lambda: png_of_profile(0), False),
    "colors, a profile at the limit": Worst(
        "colors", has_profile, lambda: png_of_profile(limits.MAX_ICC_BYTES - 5000), True
    ),
    "jpeg, application segments": Worst(
        "JPEG", jpeg.is_bomb, lambda: filled(_JPEG[:2], b"\xff\xe2\0\2", _JPEG[2:]), True
    ),
    "jpeg, comments": Worst("JPEG", jpeg.is_bomb, lambda: filled(_JPEG[:2], b"\xff\xfe\0\2", _JPEG[2:]), True),
    "jpeg, markers without length": Worst("JPEG", jpeg.is_bomb, lambda: filled(_JPEG[:2], b"\xff\1", _JPEG[2:]), True),
    "jpeg, segments of no length": Worst("JPEG", jpeg.is_bomb, lambda: filled(b"\xff\xd8", b"\xff\xe1\0\0"), True),
    "jpeg, fill bytes": Worst("JPEG", jpeg.is_bomb, lambda: filled(b"\xff\xd8", b"\xff"), False),
    "jpeg, stuffed bytes": Worst("JPEG", jpeg.is_bomb, lambda: filled(b"\xff\xd8", b"\xff\0"), False),
    "jpeg, segments after a scan": Worst(
        "JPEG", jpeg.is_bomb, lambda: filled(_PROGRESSIVE[:-2], b"\xff\xe2\0\2", b"\xff\xd9"), True
    ),
    "jpeg, coded data": Worst("JPEG", jpeg.is_bomb, lambda: filled(_PROGRESSIVE[:-2], b"\xff\0\xe2\0"), False),
    "jpeg, segments before an EXIF block": Worst(
        "JPEG", lambda data: exif_block(data) is not None, lambda: filled(_JPEG[:2], b"\xff\xe2\0\2", _JPEG[2:]), False
    ),
    "jpeg, fill bytes before an EXIF block": Worst(
        "JPEG", lambda data: exif_block(data) is not None, lambda: filled(b"\xff\xd8", b"\xff"), False
    ),
    "jpeg, parts of a profile": Worst("JPEG", lambda data: profile_segments(data) is not None, jpeg_of_parts, False),
    "jpeg, another size": Worst(
        "JPEG", lambda data: with_size(data, (16, 16), (16, 16)) is not None, lambda: _JPEG + bytes(FULL - 9000), True
    ),
    "jpeg, pictures that may be a gain map": Worst(
        "JPEG", lambda data: read_gain_map(data) is not None, jpeg_of_pictures, False
    ),
    "webp, empty chunks": Worst("WebP", webp.is_bomb, lambda: filled(_WEBP, b"ABCD\0\0\0\0"), True),
    "gif, frames": Worst("GIF", has_too_many_blocks, lambda: filled(_GIF, _GIF_FRAME), True),
    "gif, frames at the limit": Worst(
        "GIF", has_too_many_blocks, lambda: filled(_GIF, _GIF_FRAME, count=99_000), False
    ),
    "gif, sub-blocks": Worst("GIF", has_too_many_blocks, lambda: filled(_GIF + _GIF_FRAME[:11], b"\1\0\2\0\0"), True),
    "gif, sub-blocks of one size": Worst(
        "GIF", has_too_many_blocks, lambda: filled(_GIF + _GIF_FRAME[:11], b"\1\1"), False
    ),
    "gif, runs of sub-blocks": Worst(
        "GIF", has_too_many_blocks, lambda: filled(_GIF + _GIF_FRAME[:11], b"\1\1" * 511 + b"\2\2\2"), True
    ),
    "gif, extensions": Worst("GIF", has_too_many_blocks, lambda: filled(_GIF, b"!\xfe\0"), True),
    "gif, repeat counts": Worst(
        "GIF", has_too_many_blocks, lambda: filled(_GIF, b"!\xff\x0bNETSCAPE2.0\x03\x01\0\0\0"), True
    ),
    "gif, controls": Worst("GIF", has_too_many_blocks, lambda: filled(_GIF, b"!\xf9\4\1\0\0\0\0"), True),
    "webp, a flag behind chunks": Worst(
        "WebP",
        lambda data: with_alpha_flag(data) is data,
        lambda: filled(
            _WEBP[:12] + b"VP8X\x0a\0\0\0" + bytes(10),
            b"ABCD\0\0\0\0",
            b"VP8L\0\0\0\3\x2f\0\0\0\x10" + bytes(3 * 2**24),
            count=99_000,
        ),
        False,
    ),
    "avif, boxes in front": Worst("AVIF", avif.is_bomb, lambda: filled(_AVIF[:32], b"\0\0\0\x08free"), True),
    "avif, boxes behind": Worst("AVIF", avif.is_bomb, lambda: filled(_AVIF, b"\0\0\0\x08free"), True),
    "avif, items": Worst("AVIF", avif.is_bomb, lambda: avif_items(10_000_000), True),
    "avif, items at the limit": Worst("AVIF", avif.is_bomb, lambda: avif_items(MAX_AVIF_ITEMS), False),
    "avif, extents": Worst("AVIF", avif.is_bomb, lambda: avif_items(100, extents=60_000), True),
    "avif, metas": Worst("AVIF", avif.is_bomb, lambda: avif_parts(999, 4, 0, 3, metas=3), True),
    "avif, two metas": Worst("AVIF", avif.is_bomb, lambda: avif_parts(900, 1, 3900, 0, metas=2), False),
    "avif, parts at the limit": Worst("AVIF", avif.is_bomb, lambda: avif_parts(999, 4, 0, 3), False),
    "avif, references at the limit": Worst("AVIF", avif.is_bomb, lambda: avif_parts(900, 1, 3900, 0), False),
    "avif, parts that are rewritten": Worst(
        "AVIF", lambda data: rewritten(data) is data, lambda: avif_parts(999, 4, 0, 3), False
    ),
    "avif, samples": Worst("AVIF", read_avif_samples, lambda: avif_parts(999, 4, 0, 3)),
    "avif, code points": Worst("AVIF", lambda data: read_cicp(data) is None, lambda: avif_parts(999, 4, 0, 3), False),
    "jxl, boxes in front": Worst(
        "JXL", has_too_many_boxes, lambda: filled(container(), b"\0\0\0\x08free", jxl_of_channels()), True
    ),
    "jxl, channels": Worst("JXL", has_too_many_boxes, lambda: jxl_of_channels() + bytes(FULL - 70_000), False),
    "jxl, small parts": Worst("JXL", has_too_many_boxes, lambda: jxl_of_parts(7), False),
    "jxl, parts without end": Worst("JXL", has_too_many_boxes, lambda: jxl_of_parts(1, behind=1_000_000), True),
    "jxl, large parts": Worst("JXL", has_too_many_boxes, lambda: jxl_of_parts(40_000, behind=FULL - 70_000), False),
    "tiff, entries": Worst("TIFF", tiff.is_bomb, lambda: tiff_directories(1000, 60_000), True),
    "tiff, directories": Worst("TIFF", tiff.is_bomb, lambda: tiff_directories(1_000_000, 1, step=18), True),
    "tiff, at the limit": Worst(
        "TIFF", tiff.is_bomb, lambda: tiff_directories(limits.MAX_TIFF_DIRECTORIES, 9, step=114), False
    ),
    "tiff, tags of samples": Worst("TIFF", read_tiff_samples, lambda: tiff_directories(1, 60_000), None),
    "tiff, a circle": Worst("TIFF", tiff.is_bomb, lambda: tiff_directories(1, 1, step=0), False),
    "svg, uses": Worst("SVG", svg.is_bomb, svg_uses, True),
    "svg, doubling": Worst("SVG", svg.is_bomb, svg_doubling, True),
    "svg, elements": Worst("SVG", svg.is_bomb, lambda: filled(b"<svg>", b"<g/>", b"</svg>"), True),
    "svg, parts at the limit": Worst(
        "SVG", svg.is_bomb, lambda: svg_of(*(b"<g id='%d'/>" % number for number in range(99_000))), False
    ),
    "svg, attributes": Worst(
        "SVG", svg.is_bomb, lambda: svg_of(b"<g ", *(b"a%d='' " % n for n in range(5_000_000)), b"/>"), True
    ),
    "svg, attributes at the limit": Worst(
        "SVG", svg.is_bomb, lambda: svg_of(b"<g ", *(b"a%d='' " % n for n in range(400_000)), b"/>"), False
    ),
    "svg, attributes of entities": Worst(
        "SVG",
        svg.is_bomb,
        lambda: svg_of(b"&a;" * 600, before=b'<!DOCTYPE svg [<!ENTITY a "' + b"<g a='' b='' c=''/>" * 1000 + b'">]>'),
        True,
    ),
    "svg, entities": Worst("SVG", svg.is_bomb, lambda: svg_entities(1_000_000, 90), True),
    "svg, documents within": Worst("SVG", svg.is_bomb, svg_documents, True),
    "svg, a style sheet of lines": Worst(
        "SVG", svg.is_bomb, lambda: filled(b"<svg><style>", b"(data:\n", b"</style></svg>"), True
    ),
    "svg, attributes like references": Worst(
        "SVG", svg.is_bomb, lambda: svg_of(b'<g a="' + b"(\\64 ata:,&lt;" * 3_000_000 + b'"/>'), True
    ),
    "svg, nested entities": Worst("SVG", svg.is_bomb, svg_nested_entities, True),
    "icc, translations": Worst("ICC", icc.is_safe, icc_of_translations, True),
    "icc, curves": Worst(
        "ICC",
        icc.is_safe,
        lambda: rgb_profile({b"A2B0": pipeline(b"mAB ", (2, 2, 2), curves=curve(4096))}, pcs=b"Lab "),
        True,
    ),
    "icc, a bomb": Worst("ICC", icc.is_safe, lambda: bomb(200_000), False),
    "icc, many tags": Worst("ICC", lambda data: without_the_rest(data) is not None, icc_of_rows, True),
    "icc, too long": Worst("ICC", icc.is_safe, lambda: filled(PROFILES["p3"], b"\0"), False),
    "signatures": Worst("signatures", sniff, lambda: filled(b"", b" ")),
}


def documented() -> dict[str, tuple[int, int]]:
    """The parsers of docs/security.md: the most steps, and the most MiB, that one takes."""
    rows = re.findall(
        r"^\| (\w+) \| [^|]+ \| ([0-9,]+) \| ([0-9]+) \|$", (ROOT / "docs" / "security.md").read_text(), re.MULTILINE
    )
    return {kind: (int(steps.replace(",", "")), int(mebibytes)) for kind, steps, mebibytes in rows}


@pytest.mark.slow  # together they trace some 60 s of Python
@pytest.mark.parametrize("name", WORST)
def test_the_worst_file_of_a_parser_stays_within_its_steps_and_bytes(name: str) -> None:
    worst = WORST[name]
    data = worst.build()
    assert len(data) <= MAX_SOURCE_BYTES
    most_steps, most_mebibytes = documented()[worst.kind]
    steps, result = count_steps(lambda: worst.parse(data))
    assert steps <= most_steps
    assert result is worst.refused
    assert peak_bytes(lambda: worst.parse(data)) <= most_mebibytes * MEBIBYTE


def test_every_parser_is_in_the_table_and_has_its_worst_file() -> None:
    assert documented().keys() == {worst.kind for worst in WORST.values()}
    modules = {path.stem for path in (ROOT / "thumbs" / "render" / "bombs").glob("*.py")}
    modules -= {"__init__", "limits", "data_urls"}
    assert modules | {"png", "gif", "jxl"} == {kind.lower() for kind in documented()} - {
        "signatures",
        "colors",
        "pixels",
    }


def test_the_table_names_every_limit() -> None:
    text = (ROOT / "docs" / "security.md").read_text()
    numbers = {int(number.replace(",", "")) for number in re.findall(r"\d[\d,]*\d|\d", text)}
    values = {
        name: value for name, value in {**vars(limits), **vars(container_limits)}.items() if name.startswith("MAX_")
    }
    assert {name: value for name, value in values.items() if value not in numbers} == {}


# -------------------------------------------------------------------------------- what ordinary files need


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "GIF", "AVIF", "TIFF"])
def test_an_ordinary_picture_costs_few_steps(kind: str) -> None:
    data = encoded(noise(900, 700), kind)
    parsers = {"PNG": is_over_limit, "JPEG": jpeg.is_bomb, "WEBP": webp.is_bomb, "GIF": has_too_many_blocks}
    parse = {**parsers, "AVIF": avif.is_bomb, "TIFF": tiff.is_bomb}[kind]
    steps, result = count_steps(lambda: parse(data))
    assert result is False
    assert steps < 2000


def test_entities_as_drawing_programs_declare_them_are_let_through() -> None:
    """Illustrator declares its namespaces so."""
    doctype = b"<!DOCTYPE svg [<!ENTITY ns_svg 'http://www.w3.org/2000/svg'><!ENTITY and '&#38;amp;'>]>"
    data = svg_of(b"<g a='&ns_svg;'>&and;&lt;</g>" * 1000, before=b"<?xml version='1.0'?>" + doctype)
    assert not svg.is_bomb(data)


def test_a_png_without_texts_is_not_copied() -> None:
    data = png(10)[:33] + png(10)[33 + len(_TEXT) :]
    assert normalized(data) is data
