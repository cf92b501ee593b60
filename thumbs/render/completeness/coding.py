"""Follows the Huffman codes of a JPEG as libjpeg does, without computing a pixel, to see whether data runs out.

libjpeg says so in a warning only (JWRN_HIT_MARKER), and prints no more than the first warning of a file.
"""

import re
from collections.abc import Callable, Iterator

from thumbs.render.bombs.limits import MAX_JPEG_INTERVALS, MAX_JPEG_STEPS
from thumbs.render.completeness.bits import LEAST, MASK, WINDOW, Bits, ac_steps, dc_steps, symbols
from thumbs.render.completeness.restarts import intervals
from thumbs.render.completeness.segments import PROGRESSIVE, Jpeg, Scan

# Those of a block that is refined: one for each coefficient would say more, and cost more to count.
_BLOCK_STEPS = 16
# A symbol of a progressive scan takes about twice as long as one of a sequential scan.
_SYMBOL_STEPS = 2
_SCAN_STEPS = 2000  # tables are made for it
_STUFFED = re.compile(rb"\xff+\x00")
# Follows so many MCUs, from the one with this number on. Returns the steps that it took.
Coding = Callable[[Bits, int, int], int]


class TooLong(Exception):
    """The codes cannot be followed within the bound."""


def short_scans(data: bytes, jpeg: Jpeg) -> Iterator[Scan]:
    """The scans whose data ends before they are complete. Raises `TooLong`, and `Unreadable` for unusable tables."""
    left = MAX_JPEG_STEPS
    # By component: a bit for each coefficient of a block that is not 0.
    blocks: dict[int, list[int]] = {}
    for scan in jpeg.scans:
        count = _units(jpeg, scan)
        left -= count + _SCAN_STEPS
        if left <= 0:
            raise TooLong
        coding = _coding(jpeg, scan, blocks, count)
        is_short = ran_out = False
        for part in intervals(data, scan, count):
            if ran_out and not part.found:
                continue
            bits = Bits(_STUFFED.sub(b"\xff", data[part.start : part.end]))
            left -= 1 + coding(bits, part.first, part.units)
            if left < 0:
                raise TooLong
            ran_out = bits.ran_out
            is_short = is_short or ran_out
        if is_short:
            yield scan


def has_short_interval(data: bytes, jpeg: Jpeg, scan: Scan) -> bool:
    """Whether a restart interval of a sequential scan is short, of the last ones that `MAX_JPEG_STEPS` allow.

    A file that is cut off lacks the last ones. Raises `TooLong` if there are too many, and `Unreadable`.
    """
    left = MAX_JPEG_STEPS
    count = _units(jpeg, scan)
    if count // scan.interval > MAX_JPEG_INTERVALS:
        raise TooLong
    coding = _coding(jpeg, scan, {}, count)
    for part in reversed(list(intervals(data, scan, count))):
        bits = Bits(_STUFFED.sub(b"\xff", data[part.start : part.end]))
        left -= 1 + coding(bits, part.first, part.units)
        if bits.ran_out or not part.found:
            return True
        if left < 0:
            break
    return False


