"""Request targets and hosts (RFC 9112, section 3.2): the one path that a target names, or none where readers differ."""

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from ipaddress import AddressValueError, IPv6Address
from urllib.parse import unquote_to_bytes

# Visible ASCII (RFC 3986, section 2) without '#': no target has a fragment (RFC 9110, section 7.1), so some readers
# end the path there and others do not.
_ORIGIN = re.compile(rb"/[\x21\x22\x24-\x7e]*")
_ABSOLUTE = re.compile(rb"[Hh][Tt][Tt][Pp][Ss]?://([^/?#]+)(/[\x21\x22\x24-\x7e]*)")
_SCHEME = re.compile(rb"[A-Za-z][A-Za-z0-9+.-]*:")
# What servers and Django put in the place of bytes that are not UTF-8.
_LOST = re.compile("\ufffd|%[89A-F][0-9A-F]")
# RFC 3986, section 3.2.2, without a comma, which is how servers join two Host lines. Only octets beyond ASCII may be
# percent-encoded: an encoded delimiter would have two readings.
_AUTHORITY = re.compile(
    rb"(?:\[([0-9A-Fa-f:.]+|[Vv][0-9A-Fa-f]+\.[A-Za-z0-9._~!$&'()*+;=:-]+)\]"
    rb"|(?:[A-Za-z0-9._~!$&'()*+;=-]|%[89A-Fa-f][0-9A-Fa-f])+)(?::[0-9]*)?"
)


def path_of(target: bytes) -> bytes | None:
    """The path of a target in origin or absolute form, percent-decoded once; None unless it has exactly one reading.

    None for a `#`, for bytes that are not visible ASCII, and for an absolute form with another scheme than http(s),
    without a valid host, with user information or without a path.
    """
    if not _ORIGIN.fullmatch(target):
        match = _ABSOLUTE.fullmatch(target)
        if match is None or not is_authority(match[1]):
            return None
        target = match[2]
    return decoded_path(target)


def decoded_path(target: bytes) -> bytes:
    """The path of a target that begins with it, percent-decoded once."""
    path = target.partition(b"?")[0]
    return unquote_to_bytes(path) if b"%" in path else path


def is_lossy(path: str) -> bool:
    """Whether a path that was decoded by a server or by Django may have held bytes that are not UTF-8."""
    return _LOST.search(path) is not None


def possible_paths(target: bytes) -> Iterator[bytes]:
    """Each path, percent-decoded once, that some reader may find in a target that `path_of` finds none in."""
    for text in {target, target.replace(b"\\", b"/")}:  # the WHATWG's URLs have a slash there
        for start in _starts(text):
            yield decoded_path(start)
            yield decoded_path(start.partition(b"#")[0])


def _starts(text: bytes) -> Iterator[bytes]:
    """From where a path may begin: at once, or after a scheme and an authority, with or without one there."""
    scheme = _SCHEME.match(text)
    rest = text[scheme.end() :] if scheme else text
    slashes = len(rest) - len(rest.lstrip(b"/"))
    if scheme is None:
        yield text if slashes else b"/" + text
        if slashes == 1:
            return
    for place in {rest.find(b"/"), rest.find(b"/", 2 if slashes > 1 else 0), rest.find(b"/", slashes)}:
        if place >= 0:
            yield rest[place:]


@lru_cache(maxsize=256)
def is_authority(text: bytes) -> bool:
    """Whether `text` is a host, not empty, with or without a port, and nothing else: no user information."""
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


def are_hosts_sound(hosts: Sequence[bytes], http_version: str) -> bool:
    """Whether a request may carry these Host lines: one that is valid, or before or after HTTP/1.1 none."""
    if len(hosts) == 1:
        return is_authority(hosts[0])
    return not hosts and http_version != "1.1"
