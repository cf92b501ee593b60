"""PNG: every color type and depth, interlaced or not, with every description of color (PNG, third edition)."""

import struct
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from PIL import Image

from bench.browser.samples import profiles
from bench.browser.samples.drawing import colors, transparent

Sample = tuple[str, bytes]
_GRAY, _RGB, _PALETTE, _GRAY_ALPHA, _RGBA = 0, 2, 3, 4, 6
_NAMES = {_GRAY: "gray", _RGB: "rgb", _PALETTE: "palette", _GRAY_ALPHA: "graya", _RGBA: "rgba"}
_DEPTHS = {_GRAY: (1, 2, 4, 8, 16), _RGB: (8, 16), _PALETTE: (1, 2, 4, 8), _GRAY_ALPHA: (8, 16), _RGBA: (8, 16)}
_ADAM7 = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))
_WHOLE = ((0, 0, 1, 1),)


def chunk(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))


def gama(gamma: float) -> bytes:
    return chunk(b"gAMA", struct.pack(">I", round(gamma * 100_000)))


def chrm(*chromaticities: float) -> bytes:
    """White, red, green and blue, x and y of each."""
    return chunk(b"cHRM", struct.pack(">8I", *(round(value * 100_000) for value in chromaticities)))


def cicp(primaries: int, transfer: int, matrix: int = 0, full: int = 1) -> bytes:
    return chunk(b"cICP", bytes((primaries, transfer, matrix, full)))


def iccp(profile: bytes) -> bytes:
    return chunk(b"iCCP", b"sample\0\0" + zlib.compress(profile))


SRGB = chunk(b"sRGB", b"\0")
_P3 = chrm(0.3127, 0.329, 0.68, 0.32, 0.265, 0.69, 0.15, 0.06)
_BT709 = chrm(0.3127, 0.329, 0.64, 0.33, 0.3, 0.6, 0.15, 0.06)
_D50 = chrm(0.3457, 0.3585, 0.64, 0.33, 0.3, 0.6, 0.15, 0.06)
_ZERO = chrm(0, 0, 0, 0, 0, 0, 0, 0)

DESCRIPTIONS: dict[str, bytes] = {
    "none": b"",
    "srgb": SRGB,
    **{f"gama-{gamma:g}": gama(gamma) for gamma in (0.0, 0.3, 0.45455, 0.55556, 1.0, 2.2)},
    "chrm-p3": _P3,
    "chrm-d50": _D50,
    "chrm-zero": _ZERO,
    "gama-0.45455-chrm-p3": gama(0.45455) + _P3,
    "gama-1-chrm-p3": gama(1.0) + _P3,
    "gama-0.45455-chrm-bt709": gama(0.45455) + _BT709,
    "gama-0.45455-chrm-d50": gama(0.45455) + _D50,
    "gama-0.45455-chrm-zero": gama(0.45455) + _ZERO,
    "srgb-gama-1": SRGB + gama(1.0),
    "srgb-gama-1-chrm-p3": SRGB + gama(1.0) + _P3,
    **{f"icc-{name}": iccp(profile) for name, profile in profiles.RGB.items()},
    **{f"icc-broken-{name}": iccp(profile) for name, profile in profiles.BROKEN.items()},
    "icc-broken-p3-gama-1": iccp(profiles.BROKEN["cut"]) + gama(1.0),
    "icc-gray": iccp(profiles.GRAY["gamma18"]),
    "icc-p3-gama-1": iccp(profiles.RGB["p3"]) + gama(1.0),
    "icc-p3-srgb": iccp(profiles.RGB["p3"]) + SRGB,
    **{
        f"cicp-{primaries}-{transfer}": cicp(primaries, transfer)
        for primaries, transfer in (
            *((1, 13), (1, 1), (1, 4), (1, 5), (1, 6), (1, 7), (1, 8), (1, 11), (1, 14), (1, 16), (1, 18)),
            *((2, 2), (2, 13), (1, 2), (4, 4), (5, 1), (6, 6), (7, 7), (8, 1), (10, 8), (11, 17), (12, 13), (12, 16)),
            *((12, 18), (22, 13), (9, 1), (9, 8), (9, 13), (9, 14), (9, 15), (9, 16), (9, 18), (0, 13), (3, 3)),
            *((200, 13), (1, 200), (12, 2), (2, 16)),
        )
    },
    "cicp-12-13-limited": cicp(12, 13, full=0),
    "cicp-12-13-matrix-1": cicp(12, 13, matrix=1),
    "cicp-12-13-icc-swapped": cicp(12, 13) + iccp(profiles.RGB["swapped"]),
    "cicp-12-13-gama-1": cicp(12, 13) + gama(1.0),
    "cicp-12-13-srgb": cicp(12, 13) + SRGB,
    "cicp-2-2-gama-1": cicp(2, 2) + gama(1.0),
    "cicp-2-2-icc-swapped": cicp(2, 2) + iccp(profiles.RGB["swapped"]),
}


