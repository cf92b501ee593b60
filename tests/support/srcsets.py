"""HTML as a browser reads it: elements by html5lib, and `srcset` by the algorithm of the HTML standard.

`parse_srcset` follows https://html.spec.whatwg.org/multipage/images.html#parsing-a-srcset-attribute step by step and
shares no code with Mage. What a browser would skip with a warning raises here.
"""

import re
from dataclasses import dataclass
from xml.etree.ElementTree import Element

import html5lib

_SPACE = "\t\n\f\r "
_FLOAT = re.compile(r"-?(?:\d+(?:\.\d+)?|\.\d+)(?:[eE][+-]?\d+)?")


@dataclass(frozen=True)
class Candidate:
    """An image candidate: its URL, and a width in pixels or a density."""

    url: str
    width: int | None = None
    density: float | None = None


def parse_srcset(text: str) -> list[Candidate]:
    """The candidates of a `srcset`. Raises ValueError for a parse error."""
    candidates: list[Candidate] = []
    position = 0
    while True:
        start = position
        while position < len(text) and text[position] in _SPACE + ",":
            position += 1
        if "," in text[start:position]:
            raise ValueError(f"a comma without a candidate: {text!r}")
        if position == len(text):
            return candidates
        start = position
        while position < len(text) and text[position] not in _SPACE:
            position += 1
        url = text[start:position]
        if url.endswith(","):
            if url.endswith(",,"):
                raise ValueError(f"commas after a URL: {url!r}")
            candidates.append(Candidate(url.rstrip(",")))
            continue
        position, descriptors = _descriptors(text, position)
        candidates.append(_candidate(url, descriptors))


def _descriptors(text: str, position: int) -> tuple[int, list[str]]:
    """The descriptors from `position` on, and the position after their comma."""
    descriptors: list[str] = []
    current, depth = "", 0
    while True:
        character = text[position] if position < len(text) else None
        position += 1
        if character is None or (character == "," and not depth):
            return min(position, len(text)), [*descriptors, *filter(None, [current])]
        if character in _SPACE and not depth:
            descriptors += filter(None, [current])
            current = ""
            continue
        depth += (character == "(") - (character == ")")
        current += character


def _candidate(url: str, descriptors: list[str]) -> Candidate:
    width = density = None
    for descriptor in descriptors:
        number, kind = descriptor[:-1], descriptor[-1]
        if kind == "w" and number.isdecimal() and int(number) > 0 and width is None and density is None:
            width = int(number)
        elif kind == "x" and _FLOAT.fullmatch(number) and float(number) >= 0 and width is None and density is None:
            density = float(number)
        else:
            raise ValueError(f"{descriptor!r} is no descriptor of {url!r}")
    return Candidate(url, width, density)


def parse_html(text: str) -> Element:
    """The body that a browser makes of `text`. Raises for any parse error."""
    parser = html5lib.HTMLParser(strict=True, namespaceHTMLElements=False)
    document = parser.parse(f"<!DOCTYPE html><html><head><title>t</title></head><body>{text}</body></html>")
    body: Element = document.find("body")
    return body


def only(body: Element) -> Element:
    """The only thing in `body`."""
    assert body.text is None
    (child,) = body
    assert child.tail is None
    return child
