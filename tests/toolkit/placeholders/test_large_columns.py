"""A column that is larger than a placeholder is none, and no copy of it is kept."""

import pytest

from thumbs.toolkit.placeholders import background

_LENGTH = 1_000_000
_LARGE = [
    "A" * _LENGTH,
    b"\0" * _LENGTH,
    bytearray(_LENGTH),
    memoryview(bytes(_LENGTH)),
    memoryview(bytes(_LENGTH)).cast("I"),
]


@pytest.mark.parametrize("value", _LARGE, ids=lambda value: type(value).__name__)
def test_what_is_longer_than_a_hash_is_no_placeholder(value: object) -> None:
    assert background.as_bytes(value) == b""
    assert background.with_placeholder({"alt": ""}, value) == {"alt": ""}


def test_large_columns_are_not_kept() -> None:
    background._data_url.cache_clear()
    for number in range(5):
        background.data_url(number.to_bytes(4, "big") * (_LENGTH // 4))
    assert background._data_url.cache_info().currsize == 0
