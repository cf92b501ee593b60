"""Signed URLs of other image servers, and seeded forgeries of them: bits flipped, characters escaped, words added."""

import base64
import hmac
import random
import re
from collections.abc import Sequence

from thumbs.request.dialects.dialect import Dialect

_OLD, _KEY, _SALT, _OLD_SALT = b"old key", b"\x94\x3b\xff", b"\x52\x0f", b"old salt"
SIGNED: dict[str, Dialect] = {
    "imgproxy": Dialect(
        "imgproxy",
        "/",
        {"local:///": "photos"},
        keys=(_OLD, _KEY),
        salts=(_OLD_SALT, _SALT),
        presets={"card": "rs:fill:200:150/f:webp"},
    ),
    "imgproxy, 16 bytes": Dialect(
        "imgproxy", "/", {"local:///": "photos"}, keys=(_KEY,), salts=(_SALT,), signature_size=16
    ),
    "thumbor": Dialect("thumbor", "/", {"": "photos"}, keys=(_OLD, _KEY)),
    "imagor": Dialect("imagor", "/", {"": "photos"}, keys=(_OLD, _KEY)),
    "imagor, SHA-256": Dialect("imagor", "/", {"": "photos"}, keys=(_KEY,), signer="sha256", signature_length=40),
    "mage": Dialect("mage", "/", {"": "photos"}, keys=(_OLD, _KEY), signer="sha256", signature_length=16),
    "mage, SHA-512": Dialect(
        "mage", "/", {"": "photos"}, keys=(_KEY,), signer="sha512", signature_start=4, signature_length=20
    ),
}
# What is signed, and how it is sent.
_THUMBOR = (
    ("300x200/filters:format(webp):quality(60)/a.jpg", None),
    ("a.jpg", None),
    ("fit-in/100x0/smart/nested/deep/a.jpg", None),
    ("9x9/sp%C3%A4ce%20n.jpg", None),
    ("10x10:50x50/-90x60/left/top/filters:fill(red)/100%25.png", None),
)
_MESSAGES: dict[str, Sequence[tuple[str, str | None]]] = {
    "imgproxy": (
        ("/rs:fill:300:200:1/g:noea/plain/local:///a.jpg@webp", None),
        ("/w:100/plain/local:///sp%C3%A4ce%20n.jpg", None),
        ("/w:100/q:60/bG9jYWw6Ly8vbGFuZHNjYXBlLmpwZw.png", None),
        ("/bG9jYWw6Ly8v/YS5qcGc", None),
        ("/exp:4102444800/bl:3/plain/local:///nested/deep/a.jpg", None),
    ),
    "thumbor": _THUMBOR,
    "imagor": (*_THUMBOR, ("100x/späce a+b.jpg", "100x/sp%C3%A4ce%20a%2Bb.jpg"), ("100x/a+b.jpg", None)),
    "mage": (
        ("/300x200/filters:quality(60);format(webp)/a.jpg", None),
        ("/90x/späce n.jpg", "/90x/sp%C3%A4ce%20n.jpg"),
        ("/x/nested/deep/a.jpg", None),
        ("/90x60/a.jpg/as/c.webp", None),
    ),
}
_ESCAPE = re.compile("%([0-9A-Fa-f]{2})")
_WORDS = (
    *("/", "//", "%2F", "=", "%3D", "+", "%2B", "%20", "%", "@", "%40", ":", "%3A", ".", "..", "?", "%3F", "&", "%00"),
    *("unsafe/", "unsafe%2F", "insecure/", "_/", "2000x2000/", "%2F2000x2000", "2000x/", "/2000x2000", "fit-in/"),
    *("filters:blur(9)/", "filters:upscale()%2F", "w:2000/", "/w:2000", "w%3A2000/", "rs:force:9:9/", "pr:card/"),
    *("/as/x.png", "meta/", "params/", "debug/", "trim/", "s_9x9/", "plain/", "b.jpg/", "%C3%A4", "ä"),
)


def signed_urls(name: str) -> list[str]:
    """URLs that are signed for the dialect `name`, each with each of its keys."""
    dialect = SIGNED[name]
    found = []
    for message, sent in _MESSAGES[dialect.name]:
        for number in range(len(dialect.keys)):
            signature = _signature(dialect, message, number)
            found.append(f"/{signature}{'' if message.startswith('/') else '/'}{sent or message}")
    return found


def _signature(dialect: Dialect, message: str, number: int) -> str:
    salt = dialect.salts[number] if dialect.salts else b""
    algorithm = "sha256" if dialect.name == "imgproxy" else dialect.signer
    digest = hmac.digest(dialect.keys[number], salt + message.encode(), algorithm)
    if dialect.name == "imgproxy":
        return base64.urlsafe_b64encode(digest[: dialect.signature_size]).decode().rstrip("=")
    stop = dialect.signature_start + dialect.signature_length if dialect.signature_length else None
    return base64.urlsafe_b64encode(digest).decode()[dialect.signature_start : stop]


def forged(seed: int, urls: Sequence[str]) -> str:
    """One or two changes of one of `urls`, as characters U+0000 to U+00FF. The same for the same seed."""
    rand = random.Random(seed)
    url = rand.choice(urls)
    for _ in range(rand.choice((1, 1, 1, 2))):
        url = _changed(url, rand, urls)
    return url if url.startswith("/") else f"/{url}"


def _changed(url: str, rand: random.Random, urls: Sequence[str]) -> str:
    end = _end_of_signature(url)
    place = rand.randrange(1, len(url) + 1)
    word, other = rand.choice(_WORDS), rand.choice(urls)
    at_signature = rand.choice((1, end, end + 1))
    escape = rand.choice(("%{:02X}", "%{:02x}")).format(ord(url[place - 1]) & 255)
    changes = (
        _flipped(url, rand.randrange(min(1, end - 1), end), rand),
        _flipped(url, rand.randrange(min(end, len(url) - 1), len(url)), rand),
        f"{url[: place - 1]}{escape}{url[place:]}",
        f"{url[:place]}{word}{url[place:]}",
        f"{url[:at_signature]}{word}{url[at_signature:]}",
        other[: _end_of_signature(other)] + url[end:],
        url[: place - 1] + url[place:],
        _ESCAPE.sub(lambda found: chr(int(found[1], 16)), url, count=rand.randrange(1, 4)),
    )
    return rand.choice(changes)


def _end_of_signature(url: str) -> int:
    end = url.find("/", 1)
    return end if end > 0 else len(url)


def _flipped(url: str, at: int, rand: random.Random) -> str:
    return url[:at] + chr(ord(url[at]) & 255 ^ 1 << rand.randrange(8)) + url[at + 1 :]
