"""Which ICC profiles littlecms may read: of each type the largest that is let through, and one beyond it."""

import io
import struct
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import ImageCms

from tests.support.color import PROFILES, gamma_curve, profile, xyz_tag
from tests.support.icc_profiles import (
    REPEATS,
    bomb,
    curve,
    description,
    elements,
    numbers,
    parametric,
    pipeline,
    pipeline_of,
    rgb_profile,
    table,
    translations,
    with_rows,
)
from tests.support.strategies import examples
from thumbs.render.bombs.icc import is_safe
from thumbs.render.bombs.limits import (
    MAX_ICC_BYTES,
    MAX_ICC_ENTRIES,
    MAX_ICC_GRID_BYTES,
    MAX_ICC_RECORDS,
    MAX_ICC_TAG_BYTES,
    MAX_ICC_TAGS,
)

P3 = PROFILES["p3"]
RELATIVE = ImageCms.Intent.RELATIVE_COLORIMETRIC
TRC = (b"rTRC", b"gTRC", b"bTRC")


def links(profile: bytes, mode: str) -> bool:
    """Whether littlecms, as Pillow has it, makes a conversion to sRGB."""
    try:
        opened = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        return bool(ImageCms.buildTransform(opened, ImageCms.createProfile("sRGB"), mode, "RGB", RELATIVE))
    except (ImageCms.PyCMSError, OSError):
        return False


def in_lab(**tags: bytes) -> bytes:
    return rgb_profile({name.encode(): content for name, content in tags.items()}, pcs=b"Lab ")


def press(table: bytes) -> bytes:
    return profile(b"prtr", b"CMYK", {b"A2B0": table}, pcs=b"Lab ")


def of_size(size: int) -> bytes:
    """A profile of `size` bytes, filled with a text."""
    rest = size - len(rgb_profile({b"targ": b"text\0\0\0\0"}))
    return rgb_profile({b"targ": b"text\0\0\0\0" + b"x" * rest})


def with_tags(count: int) -> bytes:
    """A profile with `count` tags; those that are not needed share one text."""
    base, text = rgb_profile({}), b"text\0\0\0\0none"
    known = struct.unpack_from(">I", base, 128)[0]
    spare = [(b"x%03d" % number, 0, len(text)) for number in range(count - known)]
    return with_rows([*_rows(base, len(text)), *spare], text + base[132 + 12 * known :])


def _rows(base: bytes, shift: int) -> list[tuple[bytes, int, int]]:
    """The tag table of `base`, for contents that begin with `shift` other bytes."""
    count = struct.unpack_from(">I", base, 128)[0]
    rows = [struct.unpack_from(">4sII", base, 132 + 12 * number) for number in range(count)]
    return [(name, at - 132 - 12 * count + shift, size) for name, at, size in rows]


