"""`Cache-Control` of answers: for how long a picture may be kept, and by whose caches (RFC 9111)."""

import re

DEFAULT_CACHE_CONTROL = "public, max-age=86400"
IMMUTABLE = "public, max-age=31536000, immutable"  # RFC 8246; only for URLs with a `version`
NO_STORE = "no-store"
PRIVATE_DEFAULT = "private, max-age=86400"
PRIVATE_IMMUTABLE = "private, max-age=31536000, immutable"
_AGES = re.compile(rb"(?<![-a-z])((?:s-maxage|max-age)=)([0-9]+)", re.IGNORECASE)
_MAX_AGE = re.compile(rb"(?<![-a-z])max-age=([0-9]+)", re.IGNORECASE)


def cache_control(configured: str | None, *, private: bool, versioned: bool) -> str:
    """The value for a picture. `configured` is that of its storage; `versioned`: its URL has a `version`.

    A version makes an answer immutable. It makes no private answer public, and none kept that must not be stored.
    """
    value = configured or (PRIVATE_DEFAULT if private else DEFAULT_CACHE_CONTROL)
    found = directives(value)
    if "no-store" in found:
        return value
    closed = private or "private" in found
    if versioned:
        return PRIVATE_IMMUTABLE if closed else IMMUTABLE
    return value if "private" in found or not closed else PRIVATE_DEFAULT


def is_public(value: str) -> bool:
    """Whether a shared cache may store an answer with this `Cache-Control` (RFC 9111, 3)."""
    return directives(value).isdisjoint({"private", "no-store"})


def directives(value: str) -> frozenset[str]:
    """The names of the directives, in lower case."""
    return frozenset(part.strip().partition("=")[0].lower() for part in value.split(","))


def with_max_age(value: bytes, seconds: int) -> bytes:
    """`public` or `private` and a max-age of at most `seconds`; `no-store` and `no-cache` stay as they are."""
    lower = value.lower()
    if b"no-store" in lower or b"no-cache" in lower:
        return value
    age = _MAX_AGE.search(value)
    max_age = min(int(age[1]), seconds) if age else seconds
    return b"%s, max-age=%d" % (b"private" if b"private" in lower else b"public", max_age)


def shortened(value: bytes, seconds: int) -> bytes:
    """`value` with lifetimes of at most `seconds`. What is immutable, by the version in its URL, stays as it is."""
    lower = value.lower()
    if b"immutable" in lower or b"no-store" in lower or b"no-cache" in lower:
        return value
    if not _AGES.search(value):
        return value + b", max-age=%d" % seconds
    return _AGES.sub(lambda found: found[1] + b"%d" % min(int(found[2]), seconds), value)
