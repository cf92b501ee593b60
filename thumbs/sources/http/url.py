"""URLs of originals: what is parsed here is what is compared with the configuration, connected to and sent.

A path names a URL without `//`: `https/img.example.com/a.jpg?x=1`. The canonical URL is the key of the original:

    path   = scheme "/" host [ ":" port ] "/" target
    scheme = "http" / "https"
    host   = labels of ASCII letters, digits, "-" and "_", separated by dots, or a canonical IPv4 address
    target = path [ "?" query ], with spaces, non-ASCII and a few other characters percent-encoded
"""

import re
from contextlib import suppress
from dataclasses import dataclass
from ipaddress import AddressValueError, IPv4Address
from typing import NamedTuple
from unicodedata import normalize
from urllib.parse import quote, unquote_to_bytes, urljoin

DEFAULT_PORTS = {"http": 80, "https": 443}
_UNRESERVED = "-._~"
_KEPT = _UNRESERVED + "!$&'()*+,;=:@/?%[]"  # what may stand in a target as it is (RFC 3986, 3.3 and 3.4)
_NAME = re.compile(r"(?:[a-z0-9_-]{1,63}\.)*[a-z0-9_-]{1,63}")
_PORT = re.compile(r"[1-9][0-9]{0,4}")
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")  # WHATWG, "ends in a number": read as an IPv4 address by many parsers
_URL = re.compile(r"(https?)://([^/?#]*)([/?][^#]*)?(#.*)?", re.IGNORECASE | re.DOTALL)
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_STRAY_PERCENT = re.compile(r"%(?![0-9A-Fa-f]{2})")
_UNSAFE_BYTES = re.compile(rb"[\x00-\x1f\x7f\\]")
# RFC 3986, 4.2, without what other parsers read otherwise: empty hosts, and colons before the first slash of a path.
_REFERENCE = re.compile(r"(?:https?:)?//[^/?#]|/(?!/)|[?#]|[^/?#:]+(?:[/?#]|$)", re.IGNORECASE)
_MAX_HOST, _MAX_URL = 253, 4096  # RFC 1035, 2.3.4; the second one bounds the Location of a redirect


class BadUrl(ValueError):
    """No URL of an original. The message is the end of "… must be"."""


class Origin(NamedTuple):
    """What a connection is for. The host is in lower case."""

    scheme: str
    host: str
    port: int

    @property
    def authority(self) -> str:
        """Host and port, the port only where it is not that of the scheme."""
        return self.host if DEFAULT_PORTS[self.scheme] == self.port else f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True, repr=False)
class RemoteUrl:
    """The canonical URL of an original. `target` is ASCII and begins with a slash."""

    origin: Origin
    target: str

    def __str__(self) -> str:
        return f"{self.origin.scheme}://{self.origin.authority}{self.target}"

    def __repr__(self) -> str:
        return f"<RemoteUrl {self.shown}>"

    @property
    def path(self) -> str:
        """The target without its query."""
        return self.target.partition("?")[0]

    @property
    def shown(self) -> str:
        """The URL for a log: a query may be a secret."""
        return str(self).partition("?")[0]


def from_path(path: str) -> RemoteUrl:
    """The URL that a decoded path names. Raises `BadUrl`."""
    scheme, _, rest = path.partition("/")
    authority, slash, target = rest.partition("/")
    if not slash:
        raise BadUrl("{scheme}/{host}/{path}, such as https/img.example.com/cats/tom.jpg")
    return _made(scheme, authority, f"/{target}")


def from_text(text: str) -> RemoteUrl:
    """The URL `text`, of a configuration, of Python code or of a redirect. Raises `BadUrl`, also for a fragment."""
    match = _URL.fullmatch(text) if len(text) <= _MAX_URL else None
    if match is None or match[4]:
        raise BadUrl("a URL that begins with http:// or https:// and has no fragment")
    target = match[3] or "/"
    return _made(match[1].lower(), match[2], target if target.startswith("/") else f"/{target}")


def path_of(text: str) -> str:
    """The decoded path that names the URL `text`: the inverse of `from_path`. Raises `BadUrl`.

    A path has no empty segment and none of dots. So slashes of a query that would make one are percent-encoded, which
    origins read alike.
    """
    with suppress(UnicodeError):
        text = _with_ascii_host(text)
    url = from_text(text)
    match = _URL.fullmatch(text)
    target = (match[3] if match else None) or "/"
    path, mark, query = target.removeprefix("/").partition("?")
    if any(segment in ("", ".", "..") for segment in query.split("/")):
        query = query.replace("/", "%2F")
    return f"{url.origin.scheme}/{url.origin.authority}/{path}{mark}{query}"


def redirected(url: RemoteUrl, location: str) -> RemoteUrl:
    """The URL that a redirect of `url` leads to. `location` is the field in Latin-1. Raises `BadUrl`.

    A fragment is for browsers, and is dropped (RFC 9110, 10.2.2).
    """
    with suppress(UnicodeError):  # Latin-1 stands for bytes, and these are UTF-8 nearly everywhere
        location = location.encode("latin-1").decode()
    location = location.strip(" ")
    if len(location) > _MAX_URL or "\\" in location or _CONTROL.search(location) or not _REFERENCE.match(location):
        raise BadUrl("a URL with one reading, without backslashes and control characters")
    return from_text(urljoin(str(url), location).partition("#")[0])


