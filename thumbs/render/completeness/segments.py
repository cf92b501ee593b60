"""The segments of a JPEG (ITU-T T.81, annex B): its frame and its scans, and the file without what confuses libjpeg."""

import re
from dataclasses import dataclass, field

from thumbs.render.bombs.limits import MAX_JPEG_SCANS, MAX_JPEG_SEGMENTS

SEQUENTIAL, PROGRESSIVE = (0xC0, 0xC1), (0xC2,)
_MARKER = re.compile(rb"\xff+[^\xff\x00]")
# Ends coded data: restart markers are part of it, and libjpeg passes over lower codes there.
_END_OF_DATA = re.compile(rb"\xff+[\xc0-\xcf\xd8-\xfe]")
_FRAMES = tuple(code for code in range(0xC0, 0xD0) if code not in (0xC4, 0xC8, 0xCC))
_WITHOUT_LENGTH = (0x01, *range(0xD0, 0xD9))
_TABLES, _END, _SCAN, _RESTARTS = 0xC4, 0xD9, 0xDA, 0xDD
_JFIF = 0xE0
_SOI, EOI = b"\xff\xd8", b"\xff\xd9"
_ALL_COEFFICIENTS = bytes((0, 63, 0))  # first, last and precision of a sequential scan

# A Huffman table: how many codes of each length from 1 to 16 there are, and their symbols.
Table = tuple[bytes, bytes]


@dataclass(frozen=True, slots=True)
class Component:
    """A component of a frame: its number, and how many blocks an MCU has of it, across and down."""

    number: int
    across: int
    down: int


@dataclass(frozen=True, slots=True)
class Scan:
    """A scan: coefficients `first` to `last` of `components`, in the data between `start` and `end` of the file.

    `high` is 0 for the first scan of these coefficients, and `low` the number of bits that are left for later ones.
    `tables` has the tables of DC and AC coefficients of each component. `interval` is the MCUs between restarts, or 0.
    """

    components: tuple[Component, ...]
    tables: tuple[tuple[Table | None, Table | None], ...]
    first: int
    last: int
    high: int
    low: int
    interval: int
    start: int
    end: int


@dataclass(slots=True)
class Jpeg:
    """A JPEG. `frame` is the code of its marker, `mended` the file in a form about which libjpeg has less to warn.

    `mended` is the file up to its end marker, which is added where it is missing, without bytes between segments, with
    a known version of JFIF and the only parameters that a sequential scan can have. `ended`: there was an end marker.
    """

    frame: int = 0
    size: tuple[int, int] = (0, 0)
    components: tuple[Component, ...] = ()
    scans: list[Scan] = field(default_factory=list)
    ended: bool = False
    mended: bytes = b""

    @property
    def is_single_scan(self) -> bool:
        """Whether the first scan is the whole picture."""
        return self.frame in SEQUENTIAL and len(self.scans[0].components) == len(self.components)

    @property
    def lacks_scans(self) -> bool:
        """Whether scans that would complete the picture are missing: of components, coefficients or their last bits."""
        left = {component.number: dict.fromkeys(range(64), 1) for component in self.components}
        for scan in self.scans:
            for component in scan.components:
                left[component.number].update(dict.fromkeys(range(scan.first, scan.last + 1), scan.low))
        return any(any(bits.values()) for bits in left.values())


class Unreadable(Exception):
    """The file is not a JPEG that is understood here: coded arithmetically, without loss, or damaged."""


def read_segments(data: bytes) -> Jpeg:
    """The structure of a JPEG. Raises `Unreadable`."""
    try:
        return _Reader(data).read()
    except (IndexError, KeyError) as error:
        raise Unreadable from error


class _Reader:
    def __init__(self, data: bytes) -> None:
        self._data = data
        self._jpeg = Jpeg()
        self._tables: dict[int, Table] = {}
        self._interval = 0
        self._parts: list[bytes | memoryview] = [_SOI]

    def read(self) -> Jpeg:
        jpeg, data, at = self._jpeg, self._data, 2
        for _ in range(MAX_JPEG_SEGMENTS):
            marker = _MARKER.search(data, at)
            if marker is None:
                break
            code, at = data[marker.end() - 1], marker.end()
            if code == _END:
                jpeg.ended = True
                break
            if code in _WITHOUT_LENGTH:
                continue
            end = at + int.from_bytes(data[at : at + 2], "big")
            if end > len(data):
                break
            content = data[at + 2 : end]
            at = self._scan(content, end) if code == _SCAN else self._segment(code, content, end)
            if code == _SCAN and jpeg.is_single_scan:  # libjpeg reads no further
                break
        if not jpeg.scans:
            raise Unreadable
        jpeg.mended = b"".join((*self._parts, EOI))
        return jpeg

    def _segment(self, code: int, content: bytes, end: int) -> int:
        if code in _FRAMES:
            self._frame(code, content)
        elif code == _TABLES:
            self._define_tables(content)
        elif code == _RESTARTS:
            self._interval = int.from_bytes(content[:2], "big")
        elif code == _JFIF and content[:5] == b"JFIF\0" and len(content) > 5:
            content = content[:5] + b"\1" + content[6:]
        self._keep(code, content)
        return end

    def _keep(self, code: int, content: bytes) -> None:
        self._parts += bytes((0xFF, code)) + (len(content) + 2).to_bytes(2, "big"), content

    def _frame(self, code: int, content: bytes) -> None:
        jpeg = self._jpeg
        if jpeg.frame or code not in (*SEQUENTIAL, *PROGRESSIVE):
            raise Unreadable
        rows = [content[at : at + 3] for at in range(6, 6 + 3 * content[5], 3)]
        components = [Component(row[0], row[1] >> 4, row[1] & 15) for row in rows]
        if not components or any(not (0 < each.across <= 4 and 0 < each.down <= 4) for each in components):
            raise Unreadable
        jpeg.frame, jpeg.components = code, tuple(components)
        jpeg.size = int.from_bytes(content[3:5], "big"), int.from_bytes(content[1:3], "big")

    def _define_tables(self, content: bytes) -> None:
        at = 0
        while at < len(content):
            counts = content[at + 1 : at + 17]
            total = sum(counts)
            if len(counts) < 16 or total > 256 or at + 17 + total > len(content):
                raise Unreadable
            self._tables[content[at]] = counts, content[at + 17 : at + 17 + total]
            at += 17 + total

    def _scan(self, content: bytes, start: int) -> int:
        jpeg, data = self._jpeg, self._data
        count = content[0]
        if len(jpeg.scans) == MAX_JPEG_SCANS or len(content) < 4 + 2 * count or not 1 <= count <= 4:
            raise Unreadable
        chosen = [content[at : at + 2] for at in range(1, 1 + 2 * count, 2)]
        if jpeg.frame in SEQUENTIAL:
            content = content[: 1 + 2 * count] + _ALL_COEFFICIENTS
        first, last, bits = content[1 + 2 * count : 4 + 2 * count]
        if not first <= last <= 63:
            raise Unreadable
        found = _END_OF_DATA.search(data, start)
        end = found.start() if found else len(data)
        numbered = {component.number: component for component in jpeg.components}
        jpeg.scans.append(
            Scan(
                components=tuple(numbered[row[0]] for row in chosen),
                tables=tuple((self._tables.get(row[1] >> 4), self._tables.get(0x10 | row[1] & 15)) for row in chosen),
                first=first,
                last=last,
                high=bits >> 4,
                low=bits & 15,
                interval=self._interval,
                start=start,
                end=end,
            )
        )
        self._keep(_SCAN, content)
        self._parts.append(memoryview(data)[start:end])
        return end
