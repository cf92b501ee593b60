"""Every parser of originals of ours: its worst file costs a bounded number of steps and bytes.

Steps are lines of Python that run. Each parser gets the file that costs it the most, of the largest size that is read
or of the size at which it reaches its bound; the bounds are those of docs/security.md.
"""

import re
import sys
import tracemalloc
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

import pytest

from tests.support.color import PROFILES
from tests.support.icc_profiles import bomb, curve, pipeline, rgb_profile
from tests.support.jxl_files import container
from tests.support.pictures import encoded, noise
from tests.support.signaled_colors import chunk, gama
from tests.support.worst_files import (
    AVIF,
    DAMAGED_CHUNK,
    EMPTY_CHUNK,
    FULL,
    GIF,
    GIF_FRAME,
    JPEG,
    PNG,
    PROGRESSIVE,
    TEXT,
    WEBP,
    avif_items,
    avif_parts,
    filled,
    icc_of_rows,
    icc_of_translations,
    jpeg_of_parts,
    jpeg_of_pictures,
    jxl_of_channels,
    jxl_of_parts,
    png,
    png_of_large_chunks,
    png_of_passes,
    png_of_pixels,
    png_of_profile,
    png_of_texts,
    svg_documents,
    svg_doubling,
    svg_entities,
    svg_nested_entities,
    svg_of,
    svg_uses,
    tiff_directories,
)
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
from thumbs.render.containers.limits import MAX_AVIF_ITEMS
from thumbs.render.containers.webp import with_alpha_flag
from thumbs.render.table import normalized
from thumbs.render.tiff.samples import read_samples as read_tiff_samples

ROOT = Path(__file__).resolve().parents[2]
MEBIBYTE = 2**20


def count_steps(call: Callable[[], object]) -> tuple[int, object]:
    """The lines of the app's own code that `call` runs, and its result."""
    steps = 0

    def count(_: FrameType, event: str, __: object) -> object:
        nonlocal steps
        if event == "line":
            steps += 1
        return count

    def trace(frame: FrameType, _: str, __: object) -> object:
        """At the start of each function: the lines of most need no look at its file again."""
        return count if "/thumbs/" in frame.f_code.co_filename else None

    before = sys.gettrace()
    sys.settrace(trace)  # type: ignore[arg-type]
    try:
        result = call()
    finally:
        sys.settrace(before)
    return steps, result


