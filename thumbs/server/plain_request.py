"""Parses plain requests: bytes that are exactly one GET or HEAD, and that gunicorn's parser reads in the same way."""

import re
from collections.abc import Mapping

from thumbs.http.targets import is_authority

# RFC 9112, 3 and 5: a request line in origin form without a fragment, then fields; names are tokens, values are ASCII.
_LINE = re.compile(rb"(GET|HEAD) (/[A-Za-z0-9/._~%!$&'()*+,;=:@?-]*) HTTP/1\.1")
_FIELDS = re.compile(rb"(?:[!#$%&'*+.^_`|~0-9A-Za-z-]+:[\t\x20-\x7e]*\r\n)+\r\n")
_MAX_BYTES = 8190  # the limit for request lines in gunicorn_conf; a longer request is not plain
# Fields that differ in each request: of a log, and of W3C Trace Context.
_VARYING = re.compile(rb"(?:\A|(?<=\n))([Xx]-[Rr]equest-[Ii][Dd]|[Tt]raceparent|[Tt]racestate):([\t\x20-\x7e]*)\r\n")
_MAX_FIELDS = 256  # the keys take 2 MB at most
_UNKNOWN: Mapping[bytes, str] = {}
_memo: dict[bytes, Mapping[bytes, str] | None] = {}
_VARYING_NAMES = frozenset((b"x-request-id", b"traceparent", b"tracestate"))
# Fields that frame a message or control the connection. Gunicorn handles them.
_FRAMING = frozenset(
    {
        *(b"connection", b"content-length", b"expect", b"http2-settings", b"keep-alive"),
        *(b"proxy-connection", b"te", b"trailer", b"transfer-encoding", b"upgrade"),
    }
)


def plain_request(data: bytes) -> tuple[str, bytes, Mapping[bytes, str]] | None:
    """Method, target and fields (names lower case) when `data` is exactly one plain request, else None."""
    if len(data) > _MAX_BYTES:
        return None
    line, _, rest = data.partition(b"\r\n")
    match = _LINE.fullmatch(line)
    if match is None:
        return None
    fields = _fields(rest)
    return None if fields is None else (match[1].decode("ascii"), match[2], fields)


def _fields(data: bytes) -> Mapping[bytes, str] | None:
    """As `_plain_fields`, with a memo, as a client repeats its fields. What differs in each request is not kept there.

    The end of `data` is checked first: without the field, data that lacks the final empty line could end with one.
    """
    known = _memo.get(data, _UNKNOWN)
    if known is not _UNKNOWN:
        return known
    varies = (b"equest-" in data or b"raceparent:" in data) and data.endswith(b"\r\n\r\n")
    found = _VARYING.findall(data) if varies else None
    if not found:
        if len(_memo) >= _MAX_FIELDS:
            _memo.clear()
        made = _memo[data] = _plain_fields(data)
        return made
    fields = _fields(_VARYING.sub(b"", data))
    own = {name.lower(): value.strip().decode("ascii") for name, value in found}
    if fields is None or len(own) < len(found) or not _VARYING_NAMES.isdisjoint(fields):
        return None
    return {**fields, **own}


def _plain_fields(data: bytes) -> Mapping[bytes, str] | None:
    """The fields of a plain request, from `data`, all bytes after the request line; else None."""
    if not _FIELDS.fullmatch(data):
        return None
    fields: dict[bytes, str] = {}
    for line in data.split(b"\r\n")[:-2]:
        name, _, value = line.partition(b":")
        name = name.lower()
        if name in _FRAMING and not (name == b"connection" and value.strip().lower() == b"keep-alive"):
            return None
        if name in fields:
            return None  # the rule for a repeated field depends on the field; gunicorn applies it
        fields[name] = value.strip().decode("ascii")
    return fields if is_authority(fields.get(b"host", "").encode("ascii")) else None