def _units(jpeg: Jpeg, scan: Scan) -> int:
    """The MCUs of a scan (A.2): of one component, they are its blocks."""
    across, down = max(each.across for each in jpeg.components), max(each.down for each in jpeg.components)
    width, height = jpeg.size
    if len(scan.components) > 1:
        return -(-width // (8 * across)) * -(-height // (8 * down))
    only = scan.components[0]
    return -(-width * only.across // (8 * across)) * -(-height * only.down // (8 * down))


def _coding(jpeg: Jpeg, scan: Scan, blocks: dict[int, list[int]], count: int) -> Coding:
    per_unit = [each.across * each.down if len(scan.components) > 1 else 1 for each in scan.components]
    if jpeg.frame not in PROGRESSIVE:
        tables = [(dc_steps(dc), ac_steps(ac)) for dc, ac in scan.tables]
        return _sequential([pair for pair, times in zip(tables, per_unit, strict=True) for _ in range(times)])
    if scan.first == 0:
        if scan.high:
            return _dc_refinement(sum(per_unit))
        dc_tables = [dc_steps(dc) for dc, _ in scan.tables]
        return _dc([table for table, times in zip(dc_tables, per_unit, strict=True) for _ in range(times)])
    own = blocks.setdefault(scan.components[0].number, [0] * count)
    lookup = symbols(scan.tables[0][1])
    return _refinement(scan, lookup, own) if scan.high else _first_bits(scan, lookup, own)


def _sequential(unit: list[tuple[list[int], list[int]]]) -> Coding:
    """`unit` has the tables of each block of an MCU (F.2.2)."""

    def follow(bits: Bits, _: int, units: int) -> int:
        steps = 0
        for _ in range(units):
            for dc, ac in unit:
                if bits.held < LEAST:
                    bits.fill()
                value, held = bits.value, bits.held
                held -= dc[(value >> (held - WINDOW)) & MASK]
                covered = 1
                while covered < 64:
                    if held < LEAST:
                        bits.held = held
                        bits.fill()
                        value, held = bits.value, bits.held
                    entry = ac[(value >> (held - WINDOW)) & MASK]
                    held -= entry & 31
                    covered += entry >> 5
                    steps += 1
                bits.held = held
            steps += len(unit)
            if bits.ran_out or steps > MAX_JPEG_STEPS:
                break
        return steps

    return follow


def _dc(unit: list[list[int]]) -> Coding:
    """The first scan of DC coefficients (G.1.2.1)."""

    def follow(bits: Bits, _: int, units: int) -> int:
        for number in range(units):
            for dc in unit:
                if bits.held < LEAST:
                    bits.fill()
                bits.held -= dc[(bits.value >> (bits.held - WINDOW)) & MASK]
            if bits.ran_out:
                return number * len(unit)
        return units * len(unit)

    return follow


def _dc_refinement(blocks: int) -> Coding:
    """One more bit of each DC coefficient; `blocks` are those of an MCU."""

    def follow(bits: Bits, _: int, units: int) -> int:
        for _ in range(units * blocks):
            bits.take(1)
            if bits.ran_out:
                break
        return units * blocks

    return follow


def _first_bits(scan: Scan, lookup: list[int], blocks: list[int]) -> Coding:
    """The first scan of AC coefficients (G.1.2.2)."""

    def follow(bits: Bits, first: int, units: int) -> int:
        number, steps = first, 0
        while number < first + units and steps <= MAX_JPEG_STEPS:
            covered, block, ended = scan.first, blocks[number], 1
            while covered <= scan.last:
                steps += _SYMBOL_STEPS
                symbol = bits.symbol(lookup)
                run, size = symbol >> 4, symbol & 15
                if size:
                    covered += run
                    bits.take(size)
                    block |= 1 << min(covered, 63)
                elif run == 15:
                    covered += 15
                else:
                    ended = (1 << run) + bits.take(run)
                    break
                covered += 1
            blocks[number] = block
            number += ended
            if bits.ran_out:
                break
        return steps

    return follow


def _refinement(scan: Scan, lookup: list[int], blocks: list[int]) -> Coding:
    """One more bit of each AC coefficient that is not 0, and the first one of others (G.1.2.3)."""

    def follow(bits: Bits, first: int, units: int) -> int:
        steps = ended = 0
        for number in range(first, first + units):
            covered = scan.first
            if not ended:
                covered, ended = _refine(bits, scan, lookup, blocks, number)
            if ended:
                known = (blocks[number] >> covered & ((1 << max(0, scan.last + 1 - covered)) - 1)).bit_count()
                for _ in range(known):
                    bits.take(1)
                ended -= 1
            steps += _BLOCK_STEPS
            if bits.ran_out or steps > MAX_JPEG_STEPS:
                break
        return steps

    return follow


def _refine(bits: Bits, scan: Scan, lookup: list[int], blocks: list[int], number: int) -> tuple[int, int]:
    """Follow the symbols of one block. Returns the coefficient where they end, and for how many blocks they do."""
    covered = scan.first
    while covered <= scan.last:
        symbol = bits.symbol(lookup)
        run, size = symbol >> 4, symbol & 15
        if size:
            bits.take(1)
        elif run != 15:
            return covered, (1 << run) + bits.take(run)
        while covered <= scan.last:
            if blocks[number] >> covered & 1:
                bits.take(1)
            elif run == 0:
                break
            else:
                run -= 1
            covered += 1
        if size:
            blocks[number] |= 1 << min(covered, 63)
        covered += 1
    return covered, 0
