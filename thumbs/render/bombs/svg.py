"""Detects an SVG that draws too many elements, through nested `use` elements that multiply each other.

librsvg stops after half a million elements. That takes seconds, and no deadline interrupts it.
"""

from dataclasses import dataclass, field
from xml.parsers import expat

_MAX_ELEMENTS = 100_000


@dataclass(slots=True)
class _Part:
    """The subtree of an element with an id, or of the root.

    `own` counts its elements outside nested parts, `inside` has the indexes of nested parts, `used` the ids of parts
    that `use` elements refer to.
    """

    own: int = 0
    inside: list[int] = field(default_factory=list)
    used: list[str] = field(default_factory=list)


class _TooManyElementsError(Exception):
    pass


class _ElementCounter:
    """Handlers for expat that split a drawing into parts and count their elements."""

    def __init__(self) -> None:
        self.parts = [_Part()]
        self.names: dict[str, int] = {}
        self._open = [0]  # the part of each open element
        self._elements = 0

    def begin(self, name: str, attributes: dict[str, str]) -> None:
        self._elements += 1
        if self._elements > _MAX_ELEMENTS:
            raise _TooManyElementsError
        part = self._open[-1]
        element_id = attributes.get("id")
        if element_id is not None:
            self.parts[part].inside.append(len(self.parts))
            part = len(self.parts)
            self.names.setdefault(element_id, part)
            self.parts.append(_Part())
        self.parts[part].own += 1
        reference = attributes.get("href") or attributes.get("xlink:href") or ""
        if name.rpartition(":")[2] == "use" and reference.startswith("#"):
            self.parts[part].used.append(reference[1:])
        self._open.append(part)

    def end(self, _: str) -> None:
        self._open.pop()

    def count_drawn(self) -> int:
        """The number of elements drawn, with every use of a part counted again. A part's use of itself adds nothing."""
        found: dict[int, int] = {}
        in_progress: set[int] = set()
        stack = [0]
        while stack:
            number = stack[-1]
            part = self.parts[number]
            needed = part.inside + [self.names[name] for name in part.used if name in self.names]
            if number not in in_progress and number not in found:
                in_progress.add(number)
                stack += [each for each in needed if each not in found and each not in in_progress]
                continue
            stack.pop()
            if number not in found:
                found[number] = part.own + sum(found.get(each, 0) for each in needed)
                in_progress.discard(number)
        return found[0]


def is_bomb(data: bytes) -> bool:
    """Whether an SVG draws more than 100,000 elements; False for one that cannot be parsed."""
    counter, parser = _ElementCounter(), expat.ParserCreate()
    parser.StartElementHandler, parser.EndElementHandler = counter.begin, counter.end
    try:
        parser.Parse(data, True)
    except _TooManyElementsError:
        return True
    except (expat.ExpatError, ValueError):
        return False
    return counter.count_drawn() > _MAX_ELEMENTS
