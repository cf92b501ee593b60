"""The ICC profile of a JPEG is put together from its segments as in browsers, or counts as absent."""

import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.color import PATCHES, PROFILES, chart
from tests.support.pictures import decoded, encoded
from tests.support.pixels import difference, rendered
from tests.support.strategies import examples
from thumbs.image.transforms import Transform
from thumbs.render.color.jpeg import profile_segments

PROFILE, OTHER = PROFILES["p3"], PROFILES["adobe"]
PLAIN = encoded(chart(PATCHES), "JPEG", quality=95, subsampling=0)
FIRST, SECOND = PROFILE[:300], PROFILE[300:]
Parts = list[tuple[int, int, bytes]]


def jpeg_with(parts: Parts) -> bytes:
    """A JPEG with segments of (number, count, contents)."""
    segments = b"".join(
        struct.pack(">HH", 0xFFE2, 16 + len(part)) + b"ICC_PROFILE\0" + bytes((number, count)) + part
        for number, count, part in parts
    )
    return PLAIN[:2] + segments + PLAIN[2:]


USED: dict[str, Parts] = {
    "one": [(1, 1, PROFILE)],
    "two": [(1, 2, FIRST), (2, 2, SECOND)],
    "in another order": [(2, 2, SECOND), (1, 2, FIRST)],
    "another one behind it": [(1, 1, PROFILE), (1, 1, OTHER)],
    "a part of more behind it": [(1, 2, FIRST), (2, 2, SECOND), (3, 2, OTHER)],
    "the last part again": [(1, 2, FIRST), (2, 2, SECOND), (2, 2, OTHER)],
    "an empty one before it": [(1, 1, b""), (1, 1, PROFILE)],
}
ABSENT: dict[str, Parts] = {
    "the first part again": [(1, 2, FIRST), (1, 2, FIRST), (2, 2, SECOND)],
    "another count": [(1, 2, FIRST), (2, 3, SECOND)],
    "a count that is too small": [(2, 1, FIRST), (1, 1, PROFILE)],
    "a count that is too large": [(1, 3, FIRST), (2, 3, SECOND)],
    "no count": [(1, 0, PROFILE)],
    "number 0": [(0, 1, PROFILE)],
    "an empty part": [(1, 3, FIRST), (2, 3, b""), (3, 3, SECOND)],
    "nothing": [(1, 1, b"")],
}


def farthest(one: bytes, other: bytes) -> float:
    """Mean levels. libjpeg-turbo leaves an odd file to libvips, whose pixels may differ from its own by a level."""
    return difference(*(decoded(rendered(data, Transform(format="png")).body) for data in (one, other)))


@pytest.mark.parametrize("kind", USED)
def test_parts_that_make_a_profile_are_used(kind: str) -> None:
    assert profile_segments(jpeg_with(USED[kind])) == PROFILE
    assert farthest(jpeg_with(USED[kind]), jpeg_with([(1, 1, PROFILE)])) < 0.5


@pytest.mark.parametrize("kind", ABSENT)
def test_parts_that_do_not_fit_together_count_as_absent(kind: str) -> None:
    assert profile_segments(jpeg_with(ABSENT[kind])) is None
    assert farthest(jpeg_with(ABSENT[kind]), PLAIN) < 0.5


@settings(max_examples=examples(60))
@given(st.integers(1, 255), st.randoms())
def test_a_profile_in_any_number_of_parts_in_any_order_is_used(count: int, chance: object) -> None:
    """libvips reads ten."""
    length = -(-len(PROFILE) // count)
    pieces = [PROFILE[at : at + length] for at in range(0, len(PROFILE), length)]
    parts = [(number, len(pieces), piece) for number, piece in enumerate(pieces, 1)]
    chance.shuffle(parts)  # type: ignore[attr-defined]
    assert profile_segments(jpeg_with(parts)) == PROFILE


def test_a_profile_of_many_parts_converts_the_picture() -> None:
    pieces = [PROFILE[at : at + 40] for at in range(0, len(PROFILE), 40)]
    data = jpeg_with([(number, len(pieces), piece) for number, piece in enumerate(pieces, 1)])
    wanted = rendered(jpeg_with([(1, 1, PROFILE)]), Transform(40, None, "png")).body
    assert rendered(data, Transform(40, None, "png")).body == wanted


@settings(max_examples=examples(200))
@given(st.binary(max_size=40), st.integers(0, 900), st.integers(0, 40))
def test_no_bytes_whatever_make_it_fail(put_in: bytes, at: int, taken_out: int) -> None:
    data = jpeg_with(USED["two"])
    profile_segments(data[:at] + put_in + data[at + taken_out :])