@dataclass(frozen=True, slots=True)
class Pixels:
    """Samples of a picture: rows of pixels, each with one number for a band."""

    color_type: int
    depth: int
    rows: Sequence[Sequence[Sequence[int]]]

    def file(self, before: bytes = b"", *, interlaced: bool = False, after: bytes = b"") -> bytes:
        """`before` stands before a palette, and `after` right before the pixels."""
        height, width = len(self.rows), len(self.rows[0])
        header = struct.pack(">IIBBBBB", width, height, self.depth, self.color_type, 0, 0, interlaced)
        data = b""
        for left, top, step, rows in _ADAM7 if interlaced else _WHOLE:
            for row in self.rows[top::rows]:
                if pixels := row[left::step]:
                    data += b"\0" + self._packed([value for pixel in pixels for value in pixel])
        return b"".join(
            (
                b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + before + after,
                chunk(b"IDAT", zlib.compress(data)) + chunk(b"IEND", b""),
            )
        )

    def _packed(self, values: Sequence[int]) -> bytes:
        if self.depth == 16:
            return struct.pack(f">{len(values)}H", *values)
        if self.depth == 8:
            return bytes(values)
        bits = "".join(f"{value:0{self.depth}b}" for value in values)
        bits += "0" * (-len(bits) % 8)
        return int(bits, 2).to_bytes(len(bits) // 8, "big")


def pixels(color_type: int, depth: int) -> tuple[Pixels, bytes]:
    """The drawing, and its palette as a chunk; empty without one."""
    if color_type == _PALETTE:
        image = colors().quantize(1 << depth, dither=Image.Dither.NONE)
        palette = chunk(b"PLTE", bytes(image.getpalette() or ())[: 3 << depth])
        return Pixels(color_type, depth, _rows(image, 8, 8)), palette
    mode = {_GRAY: "L", _RGB: "RGB", _GRAY_ALPHA: "LA", _RGBA: "RGBA"}[color_type]
    return Pixels(color_type, depth, _rows(transparent().convert(mode), 8, depth)), b""


def samples() -> Iterator[Sample]:
    """Names and contents."""
    for color_type, depths in _DEPTHS.items():
        for depth in depths:
            drawn, palette = pixels(color_type, depth)
            name = f"png/{_NAMES[color_type]}{depth}"
            yield f"{name}.png", drawn.file(after=palette)
            yield f"{name}-interlaced.png", drawn.file(after=palette, interlaced=True)
            if color_type in (_GRAY, _RGB, _PALETTE):
                yield f"{name}-trns.png", drawn.file(after=palette + _transparency(drawn))
            yield f"{name}-gama-1.png", drawn.file(gama(1.0), after=palette)
            yield f"{name}-cicp-p3.png", drawn.file(cicp(12, 13), after=palette)
            profile = profiles.GRAY["linear"] if color_type in (_GRAY, _GRAY_ALPHA) else profiles.RGB["swapped"]
            yield f"{name}-icc.png", drawn.file(iccp(profile), after=palette)
            yield f"{name}-icc-linear.png", drawn.file(iccp(profiles.RGB["linear"]), after=palette)
    yield from _described()


def _described() -> Iterator[Sample]:
    for color_type, depth in ((_RGB, 8), (_RGBA, 8), (_RGB, 16)):
        drawn, _ = pixels(color_type, depth)
        for name, description in DESCRIPTIONS.items():
            yield f"png-{_NAMES[color_type]}{depth}/{name}.png", drawn.file(description)


def _transparency(drawn: Pixels) -> bytes:
    """One color for gray and RGB, the alpha of every second entry for a palette."""
    if drawn.color_type == _PALETTE:
        return chunk(b"tRNS", bytes(40 * number % 256 if number % 2 else 255 for number in range(1 << drawn.depth)))
    middle = drawn.rows[len(drawn.rows) // 2][len(drawn.rows[0]) // 2]
    return chunk(b"tRNS", struct.pack(f">{len(middle)}H", *middle))


def _rows(image: Image.Image, depth: int, wanted: int) -> list[list[tuple[int, ...]]]:
    """The samples of 8 bits, at another depth."""
    bands = len(image.getbands())
    data = image.tobytes()
    top, most = (1 << depth) - 1, (1 << wanted) - 1
    values = [round(value * most / top) for value in data] if wanted != depth else list(data)
    width = image.width * bands
    return [
        [tuple(values[at : at + bands]) for at in range(start, start + width, bands)]
        for start in range(0, len(values), width)
    ]
