"""Parts of ICC profiles (ICC.1:2022, 10), of any size, and profiles that make littlecms work for minutes.

A position table may name one element any number of times (10.16): eight bytes for each stage of the conversion, which
is then computed for every point of a grid, before the first pixel.
"""

import struct
from collections.abc import Sequence

from tests.support.color import PROFILES, fixed, gamma_curve, profile, xyz_tag

REPEATS = (10, 1000, 10_000, 100_000)
IDENTITY = b"".join(map(fixed, (1, 0, 0, 0, 1, 0, 0, 0, 1)))
_MATRIX = {
    b"rXYZ": xyz_tag((0.5151, 0.2412, -0.0011)),
    b"gXYZ": xyz_tag((0.2919, 0.6922, 0.0419)),
    b"bXYZ": xyz_tag((0.1572, 0.0666, 0.7841)),
    **dict.fromkeys((b"rTRC", b"gTRC", b"bTRC"), gamma_curve(1.0)),
}


def rgb_profile(tags: dict[bytes, bytes], *, pcs: bytes = b"XYZ ") -> bytes:
    """A profile of a display with the wide primaries of Display P3 and the gamma 1, and with `tags`."""
    return profile(b"mntr", b"RGB ", _MATRIX | tags, pcs=pcs)


def with_rows(rows: Sequence[tuple[bytes, int, int]], contents: bytes, *, base: bytes = PROFILES["p3"]) -> bytes:
    """A profile with the header of `base` and a tag table of (name, offset in `contents`, length)."""
    start = 132 + 12 * len(rows)
    table = b"".join(struct.pack(">4sII", name, start + at, length) for name, at, length in rows)
    data = base[4:128] + struct.pack(">I", len(rows)) + table + contents
    return struct.pack(">I", len(data) + 4) + data


# ------------------------------------------------------------------------------------------------ the types


def curve(entries: int, gamma: float = 1.8) -> bytes:
    values = (round(65535 * (number / max(entries - 1, 1)) ** gamma) for number in range(entries))
    return b"curv\0\0\0\0" + struct.pack(f">I{entries}H", entries, *values)


def parametric(function: int) -> bytes:
    """Gamma 1.8, in the form of any function; those that do not exist get seven numbers."""
    count = (1, 3, 4, 5, 7)[function] if function < 5 else 7
    numbers = (1.8, 1.0, 0.0, 1.0, 0.0, 0.0, 0.0)[:count]
    return b"para\0\0\0\0" + struct.pack(">HH", function, 0) + b"".join(map(fixed, numbers))


def numbers(kind: bytes, count: int) -> bytes:
    return kind + bytes(4) + fixed(0.5) * count


def translations(records: int, length: int = 4) -> bytes:
    """Every record names the same text."""
    at = 16 + 12 * records
    return (
        b"mluc\0\0\0\0"
        + struct.pack(">II", records, 12)
        + struct.pack(">4sII", b"enUS", length, at) * records
        + bytes(length)
    )


def description(length: int, *, declared: int | None = None) -> bytes:
    return b"desc\0\0\0\0" + struct.pack(">I", length if declared is None else declared) + b"x" * length


def _grid(points: Sequence[int], outputs: int, width: int) -> bytes:
    """A table in which every output follows the first input. Its colors are of no matter, but not those of sRGB."""
    inner = 1
    for count in points[1:]:
        inner *= count
    first = points[0]
    return b"".join(
        round((256**width - 1) * number / max(first - 1, 1)).to_bytes(width, "big") * (outputs * inner)
        for number in range(first)
    )


def table(
    width: int, points: int, *, inputs: int = 3, outputs: int = 3, entries: tuple[int, int] = (256, 256)
) -> bytes:
    """An lut8 (`width` 1) or an lut16 (`width` 2), with `entries` in each curve before and behind the grid."""
    before, after = ((256, 256), entries)[width - 1]

    def straight(count: int) -> bytes:
        return b"".join(
            round((256**width - 1) * number / max(count - 1, 1)).to_bytes(width, "big") for number in range(count)
        )

    head = b"mft%d\0\0\0\0" % width + bytes((inputs, outputs, points, 0)) + IDENTITY
    head += struct.pack(">HH", before, after) if width == 2 else b""
    grid = _grid([points] * inputs, outputs, width)
    return head + straight(before) * inputs + grid + straight(after) * outputs


def pipeline(
    kind: bytes, points: Sequence[int], *, width: int = 2, curves: bytes = b"", outputs: int = 3, shared: bool = False
) -> bytes:
    """An lutAToB (`mAB `) or an lutBToA (`mBA `) of all five elements, every curve of them `curves`.

    With `shared`, all sets of curves are at one offset.
    """
    curves = curves or curve(2)
    curves += bytes(-len(curves) % 4)
    inputs = len(points)
    a_count, b_count = (inputs, outputs) if kind == b"mAB " else (outputs, inputs)
    matrix = IDENTITY + bytes(12)
    grid = bytes(points).ljust(16, b"\0") + bytes((width, 0, 0, 0)) + _grid(points, outputs, width)
    grid += bytes(-len(grid) % 4)
    if shared:
        contents, every = matrix + grid + curves * max(a_count, b_count), 80 + len(grid)
        return pipeline_of(kind, inputs, outputs, (every, 32, every, 80, every), contents)
    parts = (curves * b_count, matrix, curves * b_count, grid, curves * a_count)
    offsets = [32 + sum(map(len, parts[:number])) for number in range(len(parts))]
    return pipeline_of(kind, inputs, outputs, offsets, b"".join(parts))


def pipeline_of(kind: bytes, inputs: int, outputs: int, offsets: Sequence[int], contents: bytes) -> bytes:
    """The offsets are those of the B curves, the matrix, the M curves, the grid and the A curves."""
    return kind + bytes(4) + bytes((inputs, outputs, 0, 0)) + struct.pack(">5I", *offsets) + contents


# ------------------------------------------------------------------------------------------------- the bombs


def elements(repeats: int) -> bytes:
    """A multiProcessElements that names one set of curves so often. Each curve is the gamma 2, so all becomes black."""
    segment = b"parf\0\0\0\0" + struct.pack(">HH4f", 0, 0, 2.0, 1.0, 0.0, 0.0)
    one = b"curf\0\0\0\0" + struct.pack(">HH", 1, 0) + segment
    head = b"cvst\0\0\0\0" + struct.pack(">HH", 3, 3)
    element = head + struct.pack(">II", len(head) + 24, len(one)) * 3 + one
    start = 16 + 8 * repeats
    position = struct.pack(">II", start, len(element))
    return b"mpet\0\0\0\0" + struct.pack(">HHI", 3, 3, repeats) + position * repeats + element


def bomb(repeats: int, *names: bytes) -> bytes:
    """An RGB profile with `repeats` stages in the tags `names`: by default in those that littlecms prefers."""
    made = rgb_profile(dict.fromkeys(names or (b"D2B0", b"D2B1"), elements(repeats)))
    return made[:8] + b"\4\x30" + made[10:]  # littlecms reads the tags in profiles of version 4
