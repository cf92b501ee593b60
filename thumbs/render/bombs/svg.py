"""Detects an SVG that draws too many elements, through nested `use` elements that multiply each other.

librsvg stops after half a million elements. That takes seconds, and no deadline interrupts it. Attributes and entities
are bounded too, because expat itself needs time and memory for them.
"""

import base64
import binascii
import re
from dataclasses import dataclass, field
from urllib.parse import unquote_to_bytes
from xml.parsers import expat

from thumbs.render.bombs import png
from thumbs.render.bombs.limits import MAX_SVG_ATTRIBUTES, MAX_SVG_ELEMENTS, MAX_SVG_ENTITY_CHARACTERS

_REFERENCE = re.compile(r"&([^;&]*);")
_PREDEFINED = ("amp", "lt", "gt", "quot", "apos")  # XML 1.0, 4.6


@dataclass(slots=True)
class _Part:
    """The subtree of an element with an id, or of the root.

    `own` counts its elements outside nested parts, `inside` has the indexes of nested parts, `used` the ids of parts
    that `use` elements refer to.
    """

    own: int = 0
    inside: list[int] = field(default_factory=list)
    used: list[str] = field(default_factory=list)


class _TooMuchError(Exception):
    pass


class _ElementCounter:
    """Handlers for expat that split a drawing into parts and count their elements.

    `references` is the number of references to entities in the file, at most.
    """

    def __init__(self, references: int) -> None:
        self.parts = [_Part()]
        self.names: dict[str, int] = {}
        self._open = [0]  # the part of each open element
        self._elements = self._attributes = 0
        self._references = references
        self._entities: dict[str, int] = dict.fromkeys(_PREDEFINED, 1)

    def declare(self, name: str, _parameter: bool, value: str | None, *_: str | None) -> None:
        """Bound the text that expat makes of all references; an entity may refer to those declared before it."""
        if value is None:  # an external entity, which is not read
            return
        names = _REFERENCE.findall(value)
        if any(each not in self._entities and not each.startswith("#") for each in names):
            raise _TooMuchError
        length = len(value) + sum(self._entities.get(each, 1) for each in names)
        if length * self._references > MAX_SVG_ENTITY_CHARACTERS:
            raise _TooMuchError
        self._entities.setdefault(name, length)

    def begin(self, name: str, attributes: dict[str, str]) -> None:
        self._elements += 1
        self._attributes += len(attributes)
        if self._elements > MAX_SVG_ELEMENTS or self._attributes > MAX_SVG_ATTRIBUTES:
            raise _TooMuchError
        part = self._open[-1]
        element_id = attributes.get("id")
        if element_id is not None:
            self.parts[part].inside.append(len(self.parts))
            part = len(self.parts)
            self.names.setdefault(element_id, part)
            self.parts.append(_Part())
        self.parts[part].own += 1
        # Any prefix may stand for the namespace of XLink.
        references = [value for key, value in attributes.items() if key == "href" or key.endswith(":href")]
        if name.rpartition(":")[2] == "use":
            self.parts[part].used += [each[1:] for each in references if each.startswith("#")]
        if any(each.lstrip().startswith("data:") and png.is_bomb(_embedded(each)) for each in references):
            raise _TooMuchError
        self._open.append(part)

    def end(self, _: str) -> None:
        self._open.pop()

    def count_drawn(self) -> int:
        """The number of elements drawn, with every use of a part counted again. A part's use of itself adds nothing.

        No part counts more than one above the limit: the numbers would grow with every level.
        """
        found: dict[int, int] = {}
        in_progress: set[int] = set()
        stack = [0]
        while stack:
            number = stack.pop()
            if number in found:
                continue
            part = self.parts[number]
            needed = part.inside + [self.names[name] for name in part.used if name in self.names]
            if number in in_progress:
                drawn = part.own + sum(found.get(each, 0) for each in needed)
                found[number] = min(drawn, MAX_SVG_ELEMENTS + 1)
                in_progress.discard(number)
                continue
            in_progress.add(number)
            stack.append(number)
            stack += {each for each in needed if each not in found and each not in in_progress}
        return found[0]


def _embedded(reference: str) -> bytes:
    """The bytes in a `data` URL (RFC 2397); empty where they cannot be read."""
    head, _, body = reference.partition(",")
    content = unquote_to_bytes(body)
    if not head.rstrip().endswith("base64"):
        return content
    try:
        return base64.b64decode(content + b"==")  # passes over white space, as librsvg does
    except binascii.Error:
        return b""


def is_bomb(data: bytes) -> bool:
    """Whether an SVG draws more than 100,000 elements, or has more than 500,000 attributes or 16 M characters of
    entities, or a picture in it is a bomb. False for one that cannot be parsed.
    """
    # A tag reaches its handler with all of its attributes, so they are bounded before.
    if data.count(b"=") > MAX_SVG_ATTRIBUTES:
        return True
    counter, parser = _ElementCounter(data.count(b"&")), expat.ParserCreate()
    parser.StartElementHandler, parser.EndElementHandler = counter.begin, counter.end
    parser.EntityDeclHandler = counter.declare
    try:
        parser.Parse(data, True)
    except _TooMuchError:
        return True
    except (expat.ExpatError, ValueError):
        return False
    return counter.count_drawn() > MAX_SVG_ELEMENTS
