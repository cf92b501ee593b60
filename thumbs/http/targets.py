"""Request targets and hosts (RFC 9112, section 3.2): a target has one path, or none when parsers could disagree."""

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from ipaddress import AddressValueError, IPv6Address
from urllib.parse import unquote_to_bytes

# Visible ASCII (RFC 3986, section 2) without '#': a target has no fragment (RFC 9110, section 7.1), so some parsers
# end the path there and others do not.
_ORIGIN = re.compile(rb"/[\x21\x22\x24-\x7e]*")
_ABSOLUTE = re.compile(rb"[Hh][Tt][Tt][Pp][Ss]?://([^/?#]+)(/[\x21\x22\x24-\x7e]*)")
_SCHEME = re.compile(rb"[A-Za-z][A-Za-z0-9+.-]*:")
# The replacements by servers and by Django for bytes that are not UTF-8.
_REPLACED = re.compile("\ufffd|%[89A-F][0-9A-F]")
# RFC 3986, section 3.2.2, without commas: servers join two Host lines with one. Only bytes above 0x7F may be
# percent-encoded: parsers could disagree about an encoded delimiter.
_AUTHORITY = re.compile(
    rb"(?:\[([0-9A-Fa-f:.]+|[Vv][0-9A-Fa-f]+\.[A-Za-z0-9._~!$&'()*+;=:-]+)\]"
    rb"|(?:[A-Za-z0-9._~!$&'()*+;=-]|%[89A-Fa-f][0-9A-Fa-f])+)(?::[0-9]*)?"
)


def path_of(target: bytes) -> bytes | None:
    """The path of a target in origin or absolute form, percent-decoded once; None for an ambiguous target.

    Ambiguous are a `#`, bytes that are not visible ASCII, and an absolute form with a scheme other than http or https,
    without a valid host, with user information or without a path.
    """
    origin = origin_form(target)
    return None if origin is None else decoded_path(origin)


def origin_form(target: bytes) -> bytes | None:
    """The path and the query of a target in origin or absolute form, as received; None for an ambiguous target."""
    if _ORIGIN.fullmatch(target):
        return target
    match = _ABSOLUTE.fullmatch(target)
    return None if match is None or not is_authority(match[1]) else match[2]


def decoded_path(target: bytes) -> bytes:
    """The path of a target that starts with its path, percent-decoded once."""
    path = target.partition(b"?")[0]
    return unquote_to_bytes(path) if b"%" in path else path


def is_lossy(path: str) -> bool:
    """Whether a path decoded by a server or by Django may have contained bytes that are not UTF-8."""
    return _REPLACED.search(path) is not None


def possible_paths(target: bytes) -> Iterator[bytes]:
    """Every path, percent-decoded once, that some parser may read from a target for which `path_of` is None."""
    for text in {target, target.replace(b"\\", b"/")}:  # the WHATWG URL standard reads a backslash as a slash
        for start in _starts(text):
            yield decoded_path(start)
            yield decoded_path(start.partition(b"#")[0])


def _starts(text: bytes) -> Iterator[bytes]:
    """`text` from each position where a path may start: the beginning, or after a scheme, an authority or both."""
    scheme = _SCHEME.match(text)
    rest = text[scheme.end() :] if scheme else text
    slashes = len(rest) - len(rest.lstrip(b"/"))
    if scheme is None:
        yield text if slashes else b"/" + text
        if slashes == 1:
            return
    for start in {rest.find(b"/"), rest.find(b"/", 2 if slashes > 1 else 0), rest.find(b"/", slashes)}:
        if start >= 0:
            yield rest[start:]


@lru_cache(maxsize=256)
def is_authority(text: bytes) -> bool:
    """Whether `text` is exactly a host with an optional port; user information is not allowed."""
    match = _AUTHORITY.fullmatch(text)
    if match is None:
        return False
    literal = match[1]
    if literal is None or literal[:1] in b"Vv":
        return True
    try:
        IPv6Address(literal.decode("ascii"))
    except AddressValueError:
        return False
    return True


def are_hosts_valid(hosts: Sequence[bytes], http_version: str) -> bool:
    """Whether the values of a request's Host lines are valid: one valid host, or none in any version but HTTP/1.1."""
    if len(hosts) == 1:
        return is_authority(hosts[0])
    return not hosts and http_version != "1.1"
