"""The bits of coded data, and tables that give a Huffman symbol for the next 16 of them."""

from collections.abc import Callable

from thumbs.render.completeness.segments import Table, Unreadable

REFILL = 32  # bytes
WINDOW = 16  # bits
MASK = (1 << WINDOW) - 1
LEAST = 32  # bits: those of the longest code and of the longest number behind it
_ZEROS = bytes(REFILL)
_NO_CODE = 17  # bits that libjpeg takes before it gives up; the symbol is then 0


class Bits:
    """The bits of one restart interval. Behind its end there are zeros, as in libjpeg."""

    __slots__ = ("_at", "_data", "held", "value")

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0
        self.value = 0
        self.held = 0  # bits of `value` that are not taken yet

    @property
    def ran_out(self) -> bool:
        """Whether bits were taken that are not there."""
        return self._at > len(self._data) and 8 * self._at - self.held > 8 * len(self._data)

    def fill(self) -> None:
        """Hold at least `LEAST` bits."""
        piece = self._data[self._at : self._at + REFILL]
        self._at += REFILL
        rest = self.value & ((1 << self.held) - 1)
        self.value = rest << 8 * REFILL | int.from_bytes(piece + _ZEROS[len(piece) :], "big")
        self.held += 8 * REFILL

    def take(self, count: int) -> int:
        """The next `count` bits, at most 32, as a number."""
        if self.held < LEAST:
            self.fill()
        self.held -= count
        return (self.value >> self.held) & ((1 << count) - 1)

    def symbol(self, lookup: list[int]) -> int:
        """The next symbol; `lookup` is that of `symbols`."""
        if self.held < LEAST:
            self.fill()
        entry = lookup[(self.value >> (self.held - WINDOW)) & MASK]
        self.held -= entry & 31
        return entry >> 5


def symbols(table: Table | None) -> list[int]:
    """For the next 16 bits: the length of the code, in the low 5 bits, and its symbol."""
    return _lookup(table, lambda symbol, length: symbol << 5 | length)


def dc_steps(table: Table | None) -> list[int]:
    """For the next 16 bits: the bits of the code of a DC coefficient and of the number behind it."""
    return _lookup(table, lambda symbol, length: length + (symbol & 15))


def ac_steps(table: Table | None) -> list[int]:
    """For the next 16 bits: those of a code of AC coefficients with its number, and how many coefficients it covers."""
    return _lookup(table, _ac_step)


def _ac_step(symbol: int, length: int) -> int:
    run, size = symbol >> 4, symbol & 15
    if size:
        return (run + 1) << 5 | length + size
    return (16 if run == 15 else 64) << 5 | length


def _lookup(table: Table | None, entry: Callable[[int, int], int]) -> list[int]:
    if table is None:
        raise Unreadable
    counts, names = table
    lookup = [entry(0, _NO_CODE)] * (1 << WINDOW)
    start = at = 0
    for length, count in enumerate(counts, 1):
        width = 1 << (WINDOW - length)
        for symbol in names[at : at + count]:
            if start + width > len(lookup):
                raise Unreadable
            lookup[start : start + width] = [entry(symbol, length)] * width
            start += width
        at += count
    return lookup
