"""Reads what the sequence header of AV1 data says of its samples (AV1 Bitstream and Decoding Process, 5.5)."""

from dataclasses import dataclass

from thumbs.render.containers.boxes import UnreadableError

_SEQUENCE_HEADER = 1
# A sequence header has less than 300 bytes. Delimiters, metadata and padding may stand before it.
_MAX_HEADER_BYTES = 512
_MAX_UNITS = 32
UNSPECIFIED = 2
_SRGB_IDENTITY = (1, 13, 0)


@dataclass(frozen=True, slots=True)
class SequenceHeader:
    """`depth` is in bits; the code points of the colors are those of ISO/IEC 23091-2, 2 where there are none."""

    depth: int
    monochrome: bool
    primaries: int
    transfer: int
    matrix: int
    full_range: bool


class _Bits:
    def __init__(self, data: bytes) -> None:
        self.value, self.left = int.from_bytes(data, "big"), 8 * len(data)

    def number(self, count: int) -> int:
        """The next `count` bits."""
        self.left -= count
        if self.left < 0:
            raise UnreadableError
        return self.value >> self.left & ((1 << count) - 1)

    def flag(self) -> bool:
        return bool(self.number(1))

    def skip_variable(self) -> None:
        """A number with its length in zeros before it (4.10.3)."""
        zeros = 0
        while not self.flag():
            zeros += 1
        self.number(min(zeros, 32))


def read_sequence_header(data: bytes) -> SequenceHeader | None:
    """The first sequence header in a series of open bitstream units (5.3); None without a readable one."""
    at = 0
    try:
        for _ in range(_MAX_UNITS):
            kind, start, end = _unit(data, at)
            if kind == _SEQUENCE_HEADER:
                return _sequence_header(_Bits(data[start : min(end, start + _MAX_HEADER_BYTES)]))
            at = end
    except (IndexError, UnreadableError):
        pass
    return None


def _unit(data: bytes, at: int) -> tuple[int, int, int]:
    """Type of the unit at `at`, and start and end of its contents."""
    first = data[at]
    at += 2 if first & 4 else 1
    if not first & 2:  # it has no size, and is the last one
        return first >> 3 & 15, at, len(data)
    size = 0
    for place in range(8):
        byte = data[at]
        at += 1
        size |= (byte & 127) << 7 * place
        if byte < 128:
            break
    return first >> 3 & 15, at, at + size


def _sequence_header(bits: _Bits) -> SequenceHeader:
    profile, _, reduced = bits.number(3), bits.flag(), bits.flag()
    if reduced:
        bits.number(5)
    else:
        _skip_operating_points(bits)
    width_bits, height_bits = bits.number(4) + 1, bits.number(4) + 1
    bits.number(width_bits + height_bits)
    if not reduced and bits.flag():
        bits.number(7)
    bits.number(3)
    if not reduced:
        _skip_tools(bits)
    bits.number(3)
    return _color(bits, profile)


def _skip_operating_points(bits: _Bits) -> None:
    decoder_model, delay_bits = False, 0
    if bits.flag():  # timing information
        bits.number(64)
        if bits.flag():
            bits.skip_variable()
        decoder_model = bits.flag()
        if decoder_model:
            delay_bits = bits.number(5) + 1
            bits.number(42)
    display_delay = bits.flag()
    for _ in range(bits.number(5) + 1):
        bits.number(12)
        if bits.number(5) > 7:
            bits.flag()
        if decoder_model and bits.flag():
            bits.number(2 * delay_bits + 1)
        if display_delay and bits.flag():
            bits.number(4)


def _skip_tools(bits: _Bits) -> None:
    bits.number(4)
    order_hint = bits.flag()
    if order_hint:
        bits.number(2)
    screen_content = bits.flag() or bits.flag()
    if screen_content and not bits.flag():
        bits.flag()
    if order_hint:
        bits.number(3)


def _color(bits: _Bits, profile: int) -> SequenceHeader:
    """The color configuration (5.5.2)."""
    depth = 10 if bits.flag() else 8
    if profile == 2 and depth == 10 and bits.flag():
        depth = 12
    monochrome = profile != 1 and bits.flag()
    codes = (UNSPECIFIED, UNSPECIFIED, UNSPECIFIED)
    if bits.flag():
        codes = (bits.number(8), bits.number(8), bits.number(8))
    full_range = True if codes == _SRGB_IDENTITY and not monochrome else bits.flag()
    return SequenceHeader(depth, monochrome, *codes, full_range)
