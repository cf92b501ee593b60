"""What an AVIF says of its items, and how they belong together (ISO/IEC 14496-12, 8.11; ISO/IEC 23008-12)."""

from dataclasses import dataclass

from thumbs.render.containers.boxes import Box

FULL = 4  # a full box begins with its version and flags
TRANSFORMATIONS = (b"clap", b"irot", b"imir")  # in the order of MIAF (ISO/IEC 23000-22, 7.3.6.7)
# Auxiliary pictures that are alpha (ISO/IEC 23008-12, 6.5.8; the AV1 Image File Format, 4.1; HEVC's own name).
_ALPHA_TYPES = (b"urn:mpeg:mpegB:cicp:systems:auxiliary:alpha", b"urn:mpeg:hevc:2015:auxid:1")


@dataclass(frozen=True, slots=True)
class Extent:
    """`length` bytes from `start` on, in what the item's construction method says; 0: all of it."""

    start: int
    length: int


@dataclass(frozen=True, slots=True)
class Location:
    """Where the bytes of an item are. `method` 0: in the file, 1: in `idat`, 2: in other items."""

    method: int
    extents: tuple[Extent, ...]


@dataclass(frozen=True, slots=True)
class Association:
    """A property of an item: its number in `ipco`, counted from 1. `essential`: a reader must know it."""

    number: int
    essential: bool


@dataclass(frozen=True, slots=True)
class Reference:
    """The item `source` refers to the items `targets`; `kind` are the four letters of the reason."""

    kind: bytes
    source: int
    targets: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Structure:
    """What the box `meta` says. `properties` are the boxes in `ipco`; `types` the four letters of each item."""

    meta: Box
    primary: int
    types: dict[int, bytes]
    locations: dict[int, Location]
    references: tuple[Reference, ...]
    properties: tuple[Box, ...]
    associations: dict[int, tuple[Association, ...]]

    def properties_of(self, item: int) -> list[Box]:
        """The properties of an item, in the order of their associations."""
        count = len(self.properties)
        numbers = (each.number for each in self.associations.get(item, ()))
        return [self.properties[number - 1] for number in numbers if 0 < number <= count]

    def first_property(self, item: int, name: bytes) -> Box | None:
        return next((each for each in self.properties_of(item) if each.name == name), None)

    def transformations_of(self, item: int) -> list[Box]:
        """The crop, rotation and mirroring of an item, in the order of its properties."""
        return [each for each in self.properties_of(item) if each.name in TRANSFORMATIONS]

    def thumbnails_of(self, item: int) -> list[int]:
        return [each.source for each in self.references if each.kind == b"thmb" and item in each.targets]

    def tiles_of(self, item: int) -> tuple[int, ...]:
        """The items that a derived item, as a grid, is made of; none for a coded picture."""
        found = (each.targets for each in self.references if each.kind == b"dimg" and each.source == item)
        return next(found, ())

    def alpha_of(self, item: int) -> int | None:
        """The auxiliary item that is the alpha channel of `item`."""
        for each in self.references:
            if each.kind == b"auxl" and item in each.targets and self._is_alpha(each.source):
                return each.source
        return None

    def is_premultiplied(self, item: int, alpha: int) -> bool:
        """Whether the colors of `item` were multiplied by its `alpha` (ISO/IEC 23008-12, 6.10.1.2)."""
        return any(each.kind == b"prem" and each.source == item and alpha in each.targets for each in self.references)

    def beginning_of(self, item: int, count: int) -> bytes:
        """Up to `count` first bytes of an item that lies in the file or in `idat`; empty for others."""
        location = self.locations.get(item)
        if location is None or location.method not in (0, 1):
            return b""
        start, end = 0, len(self.meta.data)
        if location.method == 1:
            inside = self.meta.child(b"idat", FULL)
            if inside is None:
                return b""
            start, end = inside.start, inside.end
        found = b""
        for each in location.extents:
            after = min(end, start + each.start + each.length) if each.length else end
            found += self.meta.data[start + each.start : after][: count - len(found)]
            if len(found) == count:
                break
        return found

    def _is_alpha(self, item: int) -> bool:
        kind = self.first_property(item, b"auxC")
        return kind is not None and kind.contents()[FULL:].partition(b"\0")[0] in _ALPHA_TYPES
