"""Rates in, Markdown out: the median of each party's rounds, and Mage divided by it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from statistics import median

MAGE = "Mage"


@dataclass(slots=True)
class Board:
    """What was measured: rates a second by (party, case), round by round; and who is out, with the reason."""

    cases: tuple[str, ...]
    rates: dict[tuple[str, str], list[float]] = field(default_factory=dict)
    left_out: dict[str, str] = field(default_factory=dict)

    def add(self, party: str, case: str, rate: float) -> None:
        self.rates.setdefault((party, case), []).append(rate)

    def leave_out(self, party: str, reason: str) -> None:
        """Nothing of `party` counts any more, not what it did well before either."""
        self.left_out[party] = reason
        for case in self.cases:
            self.rates.pop((party, case), None)

    @property
    def parties(self) -> list[str]:
        return list(dict.fromkeys(party for party, _ in self.rates))

    def rate(self, party: str, case: str) -> float | None:
        """The median over the rounds; None when there is none."""
        rates = self.rates.get((party, case))
        return median(rates) if rates else None

    def ratio(self, party: str, other: str, case: str) -> float | None:
        """How many times the rate of `other` that of `party` is, of their medians."""
        mine, theirs = self.rate(party, case), self.rate(other, case)
        return mine / theirs if mine and theirs else None


def hits_table(board: Board, reference: str) -> str:
    """One row a party; ratios of each to `reference`."""
    header = ["Hits", *(column for case in board.cases for column in (f"{case}, requests/s", f"× {reference}"))]
    rows = [
        [party, *chain(*(_pair(board.rate(party, case), board.ratio(party, reference, case)) for case in board.cases))]
        for party in board.parties
    ]
    return markdown(header, rows)


def misses_table(board: Board, sizes: Mapping[tuple[str, str], int]) -> str:
    """One row a party; ratios of Mage to each. `sizes` are bytes of one answer by (party, case)."""
    header = ["Misses", *(column for case in board.cases for column in (f"{case}, pictures/s", f"{MAGE} is", "KB"))]

    def kb(party: str, case: str) -> str:
        return f"{sizes[party, case] / 1000:.1f}" if (party, case) in sizes else "–"

    def cells(party: str, case: str) -> tuple[str, ...]:
        return (*_pair(board.rate(party, case), board.ratio(MAGE, party, case)), kb(party, case))

    rows = [[party, *chain(*(cells(party, case) for case in board.cases))] for party in board.parties]
    return markdown(header, rows)


def _pair(rate: float | None, ratio: float | None) -> tuple[str, str]:
    digits = 0 if rate is None or rate >= 1000 else 1
    return f"{rate:,.{digits}f}" if rate else "–", f"{ratio:.2f} ×" if ratio else "–"


def markdown(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table whose columns line up in plain text too: the first to the left, the others to the right."""
    widths = [max(len(row[column]) for row in (header, *rows)) for column in range(len(header))]
    rule = ["-" * widths[0], *("-" * (width - 1) + ":" for width in widths[1:])]

    def line(cells: Sequence[str]) -> str:
        numbers = (cell.rjust(width) for cell, width in zip(cells[1:], widths[1:], strict=True))
        return f"| {' | '.join((cells[0].ljust(widths[0]), *numbers))} |"

    return "\n".join(map(line, (header, rule, *rows)))
