"""Reads the box `meta` of an AVIF (ISO/IEC 14496-12, 8.11; ISO/IEC 23008-12), within bounds."""

from thumbs.render.containers.boxes import Box, Cursor, TooManyError, UnreadableError, boxes
from thumbs.render.containers.items import FULL, Association, Extent, Location, Reference, Structure
from thumbs.render.containers.limits import MAX_AVIF_EXTENTS, MAX_AVIF_ITEMS, MAX_AVIF_METAS


def read_structure(data: bytes) -> Structure | None:
    """The items of an AVIF; None where it has no primary item, or its boxes cannot be read.

    They are those of the last box `meta`, as in libheif; a right file has one. Raises `TooManyError` where there are
    more boxes, items or parts of items than the limits of this room allow.
    """
    metas = read_metas(data)
    return structure_of(metas[-1]) if metas else None


def structure_of(meta: Box) -> Structure | None:
    """As `read_structure`, of one box `meta`."""
    try:
        return _Reader(meta).structure()
    except UnreadableError:
        return None


def read_metas(data: bytes) -> list[Box]:
    """All boxes `meta` of a file; a right file has one. Raises `TooManyError`."""
    metas = [box for box in boxes(data, 0, len(data)) if box.name == b"meta"]
    if len(metas) > MAX_AVIF_METAS:
        raise TooManyError
    return metas


def read_locations(meta: Box) -> list[tuple[int, Location]]:
    """All items and where they are, from all boxes `iloc`; a right file has one.

    Raises `TooManyError` and `UnreadableError`.
    """
    reader = _Reader(meta)
    found = []
    for box in meta.children(FULL):
        if box.name == b"iloc":
            found += reader.locations(box.cursor())
    return found


class _Reader:
    """Reads one box `meta`; `left` is how many more parts of items may come."""

    def __init__(self, meta: Box) -> None:
        self.meta, self.left = meta, MAX_AVIF_EXTENTS
        self.boxes: dict[bytes, Box] = {}
        for box in meta.children(FULL):
            self.boxes.setdefault(box.name, box)

    def structure(self) -> Structure | None:
        primary = self.boxes.get(b"pitm")
        if primary is None or b"iloc" not in self.boxes:
            return None
        cursor = primary.cursor()
        version, _ = _versioned(cursor)
        properties = self.boxes.get(b"iprp")
        container = None if properties is None else properties.child(b"ipco")
        return Structure(
            meta=self.meta,
            primary=cursor.number(4 if version else 2),
            types=self._types(),
            locations=_first_of_each(self.locations(self.boxes[b"iloc"].cursor())),
            references=self._references(),
            properties=() if container is None else tuple(self._counted(container)),
            associations={} if properties is None else self._all_associations(properties),
        )

    def _count(self, parts: int) -> None:
        self.left -= parts
        if self.left < 0:
            raise TooManyError

    def _counted(self, container: Box) -> list[Box]:
        found = list(container.children())
        self._count(len(found))
        return found

    def _types(self) -> dict[int, bytes]:
        """Item information (ISO/IEC 14496-12, 8.11.6); entries before version 2 have no type."""
        information = self.boxes.get(b"iinf")
        if information is None:
            return {}
        cursor = information.cursor()
        version, _ = _versioned(cursor)
        cursor.number(4 if version else 2)
        types: dict[int, bytes] = {}
        for entry in boxes(information.data, cursor.at, information.end):
            if len(types) == MAX_AVIF_ITEMS:
                raise TooManyError
            cursor = entry.cursor()
            version, _ = _versioned(cursor)
            item = cursor.number(4 if version >= 3 else 2)
            cursor.number(2)
            types[item] = cursor.name() if version >= 2 else b""
        return types

    def locations(self, cursor: Cursor) -> list[tuple[int, Location]]:
        """Item locations (ISO/IEC 14496-12, 8.11.3)."""
        version, _ = _versioned(cursor)
        sizes, more = cursor.number(1), cursor.number(1)
        offset_size, length_size, base_size = sizes >> 4, sizes & 15, more >> 4
        index_size = more & 15 if version else 0
        wide = 4 if version >= 2 else 2
        locations = []
        count = cursor.number(wide)
        if count > MAX_AVIF_ITEMS:
            raise TooManyError
        for _ in range(count):
            item = cursor.number(wide)
            method = cursor.number(2) & 15 if version else 0
            cursor.number(2)
            base, extent_count = cursor.number(base_size), cursor.number(2)
            self._count(extent_count)
            extents = []
            for _ in range(extent_count):
                cursor.number(index_size)
                start = base + cursor.number(offset_size)
                extents.append(Extent(start, cursor.number(length_size)))
            locations.append((item, Location(method, tuple(extents))))
        return locations

    def _references(self) -> tuple[Reference, ...]:
        """Item references (ISO/IEC 14496-12, 8.11.12)."""
        box = self.boxes.get(b"iref")
        if box is None:
            return ()
        wide = 4 if _versioned(box.cursor())[0] else 2
        references = []
        for each in box.children(FULL):
            cursor = each.cursor()
            source, count = cursor.number(wide), cursor.number(2)
            self._count(1 + count)
            references.append(Reference(each.name, source, tuple(cursor.number(wide) for _ in range(count))))
        return tuple(references)

    def _all_associations(self, properties: Box) -> dict[int, tuple[Association, ...]]:
        """Item property associations (ISO/IEC 23008-12, 9.3.1), of all boxes `ipma`."""
        found: dict[int, tuple[Association, ...]] = {}
        for box in properties.children():
            if box.name == b"ipma":
                self._associations(box.cursor(), found)
        return found

    def _associations(self, cursor: Cursor, found: dict[int, tuple[Association, ...]]) -> None:
        version, flags = _versioned(cursor)
        wide, size = (4 if version else 2), (2 if flags & 1 else 1)
        essential = 0x80 << 8 * (size - 1)
        for _ in range(cursor.number(4)):
            item, count = cursor.number(wide), cursor.number(1)
            self._count(1 + count)
            numbers = [cursor.number(size) for _ in range(count)]
            found[item] = found.get(item, ()) + tuple(
                Association(number & ~essential, bool(number & essential)) for number in numbers
            )


def _first_of_each(locations: list[tuple[int, Location]]) -> dict[int, Location]:
    return dict(reversed(locations))


def _versioned(cursor: Cursor) -> tuple[int, int]:
    """Version and flags of a full box."""
    number = cursor.number(FULL)
    return number >> 24, number & 0xFFFFFF
