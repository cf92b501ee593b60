"""Options of the cache backends: a whole number from 1 on, in OPTIONS or beside it, and nothing is guessed."""

import pytest
from django.core.cache.backends.base import InvalidCacheBackendError

from thumbs.cache.backend_options import number_option


@pytest.mark.parametrize(
    ("params", "found"),
    [
        ({}, None),
        ({"OPTIONS": None}, None),
        ({"OPTIONS": {"OTHER": 3}}, None),
        ({"OPTIONS": {"MAX_BYTES": 3}}, 3),
        ({"max_bytes": 4}, 4),
        ({"OPTIONS": {"MAX_BYTES": 3}, "max_bytes": 4}, 3),
        ({"OPTIONS": {"SIZE": 5}}, 5),
        ({"OPTIONS": {"SIZE": 5, "MAX_BYTES": 3}}, 3),
        ({"OPTIONS": {"MAX_BYTES": None, "SIZE": 5}}, 5),
    ],
)
def test_the_first_option_that_is_set_is_taken(params: dict[str, object], found: int | None) -> None:
    assert number_option(params, "MAX_BYTES", "SIZE") == found


@pytest.mark.parametrize("value", [0, -1, 1.5, "many", True, "", []])
def test_what_is_no_whole_number_is_refused(value: object) -> None:
    with pytest.raises(InvalidCacheBackendError, match="MAX_BYTES"):
        number_option({"OPTIONS": {"MAX_BYTES": value}}, "MAX_BYTES")


@pytest.mark.parametrize("options", [["MAX_BYTES"], "MAX_BYTES", 3])
def test_options_that_are_no_dictionary_are_refused(options: object) -> None:
    with pytest.raises(InvalidCacheBackendError, match=r"^OPTIONS of a cache must be a dictionary\.$"):
        number_option({"OPTIONS": options}, "MAX_BYTES")


def test_one_is_the_smallest_number() -> None:
    assert number_option({"OPTIONS": {"MAX_BYTES": 1}}, "MAX_BYTES") == 1
