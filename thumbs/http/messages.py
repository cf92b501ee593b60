"""Requests and answers as plain values, and the rules of HTTP between them (RFC 9110, RFC 9457)."""

import json
import re
from email.utils import formatdate
from functools import lru_cache
from http import HTTPStatus
from typing import NamedTuple
from urllib.parse import quote

from thumbs.errors import BadPath, ThumbError
from thumbs.http import conditions

Headers = tuple[tuple[bytes, bytes], ...]
MAX_TARGET_BYTES = 2048
# A picture needs no script, no frame and no other resource, whoever opens it by itself.
CLOSED: Headers = (
    (b"X-Content-Type-Options", b"nosniff"),
    (b"Content-Security-Policy", b"default-src 'none'; sandbox"),
)
# Nothing in an error may be kept, for the next try may well succeed.
_PROBLEM: Headers = ((b"Content-Type", b"application/problem+json"), (b"Cache-Control", b"no-store"), *CLOSED)


class Request(NamedTuple):
    """A request as the fronts see it.

    `path` is the target's path, percent-decoded once, from `/{storage}/thumbs/` on; `target_length` counts the bytes
    of the whole target as it was received; `request_id` is what the client or a proxy calls it. `error` is set where a
    front found the request not to be valid HTTP: then it is refused with that, and `path` is only what it may name.
    """

    method: str
    path: bytes
    target_length: int
    accept: str = ""
    if_none_match: str | None = None
    if_modified_since: str | None = None
    request_id: str = ""
    error: type[ThumbError] | None = None

    @property
    def conditional(self) -> bool:
        return self.if_none_match is not None or self.if_modified_since is not None

    @property
    def tags(self) -> frozenset[str]:
        """The entity tags that `If-None-Match` lists, for weak comparison; none where it is `*` or invalid."""
        return frozenset() if self.if_none_match is None else conditions.opaque_tags(self.if_none_match)

    def not_modified(self, etag: str, modified: int, now: float) -> bool:
        """Whether the client's copy is still good, where there is a picture (RFC 9110, 13.2.2).

        If-None-Match decides when it is there. `modified`, of the picture, and `now` are Unix seconds.
        """
        if self.if_none_match is not None:
            return etag in self.tags or conditions.is_any(self.if_none_match)
        if self.if_modified_since is None:
            return False
        since = conditions.seconds_of(self.if_modified_since, now)
        return since is not None and modified <= since


class Response(NamedTuple):
    """An answer. For HEAD and 304 the body is empty, and `Content-Length` tells what GET would send."""

    status: int
    headers: Headers
    body: bytes = b""

    def to(self, method: str) -> "Response":
        """The same answer without its body when `method` is HEAD."""
        return Response(self.status, self.headers) if method == "HEAD" else self


def text_path(path: bytes) -> str:
    """Decoded bytes as text. Raises `BadPath` unless they are UTF-8."""
    try:
        return path.decode()
    except UnicodeDecodeError:
        raise BadPath from None


def problem(error: ThumbError, extra: Headers = ()) -> Response:
    """The answer to a request that failed: `application/problem+json` with constants only."""
    return _problem(error.status, error.code, error.detail, error.headers + extra)


@lru_cache(maxsize=256)
def _problem(status: int, code: str, detail: str, headers: Headers) -> Response:
    title = HTTPStatus(status).phrase
    about = {"type": "about:blank", "title": title, "status": status, "detail": detail, "code": code}
    body = json.dumps(about).encode() + b"\n"
    return Response(status, (*_PROBLEM, (b"Content-Length", str(len(body)).encode()), *headers), body)


@lru_cache(maxsize=1024)
def http_date(seconds: int) -> bytes:
    return formatdate(seconds, usegmt=True).encode()


# --------------------------------------------------------------------------------- negotiation

_QUALITY = re.compile(r"q=([01](?:\.[0-9]{0,3})?)", re.IGNORECASE)
_NEGOTIATED = ("avif", "webp")  # the server's order among what the client likes equally


@lru_cache(maxsize=512)
def negotiated(accept: str) -> tuple[str, ...]:
    """The formats of `format(auto)` that `accept` names outright, best first; wildcards name nothing.

    A browser that sends only `*/*` may be one that reads neither.
    """
    weights: dict[str, float] = {}
    for item in accept.lower().split(","):
        media_type, *parameters = (part.strip() for part in item.split(";"))
        match = next((found for found in map(_QUALITY.fullmatch, parameters) if found), None)
        weights[media_type] = float(match[1]) if match else 1.0
    liked = [name for name in _NEGOTIATED if weights.get(f"image/{name}", 0) > 0]
    return tuple(sorted(liked, key=lambda name: -weights[f"image/{name}"]))


# ------------------------------------------------------------------------------------- headers


def disposition(name: str) -> str:
    """`Content-Disposition` that shows the picture and names it when it is saved (RFC 6266, RFC 8187)."""
    plain = name.encode("ascii", "replace").decode().translate(str.maketrans('"\\', "''"))
    if plain == name:
        return f'inline; filename="{name}"'
    return f"inline; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"


def quoted_path(path: str) -> str:
    """`path` percent-encoded for a URL; the characters that filters and keys use most stay readable."""
    return quote(path, safe="/:(),;=@!$&'*+~")
