"""The cost of a URL in a page: Mage's toolkit beside `reverse()`, and beside its peers with warm caches.

Everything runs in one child process (`bench.tag_calls`), in interleaved rounds; the figures are CPU time.
"""

import json
import sys
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

from bench import install, servers
from bench.processes import UnavailableError, running
from bench.report import Plan
from bench.rounds import say
from bench.servers import PROJECT, Workspace
from bench.table import markdown
from bench.tag_calls import PEERS, REVERSE

# What a URL may cost: of `reverse()` unsigned and signed, and of the cheapest peer.
_AIMS = "Aims: a URL at most 0.7 × reverse(), a signed one at most 1.0 ×, and at most 0.15 of the cheapest peer."
_SHARE = 0.1  # of a measurement of a server: a call takes microseconds


@dataclass(slots=True)
class TagsReport:
    """CPU seconds of each call and round. `left_out` has the reason of each failure."""

    plan: Plan
    machine: str
    times: dict[str, list[float]] = field(default_factory=dict)
    versions: dict[str, str] = field(default_factory=dict)
    left_out: dict[str, str] = field(default_factory=dict)

    @property
    def mage_failed(self) -> bool:
        return REVERSE not in self.times

    def ratio(self, call: str, other: str | None) -> float | None:
        """The median of one call divided by that of another; None without either."""
        if other is None or call not in self.times or other not in self.times:
            return None
        return median(self.times[call]) / median(self.times[other])

    def cheapest(self, like: str) -> str | None:
        """The cheapest call of a peer of the same kind as `like`: a tag in a compiled template, or a call in Python."""
        peers = [call for call in self.times if call.partition(",")[0] in PEERS and _is_tag(call) == _is_tag(like)]
        return min(peers, key=lambda call: median(self.times[call]), default=None)

    def markdown(self) -> str:
        """One row a call: its median, and its ratios to `reverse()` and to the cheapest peer."""
        seconds = self.plan.seconds * _SHARE
        rows = [
            [
                call,
                f"{median(times) * 1e6:,.1f}",
                _text(self.ratio(call, REVERSE)),
                _text(self.ratio(call, self.cheapest(call))),
            ]
            for call, times in self.times.items()
        ]
        versions = ", ".join(f"{peer} {version}" for peer, version in sorted(self.versions.items()))
        parts = [
            f"{self.machine}; medians of {self.plan.rounds} interleaved rounds of {seconds:g} s each, CPU time.",
            markdown(["Call", "µs", "× reverse()", "× cheapest peer"], rows) if rows else "",
            _AIMS,
            f"* Peers, with warm caches in memory: {versions}." if versions else "",
            "\n".join(f"* Left out: {party}: {reason}" for party, reason in self.left_out.items()),
        ]
        return "\n\n".join(filter(None, parts))

    def json(self) -> dict[str, object]:
        """All single figures, and the ratios."""
        return {
            "machine": self.machine,
            "rounds": self.plan.rounds,
            "seconds": self.plan.seconds * _SHARE,
            "versions": self.versions,
            "tags": [
                {
                    "call": call,
                    "seconds": times,
                    "reverse": self.ratio(call, REVERSE),
                    "cheapest": self.ratio(call, self.cheapest(call)),
                }
                for call, times in self.times.items()
            ],
            "left_out": self.left_out,
        }


def run(plan: Plan, workspace: Workspace) -> TagsReport:
    """Measure. A peer that cannot be installed or fails is left out, with the reason in the report."""
    report = TagsReport(plan, servers.machine(workspace.cores))
    packages = workspace.run / "none"
    try:
        say("installing the peers of the tags")
        packages = install.tag_peers(workspace.scratch)
    except UnavailableError as error:
        report.left_out |= dict.fromkeys(PEERS, str(error))
    try:
        _measure(report, workspace, packages)
    except UnavailableError as error:
        report.left_out["tags"] = str(error)
    return report


def _measure(report: TagsReport, workspace: Workspace, packages: Path) -> None:
    seconds = report.plan.seconds * _SHARE
    say(f"measuring calls: {report.plan.rounds} rounds of {seconds:g} s each")
    settings = (workspace.run / "site", packages, str(report.plan.rounds), str(seconds))
    command = (sys.executable, "-m", "bench.tag_calls", *settings)
    with running(command, log=workspace.run / "tags.log", cwd=PROJECT) as child:
        if child.await_end(60 + 60 * seconds * report.plan.rounds):
            raise UnavailableError(f"the measurement failed: {child.last_line}")
        found = json.loads(child.last_line)
    report.times = found["times"]
    report.versions = found["versions"]
    report.left_out = found["broken"] | report.left_out


def _is_tag(call: str) -> bool:
    return call.startswith("{%") or call.endswith(", tag")


def _text(ratio: float | None) -> str:
    return "–" if ratio is None else f"{ratio:.3f}"
