"""The header of a JPEG XL file: written bit by bit by an independent writer, and read back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.jxl_files import ENUM, Bits, box, codestream, container
from thumbs.render.containers.boxes import TooManyError, UnreadableError
from thumbs.render.containers.jxl import Colors, Jxl, Kind, Space, read_jxl
from thumbs.render.containers.limits import MAX_AVIF_BOXES, MAX_JXL_CHANNELS, MAX_JXL_HEADER_BYTES

D65, SRGB, P3, BT2020 = 1, 1, 11, 9
CHANNELS = ((0, 0), (0, 1), (4, 2), (12, 1))


def plain(width: int, height: int) -> bytes:
    return codestream(Bits().size(width, height).flags(True, True))


def described(colors: Bits | None = None, *, orientation: int = 1, extended: bool = False) -> Bits:
    """Everything up to the color description, of 30 x 20 pixels with 8 bits."""
    bits = Bits().size(30, 20).flags(False, extended or orientation > 1)
    if extended or orientation > 1:
        bits.put(orientation - 1, 3).flags(False, False, False)
    return bits.flags(False).put(0, 2).flags(True).choice(0, CHANNELS).flags(True)


def colors(space: int = 0, *, profile: bool = False) -> Bits:
    return described().flags(False, profile).choice(space, ENUM)


@given(st.integers(1, 2**30), st.integers(1, 2**30))
def test_the_size_is_read_in_every_form(width: int, height: int) -> None:
    assert read_jxl(plain(width, height)) == Jxl((width, height))


@pytest.mark.parametrize(("ratio", "width"), [(1, 600), (2, 720), (3, 800), (4, 900), (5, 1066), (6, 750), (7, 1200)])
def test_the_width_may_be_a_ratio(ratio: int, width: int) -> None:
    bits = Bits().flags(False).choice(600, ((9, 1), (13, 1), (18, 1), (30, 1))).put(ratio, 3).flags(True, True)
    assert read_jxl(codestream(bits)).size == (width, 600)


def test_small_sides_may_be_multiples_of_eight() -> None:
    assert read_jxl(codestream(Bits().flags(True).put(4, 5).put(0, 3).put(31, 5).flags(True))).size == (256, 40)
    assert read_jxl(codestream(Bits().flags(True).put(31, 5).put(7, 3).flags(True))).size == (512, 256)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_the_size_is_upright(orientation: int) -> None:
    bits = described(orientation=orientation).flags(True, True)
    assert read_jxl(codestream(bits)).size == ((20, 30) if orientation >= 5 else (30, 20))


def test_what_is_not_used_is_stepped_over() -> None:
    bits = Bits().size(30, 20).flags(False, True).put(0, 3)
    bits.flags(True).size(60, 40)  # the intrinsic size
    bits.flags(True).flags(False).put(3, 2).put(0, 12).put(0, 3).put(3, 2).put(9, 12)  # a preview
    bits.flags(True).put(3, 2).put(29, 30).put(3, 2).put(7, 10).put(3, 2).put(5, 32).flags(True)  # an animation
    bits.flags(False).put(1, 2).flags(False)  # 10 bits
    bits.choice(3, CHANNELS)
    bits.flags(True)  # alpha
    bits.flags(False).choice(Kind.SPOT, ENUM).flags(False).put(0, 2).put(1, 2).put(1, 2).put(2, 4)
    bits.put(0x4241, 16).put(0, 64)  # a spot color with a name of two bytes
    bits.flags(False).choice(Kind.CFA, ENUM).flags(True).put(0, 2).put(7, 4).put(0, 2).put(0, 2).put(0, 2)
    bits.flags(True, False, False).choice(Space.RGB, ENUM).choice(D65, ENUM).choice(P3, ENUM)
    bits.flags(False).choice(16, ENUM).choice(0, ENUM)  # PQ, and an intent
    bits.flags(False).put(0x63D0, 16)  # 1000 in half precision
    found = read_jxl(codestream(bits))
    assert found.kinds == (Kind.ALPHA, Kind.SPOT, Kind.CFA)
    assert (found.bits, found.floating, found.associated, found.peak) == (10, False, False, 1000.0)
    assert found.colors == Colors(Space.RGB, False, D65, P3, 16)


def test_alpha_may_be_multiplied_into_the_colors() -> None:
    bits = Bits().size(30, 20).flags(False, False, False).put(0, 2).flags(True).choice(1, CHANNELS)
    bits.flags(False).choice(Kind.ALPHA, ENUM).flags(False).put(0, 2).put(0, 2).put(0, 2).flags(True)
    bits.flags(True, True, True)
    found = read_jxl(codestream(bits))
    assert (found.kinds, found.associated) == ((Kind.ALPHA,), True)


def test_samples_in_floating_point_are_known() -> None:
    bits = Bits().size(30, 20).flags(False, False, True).put(1, 2).put(4, 4).flags(True).choice(0, CHANNELS)
    found = read_jxl(codestream(bits.flags(True, True, True)))
    assert (found.bits, found.floating) == (16, True)


@pytest.mark.parametrize(
    ("floating", "form", "number", "depth"),
    [
        *((False, form, None, depth) for form, depth in enumerate((8, 10, 12))),
        *((True, form, None, depth) for form, depth in enumerate((32, 16, 24))),
        *((floating, 3, number, number + 1) for floating in (False, True) for number in (0, 31, 63)),
    ],
)
def test_every_number_of_bits_is_read(floating: bool, form: int, number: int | None, depth: int) -> None:
    bits = Bits().size(30, 20).flags(False, False, floating).put(form, 2)
    if number is not None:
        bits.put(number, 6)
    if floating:
        bits.put(4, 4)
    bits.flags(True).choice(0, CHANNELS)
    found = read_jxl(codestream(bits.flags(True, True, True)))
    assert (found.size, found.bits, found.floating) == ((30, 20), depth, floating)


@pytest.mark.parametrize("space", [Space.RGB, Space.GRAY, Space.XYB, Space.UNKNOWN])
def test_an_icc_profile_is_known(space: Space) -> None:
    assert read_jxl(codestream(colors(space, profile=True).flags(True))).colors == Colors(space, True)


def test_enumerated_colors_are_read() -> None:
    gray = colors(Space.GRAY).choice(D65, ENUM).flags(False).choice(8, ENUM).choice(1, ENUM).flags(True)
    assert read_jxl(codestream(gray)).colors == Colors(Space.GRAY, False, D65, SRGB, 8)
    wide = colors().choice(D65, ENUM).choice(BT2020, ENUM).flags(False).choice(18, ENUM).choice(0, ENUM).flags(True)
    assert read_jxl(codestream(wide)).colors == Colors(Space.RGB, False, D65, BT2020, 18)
    power = colors().choice(D65, ENUM).choice(SRGB, ENUM).flags(True).put(4_545_455, 24).choice(0, ENUM).flags(True)
    found = read_jxl(codestream(power)).colors
    assert found.transfer is None
    assert found.gamma == pytest.approx(0.4545455)


def test_points_of_white_and_primaries_are_read() -> None:
    bits = colors().choice(2, ENUM).point(0.3457, 0.3585).choice(2, ENUM)
    bits.point(0.7347, 0.2653).point(0.1596, 0.8404).point(0.0366, -0.0001).flags(False).choice(13, ENUM)
    found = read_jxl(codestream(bits.choice(0, ENUM).flags(True))).colors
    assert found.white == pytest.approx((0.3457, 0.3585))
    assert isinstance(found.primaries, tuple)
    assert [pytest.approx(point) for point in found.primaries] == [
        (0.7347, 0.2653),
        (0.1596, 0.8404),
        (0.0366, -0.0001),
    ]


def test_a_container_holds_the_codestream_whole_or_in_parts() -> None:
    data = plain(300, 200)
    assert read_jxl(container(box(b"Exif", bytes(20)), box(b"jxlc", data))).size == (300, 200)
    parts = [box(b"jxlp", number.to_bytes(4, "big") + data[at : at + 2]) for number, at in enumerate(range(0, 8, 2))]
    assert read_jxl(container(*parts)).size == (300, 200)


@pytest.mark.parametrize(
    "data",
    [
        *(b"", b"\xff", b"\xff\x0a", b"\xff\x0b" + bytes(20), container(), container(box(b"jxlc", b""))),
        *(container(box(b"jxlp", b"\0\0")), plain(300, 200)[:4], container(box(b"jxlc", plain(300, 200)[:3]))),
        codestream(colors(4).flags(True)),
    ],
)
def test_a_damaged_header_is_unreadable(data: bytes) -> None:
    with pytest.raises(UnreadableError):
        read_jxl(data)


def test_every_cut_of_a_header_is_unreadable() -> None:
    bits = colors().choice(2, ENUM).point(0.3, 0.3).choice(2, ENUM).point(0.7, 0.2).point(0.1, 0.8).point(0.1, 0.1)
    data = codestream(bits.flags(True).put(4_545_455, 24).choice(0, ENUM).flags(True))
    read_jxl(data)
    for length in range(len(data) - 1):
        with pytest.raises(UnreadableError):
            read_jxl(data[:length])


def test_the_bounds_are_kept() -> None:
    many = Bits().size(30, 20).flags(False, False, False).put(0, 2).flags(True).put(3, 2).put(MAX_JXL_CHANNELS, 12)
    with pytest.raises(UnreadableError):
        read_jxl(codestream(many) + bytes(100_000))
    with pytest.raises(TooManyError):
        read_jxl(container(*([box(b"free", b"")] * MAX_AVIF_BOXES)))
    late = box(b"jxlp", bytes(4) + b"\xff\x0a" + bytes(MAX_JXL_HEADER_BYTES))
    assert read_jxl(container(late)).size == (1, 1)
