"""The bounds of what an entry may hold: each is reached by what `pack` makes, and one more is refused."""

import struct
from dataclasses import replace

import pytest

from thumbs.cache.entry import Entry

LATEST_DATE, LATEST = 253_402_300_799, 1e12
ENTRY = Entry(b"picture", "image/webp", '"tag"', "v1", 1, 2.0, 3.0)
TIMES = struct.Struct(">4sqdd")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("modified", 0),
        ("modified", LATEST_DATE),
        ("created", 0.0),
        ("created", LATEST),
        ("fresh_until", 0.0),
        ("fresh_until", LATEST),
    ],
)
def test_the_first_and_the_last_time_are_accepted(name: str, value: float) -> None:
    unpacked = Entry.unpack(replace(ENTRY, **{name: value}).pack())  # type: ignore[arg-type]
    assert getattr(unpacked, name) == value


@pytest.mark.parametrize(
    ("index", "value"),
    [(1, -1), (1, LATEST_DATE + 1), (2, -1.0), (2, LATEST * 1.01), (3, -1.0), (3, LATEST * 1.01)],
)
def test_a_time_beyond_is_refused(index: int, value: float) -> None:
    packed = bytearray(ENTRY.pack())
    fields = list(TIMES.unpack_from(packed))
    fields[index] = value
    TIMES.pack_into(packed, 0, *fields)
    with pytest.raises(ValueError, match="not the times"):
        Entry.unpack(packed)


@pytest.mark.parametrize(("length", "is_kept"), [(0, True), (1024, True), (1025, False)])
def test_a_version_token_has_at_most_1024_bytes(length: int, is_kept: bool) -> None:
    version = "v" * length
    assert Entry.unpack(replace(ENTRY, version=version).pack()).version == (version if is_kept else None)


@pytest.mark.parametrize("length", [0, 126])
def test_an_etag_has_at_most_126_characters_between_its_quotes(length: int) -> None:
    etag = f'"{"e" * length}"'
    assert Entry.unpack(replace(ENTRY, etag=etag).pack()).etag == etag


def test_a_longer_etag_is_refused() -> None:
    with pytest.raises(ValueError, match="not a packed entry"):
        Entry.unpack(replace(ENTRY, etag=f'"{"e" * 127}"').pack())


def test_an_empty_body_is_an_entry_and_less_is_none() -> None:
    packed = replace(ENTRY, body=b"").pack()
    assert Entry.unpack(packed).body == b""
    for length in (0, 10, len(packed) - 1):
        with pytest.raises(ValueError, match="not a packed entry"):
            Entry.unpack(packed[:length])


def test_the_objects_around_a_body_count_for_memory() -> None:
    assert ENTRY.size == len(b"picture") + 1500
