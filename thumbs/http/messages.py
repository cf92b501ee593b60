"""Request and response values, and the rules of HTTP that need nothing else (RFC 9110, RFC 9457)."""

import json
import re
import uuid
from email.utils import formatdate
from functools import lru_cache
from http import HTTPStatus
from typing import NamedTuple
from urllib.parse import quote

from thumbs.errors import BadPath, ThumbError
from thumbs.http import conditions

Headers = tuple[tuple[bytes, bytes], ...]
MAX_TARGET_BYTES = 2048
CDN_NAME = "mage"  # in `CDN-Loop` (RFC 8586)
# For every response, also one that a browser opens as a document: no script, no frame, no other resource.
SECURITY_HEADERS: Headers = (
    (b"X-Content-Type-Options", b"nosniff"),
    (b"Content-Security-Policy", b"default-src 'none'; sandbox"),
)
# Errors are never cached: the next attempt may succeed.
_REQUEST_ID = re.compile(r"[A-Za-z0-9._:/+=@-]{1,128}")  # anything else could forge lines of a log, or fill the disk
_PROBLEM: Headers = ((b"Content-Type", b"application/problem+json"), (b"Cache-Control", b"no-store"), *SECURITY_HEADERS)


class Request(NamedTuple):
    """What a front passes on of a request.

    `path` is the path of the target, percent-decoded once, from `/{storage}/thumbs/` on. `target_length` is the length
    in bytes of the whole target as received. `request_id` is the id that the client or a proxy gave. `error` is set
    when the front found invalid HTTP: the request is refused with it, and `path` is only one possible reading.
    `private` is set by the view that asks a check of the site before each answer: such a request may name private
    storages, and only these. `peer` is the address of the other end of the connection, empty for a Unix socket;
    `forwarded_for` is the field `X-Forwarded-For`, which any client may send. `cdn_loop` is the field of RFC 8586.
    `dialect` is the path of the URLs of another image server: then `path` is the target as received, from the last
    slash of the dialect's path on, or empty.
    """

    method: str
    path: bytes
    target_length: int
    accept: str = ""
    if_none_match: str | None = None
    if_modified_since: str | None = None
    request_id: str = ""
    error: type[ThumbError] | None = None
    private: bool = False
    peer: str = ""
    forwarded_for: str = ""
    cdn_loop: str = ""
    dialect: str = ""

    def identified(self) -> "Request":
        """This request, with a new id if it has none that can be logged."""
        return self if _REQUEST_ID.fullmatch(self.request_id) else self._replace(request_id=uuid.uuid4().hex)

    @property
    def has_looped(self) -> bool:
        """Whether a server like this one has sent the request, to read an original."""
        return bool(self.cdn_loop) and any(
            each.partition(";")[0].strip().lower() == CDN_NAME for each in self.cdn_loop.split(",")
        )

    @property
    def conditional(self) -> bool:
        return self.if_none_match is not None or self.if_modified_since is not None

    @property
    def tags(self) -> frozenset[str]:
        """The entity tags of `If-None-Match`, for weak comparison; empty when it is `*`, invalid or absent."""
        return frozenset() if self.if_none_match is None else conditions.opaque_tags(self.if_none_match)

    def not_modified(self, etag: str, modified: int, now: float) -> bool:
        """Whether the client's copy of an existing picture is still valid (RFC 9110, 13.2.2).

        If-None-Match takes precedence over If-Modified-Since. `modified` (of the picture) and `now` are Unix seconds.
        """
        if self.if_none_match is not None:
            return etag in self.tags or conditions.is_any(self.if_none_match)
        if self.if_modified_since is None:
            return False
        since = conditions.parse_date(self.if_modified_since, now)
        return since is not None and modified <= since


class Response(NamedTuple):
    """A response. For HEAD and 304 the body is empty; `Content-Length` is that of the response to GET."""

    status: int
    headers: Headers
    body: bytes = b""

    def to(self, method: str) -> "Response":
        """This response for `method`: without its body for HEAD."""
        return Response(self.status, self.headers) if method == "HEAD" else self


