"""Versions of originals by the fields of a response, and the conditions that ask whether one is still current."""

import hashlib
import math
import re
from contextlib import suppress
from email.utils import parsedate_to_datetime

from thumbs.sources.http.exchange import Head
from thumbs.sources.source import Version

_TAG = re.compile(r'(?:W/)?"[\x21\x23-\x7e]{0,200}"')
_DATE = re.compile(r"[A-Za-z0-9 ,:+-]{1,60}")
_AGE = re.compile(r'(?:^|[\s,])(s-maxage|max-age)\s*=\s*"?([0-9]{1,9})"?', re.IGNORECASE)
_UNKEPT = re.compile(r"(?:^|[\s,])(?:no-store|private)(?![\w-])", re.IGNORECASE)
_MODIFIED, _DIGEST = "modified:", "digest:"


def version_of(head: Head, data: bytes | None) -> Version:
    """By the ETag, else by `Last-Modified` and the length, else by a digest of `data`: no token without it."""
    modified = head.get("Last-Modified")
    modified = modified if _DATE.fullmatch(modified) else ""
    token = _tag_of(head)
    if token is None and modified:
        token = f"{_MODIFIED}{modified}:{head.get('Content-Length') or '-'}"
    if token is None and data is not None:
        token = _DIGEST + hashlib.blake2b(data, digest_size=16).hexdigest()
    return Version(token, _seconds_of(modified))


def condition_of(token: str | None) -> dict[str, str]:
    """The field that asks for an original unless it has this token; none where an origin cannot judge it."""
    if token is None or token.startswith(_DIGEST):
        return {}
    if token.startswith(_MODIFIED):
        return {"If-Modified-Since": token.removeprefix(_MODIFIED).rpartition(":")[0]}
    return {"If-None-Match": token}


def confirms(head: Head, token: str | None) -> bool:
    """Whether a 304 is about the version of `token`: one with another ETag is not (RFC 9110, 15.4.5)."""
    tag = _tag_of(head)
    if token is None or token.startswith(_MODIFIED) or tag is None:
        return token is not None
    return tag.removeprefix("W/") == token.removeprefix("W/")


def lifetime_of(head: Head) -> float | None:
    """For how many seconds a shared cache may keep the response (RFC 9111, 5.2.2): 0.0 for not at all.

    None where it does not say.
    """
    value = ", ".join(head.fields.get_all("Cache-Control"))
    if _UNKEPT.search(value):
        return 0.0
    ages = {name.lower(): float(seconds) for name, seconds in _AGE.findall(value)}
    age = ages.get("s-maxage", ages.get("max-age"))
    return None if age is None else max(1.0, age)


def new_lifetime_of(head: Head) -> float | None:
    """As `lifetime_of`, for a version that is known: infinite where the origin allows any time now.

    None for a 304 without the field: what the origin said before holds on (RFC 9111, 4.3.4).
    """
    if head.status == 304 and not head.fields.get_all("Cache-Control"):
        return None
    lifetime = lifetime_of(head)
    return math.inf if lifetime is None else lifetime


def _tag_of(head: Head) -> str | None:
    tag = head.get("ETag")
    return tag if _TAG.fullmatch(tag) else None


def _seconds_of(date: str) -> int | None:
    with suppress(ValueError, TypeError, OverflowError):
        return int(parsedate_to_datetime(date).timestamp())
    return None