def peak_bytes(call: Callable[[], object]) -> int:
    """Without steps: what is traced for each line would cost more than a second call."""
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
        "PNG", is_over_limit, lambda: filled(PNG[:33], DAMAGED_CHUNK + EMPTY_CHUNK, PNG[33:], count=49_000), False
    ),
    "png, pixels in one chunk": Worst("pixels", is_complete, lambda: png_of_pixels(10**9), True),
    "png, pixels in small chunks": Worst("pixels", is_complete, lambda: png_of_pixels(7), True),
    "png, pixels that end with damage": Worst(
        "pixels", is_complete, lambda: png_of_pixels(10**9, damage=b"\xff" * 100), True
    ),
    "png, pixels of random bytes": Worst(
        "pixels", is_complete, lambda: png_of_pixels(10**9, side=300, damage=bytes(range(256)) * 200_000), True
    ),
    "png, passes that are filled": Worst("pixels", is_complete, png_of_passes, False),
    "png, full of large chunks": Worst("PNG", is_over_limit, png_of_large_chunks, False),
    "colors, chunks before the pixels": Worst("colors", has_colors, lambda: filled(PNG[:33], EMPTY_CHUNK), False),
    "colors, of another length": Worst("colors", has_colors, lambda: filled(PNG[:33], chunk(b"gAMA", b"")), False),
    "colors, damaged": Worst("colors", has_colors, lambda: filled(PNG[:33], gama(1)[:-4] + bytes(4)), False),
    "colors, a profile that inflates to more": Worst(
        "colors", has_profile, lambda: png_of_profile(64 * MEBIBYTE), False
    ),
    "colors, a profile that is too long": Worst("colors", has_profile, lambda: png_of_profile(0), False),
    "colors, a profile at the limit": Worst(
        "colors", has_profile, lambda: png_of_profile(limits.MAX_ICC_BYTES - 5000), True
    ),
    "jpeg, application segments": Worst(
        "JPEG", jpeg.is_bomb, lambda: filled(JPEG[:2], b"\xff\xe2\0\2", JPEG[2:]), True
    ),
    "jpeg, comments": Worst("JPEG", jpeg.is_bomb, lambda: filled(JPEG[:2], b"\xff\xfe\0\2", JPEG[2:]), True),
    "jpeg, markers without length": Worst("JPEG", jpeg.is_bomb, lambda: filled(JPEG[:2], b"\xff\1", JPEG[2:]), True),
    "jpeg, segments of no length": Worst("JPEG", jpeg.is_bomb, lambda: filled(b"\xff\xd8", b"\xff\xe1\0\0"), True),
    "jpeg, fill bytes": Worst("JPEG", jpeg.is_bomb, lambda: filled(b"\xff\xd8", b"\xff"), False),
    "jpeg, stuffed bytes": Worst("JPEG", jpeg.is_bomb, lambda: filled(b"\xff\xd8", b"\xff\0"), False),
    "jpeg, segments after a scan": Worst(
        "JPEG", jpeg.is_bomb, lambda: filled(PROGRESSIVE[:-2], b"\xff\xe2\0\2", b"\xff\xd9"), True
    ),
    "jpeg, coded data": Worst("JPEG", jpeg.is_bomb, lambda: filled(PROGRESSIVE[:-2], b"\xff\0\xe2\0"), False),
    "jpeg, segments before an EXIF block": Worst(
        "JPEG", lambda data: exif_block(data) is not None, lambda: filled(JPEG[:2], b"\xff\xe2\0\2", JPEG[2:]), False
    ),
    "jpeg, fill bytes before an EXIF block": Worst(
        "JPEG", lambda data: exif_block(data) is not None, lambda: filled(b"\xff\xd8", b"\xff"), False
    ),
    "jpeg, parts of a profile": Worst("JPEG", lambda data: profile_segments(data) is not None, jpeg_of_parts, False),
    "jpeg, another size": Worst(
        "JPEG", lambda data: with_size(data, (16, 16), (16, 16)) is not None, lambda: JPEG + bytes(FULL - 9000), True
    ),
    "jpeg, pictures that may be a gain map": Worst(
        "JPEG", lambda data: read_gain_map(data) is not None, jpeg_of_pictures, False
    ),
    "webp, empty chunks": Worst("WebP", webp.is_bomb, lambda: filled(WEBP, b"ABCD\0\0\0\0"), True),
    "gif, frames": Worst("GIF", has_too_many_blocks, lambda: filled(GIF, GIF_FRAME), True),
    "gif, frames at the limit": Worst("GIF", has_too_many_blocks, lambda: filled(GIF, GIF_FRAME, count=99_000), False),
    "gif, sub-blocks": Worst("GIF", has_too_many_blocks, lambda: filled(GIF + GIF_FRAME[:11], b"\1\0\2\0\0"), True),
    "gif, sub-blocks of one size": Worst(
        "GIF", has_too_many_blocks, lambda: filled(GIF + GIF_FRAME[:11], b"\1\1"), False
    ),
    "gif, runs of sub-blocks": Worst(
        "GIF", has_too_many_blocks, lambda: filled(GIF + GIF_FRAME[:11], b"\1\1" * 511 + b"\2\2\2"), True
    ),
    "gif, extensions": Worst("GIF", has_too_many_blocks, lambda: filled(GIF, b"!\xfe\0"), True),
    "gif, repeat counts": Worst(
        "GIF", has_too_many_blocks, lambda: filled(GIF, b"!\xff\x0bNETSCAPE2.0\x03\x01\0\0\0"), True
    ),
    "gif, controls": Worst("GIF", has_too_many_blocks, lambda: filled(GIF, b"!\xf9\4\1\0\0\0\0"), True),
    "webp, a flag behind chunks": Worst(
        "WebP",
        lambda data: with_alpha_flag(data) is data,
        lambda: filled(
            WEBP[:12] + b"VP8X\x0a\0\0\0" + bytes(10),
            b"ABCD\0\0\0\0",
            b"VP8L\0\0\0\3\x2f\0\0\0\x10" + bytes(3 * 2**24),
            count=99_000,
        ),
        False,
    ),
    "avif, boxes in front": Worst("AVIF", avif.is_bomb, lambda: filled(AVIF[:32], b"\0\0\0\x08free"), True),
    "avif, boxes behind": Worst("AVIF", avif.is_bomb, lambda: filled(AVIF, b"\0\0\0\x08free"), True),
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
    "svg, a circle of parts at the limit": Worst(
        "SVG",
        svg.is_bomb,
        lambda: svg_of(*(b"<g id='%d'><use href='#%d'/></g>" % (each, (each + 1) % 49_000) for each in range(49_000))),
        True,
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
    modules -= {"__init__", "limits", "circles", "data_urls"}
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
    data = png(10)[:33] + png(10)[33 + len(TEXT) :]
    assert normalized(data) is data