def without_query(path: str) -> str:
    """The key of an original for a log: that of a remote one may have a query, with secrets in it."""
    bare, mark, _ = path.partition("?")
    return f"{bare}?…" if mark else path


class Sent(NamedTuple):
    """What logs say of an answer: the bytes of its body, the seconds until it was made, the code of its error."""

    size: int = 0
    seconds: float = 0.0
    code: str = ""


def decode_path(path: bytes) -> str:
    """A percent-decoded path as text. Raises `BadPath` unless it is UTF-8."""
    try:
        return path.decode()
    except UnicodeDecodeError:
        raise BadPath from None


def problem(error: ThumbError, extra: Headers = ()) -> Response:
    """The response to a failed request: `application/problem+json`, made of constants only."""
    return _problem(error.status, error.code, error.detail, error.headers + extra)


@lru_cache(maxsize=256)
def _problem(status: int, code: str, detail: str, headers: Headers) -> Response:
    title = HTTPStatus(status).phrase
    document = {"type": "about:blank", "title": title, "status": status, "detail": detail, "code": code}
    body = json.dumps(document).encode() + b"\n"
    return Response(status, (*_PROBLEM, (b"Content-Length", str(len(body)).encode()), *headers), body)


@lru_cache(maxsize=1024)
def http_date(seconds: int) -> bytes:
    return formatdate(seconds, usegmt=True).encode()


# --------------------------------------------------------------------------------- negotiation

_QUALITY = re.compile(r"q=([01](?:\.[0-9]{0,3})?)", re.IGNORECASE)
# What `format(auto)` may choose because `Accept` names it, the best of equal weights first (docs/quality.md).
NEGOTIABLE = ("jxl", "avif", "webp")


@lru_cache(maxsize=512)
def accepted_formats(accept: str) -> tuple[str, ...]:
    """The formats that `format(auto)` may choose for the `Accept` header `accept`, best first.

    Wildcards do not count: a client that sends only `*/*` may read none of these formats.
    """
    weights: dict[str, float] = {}
    for item in accept.lower().split(","):
        media_type, *parameters = (part.strip() for part in item.split(";"))
        match = next((found for found in map(_QUALITY.fullmatch, parameters) if found), None)
        weights[media_type] = float(match[1]) if match else 1.0
    accepted = [name for name in NEGOTIABLE if weights.get(f"image/{name}", 0) > 0]
    return tuple(sorted(accepted, key=lambda name: -weights[f"image/{name}"]))


# ------------------------------------------------------------------------------------- headers

_MAX_JOINED = 1024
_joined: dict[tuple[int, int, int], tuple[Headers, Headers, Headers, Headers]] = {}


def joined(first: Headers, second: Headers, third: Headers) -> Headers:
    """All three as one tuple. For the same three objects it is the same object, while it is remembered.

    The memo is by identity: a hash of so many headers would cost more than the result. It holds the three objects, so
    that no other object has the identity of one of them.
    """
    key = (id(first), id(second), id(third))
    known = _joined.get(key)
    if known is None:
        if len(_joined) >= _MAX_JOINED:
            _joined.clear()
        known = _joined[key] = (first + second + third, first, second, third)
    return known[0]


def content_disposition(name: str) -> str:
    """`Content-Disposition` that displays the picture and gives its name for saving (RFC 6266, RFC 8187)."""
    plain = name.encode("ascii", "replace").decode().translate(str.maketrans('"\\', "''"))
    if plain == name:
        return f'inline; filename="{name}"'
    return f"inline; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"


def quoted_path(path: str) -> str:
    """`path` percent-encoded for a URL, except for the delimiters of filters and keys.

    Quotes are encoded, also the single one that URLs may have: in CSS and JavaScript it ends the text of a URL.
    """
    return quote(path, safe="/:(),;=@!$&*+~")
