"""The originals of the search: large and hostile ones, all within the default limits or just beyond them.

Each is drawn when it is first used. Servers read SVG and TIFF only when configured to.
"""

import struct
from collections.abc import Callable, Collection
from functools import partial
from pathlib import Path

import pyvips

from bench.costs.drawings import DRAWINGS
from thumbs.image import limits
from thumbs.image.formats import FORMATS, format_of_extension

_Build = Callable[[], bytes]
_TILE = 1024  # pixels: pictures repeat a tile of noise, farther apart than codecs look back
_SPREAD = 25.0


def noise(width: int, height: int, bands: int = 3, *, sigma: float = _SPREAD) -> pyvips.Image:
    """A picture that compresses badly."""
    across, down = -(-width // _TILE), -(-height // _TILE)
    band = pyvips.Image.gaussnoise(_TILE, _TILE, mean=128, sigma=sigma, seed=7).cast("uchar")
    tiles = [band, band.fliphor(), band.flipver(), band.rot180()]
    picture = tiles[0] if bands == 1 else tiles[0].bandjoin(tiles[1:bands])
    kind = {1: "b-w", 3: "srgb"}.get(bands, "cmyk")
    return picture.replicate(across, down).crop(0, 0, width, height).copy(interpretation=kind)


def ramp(width: int, height: int, bands: int = 3) -> pyvips.Image:
    """A smooth picture of 16 bits, which compresses well."""
    across = (pyvips.Image.xyz(width, 1)[0] % 512 * 128).cast("ushort")
    return across.bandjoin([across] * (bands - 1)).replicate(1, height).copy(interpretation="rgb16")


def _saved(make: Callable[[], pyvips.Image], suffix: str, **options: object) -> _Build:
    return lambda: bytes(make().write_to_buffer(suffix, **options))


def _turned(side: int) -> bytes:
    picture = noise(side, side).copy()
    picture.set_type(pyvips.GValue.gint_type, "orientation", 6)
    return bytes(picture.write_to_buffer(".jpg", Q=85))


def _with_exif(side: int) -> bytes:
    data = bytes(noise(side, side).write_to_buffer(".jpg", Q=85, keep="none"))
    entries = b"".join(struct.pack("<HHII", 0x0100 + number, 7, 0xFFFFFFF0, 8) for number in range(5000))
    body = b"Exif\0\0II*\0\x08\0\0\0" + struct.pack("<H", 5000) + entries
    return data[:2] + struct.pack(">BBH", 0xFF, 0xE1, len(body) + 2) + body + data[2:]


def _with_scans(count: int, side: int) -> bytes:
    """A black progressive JPEG with `count` scans (ITU-T T.81, G.1): each is a walk over the whole picture."""

    def segment(marker: int, data: bytes) -> bytes:
        return struct.pack(">BBH", 0xFF, marker, len(data) + 2) + data

    blocks = (side // 8) ** 2
    empty = bytes(-(-(-(-blocks // 16_384) * 15) // 8))  # for 16,384 blocks at a time: they have no coefficients
    one_code = bytes([1] + [0] * 15)
    colors = b"".join(bytes((color, 0x11, 0)) for color in (1, 2, 3))
    steps = (0x0D, *((low + 1) << 4 | low for low in range(12, -1, -1)))
    scans = [bytes((1, color, 0, at, at, step)) for at in range(1, 64) for color in (1, 2, 3) for step in steps]
    parts = [
        *(b"\xff\xd8", segment(0xDB, b"\0" + b"\1" * 64)),
        segment(0xC2, struct.pack(">BHHB", 8, side, side, 3) + colors),
        *(segment(0xC4, b"\0" + one_code + b"\0"), segment(0xC4, b"\x10" + one_code + b"\xe0")),
        *(segment(0xDA, b"\3\1\0\2\0\3\0\0\0\0"), bytes(-(-blocks * 3 // 8))),
    ]
    parts += [segment(0xDA, scan) + empty for scan in scans[: count - 1]]
    return b"".join((*parts, b"\xff\xd9"))


def _animated(suffix: str, width: int, height: int, frames: int, **options: object) -> bytes:
    strip = noise(width, height * frames, sigma=60).copy()
    strip.set_type(pyvips.GValue.gint_type, "page-height", height)
    return bytes(strip.write_to_buffer(suffix, **options))


def _jpegs() -> dict[str, _Build]:
    large = partial(noise, 7071, 7071)
    return {
        "50 MP": _saved(large, ".jpg", Q=85),
        "50 MP, display P3": _saved(large, ".jpg", Q=85, profile="p3", subsample_mode="off"),
        "50 MP, gray": _saved(partial(noise, 7071, 7071, 1), ".jpg", Q=90),
        "50 MP, sideways": partial(_turned, 7071),
        "50 MP, CMYK with profile": _saved(partial(noise, 7071, 7071, 4, sigma=10), ".jpg", Q=80, profile="cmyk"),
        "50 MP, CMYK without profile": _saved(partial(noise, 7071, 7071, 4, sigma=10), ".jpg", Q=80, keep="none"),
        "65,500 × 760": _saved(partial(noise, 65_500, 760), ".jpg", Q=85),
        "760 × 65,500": _saved(partial(noise, 760, 65_500), ".jpg", Q=85),
        "25 MP, progressive": _saved(partial(noise, 5000, 5000), ".jpg", Q=90, interlace=True),
        "25 MP, 20 scans": partial(_with_scans, 20, 4992),
        "1 MP, 470 scans": partial(_with_scans, 470, 1024),
        "6 MP, EXIF of 60 kB": partial(_with_exif, 2450),
        "24 MP": _saved(partial(noise, 6000, 4000), ".jpg", Q=85),
        "1 MP": _saved(partial(noise, 1024, 1024), ".jpg", Q=85),
    }


def _pngs() -> dict[str, _Build]:
    gray = partial(noise, 7000, 7000, 1)
    return {
        "50 MP, 64 bits": _saved(partial(ramp, 7071, 7071, 4), ".png", compression=1),
        "25 MP, 64 bits, interlaced": _saved(partial(ramp, 5000, 5000, 4), ".png", compression=1, interlace=True),
        "25 MP, interlaced": _saved(partial(noise, 4500, 4500, sigma=4), ".png", compression=1, interlace=True),
        "49 MP, 1 bit": _saved(gray, ".png", compression=1, bitdepth=1),
        "64 MP, 1 bit": _saved(partial(noise, 8000, 8000, 1), ".png", compression=1, bitdepth=1),
        "49 MP, palette": _saved(lambda: ramp(7000, 7000).cast("uchar"), ".png", palette=True, effort=1),
        "16 MP, noise": _saved(partial(noise, 4000, 4000), ".png", compression=1),
        "760 × 65,535": _saved(lambda: ramp(760, 65_535).cast("uchar"), ".png", compression=1),
    }


def _webps() -> dict[str, _Build]:
    return {
        "49 MP": _saved(partial(noise, 16_383, 3000), ".webp", Q=80, effort=0),
        "25 MP, alpha": _saved(lambda: noise(5000, 5000).addalpha(), ".webp", Q=80, effort=0),
        "16 MP, lossless": _saved(partial(noise, 4000, 4000), ".webp", lossless=True, effort=0),
        "1000 frames of 25,000": partial(_animated, ".webp", 200, 125, 1000, Q=70, effort=0),
        "10 frames of 2.5 MP": partial(_animated, ".webp", 1580, 1580, 10, Q=70, effort=0),
    }


def _gifs() -> dict[str, _Build]:
    return {
        "25 MP": _saved(partial(noise, 5000, 5000), ".gif", effort=1, dither=0),
        "1000 frames of 25,000": partial(_animated, ".gif", 200, 125, 1000, effort=1, dither=0),
        "10 frames of 2.5 MP": partial(_animated, ".gif", 1580, 1580, 10, effort=1, dither=0),
    }


def _avifs() -> dict[str, _Build]:
    return {
        "25 MP": _saved(partial(noise, 5000, 5000), ".avif", Q=60, effort=0),
        "25 MP, quality 95, 4:4:4": _saved(partial(noise, 5000, 5000), ".avif", Q=95, effort=0, subsample_mode="off"),
        "24 MP, 10 bits": _saved(partial(ramp, 6000, 4000), ".avif", Q=80, effort=0, bitdepth=10),
        "20 MP, alpha": _saved(lambda: noise(5000, 4000).addalpha(), ".avif", Q=60, effort=0),
        "lossless, 4 MP": _saved(partial(noise, 2000, 2000), ".avif", lossless=True, effort=0),
    }


def _tiffs() -> dict[str, _Build]:
    large = partial(noise, 7071, 7071)
    tiled: dict[str, object] = {"tile": True, "tile_width": 256, "tile_height": 256}
    return {
        "50 MP, JPEG, tiled pyramid": _saved(large, ".tif", compression="jpeg", pyramid=True, **tiled),
        "16 MP, LZW": _saved(partial(noise, 4000, 4000), ".tif", compression="lzw"),
        "50 MP, deflate, tiled": _saved(
            lambda: ramp(7071, 7071).cast("uchar"), ".tif", compression="deflate", level=1, **tiled
        ),
        "50 MP, deflate, 64 bits": _saved(partial(ramp, 7071, 7071, 4), ".tif", compression="deflate", level=1),
        "49 MP, one strip": _saved(
            lambda: ramp(7000, 7000).cast("uchar"), ".tif", compression="deflate", level=1, tile_height=7000
        ),
        "25 MP, tiles of 5,120": _saved(
            partial(noise, 5000, 5000), ".tif", compression="jpeg", tile=True, tile_width=5120, tile_height=5120
        ),
        "12 MP, float": _saved(lambda: ramp(4000, 3000).cast("float"), ".tif", compression="deflate", level=1),
    }


_FAMILIES: dict[str, Callable[[], dict[str, _Build]]] = {
    "jpg": _jpegs,
    "png": _pngs,
    "webp": _webps,
    "gif": _gifs,
    "avif": _avifs,
    "tif": _tiffs,
    "svg": lambda: {name: partial(bytes, data) for name, data in DRAWINGS.items()},
}


class Originals:
    """Originals of `formats`, drawn into `directory`. Requests call them by `names`: `{description}.{extension}`."""

    def __init__(self, directory: Path, formats: Collection[str] = FORMATS) -> None:
        self._directory = directory
        self._builds = {
            f"{name}.{kind}": build
            for kind, family in _FAMILIES.items()
            if format_of_extension(f".{kind}") in formats
            for name, build in family().items()
        }
        self.names = tuple(self._builds)

    def read(self, name: str) -> bytes:
        """The file, which is drawn the first time. Raises `ValueError` for one that no server would read."""
        file = self._directory / name
        if not file.exists():
            data = self._builds[name]()
            if len(data) > limits.MAX_SOURCE_BYTES:
                raise ValueError(f"{name} has {len(data):,} bytes, more than the limit")
            file.write_bytes(data)
        return file.read_bytes()
