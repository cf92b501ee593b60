"""Restart intervals: which data of a scan is for which MCUs, as libjpeg decides (jpeg_resync_to_restart)."""

import re
from collections.abc import Iterator
from typing import NamedTuple

from thumbs.render.completeness.segments import Scan

_MARKER = re.compile(rb"\xff+[^\xff\x00]")
_FIRST, _NUMBERS = 0xD0, 8
_FIRST_FRAME = 0xC0


class Interval(NamedTuple):
    """The data from `start` to `end` of a file, for `units` MCUs from the number `first` on.

    `found`: its restart marker was found. Else there is no data, and libjpeg skips it if the one before was short too.
    """

    start: int
    end: int
    first: int
    units: int
    found: bool


def intervals(data: bytes, scan: Scan, count: int) -> Iterator[Interval]:
    """The intervals of a scan of `count` MCUs.

    Where a restart marker is not the next one, a marker that comes too early leaves intervals without data, and data
    before a marker that comes too late is passed over.
    """
    interval = scan.interval or count
    at, expected, is_found = scan.start, 0, True
    for first in range(0, count, interval):
        units = min(interval, count - first)
        marker = _MARKER.search(data, at)
        end = marker.start() if marker else len(data)
        yield Interval(at, end, first, units, is_found)
        if first + units < count:
            at, is_found = _after_restart(data, at, expected)
            expected = (expected + 1) % _NUMBERS


def _after_restart(data: bytes, at: int, expected: int) -> tuple[int, bool]:
    """Where the interval behind the restart marker `expected` begins, and whether the marker was found."""
    while True:
        marker = _MARKER.search(data, at)
        if marker is None:
            return len(data), False
        code = data[marker.end() - 1]
        is_restart = _FIRST <= code < _FIRST + _NUMBERS
        ahead = (code - _FIRST - expected) % _NUMBERS
        if code < _FIRST_FRAME or (is_restart and ahead in (_NUMBERS - 1, _NUMBERS - 2)):
            at = marker.end()
        elif not is_restart or ahead in (1, 2):
            return marker.start(), False
        else:
            return marker.end(), True
