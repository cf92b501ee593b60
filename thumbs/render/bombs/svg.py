"""Detects an SVG that draws too many elements, through nested `use` elements that multiply each other.

librsvg stops after half a million references. That takes seconds, and no deadline interrupts it. Attributes and
entities are bounded too, because expat itself needs time and memory for them. A document in a `data` URL counts as
elements of the drawing that refers to it; in CSS it is too much.
"""

import re
from dataclasses import dataclass, field
from xml.parsers import expat

from thumbs.render.bombs import data_urls, png
from thumbs.render.bombs.circles import components
from thumbs.render.bombs.limits import MAX_SVG_ATTRIBUTES, MAX_SVG_ELEMENTS, MAX_SVG_ENTITY_CHARACTERS, MAX_SVG_URLS

_REFERENCE = re.compile(r"&([^;&]*);")
_MAX_DEPTH = 4  # of documents within documents
_TEXT_BYTES = 65_536  # of a style sheet, handled at once
_OVERLAP = 1024  # of a style sheet, handled again: a URL may begin at the end of one piece
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


class Unreadable(Exception):
    """An SVG that expat cannot parse."""


class _TooMuchError(Exception):
    pass


class _ElementCounter:
    """Handlers for expat that split a drawing into parts and count their elements.

    `references` is the number of references to entities in the file, at most, and `depth` the number of documents that
    this one is within.
    """

    def __init__(self, parser: expat.XMLParserType, references: int, depth: int) -> None:
        self._parser = parser
        self._depth = depth
        self._urls = 0  # in CSS, and escapes, of which some may be
        self._css = ""  # the end of the style sheet so far
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
        local = name.rpartition(":")[2]
        local = name.rpartition(":")[2]
        if local == "use":
            self.parts[part].used += [each[1:] for each in _references(attributes) if each.startswith("#")]
        if local == "style":
            self._css, self._parser.CharacterDataHandler = "", self._read_css
        if data_urls.may_have("\0".join(attributes.values())):
            for each in _references(attributes) if local != "a" else ():  # librsvg follows no links
                self._embed(part, data_urls.content_of(each) or b"", is_part=local == "include")
            self._check_css("\0".join(attributes[each] for each in attributes if not _is_reference(each)))
        self._open.append(part)

    def instruct(self, target: str, data: str) -> None:
        """A style sheet can be named before the drawing."""
        if target == "xml-stylesheet":
            self._check_css(data)

    def _read_css(self, text: str) -> None:
        self._css += text
        self._check_css(self._css)
        self._css = self._css[-_OVERLAP:]

    def _check_css(self, css: str) -> None:
        self._urls += css.count("\\")
        found = data_urls.in_css(css) if self._urls <= MAX_SVG_URLS else []
        self._urls += len(found)
        if self._urls > MAX_SVG_URLS or any(map(data_urls.is_hidden, found)):
            raise _TooMuchError

    def _embed(self, part: int, content: bytes, *, is_part: bool) -> None:
        """Count the elements of a document in a `data` URL for the part that refers to it.

        With `is_part` they become elements of this drawing (XInclude), which could use each of them again.
        """
        if png.is_bomb(content):
            raise _TooMuchError
        if data_urls.is_document(content):
            if is_part or self._depth >= _MAX_DEPTH or data_urls.is_compressed(content):
                raise _TooMuchError
            drawn = _count_drawn(content, self._depth + 1)
            self.parts[part].own += drawn
            self._elements += drawn

    def end(self, name: str) -> None:
        self._open.pop()
        if name.rpartition(":")[2] == "style":
            self._parser.CharacterDataHandler = None

    def count_drawn(self) -> int:
        """At least the number of elements drawn, with every use of a part counted again.

        librsvg leaves a use out only where its target is being drawn by another use. So within a circle of n parts a
        way may be n uses long, and with at most m uses in each part there are m to the power of i ways of length i.
        No part counts more than one above the limit: the numbers would grow with every level.
        """
        needed = [part.inside + [self.names[name] for name in part.used if name in self.names] for part in self.parts]
        drawn = [0] * len(needed)
        for component in components(needed):
            members = set(component)
            # What is used within the component is 0 until now.
            total = sum(self.parts[each].own + sum(map(drawn.__getitem__, needed[each])) for each in component)
            uses = max(sum(map(members.__contains__, needed[each])) for each in component)
            ways = _ways(uses, len(component)) if uses else 1
            for each in component:
                drawn[each] = min(total * ways, MAX_SVG_ELEMENTS + 1)
        return drawn[0]


def _ways(uses: int, longest: int) -> int:
    """The sum of the powers of `uses` from 0 to `longest`, or a number above the limit."""
    ways = power = 1
    for _ in range(longest):
        power *= uses
        ways += power
        if ways > MAX_SVG_ELEMENTS:
            break
    return ways


def _is_reference(name: str) -> bool:
    """Whether an attribute is `href`. Any prefix may stand for the namespace of XLink."""
    return name == "href" or name.endswith(":href")


def _references(attributes: dict[str, str]) -> list[str]:
    return [attributes[name] for name in attributes if _is_reference(name)]


def _count_drawn(data: bytes, depth: int) -> int:
    # A tag reaches its handler with all of its attributes, so they are bounded before.
    if data.count(b"=") > MAX_SVG_ATTRIBUTES:
        raise _TooMuchError
    parser = expat.ParserCreate()
    parser.buffer_size, parser.buffer_text = _TEXT_BYTES, True
    counter = _ElementCounter(parser, data.count(b"&"), depth)
    parser.StartElementHandler, parser.EndElementHandler = counter.begin, counter.end
    parser.EntityDeclHandler, parser.ProcessingInstructionHandler = counter.declare, counter.instruct
    try:
        parser.Parse(data, True)
    # LookupError: an encoding without a name in Python. librsvg may read on, as it knows more letters than expat does.
    except (expat.ExpatError, ValueError, LookupError) as error:
        raise Unreadable from error
    finally:
        parser.StartElementHandler = parser.EndElementHandler = parser.CharacterDataHandler = None
        parser.EntityDeclHandler = parser.ProcessingInstructionHandler = None
    return counter.count_drawn()


def is_bomb(data: bytes) -> bool:
    """Whether an SVG draws more than 100,000 elements, or has more than 500,000 attributes or 16 M characters of
    entities, or a picture or a document in it is a bomb. Raises `Unreadable` for one that cannot be parsed.
    """
    try:
        return _count_drawn(data, 0) > MAX_SVG_ELEMENTS
    except _TooMuchError:
        return True
