"""Collects the rates of all rounds and formats them as Markdown: medians, and their ratios."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from statistics import median

MAGE = "Mage"


@dataclass(slots=True)
class Results:
    """Rates per second of every round by (party, case), and the parties left out, with reasons. A party is a server."""

    cases: tuple[str, ...]
    rates: dict[tuple[str, str], list[float]] = field(default_factory=dict)
    left_out: dict[str, str] = field(default_factory=dict)

    def add(self, party: str, case: str, rate: float) -> None:
        self.rates.setdefault((party, case), []).append(rate)

    def leave_out(self, party: str, reason: str) -> None:
        """Remove all rates of `party`, earlier ones too."""
        self.left_out[party] = reason
        for case in self.cases:
            self.rates.pop((party, case), None)

    @property
    def parties(self) -> list[str]:
        return list(dict.fromkeys(party for party, _ in self.rates))

    def rate(self, party: str, case: str) -> float | None:
        """The median over the rounds; None without rates."""
        rates = self.rates.get((party, case))
        return median(rates) if rates else None

    def ratio(self, party: str, other: str, case: str) -> float | None:
        """The median rate of `party` divided by that of `other`; None without either."""
        mine, theirs = self.rate(party, case), self.rate(other, case)
        return mine / theirs if mine and theirs else None


def hits_table(results: Results, reference: str) -> str:
    """One row per party, with its ratio to `reference`."""
    header = ["Hits", *(column for case in results.cases for column in (f"{case}, requests/s", f"× {reference}"))]
    rows = [
        [
            party,
            *chain(
                *(_pair(results.rate(party, case), results.ratio(party, reference, case)) for case in results.cases)
            ),
        ]
        for party in results.parties
    ]
    return markdown(header, rows)


def misses_table(
    results: Results,
    sizes: Mapping[tuple[str, str], int],
    scores: Mapping[tuple[str, str], float] | None = None,
    cpu: Results | None = None,
) -> str:
    """One row per party, with the ratio of Mage to it.

    `sizes` has the bytes of one response by (party, case), `scores` its SSIMULACRA2, where that was measured, `cpu` the
    seconds of one picture.
    """
    columns = ("pictures/s", f"{MAGE} is", *(["CPU ms"] if cpu else []), "KB", *(["score"] if scores else []))
    header = [
        "Misses",
        *(f"{case}, {name}" if name == columns[0] else name for case in results.cases for name in columns),
    ]

    def kb(party: str, case: str) -> str:
        return f"{sizes[party, case] / 1000:.1f}" if (party, case) in sizes else "–"

    def cells(party: str, case: str) -> tuple[str, ...]:
        score = [f"{scores[party, case]:.1f}" if (party, case) in scores else "–"] if scores else []
        seconds = cpu.rate(party, case) if cpu else None
        times = [f"{seconds * 1000:.1f}" if seconds else "–"] if cpu else []
        pair = _pair(results.rate(party, case), results.ratio(MAGE, party, case))
        return (*pair, *times, kb(party, case), *score)

    rows = [[party, *chain(*(cells(party, case) for case in results.cases))] for party in results.parties]
    return markdown(header, rows)


def beside_table(
    reference: str,
    results: Results,
    sizes: Mapping[tuple[str, str], int],
    scores: Mapping[tuple[str, str], float],
    cpu: Results,
) -> str:
    """Ratios of each Mage's rates, CPU times and bytes to those of the party `reference`, and the scores above its own.

    Rates and times are medians. Empty where the reference or Mage was not measured.
    """
    columns = ("pictures/s", "CPU", "bytes", "score")
    names = [party for party in results.parties if party.startswith(MAGE)]
    if reference not in results.parties or not names:
        return ""

    def cells(party: str, case: str) -> Iterable[str]:
        mine, theirs = (party, case), (reference, case)
        yield _times(results.ratio(party, reference, case))
        yield _times(cpu.ratio(party, reference, case))
        yield _times(sizes[mine] / sizes[theirs] if mine in sizes and theirs in sizes else None)
        yield f"{scores[mine] - scores[theirs]:+.1f}" if mine in scores and theirs in scores else "–"

    header = [f"Beside {reference}", *(f"{case}, {name}" for case in results.cases for name in columns)]
    rows = [[party, *chain(*(cells(party, case) for case in results.cases))] for party in names]
    return markdown(header, rows)


def _times(ratio: float | None) -> str:
    return f"{ratio:.2f} ×" if ratio else "–"


def _pair(rate: float | None, ratio: float | None) -> tuple[str, str]:
    digits = 0 if rate is None or rate >= 1000 else 1
    return f"{rate:,.{digits}f}" if rate else "–", _times(ratio)


def markdown(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table that is also aligned as plain text: the first column left, the others right."""
    widths = [max(len(row[column]) for row in (header, *rows)) for column in range(len(header))]
    rule = ["-" * widths[0], *("-" * (width - 1) + ":" for width in widths[1:])]

    def line(cells: Sequence[str]) -> str:
        numbers = (cell.rjust(width) for cell, width in zip(cells[1:], widths[1:], strict=True))
        return f"| {' | '.join((cells[0].ljust(widths[0]), *numbers))} |"

    return "\n".join(map(line, (header, rule, *rows)))
