"""What clients got with each fault, as a table and as JSON, and whether anything was not as it must be."""

from collections import Counter
from dataclasses import dataclass, field

from bench.faults.clients import Tally
from bench.faults.fault import Fault
from bench.table import markdown

_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Row:
    """One fault: what was done, and what clients got."""

    fault: Fault
    done: str
    tally: Tally

    @property
    def complaints(self) -> list[str]:
        """What the fault does not excuse; empty if all is well."""
        tally, fault = self.tally, self.fault
        found = [f"{len(tally.wrong)} wrong bodies: {tally.wrong[:_SHOWN]}"] if tally.wrong else []
        found += [f"{len(tally.lost)} lost requests: {tally.lost[:_SHOWN]}"] if tally.lost else []
        for what, counts, excused in (
            ("cached", tally.cached, fault.cached),
            ("new", tally.new, fault.new),
        ):
            bad = {status: count for status, count in counts.items() if status != 200 and status not in excused}
            found += [f"{count} × {status} for {what} pictures" for status, count in sorted(bad.items())]
        if not tally.cached[200]:
            found.append("no cached picture was served")
        if fault.is_of_storage and not tally.stale:
            found.append("no stale copy was served")
        if not tally.from_objects:
            found.append("nothing came from the object layer")
        if tally.without_retry_after:
            found.append(f"{tally.without_retry_after} × 503 without Retry-After")
        return found


@dataclass(slots=True)
class Report:
    """All faults of a run. `left_out` maps names of faults to the reason."""

    machine: str
    seconds: float
    seed: int
    rows: list[Row] = field(default_factory=list)
    left_out: dict[str, str] = field(default_factory=dict)

    @property
    def is_good(self) -> bool:
        return bool(self.rows) and not any(row.complaints for row in self.rows)

    def markdown(self) -> str:
        header = [
            "fault",
            "done",
            "requests",
            "not 200, cached",
            "not 200, new",
            "lost",
            "wrong bytes",
            "stale",
            "objects",
        ]
        rows = [
            [
                row.fault.name,
                row.done,
                f"{row.tally.requests:,}",
                _statuses(row.tally.cached),
                _statuses(row.tally.new),
                str(len(row.tally.lost)),
                str(len(row.tally.wrong)),
                f"{row.tally.stale:,}",
                f"{row.tally.from_objects:,}",
            ]
            for row in self.rows
        ]
        head = f"{self.machine}; {self.seconds:g} s with each fault, seed {self.seed}."
        notes = [f"* {row.fault.name}: {complaint}." for row in self.rows for complaint in row.complaints]
        notes += [f"* Left out: {name}: {reason}" for name, reason in self.left_out.items()]
        return "\n\n".join(part for part in (head, markdown(header, rows), "\n".join(notes)) if part)

    def json(self) -> dict[str, object]:
        faults = [
            {
                "fault": row.fault.name,
                "done": row.done,
                "requests": row.tally.requests,
                "cached": {str(status): count for status, count in row.tally.cached.items()},
                "new": {str(status): count for status, count in row.tally.new.items()},
                "lost": row.tally.lost,
                "wrong": row.tally.wrong,
                "stale": row.tally.stale,
                "from_objects": row.tally.from_objects,
                "complaints": row.complaints,
            }
            for row in self.rows
        ]
        head = {"machine": self.machine, "seconds": self.seconds, "seed": self.seed}
        return {**head, "faults": faults, "left_out": self.left_out}


def _statuses(counts: Counter[int]) -> str:
    bad = {status: count for status, count in sorted(counts.items()) if status != 200}
    return ", ".join(f"{count} × {status}" for status, count in bad.items()) or "–"
