"""How much an SVG draws: an element that is used ten times by one that is used ten times, and so on, is a bomb.

librsvg gives up after half a million elements, which takes it seconds, and no deadline stops it before.
"""

from dataclasses import dataclass, field
from xml.parsers import expat

_MOST_ELEMENTS = 100_000


@dataclass(slots=True)
class _Part:
    """An element with an id, or the whole drawing: `own` elements, parts inside it, and ids of parts that it uses."""

    own: int = 0
    inside: list[int] = field(default_factory=list)
    used: list[str] = field(default_factory=list)


class _TooMuch(Exception):
    pass


class _Census:
    """Counts the elements of a drawing as they are read."""

    def __init__(self) -> None:
        self.parts = [_Part()]
        self.names: dict[str, int] = {}
        self._open = [0]  # for each open element, the part that it belongs to
        self._elements = 0

    def begin(self, name: str, attributes: dict[str, str]) -> None:
        self._elements += 1
        if self._elements > _MOST_ELEMENTS:
            raise _TooMuch
        part = self._open[-1]
        called = attributes.get("id")
        if called is not None:
            self.parts[part].inside.append(len(self.parts))
            part = len(self.parts)
            self.names.setdefault(called, part)
            self.parts.append(_Part())
        self.parts[part].own += 1
        reference = attributes.get("href") or attributes.get("xlink:href") or ""
        if name.rpartition(":")[2] == "use" and reference.startswith("#"):
            self.parts[part].used.append(reference[1:])
        self._open.append(part)

    def end(self, _: str) -> None:
        self._open.pop()

    def drawn(self) -> int:
        """The elements with all that they use, over and over; what uses itself is not drawn at all."""
        found: dict[int, int] = {}
        under_way: set[int] = set()
        waiting = [0]
        while waiting:
            number = waiting[-1]
            part = self.parts[number]
            needed = part.inside + [self.names[name] for name in part.used if name in self.names]
            if number not in under_way and number not in found:
                under_way.add(number)
                waiting += [each for each in needed if each not in found and each not in under_way]
                continue
            waiting.pop()
            if number not in found:
                found[number] = part.own + sum(found.get(each, 0) for each in needed)
                under_way.discard(number)
        return found[0]


def is_bomb(data: bytes) -> bool:
    """Whether an SVG draws more than 100,000 elements. One that cannot be read draws none."""
    census, parser = _Census(), expat.ParserCreate()
    parser.StartElementHandler, parser.EndElementHandler = census.begin, census.end
    try:
        parser.Parse(data, True)
    except _TooMuch:
        return True
    except (expat.ExpatError, ValueError):
        return False
    return census.drawn() > _MOST_ELEMENTS