def sharing(total: int) -> bytes:
    """A profile whose tags have `total` bytes together, though most of them are the same 1,000,000 bytes."""
    base, text = rgb_profile({}), b"text\0\0\0\0".ljust(1_000_000, b"x")
    rows = _rows(base, len(text))
    rest = total - sum(size for _, _, size in rows)
    sizes = [len(text)] * (rest // len(text)) + [rest % len(text)]
    spare = [(b"x%03d" % number, 0, size) for number, size in enumerate(sizes)]
    return with_rows([*rows, *spare], text + base[132 + 12 * len(rows) :])


# The largest grids under the limit, and the smallest over it.
ALLOWED_AND_BEYOND: dict[str, tuple[Callable[[], bytes], Callable[[], bytes]]] = {
    "curv": (
        lambda: rgb_profile(dict.fromkeys(TRC, curve(MAX_ICC_ENTRIES))),
        lambda: rgb_profile(dict.fromkeys(TRC, curve(MAX_ICC_ENTRIES + 1))),
    ),
    "para": (
        lambda: rgb_profile(dict.fromkeys(TRC, parametric(4))),
        lambda: rgb_profile(dict.fromkeys(TRC, parametric(5))),
    ),
    "XYZ": (
        lambda: rgb_profile({b"wtpt": numbers(b"XYZ ", 3 * MAX_ICC_ENTRIES)}),
        lambda: rgb_profile({b"wtpt": numbers(b"XYZ ", 3 * MAX_ICC_ENTRIES + 1)}),
    ),
    "sf32": (
        lambda: rgb_profile({b"chad": numbers(b"sf32", MAX_ICC_ENTRIES)}),
        lambda: rgb_profile({b"chad": numbers(b"sf32", MAX_ICC_ENTRIES + 1)}),
    ),
    "mft1": (lambda: in_lab(A2B0=table(1, 111)), lambda: in_lab(A2B0=table(1, 112))),
    "mft2": (lambda: in_lab(A2B0=table(2, 88)), lambda: in_lab(A2B0=table(2, 89))),
    "mft2 before the grid": (
        lambda: in_lab(A2B0=table(2, 3, entries=(MAX_ICC_ENTRIES, 2))),
        lambda: in_lab(A2B0=table(2, 3, entries=(MAX_ICC_ENTRIES + 1, 2))),
    ),
    "mft2 behind the grid": (
        lambda: in_lab(A2B0=table(2, 3, entries=(2, MAX_ICC_ENTRIES))),
        lambda: in_lab(A2B0=table(2, 3, entries=(2, MAX_ICC_ENTRIES + 1))),
    ),
    "mft2 curves of one entry": (
        lambda: in_lab(A2B0=table(2, 3, entries=(2, 2))),
        lambda: in_lab(A2B0=table(2, 3, entries=(1, 2))),
    ),
    "mft1 of a press": (lambda: press(table(1, 34, inputs=4)), lambda: press(table(1, 35, inputs=4))),
    "mAB": (
        lambda: in_lab(A2B0=pipeline(b"mAB ", (88, 88, 88))),
        lambda: in_lab(A2B0=pipeline(b"mAB ", (88, 88, 91))),
    ),
    "mAB of one byte": (
        lambda: in_lab(A2B0=pipeline(b"mAB ", (111, 111, 111), width=1)),
        lambda: in_lab(A2B0=pipeline(b"mAB ", (112, 112, 112), width=1)),
    ),
    "mAB curves": (
        lambda: in_lab(A2B0=pipeline(b"mAB ", (3, 3, 3), curves=curve(MAX_ICC_ENTRIES))),
        lambda: in_lab(A2B0=pipeline(b"mAB ", (3, 3, 3), curves=curve(MAX_ICC_ENTRIES + 1))),
    ),
    "mAB functions": (
        lambda: in_lab(A2B0=pipeline(b"mAB ", (3, 3, 3), curves=parametric(4))),
        lambda: in_lab(A2B0=pipeline(b"mAB ", (3, 3, 3), curves=parametric(5))),
    ),
    "mAB with shared curves": (
        lambda: in_lab(A2B0=pipeline(b"mAB ", (3, 3, 3), curves=curve(MAX_ICC_ENTRIES), shared=True)),
        lambda: in_lab(A2B0=pipeline(b"mAB ", (3, 3, 3), curves=curve(MAX_ICC_ENTRIES + 1), shared=True)),
    ),
    "mAB of a press": (
        lambda: press(pipeline(b"mAB ", (28, 28, 28, 28))),
        lambda: press(pipeline(b"mAB ", (30, 30, 30, 30))),
    ),
    "mBA": (
        lambda: in_lab(A2B0=table(1, 2), B2A0=pipeline(b"mBA ", (87, 88, 88))),
        lambda: in_lab(A2B0=table(1, 2), B2A0=pipeline(b"mBA ", (88, 88, 91))),
    ),
    "mBA curves": (
        lambda: in_lab(A2B0=table(1, 2), B2A0=pipeline(b"mBA ", (3, 3, 3), curves=curve(MAX_ICC_ENTRIES))),
        lambda: in_lab(A2B0=table(1, 2), B2A0=pipeline(b"mBA ", (3, 3, 3), curves=curve(MAX_ICC_ENTRIES + 1))),
    ),
    "desc": (
        lambda: rgb_profile({b"desc": description(50_000)}),
        lambda: rgb_profile({b"desc": description(50_000, declared=50_001)}),
    ),
    "mluc": (
        lambda: rgb_profile({b"desc": translations(MAX_ICC_RECORDS)}),
        lambda: rgb_profile({b"desc": translations(MAX_ICC_RECORDS + 1)}),
    ),
    "mluc with one text": (
        lambda: rgb_profile({b"desc": translations(MAX_ICC_RECORDS, MAX_ICC_TAG_BYTES // MAX_ICC_RECORDS)}),
        lambda: rgb_profile({b"desc": translations(MAX_ICC_RECORDS, MAX_ICC_TAG_BYTES // MAX_ICC_RECORDS + 1)}),
    ),
    "text, and the size of the profile": (lambda: of_size(MAX_ICC_BYTES), lambda: of_size(MAX_ICC_BYTES + 1)),
    "number of tags": (lambda: with_tags(MAX_ICC_TAGS), lambda: with_tags(MAX_ICC_TAGS + 1)),
    "shared contents": (lambda: sharing(MAX_ICC_TAG_BYTES), lambda: sharing(MAX_ICC_TAG_BYTES + 1)),
}


@pytest.mark.parametrize("kind", ALLOWED_AND_BEYOND)
def test_the_largest_of_a_type_is_let_through_and_converts(kind: str) -> None:
    profile = ALLOWED_AND_BEYOND[kind][0]()
    assert is_safe(profile)
    assert links(profile, "CMYK" if profile[16:20] == b"CMYK" else "RGB")


@pytest.mark.parametrize("kind", ALLOWED_AND_BEYOND)
def test_a_profile_beyond_a_limit_is_not_let_through(kind: str) -> None:
    assert not is_safe(ALLOWED_AND_BEYOND[kind][1]())


def test_the_limits_are_those_that_are_documented() -> None:
    assert (MAX_ICC_ENTRIES, MAX_ICC_TAGS, MAX_ICC_GRID_BYTES, MAX_ICC_BYTES) == (4096, 100, 4 * 2**20, 4 * 2**20)


# ------------------------------------------------------------------------------------- what repeats elements


@pytest.mark.parametrize("name", [b"D2B0", b"D2B1", b"D2B2", b"D2B3", b"B2D0", b"B2D3"])
@pytest.mark.parametrize("content", [elements(1), curve(2)], ids=["elements", "curve"])
def test_no_tag_of_elements_is_let_through_whatever_its_type(name: bytes, content: bytes) -> None:
    assert not is_safe(rgb_profile({name: content}))


@pytest.mark.parametrize("name", [b"A2B0", b"A2B1", b"B2A0", b"rTRC", b"gamt", b"desc", b"priv"])
def test_elements_are_let_through_in_no_tag(name: bytes) -> None:
    assert not is_safe(in_lab(**{"A2B0": table(1, 2), name.decode(): elements(1)}))


@pytest.mark.parametrize("repeats", REPEATS)
def test_a_bomb_of_any_number_of_repeats_is_not_let_through(repeats: int) -> None:
    assert not is_safe(bomb(repeats))


# ------------------------------------------------------------------------------ types that are not in the list


@pytest.mark.parametrize("kind", [b"ncl2", b"abcd", b"\0\0\0\0", b"CURV", b"mAB\0", b"cvst", b"zxml"])
def test_a_tag_of_an_unknown_type_makes_the_profile_count_as_absent(kind: bytes) -> None:
    assert not is_safe(rgb_profile({b"priv": kind + bytes(40)}))


@pytest.mark.parametrize(
    "kind",
    [b"sig ", b"view", b"meas", b"chrm", b"dtim", b"vcgt", b"mmod", b"ndin", b"dict", b"cicp", b"pseq", b"MHC2"],
)
def test_a_type_that_no_conversion_reads_is_let_through_where_none_reads_it(kind: bytes) -> None:
    assert is_safe(rgb_profile({b"priv": kind + bytes(40)}))
    for name in (b"rXYZ", b"rTRC", b"wtpt", b"chad", b"A2B0"):
        assert not is_safe(rgb_profile({name: kind + bytes(40)})), name


def with_byte(content: bytes, at: int, value: int) -> bytes:
    return content[:at] + bytes([value]) + content[at + 1 :]


def cut_off() -> bytes:
    """`pipeline(b"mAB ", (255, 255, 255))[:5000]`, for which no grid of 99 MB is made."""
    small = pipeline(b"mAB ", (2, 2, 2))
    at = struct.unpack_from(">I", small, 24)[0]
    size = 20 + 255**3 * 3 * 2
    head = small[:28] + struct.pack(">I", at + size + -size % 4) + small[32:at]
    return (head + bytes((255, 255, 255)) + small[at + 3 : at + 20]).ljust(5000, b"\0")


@pytest.mark.parametrize(
    ("name", "content"),
    [
        (b"A2B0", curve(2)),
        (b"A2B0", pipeline(b"mBA ", (2, 2, 2))),
        (b"A2B0", table(1, 2, inputs=4)),
        (b"A2B0", table(1, 2, outputs=4)),
        (b"A2B0", table(1, 0)),
        (b"A2B0", table(1, 1)),
        (b"A2B0", pipeline(b"mAB ", (2, 2, 1))),
        (b"A2B0", cut_off()),
        (b"A2B0", pipeline(b"mAB ", (2, 2, 2), width=4)),
        (b"A2B0", pipeline_of(b"mAB ", 15, 3, (0, 0, 0, 32, 0), bytes([255] * 16) + bytes((2, 0, 0, 0, 0)))),
        (b"A2B0", pipeline_of(b"mAB ", 3, 3, (2**32 - 4, 0, 0, 0, 0), b"")),
        (b"A2B0", pipeline_of(b"mAB ", 3, 3, (0, 2**31, 0, 0, 0), b"")),
        (b"gamt", with_byte(table(1, 2, inputs=1), 8, 0)),
        (b"gamt", with_byte(table(1, 2, inputs=1), 9, 0)),
        (b"rTRC", b"curv\0\0\0\0" + struct.pack(">I", 2**32 - 1)),
        (b"rTRC", curve(100)[:-1]),
        (b"rTRC", parametric(4)[:-1]),
        (b"rTRC", b"curv\0\0\0\0"),
        (b"rXYZ", b"XYZ \0\0\0\0"),
        (b"chad", curve(2)),
        (b"desc", b"mluc\0\0\0\0" + struct.pack(">II", 2**32 - 1, 12)),
        (b"desc", b"mluc\0\0\0\0" + struct.pack(">II", 1, 2**32 - 1) + bytes(100)),
        (b"desc", description(2, declared=2**32 - 1)),
    ],
)
def test_a_count_that_lies_or_does_not_fit_makes_the_profile_count_as_absent(name: bytes, content: bytes) -> None:
    assert not is_safe(rgb_profile({name: content}, pcs=b"Lab "))


# -------------------------------------------------------------------------------------- header and tag table


def changed(at: int, new: bytes, base: bytes = P3) -> bytes:
    return base[:at] + new + base[at + len(new) :]


@pytest.mark.parametrize(
    "broken",
    [
        b"",
        P3[:131],
        changed(36, b"ascp"),
        changed(0, struct.pack(">I", 200)),  # the declared size leaves no room for the tags
        changed(0, bytes(4)),
        *(changed(0, struct.pack(">I", size)) for size in (len(P3) + 1, 2**31)),  # more than there is
        *(changed(68, struct.pack(">3i", *white)) for white in ((0, 0, 0), (62292, 65536, 71368))),  # not D50
        changed(8, b"\5"),
        *(changed(12, kind) for kind in (b"link", b"nmcl", b"abst", b"cenc", bytes(4))),
        *(changed(16, space) for space in (b"Lab ", b"XYZ ", b"6CLR", b"FCLR", b"CMY ", b"HSV ", bytes(4))),
        *(changed(20, space) for space in (b"RGB ", b"CMYK", bytes(4))),
        *(changed(128, struct.pack(">I", count)) for count in (0, 1, 101, 2**32 - 1)),
        changed(136, struct.pack(">I", 2**32 - 8)),  # the first tag begins far behind the end
        changed(136, struct.pack(">I", 0)),  # or within the header
        changed(140, struct.pack(">I", 2**32 - 1)),
        changed(144, P3[132:136]),  # the second tag has the name of the first
        rgb_profile({})[: -len(xyz_tag((0, 0, 0)))],
        profile(b"mntr", b"RGB ", {b"rTRC": gamma_curve(1)}),  # nothing to convert with
        profile(b"mntr", b"GRAY", {b"rTRC": gamma_curve(1)}),
        profile(b"mntr", b"GRAY", {b"kTRC": gamma_curve(1)}, pcs=b"Lab "),
        profile(b"prtr", b"CMYK", {b"kTRC": gamma_curve(1)}),
    ],
)
def test_a_damaged_or_unfitting_profile_counts_as_absent(broken: bytes) -> None:
    assert not is_safe(broken)


@pytest.mark.parametrize(
    "odd",
    [
        *(changed(8, version) for version in (b"\2\0", b"\2\x40", b"\4\0", b"\4\x40")),
        *(changed(12, kind) for kind in (b"scnr", b"mntr", b"prtr", b"spac")),
        P3 + bytes(1000),
    ],
)
def test_odd_profiles_that_littlecms_reads_are_let_through(odd: bytes) -> None:
    assert is_safe(odd)
    assert links(odd, "RGB")


BASES = (
    P3,
    rgb_profile(dict.fromkeys(TRC, parametric(3))),
    in_lab(A2B0=table(1, 2)),
    in_lab(A2B0=table(2, 2, entries=(5, 5))),
    in_lab(A2B0=pipeline(b"mAB ", (2, 3, 4))),
    in_lab(A2B0=pipeline(b"mAB ", (2, 3, 4), curves=parametric(1), shared=True)),
)


@settings(max_examples=examples(200), deadline=None)
@given(st.sampled_from(BASES), st.lists(st.tuples(st.integers(0, 900), st.integers(0, 255)), max_size=4))
def test_littlecms_converts_by_every_profile_that_is_let_through(base: bytes, changes: list[tuple[int, int]]) -> None:
    data = bytearray(base)
    for at, value in changes:
        data[at % len(data)] = value
    if is_safe(bytes(data)):
        mode = {b"RGB ": "RGB", b"GRAY": "L", b"CMYK": "CMYK"}[bytes(data[16:20])]
        assert links(bytes(data), mode)


@settings(max_examples=examples(300), deadline=None)
@given(st.binary(max_size=300), st.integers(0, len(P3)), st.integers(0, 300))
def test_no_bytes_whatever_make_it_fail(put_in: bytes, at: int, taken_out: int) -> None:
    assert is_safe(P3[:at] + put_in + P3[at + taken_out :]) in (True, False)
    assert not is_safe(put_in)
