"""Finds documents in the `data` URLs (RFC 2397) of an SVG: librsvg draws those as well.

A URL may have capitals, and tabs and line ends anywhere (WHATWG URL Standard, 4.4), and in CSS also escapes.
"""

import base64
import binascii
import re
from urllib.parse import unquote_to_bytes

_BREAKS = re.compile(r"[\t\n\r]+")
_HINT = re.compile(r"\\|d[\t\n\r]*a[\t\n\r]*t[\t\n\r]*a[\t\n\r]*:", re.IGNORECASE)
_SCHEME = re.compile(r"[\0- ]*data:", re.IGNORECASE)
# In CSS: within url(), or in a string.
_SCHEME_IN_CSS = re.compile(r"[(\"'][\0- ]*data:", re.IGNORECASE)
_ESCAPE = re.compile(r"\\(?:([0-9A-Fa-f]{1,6})[ \t\n\r\f]?|(.))", re.DOTALL)
_MAX_CODE_POINT = 0x10FFFF
# How much of a URL is looked at in CSS: a longer head, or longer blanks, have no purpose but to hide what follows.
_WINDOW = 512
_STYLE_SHEET = "text/css"
# What librsvg may read as XML, in UTF-8 or UTF-16, or compressed.
_DOCUMENT = re.compile(rb"\x1f\x8b|(?:\xef\xbb\xbf|\xff\xfe|\xfe\xff)?[\0\s]*+<")
_COMPRESSED = b"\x1f\x8b"


def content_of(reference: str) -> bytes | None:
    """The bytes in the `data` URL that is the value of an attribute; empty where they cannot be read.

    None for another reference.
    """
    url = _BREAKS.sub("", reference)
    found = _SCHEME.match(url)
    if found is None:
        return None
    head, _, body = url[found.end() :].partition("#")[0].partition(",")
    return _decoded(head, body)


def is_document(content: bytes) -> bool:
    """Whether librsvg may draw the content of a `data` URL as a document. A picture of pixels is none."""
    return _DOCUMENT.match(content) is not None


def is_compressed(content: bytes) -> bool:
    """Whether a document is compressed by gzip."""
    return content.startswith(_COMPRESSED)


def may_have(text: str) -> bool:
    """Whether there may be a `data` URL. A search for what is there in few drawings."""
    return _HINT.search(text) is not None


def in_css(css: str) -> list[str]:
    """The beginnings of the `data` URLs in CSS, or in the value of an attribute."""
    if "\\" in css:
        css = _ESCAPE.sub(_character, css)
    css = _BREAKS.sub("", css)
    return [css[found.end() : found.end() + _WINDOW] for found in _SCHEME_IN_CSS.finditer(css)]


def is_hidden(url: str) -> bool:
    """Whether one of `in_css` is that of a document or of a style sheet."""
    head, comma, body = url.partition(",")
    if not comma:
        return len(url) == _WINDOW and ")" not in url
    if head.strip().lower().startswith(_STYLE_SHEET):
        return True
    content = _decoded(head, body[: len(body) // 4 * 4])
    # The window may cut the last blank.
    return is_document(content) or (len(url) == _WINDOW and len(content.strip()) < len("%20"))


def _decoded(head: str, body: str) -> bytes:
    content = unquote_to_bytes(body)
    if not head.rstrip().lower().endswith("base64"):
        return content
    try:
        return base64.b64decode(content + b"==")  # passes over white space, as librsvg does
    except binascii.Error:
        return b""


def _character(escape: re.Match[str]) -> str:
    code, character = escape.groups()
    if code is None:
        return str(character)
    number = int(code, 16)
    return chr(number) if number <= _MAX_CODE_POINT else "\N{REPLACEMENT CHARACTER}"