def below(base: RemoteUrl, key: str) -> RemoteUrl:
    """The URL of `key` below the prefix `base`. Everything but unreserved characters is percent-encoded."""
    return RemoteUrl(base.origin, base.target + quote(key, safe=f"{_UNRESERVED}/"))


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry of a list of sources. `host` is exact, `*.` and a suffix, or `*`."""

    scheme: str
    host: str
    port: int
    prefix: str

    @classmethod
    def parse(cls, text: str) -> "Entry":
        """The entry `scheme://host[:port]/prefix`. Raises `BadUrl`."""
        match = _URL.fullmatch(text)
        if match is None or not (match[3] or "").startswith("/") or match[4] or "?" in match[3]:
            raise BadUrl("scheme://host/ or scheme://host/prefix, with http or https, and without query or fragment")
        scheme, authority, prefix = match[1].lower(), match[2], match[3]
        wildcard = next((start for start in ("*.", "*") if authority.startswith(start)), "")
        if not wildcard:
            url = _made(scheme, authority, prefix)
            return cls(*url.origin, url.target)
        if wildcard == "*":  # a host of its own is needed to read the port
            authority = f"x{authority[1:]}" if authority[1:2] in ("", ":") else authority
        url = _made(scheme, authority.removeprefix("*."), prefix)
        if is_address(url.origin.host):
            raise BadUrl("without a wildcard before an address")
        host = "*" if wildcard == "*" else f"*.{url.origin.host}"
        if host == "*" and url.origin.port != DEFAULT_PORTS[scheme]:
            raise BadUrl(f"without a port for every host: {scheme} has {DEFAULT_PORTS[scheme]}")
        return cls(scheme, host, url.origin.port, url.target)

    @property
    def is_open(self) -> bool:
        """Whether any host can have it: it admits every host, or every one of a top-level domain."""
        return self.host.startswith("*") and self.host.count(".") < 2

    @property
    def exact(self) -> Origin | None:
        """The only origin that it admits; None where it admits several."""
        return None if self.host.startswith("*") else Origin(self.scheme, self.host, self.port)

    def admits(self, url: RemoteUrl) -> bool:
        """Whether `url` has this scheme, host and port, and its path this prefix, by whole segments."""
        scheme, host, port = url.origin
        if (scheme, port) != (self.scheme, self.port):
            return False
        if self.host == "*":
            fits = "." in host  # a plain name is one of the own network
        elif self.host.startswith("*."):
            fits = host.endswith(self.host[1:]) and len(host) >= len(self.host)
        else:
            fits = host == self.host
        prefix = self.prefix.rstrip("/")
        within = url.path.startswith(f"{prefix}/") or (url.path == prefix == self.prefix)
        return fits and within

    def __str__(self) -> str:
        port = "" if self.port == DEFAULT_PORTS[self.scheme] else f":{self.port}"
        return f"{self.scheme}://{self.host}{port}{self.prefix}"


def is_address(host: str) -> bool:
    """Whether `host` is an IPv4 address. It is never one in another form than the canonical one."""
    with suppress(AddressValueError):
        return str(IPv4Address(host)) == host
    return False


def _made(scheme: str, authority: str, target: str) -> RemoteUrl:
    if scheme not in DEFAULT_PORTS:
        raise BadUrl("a URL of the scheme http or https")
    host, colon, port = authority.partition(":")
    number = DEFAULT_PORTS[scheme]
    if colon:
        if not _PORT.fullmatch(port) or int(port) > 65535:
            raise BadUrl("a URL whose port is a number from 1 to 65535 without leading zeros")
        number = int(port)
    return RemoteUrl(Origin(scheme, _host(host), number), _target(target))


def _host(text: str) -> str:
    host = text.lower() if text.isascii() else ""
    host = host.removesuffix(".")
    if len(host) > _MAX_HOST or not _NAME.fullmatch(host):
        raise BadUrl("a URL whose host has only ASCII letters, digits, '-', '_' and '.', and no user information")
    labels = host.split(".")
    if _NUMBER.fullmatch(labels[-1]) and not is_address(host):
        raise BadUrl("a URL whose host is a name, or an IPv4 address of four decimal numbers")
    for label in labels:
        if label.startswith("xn--") and not _is_punycode(label[4:]):
            raise BadUrl("a URL whose international host is valid")
    return host


def _is_punycode(text: str) -> bool:
    try:
        decoded = text.encode("ascii").decode("punycode")
        same = decoded.encode("punycode").decode("ascii").lower() == text
        plain = decoded.isprintable() and normalize("NFKC", decoded.lower()) == decoded
        return not decoded.isascii() and same and plain  # what another parser would map to another name is refused
    except UnicodeError:
        return False


def _target(text: str) -> str:
    if "#" in text or "\\" in text or _CONTROL.search(text) or _STRAY_PERCENT.search(text):
        raise BadUrl("a URL without '#', backslashes and control characters, whose every '%' begins an escape")
    try:
        text = quote(text, safe=_KEPT)
    except UnicodeEncodeError:
        raise BadUrl("a URL of valid Unicode") from None
    path = text.partition("?")[0].encode("ascii")
    while True:  # an origin behind a proxy may decode more than once
        if _UNSAFE_BYTES.search(path) or any(
            segment.partition(b";")[0] in (b".", b"..") for segment in path.split(b"/")
        ):
            raise BadUrl("a URL whose path has no '.' or '..' segment, backslash or control character, however encoded")
        decoded = unquote_to_bytes(path)
        if decoded == path:
            return text
        path = decoded


def _with_ascii_host(text: str) -> str:
    """`text` with its host in the ASCII form of IDNA 2008, where the package `idna` is there."""
    match = _URL.fullmatch(text)
    if match is None or match[2].isascii():
        return text
    try:
        import idna  # noqa: PLC0415 - optional
    except ImportError:
        raise BadUrl("a URL with an ASCII host, or the package idna installed (pip install idna)") from None
    host, colon, port = match[2].partition(":")
    encoded = idna.encode(host, uts46=True).decode("ascii")
    return f"{match[1]}://{encoded}{colon}{port}{text[match.end(2) :]}"
