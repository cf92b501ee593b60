"""The result of a run as Markdown and as JSON."""

from dataclasses import dataclass, field

from bench.load import WRK_CONNECTIONS, WRK_THREADS, Template
from bench.table import MAGE, Results, beside_table, hits_table, misses_table


@dataclass(frozen=True, slots=True)
class Plan:
    """What to measure. `against` maps names of further servers to their URL templates."""

    rounds: int
    seconds: float
    kinds: frozenset[str]
    peers: frozenset[str]
    against: dict[str, Template]


@dataclass(slots=True)
class Report:
    """The result of a run. `left_out` maps servers to reasons, `notes` the others to their configuration.

    `cpu` has the CPU seconds of one miss instead of rates. `baseline` is what Mage's misses are compared with.
    """

    plan: Plan
    machine: str
    photo: str
    left_out: dict[str, str] = field(default_factory=dict)
    notes: dict[str, str] = field(default_factory=dict)
    results: dict[str, Results] = field(default_factory=dict)
    sizes: dict[tuple[str, str], int] = field(default_factory=dict)
    scores: dict[tuple[str, str], float] = field(default_factory=dict)
    cpu: Results = field(default_factory=lambda: Results(()))
    baseline: str = ""
    body_bytes: int = 0
    clients: int = 0

    @property
    def mage_failed(self) -> bool:
        return any(party.startswith(MAGE) for party in self.left_out)

    def markdown(self) -> str:
        """Both tables, with the conditions they were measured under."""
        parts = [f"{self.machine}; medians of {self.plan.rounds} interleaved rounds of {self.plan.seconds:g} s each."]
        if "hits" in self.results and self.results["hits"].rates:
            parts.append(hits_table(self.results["hits"], "nginx"))
            parts.append(
                f"Hits: a JPEG of {self.body_bytes / 1000:.1f} KB that Mage made, `wrk -t{WRK_THREADS} "
                f"-c{WRK_CONNECTIONS}` on the same machine; every server answers the same bytes."
            )
        if "misses" in self.results and self.results["misses"].rates:
            parts.append(misses_table(self.results["misses"], self.sizes, self.scores, self.cpu))
            parts.append(beside_table(self.baseline, self.results["misses"], self.sizes, self.scores, self.cpu))
            parts.append(
                f"Misses: {self.photo}, cover-cropped to 500×300; every request names an original that was never asked "
                f"for before; {self.clients} clients with a kept-alive connection each; every answer is checked. "
                "CPU: of all processes of the server, for one picture. Score: SSIMULACRA2, of the first picture."
            )
        took_part = {party: about for party, about in self.notes.items() if party not in self.left_out}
        parts.append("\n".join(f"* {party} {about}." for party, about in took_part.items()))
        parts.append("\n".join(f"* Left out: {party}: {reason}" for party, reason in self.left_out.items()))
        return "\n\n".join(part for part in parts if part)

    def json(self) -> dict[str, object]:
        """The same, with the rate of every round."""
        measured: dict[str, object] = {
            kind: [
                {"party": party, "case": case, "rates": rates, "median": results.rate(party, case)}
                | ({"bytes": self.sizes[party, case]} if (party, case) in self.sizes else {})
                | ({"score": self.scores[party, case]} if (party, case) in self.scores else {})
                | (
                    {"cpu_seconds": self.cpu.rates[party, case]}
                    if kind == "misses" and (party, case) in self.cpu.rates
                    else {}
                )
                for (party, case), rates in results.rates.items()
            ]
            for kind, results in self.results.items()
        }
        return {
            "machine": self.machine,
            "photo": self.photo,
            "parties": self.notes,
            "left_out": self.left_out,
            "rounds": self.plan.rounds,
            "seconds": self.plan.seconds,
            "clients": self.clients,
            "hit_bytes": self.body_bytes,
            **measured,
        }
