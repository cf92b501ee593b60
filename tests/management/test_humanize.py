"""Sizes, times and counts as people read them."""

import pytest

from thumbs.management.humanize import count_of, duration, file_size


@pytest.mark.parametrize(
    ("count", "told"), [(0, "0.0 KiB"), (1536, "1.5 KiB"), (5 << 30, "5.0 GiB"), (3000 << 40, "3,000.0 TiB")]
)
def test_bytes_are_written_in_the_unit_that_fits(count: int, told: str) -> None:
    assert file_size(count) == told


@pytest.mark.parametrize(
    ("seconds", "told"), [(-5, "0 s"), (0.4, "0 s"), (59, "59 s"), (61, "1 min"), (7200, "2 h"), (864000, "10 d")]
)
def test_times_are_written_in_the_unit_that_fits(seconds: float, told: str) -> None:
    assert duration(seconds) == told


def test_one_is_written_in_the_singular() -> None:
    assert [count_of(1, "shard"), count_of(2000, "shard"), count_of(0, "entry", "entries")] == [
        *("1 shard", "2,000 shards", "0 entries"),
    ]
