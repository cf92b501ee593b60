"""`Cache-Control` of answers: a version makes one immutable, and a private one never becomes public."""

import pytest

from thumbs.http.cache_control import cache_control, directives, is_public, with_max_age

DAY, YEAR = "max-age=86400", "max-age=31536000, immutable"


@pytest.mark.parametrize(
    ("configured", "private", "versioned", "expected"),
    [
        (None, False, False, f"public, {DAY}"),
        (None, False, True, f"public, {YEAR}"),
        (None, True, False, f"private, {DAY}"),
        (None, True, True, f"private, {YEAR}"),
        ("", False, False, f"public, {DAY}"),
        ("public, max-age=60", False, False, "public, max-age=60"),
        ("public, max-age=60", False, True, f"public, {YEAR}"),
        ("public, max-age=60", True, False, f"private, {DAY}"),
        ("public, max-age=60", True, True, f"private, {YEAR}"),
        ("private, max-age=60", False, False, "private, max-age=60"),
        ("private, max-age=60", False, True, f"private, {YEAR}"),
        ("private, max-age=60", True, False, "private, max-age=60"),
        ("PRIVATE", True, True, f"private, {YEAR}"),
        ("no-store", False, True, "no-store"),
        ("private, no-store", True, True, "private, no-store"),
        ("max-age=0,No-Store", True, False, "max-age=0,No-Store"),
    ],
)
def test_an_answer_has_the_value(configured: str | None, private: bool, versioned: bool, expected: str) -> None:
    assert cache_control(configured, private=private, versioned=versioned) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [("public, max-age=1", True), ("max-age=1", True), ("private", False), ("max-age=1, No-Store", False)],
)
def test_a_shared_cache_may_store_what_is_neither_private_nor_forbidden(value: str, expected: bool) -> None:
    assert is_public(value) is expected


def test_directives_are_names_in_lower_case_without_values() -> None:
    assert directives('Public , max-age=60,no-cache="x=y"') == {"public", "max-age", "no-cache"}


@pytest.mark.parametrize(
    ("value", "seconds", "expected"),
    [
        (b"public, max-age=60", 30, b"public, max-age=30"),
        (b"public, max-age=60", 90, b"public, max-age=60"),
        (b"public", 90, b"public, max-age=90"),
        (b"Private, Max-Age=60, immutable", 30, b"private, max-age=30"),
        (b"s-max-age=5, max-age=60", 90, b"public, max-age=60"),
        (b"no-store", 30, b"no-store"),
        (b"private, No-Cache", 30, b"private, No-Cache"),
    ],
)
def test_a_lifetime_is_at_most_as_long_as_it_may(value: bytes, seconds: int, expected: bytes) -> None:
    assert with_max_age(value, seconds) == expected
