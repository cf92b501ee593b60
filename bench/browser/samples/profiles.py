"""ICC profiles of version 2 with a matrix and curves (ICC.1:2001-04), for common spaces."""

import struct
from collections.abc import Sequence

_D50 = (0.9642, 1.0, 0.8249)
# The columns of each matrix to XYZ under D50: red, green, blue.
_COLUMNS = {
    "srgb": ((0.43607, 0.22249, 0.01392), (0.38515, 0.71687, 0.09708), (0.14307, 0.06061, 0.71410)),
    "p3": ((0.51512, 0.24120, -0.00105), (0.29198, 0.69225, 0.04189), (0.15710, 0.06657, 0.78407)),
    "adobe": ((0.60974, 0.31111, 0.01947), (0.20528, 0.62567, 0.06087), (0.14919, 0.06322, 0.74457)),
    "bt2020": ((0.67348, 0.27904, -0.00193), (0.16566, 0.67535, 0.02998), (0.12505, 0.04561, 0.79686)),
    "prophoto": ((0.79767, 0.28804, 0.0), (0.13519, 0.71188, 0.0), (0.03135, 0.00009, 0.82491)),
}


def _fixed(values: Sequence[float]) -> bytes:
    return b"".join(struct.pack(">i", round(value * 65536)) for value in values)


def _xyz(values: Sequence[float]) -> bytes:
    return b"XYZ \0\0\0\0" + _fixed(values)


def _gamma(gamma: float) -> bytes:
    return b"curv\0\0\0\0" + struct.pack(">IH", 1, round(gamma * 256))


def _srgb_curve() -> bytes:
    """1,024 points of IEC 61966-2-1."""
    steps = (step / 1023 for step in range(1024))
    lights = (step / 12.92 if step <= 0.04045 else ((step + 0.055) / 1.055) ** 2.4 for step in steps)
    return b"curv\0\0\0\0" + struct.pack(">I1024H", 1024, *(round(65535 * light) for light in lights))


def _profile(space: bytes, tags: dict[bytes, bytes]) -> bytes:
    described = {
        b"desc": b"desc\0\0\0\0" + struct.pack(">I", 7) + b"sample\0" + bytes(78),
        b"cprt": b"text\0\0\0\0none\0",
        b"wtpt": _xyz(_D50),
        **tags,
    }
    start = 128 + 4 + 12 * len(described)
    table, contents = struct.pack(">I", len(described)), b""
    for name, content in described.items():
        table += name + struct.pack(">II", start + len(contents), len(content))
        contents += content + bytes(-len(content) % 4)
    header = struct.pack(">I4xI", start + len(contents), 0x02400000) + b"mntr" + space + b"XYZ "
    header += struct.pack(">6H", 2001, 4, 1, 0, 0, 0) + b"acsp" + bytes(28) + _fixed(_D50)
    return header.ljust(128, b"\0") + table + contents


def _rgb(space: str, curve: bytes) -> bytes:
    columns = {name: _xyz(column) for name, column in zip((b"rXYZ", b"gXYZ", b"bXYZ"), _COLUMNS[space], strict=True)}
    return _profile(b"RGB ", columns | dict.fromkeys((b"rTRC", b"gTRC", b"bTRC"), curve))


RGB = {
    "srgb": _rgb("srgb", _srgb_curve()),
    "p3": _rgb("p3", _srgb_curve()),
    "adobe": _rgb("adobe", _gamma(563 / 256)),
    "bt2020": _rgb("bt2020", _gamma(2.4)),
    "prophoto": _rgb("prophoto", _gamma(1.8)),
    "linear": _rgb("srgb", _gamma(1.0)),
    # The columns of red and green swapped: nothing else shows so well whether a profile is used.
    "swapped": _profile(
        b"RGB ",
        {
            **{
                name: _xyz(_COLUMNS["srgb"][column])
                for name, column in zip((b"rXYZ", b"gXYZ", b"bXYZ"), (1, 0, 2), strict=True)
            },
            **dict.fromkeys((b"rTRC", b"gTRC", b"bTRC"), _srgb_curve()),
        },
    ),
}
GRAY = {"gamma18": _profile(b"GRAY", {b"kTRC": _gamma(1.8)}), "linear": _profile(b"GRAY", {b"kTRC": _gamma(1.0)})}
BROKEN = {
    "cut": RGB["p3"][:200],
    "text": b"no profile" * 20,
    "no-tags": RGB["p3"][:128] + bytes(4),
    "wrong-size": struct.pack(">I", 40) + RGB["p3"][4:],
}
