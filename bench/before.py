"""This tree beside an earlier one: the same hits and misses of both, in interleaved rounds."""

from contextlib import AbstractContextManager, ExitStack, nullcontext
from dataclasses import dataclass, field
from pathlib import Path

from bench import hits, misses, servers
from bench.check import WrongAnswerError
from bench.hits import Hits
from bench.load import WRK_CONNECTIONS, WRK_THREADS, Template, Wrk
from bench.misses import HttpMisses
from bench.pictures import Originals
from bench.processes import UnavailableError
from bench.report import Plan
from bench.rounds import compare, say
from bench.servers import PROJECT, Server, Workspace
from bench.table import Results, markdown

BEFORE, THIS = "before", "this tree"
_LAYERS = ("memory", "disk")
_CLIENTS_PER_CORE = 4
_EXPLANATION = (
    "A time is one second divided by the answers in it, so below 1.000 this tree is faster. Hits: "
    f"`wrk -t{WRK_THREADS} -c{WRK_CONNECTIONS}`. Misses: each request names an original that is new to both."
)


@dataclass(slots=True)
class BeforeReport:
    """Boards by kind of request, with the parties `BEFORE` and `THIS`. `left_out` has the reason of each failure."""

    plan: Plan
    machine: str
    notes: dict[str, str] = field(default_factory=dict)
    boards: dict[str, Results] = field(default_factory=dict)
    left_out: dict[str, str] = field(default_factory=dict)

    @property
    def mage_failed(self) -> bool:
        return bool(self.left_out)

    def markdown(self) -> str:
        """One row a case: the median times of an answer and their ratio."""
        plan = self.plan
        header = ["Answers", "before, µs", "this tree, µs", "this/before"]
        rows = [
            [f"{kind}, {case}", *_cells(results, case)]
            for kind, results in self.boards.items()
            for case in results.cases
            if results.rates
        ]
        parts = [
            f"{self.machine}; medians of {plan.rounds} interleaved rounds of {plan.seconds:g} s each.",
            markdown(header, rows) if rows else "",
            _EXPLANATION,
            "\n".join(f"* {party}: {about}." for party, about in self.notes.items()),
            "\n".join(f"* Left out: {party}: {reason}" for party, reason in self.left_out.items()),
        ]
        return "\n\n".join(filter(None, parts))

    def json(self) -> dict[str, object]:
        """All single rates, and the ratios."""
        return {
            "machine": self.machine,
            "parties": self.notes,
            "left_out": self.left_out,
            "rounds": self.plan.rounds,
            "seconds": self.plan.seconds,
            "before": [
                {
                    "kind": kind,
                    "case": case,
                    "rates": {party: results.rates.get((party, case), []) for party in (BEFORE, THIS)},
                    "ratio": results.ratio(BEFORE, THIS, case),
                }
                for kind, results in self.boards.items()
                for case in results.cases
            ],
        }


def run(plan: Plan, workspace: Workspace, photo: Path, reference: Path | int) -> BeforeReport:
    """Measure. `reference` is the earlier checkout, or the port of a running server. Nothing is raised."""
    report = BeforeReport(plan, servers.machine(workspace.cores))
    originals = Originals(workspace.photos, photo)
    with ExitStack() as stack:
        ports: dict[str, int] = {}
        for party, server in ((BEFORE, _reference(workspace, reference)), (THIS, servers.mage(workspace, home="this"))):
            say(f"starting {party}")
            try:
                ports[party] = stack.enter_context(server).port
            except (UnavailableError, OSError) as error:
                report.left_out[party] = str(error)
                return report
        origin = f"port {reference}" if isinstance(reference, int) else _about(reference)
        report.notes = {BEFORE: origin, THIS: _about(PROJECT)}
        if "hits" in plan.kinds:
            _hits(report, workspace, originals, ports)
        if "misses" in plan.kinds:
            _misses(report, workspace, originals, ports)
    return report


def _reference(workspace: Workspace, reference: Path | int) -> AbstractContextManager[Server]:
    if isinstance(reference, int):
        return nullcontext(Server(reference, "a running server", servers.mage_template(reference)))
    return servers.mage(workspace, tree=reference, home="before")


def _about(tree: Path) -> str:
    return f"{tree} with {servers.python_of(tree)}"


def _hits(report: BeforeReport, workspace: Workspace, originals: Originals, ports: dict[str, int]) -> None:
    try:
        wrk = Wrk.found(workspace.run)
        # Each its own: what an original is rendered to may have changed between the trees.
        thumbnails = {name: hits.thumbnail(Server(port, ""), originals) for name, port in ports.items()}
    except (UnavailableError, WrongAnswerError) as error:
        report.left_out["hits"] = str(error)
        return
    for layer in _LAYERS:
        parties = [
            Hits(name, ports[name], thumbnail.paths(layer), thumbnail, wrk, layer)
            for name, thumbnail in thumbnails.items()
        ]
        results = report.boards[f"hits from {layer}"] = Results(hits.CASES)
        compare(parties, results, rounds=report.plan.rounds, seconds=report.plan.seconds)
        report.left_out |= {f"{party}, hits from {layer}": reason for party, reason in results.left_out.items()}


def _misses(report: BeforeReport, workspace: Workspace, originals: Originals, ports: dict[str, int]) -> None:
    clients = _CLIENTS_PER_CORE * workspace.cores
    parties = [
        HttpMisses(name, Template(servers.mage_template(port)), originals, clients) for name, port in ports.items()
    ]
    results = report.boards["misses"] = Results(tuple(misses.CASES))
    compare(parties, results, rounds=report.plan.rounds, seconds=report.plan.seconds)
    report.left_out |= {f"{party}, misses": reason for party, reason in results.left_out.items()}


def _cells(results: Results, case: str) -> tuple[str, ...]:
    # A time is the inverse of a rate, so the ratio of times this/before is the ratio of rates before/this.
    ratio = results.ratio(BEFORE, THIS, case)
    return (
        _microseconds(results.rate(BEFORE, case)),
        _microseconds(results.rate(THIS, case)),
        f"{ratio:.3f}" if ratio else "–",
    )


def _microseconds(rate: float | None) -> str:
    return f"{1e6 / rate:,.1f}" if rate else "–"
