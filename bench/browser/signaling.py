"""Whether a file says that its colors are of high dynamic range: a transfer function of PQ or HLG."""

import re
import zlib

_INFLATED_BYTES = 1 << 22
_PQ_AND_HLG = (16, 18)  # transfer characteristics of ITU-T H.273, table 3

# Each gives the transfer characteristics as one byte: PNG's cICP chunk, HEIF's `colr` box (two bytes, the first is 0),
# and the `cicp` tag of an ICC profile (ICC.1:2022, 9.2.17).
_SIGNALS = (
    re.compile(rb"\0\0\0\x04cICP.(.)", re.DOTALL),
    re.compile(rb"colrnclx..\0(.)", re.DOTALL),
    re.compile(rb"cicp\0\0\0\0.(.)", re.DOTALL),
)
_PNG_PROFILE = re.compile(rb"iCCP[^\0]{1,79}\0\0(.*)", re.DOTALL)


def has_high_dynamic_range(head: bytes) -> bool:
    """Whether any description of color in the first bytes of a file names PQ or HLG."""
    if (compressed := _PNG_PROFILE.search(head)) is not None:
        head += _inflated(compressed[1])
    return any(found[1][0] in _PQ_AND_HLG for signal in _SIGNALS for found in signal.finditer(head))


def _inflated(data: bytes) -> bytes:
    """The start of a zlib stream; empty for other data."""
    try:
        return zlib.decompressobj().decompress(data, _INFLATED_BYTES)
    except zlib.error:
        return b""
