"""TIFFs: what a server reads only when configured to."""

import struct
from collections.abc import Callable, Iterator

from tests.support.hostile.parts import (
    BROKEN,
    EITHER,
    FALSE_PROFILE,
    FINE,
    FOREIGN,
    MILLION,
    Hostile,
    ifd,
    zeros,
)
from tests.support.pictures import encoded, noise


def _tiff(*entries: tuple[int, int, int, int], data: bytes = b"", following: int = 0) -> bytes:
    """One gray picture of 8 bits in one strip behind its directory; `entries` come in place of what is said of it."""
    said = {256: (3, 1, 200), 257: (3, 1, 150), 258: (3, 1, 8), 259: (3, 1, 1), 262: (3, 1, 1), 277: (3, 1, 1)}
    said |= {273: (4, 1, 0), 278: (4, 1, 0xFFFFFFFF), 279: (4, 1, len(data))}
    said |= {tag: (kind, count, value) for tag, kind, count, value in entries}
    if said[273][2] == 0:
        said[273] = (4, 1, len(ifd(*((tag, *row) for tag, row in said.items()))))
    return ifd(*((tag, *row) for tag, row in said.items()), following=following) + data


def tiffs() -> Iterator[Hostile]:
    def good() -> bytes:
        return encoded(noise(200, 150), "TIFF")

    rows: dict[str, tuple[set[int], Callable[[], bytes]]] = {
        "plain": (FINE, lambda: _tiff(data=bytes(30_000))),
        "cut-at-1": (BROKEN, lambda: good()[: len(good()) // 100]),
        "cut-at-50": (BROKEN, lambda: good()[: len(good()) // 2]),
        "cut-at-99": (EITHER, lambda: good()[: len(good()) * 99 // 100]),
        "begun-only": (BROKEN, lambda: b"II*\0"),
        "that-loops": (EITHER, lambda: _tiff(data=bytes(30_000), following=8)),
        "announcing-30000x30000": (BROKEN, lambda: _tiff((256, 4, 1, 30_000), (257, 4, 1, 30_000), data=bytes(100))),
        "announcing-4-G": (BROKEN, lambda: _tiff((256, 4, 1, 0xFFFFFFFF), (257, 4, 1, 0xFFFFFFFF), data=bytes(100))),
        "of-nothing": (BROKEN, lambda: _tiff((256, 4, 1, 0), (257, 4, 1, 0))),
        "pixels-elsewhere": (BROKEN, lambda: _tiff((273, 4, 1, 0xFFFFFF00), (279, 4, 1, 0xFFFFFFFF))),
        "of-65535-channels": (FOREIGN, lambda: _tiff((277, 3, 1, 65_535), data=bytes(30_000))),
        "of-64-bits": (FOREIGN, lambda: _tiff((258, 3, 1, 64), (339, 3, 1, 3), data=bytes(8 * 30_000))),
        "of-tiles-of-4-G": (BROKEN, lambda: _tiff((322, 4, 1, 0xFFFFFFF0), (323, 4, 1, 0xFFFFFFF0), (324, 4, 1, 200))),
        "counts-of-4-G": (BROKEN, lambda: _tiff((273, 4, 0xFFFFFFFF, 200), (279, 4, 0xFFFFFFFF, 200))),
        "bomb": (
            BROKEN,
            lambda: _tiff((256, 4, 1, 12_000), (257, 4, 1, 12_000), (259, 3, 1, 8), data=zeros(144 * MILLION)),
        ),
        "bomb-behind-the-pixels": (EITHER, lambda: _tiff((259, 3, 1, 8), data=zeros(144 * MILLION))),
        "of-unknown-compression": (FOREIGN, lambda: _tiff((259, 3, 1, 60_000), data=bytes(30_000))),
        "of-old-jpeg": (FOREIGN, lambda: _tiff((259, 3, 1, 6), data=bytes(30_000))),
        "of-5-channels": (FINE, lambda: _tiff((277, 3, 1, 5), data=bytes(150_000))),
        "of-900-channels": (FINE, lambda: _tiff((277, 3, 1, 900), data=bytes(900 * 30_000))),
        "of-signed-samples": (FINE, lambda: _tiff((339, 3, 1, 2), data=bytes(30_000))),
        "of-5000-pages": (FINE, lambda: _pages(5000)),
        "description-of-20-MB": (EITHER, lambda: _described(20 * MILLION)),
        "description-of-40-MB": (EITHER, lambda: _described(40 * MILLION)),
        "profile-that-lies": (EITHER, lambda: encoded(noise(200, 150), "TIFF", icc_profile=FALSE_PROFILE)),
    }
    for name, (right, build) in rows.items():
        yield Hostile(f"tiff-{name}", right, build, wide=True)


def _described(count: int) -> bytes:
    """A picture with a longer description than some libraries accept."""
    pixels = bytes(30_000)
    start = len(_tiff((270, 2, count, 0)))
    return _tiff((270, 2, count, start + len(pixels)), data=pixels) + b"x" * (count - 1) + b"\0"


def _pages(count: int) -> bytes:
    """The same picture again and again: directories that differ only in where the next one is."""
    pixels = bytes(30_000)
    one = _tiff(data=pixels)
    directory = one[8 : -len(pixels) - 4]
    places = [len(one) + number * (len(directory) + 4) for number in range(count - 1)]
    first, *others = [directory + struct.pack("<I", place) for place in (*places, 0)]
    return one[:8] + first + pixels + b"".join(others)
