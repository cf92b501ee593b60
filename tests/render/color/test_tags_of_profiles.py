"""Of an ICC profile, only what converts samples counts: its class and all other tags may be damaged, as in browsers."""

import functools
import struct
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.color import CONTAINERS, PATCHES, PROFILES, chart
from tests.support.icc_profiles import bomb, rgb_profile, with_rows
from tests.support.pictures import encoded
from tests.support.pixels import rendered
from tests.support.strategies import examples
from thumbs.image.transforms import Transform
from thumbs.render.bombs.icc import is_safe
from thumbs.render.color.icc import without_the_rest

GOOD = rgb_profile({})
WHOLE = Transform(format="png")


def of_class(name: bytes) -> bytes:
    return GOOD[:12] + name + GOOD[16:]


def with_more(*rows: tuple[bytes, int, int]) -> bytes:
    """The profile with more rows in its tag table: names, offsets in the contents, lengths."""
    count = struct.unpack_from(">I", GOOD, 128)[0]
    start = 132 + 12 * count
    own = [struct.unpack_from(">4sII", GOOD, 132 + 12 * number) for number in range(count)]
    return with_rows([*((name, at - start, length) for name, at, length in own), *rows], GOOD[start:], base=GOOD)


def white_of_another_type() -> bytes:
    at = next(
        struct.unpack_from(">4sII", GOOD, row)[1] for row in range(132, 400, 12) if GOOD[row : row + 4] == b"wtpt"
    )
    return GOOD[:at] + b"none" + GOOD[at + 4 :]


ODD: dict[str, Callable[[], bytes]] = {
    **{
        f"class {name!r}": lambda name=name: of_class(name)  # type: ignore[misc]
        for name in (b"link", b"abst", b"nmcl", b"cenc", b"none", bytes(4))
    },
    "many tags": lambda: with_more(*((b"x%03d" % number, 0, 20) for number in range(200))),
    "a tag twice": lambda: with_more((b"rXYZ", 4, 20)),
    "a tag of four bytes": lambda: with_more((b"none", 0, 4)),
    "a tag in the table": lambda: with_more((b"none", -20, 20)),
    "a description of another type": lambda: rgb_profile({b"desc": b"none" + bytes(40)}),
    "a description that is cut off": lambda: rgb_profile({b"desc": b"desc\0\0\0\0\7\0\0\0" + bytes(8)}),
    "a copyright of elements": lambda: bomb(100, b"cprt"),
    "a white of another type": white_of_another_type,
}
REFUSED: dict[str, Callable[[], bytes]] = {
    "a tag beyond the end": lambda: with_more((b"none", 0, 10**6)),
    "a tag of three bytes": lambda: with_more((b"none", 0, 3)),
    "elements": lambda: bomb(1),
    "a longer size": lambda: struct.pack(">I", len(GOOD) + 1) + GOOD[4:],
    "no curve": lambda: rgb_profile({b"rTRC": b"none" + bytes(10)}),
    "another space": lambda: GOOD[:16] + b"Lab " + GOOD[20:],
    "another connection": lambda: of_class(b"link")[:20] + b"RGB " + GOOD[24:],
}


@functools.cache
def converted(container: str) -> bytes:
    """What a good profile makes of the chart, which is not what no profile makes of it."""
    image, options = chart(PATCHES), CONTAINERS[container]
    made = rendered(encoded(image, container, icc_profile=GOOD, **options), WHOLE).body
    assert made != rendered(encoded(image, container, **options), WHOLE).body
    return made


@pytest.mark.parametrize("container", CONTAINERS)
@pytest.mark.parametrize("kind", ODD)
def test_what_no_conversion_needs_may_be_odd(kind: str, container: str) -> None:
    data = encoded(chart(PATCHES), container, icc_profile=ODD[kind](), **CONTAINERS[container])
    assert rendered(data, WHOLE).body == converted(container)


@pytest.mark.parametrize("kind", REFUSED)
def test_what_a_conversion_needs_must_be_right(kind: str) -> None:
    image = chart(PATCHES)
    wanted = rendered(encoded(image, "PNG"), WHOLE).body
    assert rendered(encoded(image, "PNG", icc_profile=REFUSED[kind]()), WHOLE).body == wanted


@pytest.mark.parametrize("name", PROFILES)
def test_what_is_left_is_a_profile(name: str) -> None:
    left = without_the_rest(PROFILES[name])
    assert left is not None
    assert is_safe(left)
    assert len(left) < len(PROFILES[name])


@settings(max_examples=examples(300), deadline=None)
@given(st.binary(max_size=100), st.integers(0, 500), st.integers(0, 100))
def test_no_bytes_whatever_make_it_fail(put_in: bytes, at: int, taken_out: int) -> None:
    left = without_the_rest(GOOD[:at] + put_in + GOOD[at + taken_out :])
    assert left is None or struct.unpack_from(">I", left)[0] == len(left)
