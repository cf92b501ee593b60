"""AVIFs: items, properties and boxes that are false, many or repeated."""

import struct
from collections.abc import Iterator
from dataclasses import replace
from functools import cache, partial

from PIL import Image

from tests.support.avif_files import assembled, box, full_box, grid, parts_of, tiles_of_grid
from tests.support.hostile.parts import (
    BROKEN,
    EITHER,
    FINE,
    FOREIGN,
    HUGE,
    MILLION,
    Hostile,
    cut,
    frames,
    good_file,
    replaced,
    rubbish,
)
from tests.support.pictures import encoded, noise


def _sized(data: bytes, width: int, height: int) -> bytes:
    """The image spatial extents of ISO/IEC 23008-12, 6.5.3, as they are not."""
    at = data.index(b"ispe") + 8
    return data[:at] + struct.pack(">II", width, height) + data[at + 8 :]


@cache
def _large_avif() -> bytes:
    return encoded(Image.new("L", (5200, 5200), 99), "AVIF", speed=10, quality=20)


def _box(kind: bytes, data: bytes, version: int | None = None) -> bytes:
    """A box of ISO/IEC 14496-12, 4.2; a full one when it has a version."""
    return box(kind, data) if version is None else full_box(kind, data, version=version)


def _inside(data: bytes, kind: bytes) -> bytes:
    """What is in the first box of that kind."""
    at = data.index(kind)
    return data[at + 4 : at - 4 + struct.unpack(">I", data[at - 4 : at])[0]]


def _metadata(items: int, extents: int, count: int) -> bytes:
    """The good picture with items of EXIF data, each put together of the same `count` bytes again and again."""
    pixels, properties = _inside(good_file("avif"), b"mdat"), _inside(good_file("avif"), b"iprp")
    numbers = range(2, items + 2)
    names = [struct.pack(">HH4sx", 1, 0, b"av01"), *(struct.pack(">HH4sx", number, 0, b"Exif") for number in numbers)]

    def meta(at: int) -> bytes:
        repeated = struct.pack(">II", at + len(pixels), count) * extents
        places = (
            struct.pack(">HHHII", 1, 0, 1, at, len(pixels)),
            *(struct.pack(">HHH", number, 0, extents) + repeated for number in numbers),
        )
        boxes = (
            *(_box(b"hdlr", bytes(4) + b"pict" + bytes(13), 0), _box(b"pitm", struct.pack(">H", 1), 0)),
            _box(b"iloc", b"\x44\0" + struct.pack(">H", items + 1) + b"".join(places), 0),
            _box(b"iinf", struct.pack(">H", items + 1) + b"".join(_box(b"infe", name, 2) for name in names), 0),
            _box(b"iref", b"".join(_box(b"cdsc", struct.pack(">HHH", number, 1, 1)) for number in numbers), 0),
            _box(b"iprp", properties),
        )
        return _box(b"meta", b"".join(boxes), 0)

    head = _box(b"ftyp", b"avif\0\0\0\0avifmif1miaf")
    return head + meta(len(head) + len(meta(0)) + 8) + _box(b"mdat", pixels + bytes(count))


def _pictures(count: int, kind: bytes | None, *, repeated: int = 1) -> bytes:
    """The good picture, and as many more of the same megabyte, to which it is bound; or it is a grid of them."""
    good = parts_of(good_file("avif"))[0]
    large = replace(good, data=good.data + box(b"free", bytes(MILLION)))
    if kind is None:
        return assembled(grid([large] * count, (200 * count, 150), columns=count), [tiles_of_grid(count)])
    references = [(kind, number, (1,)) for number in range(2, count + 2)]
    return assembled([good, *[large] * count], references, repeated=repeated)


def _misspelled() -> bytes:
    """Turned by a property of an unknown type."""
    exif = Image.Exif()
    exif[0x112] = 6
    return replaced(encoded(noise(200, 150), "AVIF", exif=exif), b"irot", b"\xff\xc3(\xfe")


def avifs() -> Iterator[Hostile]:
    good = partial(good_file, "avif")
    for width, height in ((30_000, 30_000), (0xFFFFFFFF, 0xFFFFFFFF), (0, 0)):
        build = partial(lambda size: _sized(good(), *size), (width, height))
        yield Hostile(f"avif-announcing-{width}x{height}", BROKEN, build)
    yield Hostile("avif-announcing-more-than-it-has", HUGE, lambda: _sized(good(), 4900, 4900))
    yield Hostile("avif-announcing-less-than-it-has", EITHER, lambda: _sized(good(), 10, 10))
    yield Hostile("avif-of-27-megapixels", BROKEN, _large_avif)
    yield Hostile("avif-of-27-megapixels-announcing-few", EITHER, lambda: _sized(_large_avif(), 100, 100))
    yield Hostile("avif-sequence", FINE, lambda: frames("AVIF", 30, speed=10))
    yield Hostile("avif-metadata-of-200-MB", EITHER, lambda: _metadata(20, 32, 300_000))
    yield Hostile("avif-metadata-of-2-GB", EITHER, lambda: _metadata(62, 32, MILLION), slow=True)
    yield Hostile("avif-metadata-of-8-GB", EITHER, lambda: _metadata(255, 32, MILLION), slow=True)
    yield Hostile("avif-tiles-of-100-MB", EITHER, lambda: _pictures(100, None))
    yield Hostile("avif-thumbnails-of-1-GB", EITHER, lambda: _pictures(50, b"thmb", repeated=20))
    yield Hostile("avif-metadata-behind-others", EITHER, lambda: good() + _metadata(62, 32, MILLION)[28:], slow=True)
    yield Hostile("avif-begun-only", BROKEN, lambda: b"\0\0\0\x1cftypavif\0\0\0\0avifmif1miaf")
    yield Hostile("avif-box-of-4-GB", BROKEN, lambda: good()[:32] + b"\xff" * 4 + good()[36:])
    yield Hostile("avif-box-without-end", EITHER, lambda: good()[:32] + bytes(4) + good()[36:])
    yield Hostile("avif-pixels-elsewhere", BROKEN, lambda: replaced(good(), b"iloc", b"iLOC"))
    yield Hostile(
        "avif-pixels-of-rubbish",
        BROKEN,
        lambda: good()[: good().index(b"mdat") + 4] + rubbish(len(good()) - good().index(b"mdat") - 4),
    )
    yield Hostile("avif-that-says-heic", FOREIGN, lambda: replaced(good(), b"ftypavif", b"ftypheic"))
    # A library quotes this in what it says of the error; it must not be taken for UTF-8, now or at the next error.
    yield Hostile("avif-property-that-is-not-utf-8", BROKEN, _misspelled)
    yield Hostile("avif-cut-short-after-that", BROKEN, lambda: cut("avif", 40))
    yield Hostile("avif-unharmed-after-that", FINE, good)
