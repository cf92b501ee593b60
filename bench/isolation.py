"""Renders in child processes beside renders in threads: misses, the latency of hits meanwhile, and memory.

`python -m bench.isolation PORT PATH SECONDS` is the probe of latency: it asks for a hit every five milliseconds on one
connection, and prints the median and the 99th percentile in milliseconds.
"""

import contextlib
import os
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median, quantiles

import pyvips

from bench import servers
from bench.check import Wanted, WrongAnswerError
from bench.cpu import family
from bench.load import Client, Template, drive
from bench.misses import check_answer
from bench.pictures import Originals
from bench.processes import LOOPBACK, UnavailableError, running
from bench.report import Plan
from bench.rounds import compare, say
from bench.servers import PROJECT, Workspace
from bench.table import Results, markdown
from thumbs.render.isolation import priority

CHILDREN, THREADS = "children", "threads"
_MODES = {CHILDREN: "auto", THREADS: "off"}
_CLIENTS_PER_CORE = 4
_EVERY_SECONDS = 0.005
_LOWEST = 19  # niceness
_TINY = 16  # pixels a side
_RENDERS = (400, 4000)
_CASES: dict[str, tuple[str, Wanted]] = {
    "6 MP to JPEG": ("photo", Wanted(500, 300, "jpeg", 80)),
    "6 MP to WebP": ("photo", Wanted(500, 300, "webp", 77)),
    "16 pixels to PNG": ("tiny", Wanted(8, 8, "png", 80)),
}
_IDLE, _BUSY = "idle", "while renders saturate"


@dataclass(slots=True)
class IsolationReport:
    """Rates of misses, milliseconds of hits by (party, state), and MiB of all processes by (party, moment)."""

    plan: Plan
    machine: str
    rates: Results = field(default_factory=lambda: Results(tuple(_CASES)))
    p99: dict[tuple[str, str], list[float]] = field(default_factory=dict)
    memory: dict[tuple[str, str], float] = field(default_factory=dict)
    left_out: dict[str, str] = field(default_factory=dict)

    @property
    def mage_failed(self) -> bool:
        return bool(self.left_out or self.rates.left_out)

    def markdown(self) -> str:
        """Three tables."""
        plan = self.plan
        parts = [f"{self.machine}; medians of {plan.rounds} interleaved rounds of {plan.seconds:g} s each."]
        rows = [
            [case, *(_number(self.rates.rate(party, case)) for party in _MODES), _ratio(self.rates, case)]
            for case in _CASES
        ]
        parts.append(markdown(["Misses a second", *_MODES, f"{CHILDREN}/{THREADS}"], rows))
        states = [
            [state, *(_number(_median(self.p99.get((party, state)))) for party in _MODES)] for state in (_IDLE, _BUSY)
        ]
        parts.append(markdown(["99th percentile of hits, ms", *_MODES], states))
        moments = dict.fromkeys(moment for _, moment in self.memory)
        sizes = [[moment, *(_number(self.memory.get((party, moment))) for party in _MODES)] for moment in moments]
        parts.append(markdown(["MiB of all processes (PSS)", *_MODES], sizes))
        left_out = self.left_out | self.rates.left_out
        parts.append("\n".join(f"* Left out: {party}: {reason}" for party, reason in left_out.items()))
        return "\n\n".join(filter(None, parts))

    def json(self) -> dict[str, object]:
        return {
            "machine": self.machine,
            "rounds": self.plan.rounds,
            "seconds": self.plan.seconds,
            "rates": [{"party": p, "case": c, "rates": rates} for (p, c), rates in self.rates.rates.items()],
            "p99": [{"party": p, "state": s, "milliseconds": found} for (p, s), found in self.p99.items()],
            "memory": [{"party": p, "moment": m, "mib": size} for (p, m), size in self.memory.items()],
            "left_out": self.left_out | self.rates.left_out,
        }


@dataclass(frozen=True, slots=True)
class _Misses:
    """A server that renders, for `rounds.compare`."""

    name: str
    port: int
    originals: Mapping[str, Originals]
    clients: int

    def verify(self, case: str) -> None:
        self.rate(case, 1.0)

    def rate(self, case: str, seconds: float) -> float:
        kind, wanted = _CASES[case]
        template = Template(servers.mage_template(self.port))

        def ask(client: Client) -> None:
            check_answer(client.get(template.target(self.originals[kind].take(), wanted)), wanted)

        return drive(ask, LOOPBACK, self.port, clients=self.clients, seconds=seconds)


def run(plan: Plan, workspace: Workspace, photo: Path) -> IsolationReport:
    """Measure. Nothing is raised."""
    report = IsolationReport(plan, servers.machine(workspace.cores))
    tiny = workspace.scratch / "tiny.png"
    pyvips.Image.gaussnoise(_TINY, _TINY, mean=128, sigma=40).cast("uchar").write_to_file(str(tiny))
    originals = {"photo": Originals(workspace.photos, photo), "tiny": Originals(workspace.photos, tiny)}
    try:
        with ExitStack() as stack:
            found = {}
            for party, isolation in _MODES.items():
                mage = servers.mage(workspace, home=party, isolation=isolation)
                found[party] = stack.enter_context(mage)
            clients = _CLIENTS_PER_CORE * workspace.cores
            parties = [_Misses(party, server.port, originals, clients) for party, server in found.items()]
            for number in range(1, plan.rounds + 1):
                for one in parties if number % 2 else reversed(parties):
                    _latency(report, workspace, one, f"round {number} of {plan.rounds}")
            compare(parties, report.rates, rounds=plan.rounds, seconds=plan.seconds)
        for party, isolation in _MODES.items():
            with servers.mage(workspace, home=f"{party}-memory", isolation=isolation) as server:
                _memory(report, _Misses(party, server.port, originals, clients), server.pid)
    except (UnavailableError, WrongAnswerError, OSError) as error:
        report.left_out["isolation"] = str(error)
    return report


def _latency(report: IsolationReport, workspace: Workspace, one: _Misses, label: str) -> None:
    """The 99th percentile of hits from memory, first alone, then while misses take all cores."""
    wanted = _CASES["6 MP to JPEG"][1]
    path = Template(servers.mage_template(one.port)).target(one.originals["photo"].take(), wanted)
    path = path.replace("/cold/", "/memory/", 1)
    for state in (_IDLE, _BUSY):
        with _saturated(one, state == _BUSY):
            command = (sys.executable, "-m", "bench.isolation", str(one.port), path, str(report.plan.seconds))
            with running(command, log=workspace.run / "probe.log", cwd=PROJECT) as child:
                if child.await_end(report.plan.seconds + 60):
                    raise WrongAnswerError(f"the probe failed: {child.last_line}")
                p99 = float(child.last_line.split()[1])
        report.p99.setdefault((one.name, state), []).append(p99)
        say(f"{label}  hits {state:24} {one.name:10} {p99:8.2f} ms")


@contextmanager
def _saturated(one: _Misses, wanted: bool) -> Iterator[None]:
    """As many misses at once as `one` has clients, if `wanted`."""
    stop = threading.Event()

    def load() -> None:
        # These clients are other machines, too: what they need of this one's cores must not delay the server. The
        # threads of `drive` inherit both, niceness and slice.
        priority.lengthen_slice()
        priority.lower(_LOWEST, [threading.get_native_id()])
        while not stop.is_set():
            one.rate("6 MP to JPEG", 1.0)

    thread = threading.Thread(target=load, daemon=True)
    if wanted:
        thread.start()
        time.sleep(1.0)
    try:
        yield
    finally:
        stop.set()
        if wanted:
            thread.join()


def _memory(report: IsolationReport, one: _Misses, pid: int) -> None:
    """PSS of the server's processes: idle, and after renders of all cases."""
    time.sleep(2.0)
    report.memory[one.name, "before the first render"] = _pss(pid)
    done = 0
    for count in _RENDERS:
        while done < count:
            for case in _CASES:
                done += round(one.rate(case, 1.0))
        time.sleep(5.0)  # children return what they have freed when they have been idle for a second
        report.memory[one.name, f"after {count} renders, and a rest"] = _pss(pid)
        say(f"{one.name}: {done} renders, {_pss(pid):.0f} MiB")


def _pss(pid: int) -> float:
    """MiB of a process and all that descend from it, what they share divided among them (proc_pid_smaps(5))."""
    total = 0
    for each in family(pid):
        lines = Path(f"/proc/{each}/smaps_rollup").read_text().splitlines()
        total += sum(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
    return total / 1024


def _median(values: list[float] | None) -> float | None:
    return median(values) if values else None


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:,.2f}" if value < 10 else f"{value:,.0f}"


def _ratio(results: Results, case: str) -> str:
    ratio = results.ratio(CHILDREN, THREADS, case)
    return f"{ratio:.3f}" if ratio else "–"


def _probe(port: str, path: str, seconds: str) -> None:
    # The client of a hit is another machine. Here it runs before all others, where it may, so that the time that it
    # waits for a core itself does not count as the server's.
    with contextlib.suppress(PermissionError):
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))
    client = Client(LOOPBACK, int(port))
    if client.get(path).status != 200:
        sys.exit("the hit is not answered with 200")
    found = []
    end = time.monotonic() + float(seconds)
    while time.monotonic() < end:
        began = time.perf_counter()
        answer = client.get(path)
        found.append((time.perf_counter() - began) * 1000)
        if answer.status != 200:
            sys.exit(f"a hit was answered with {answer.status}")
        time.sleep(_EVERY_SECONDS)
    print(median(found), quantiles(found, n=100)[98])


if __name__ == "__main__":
    _probe(*sys.argv[1:])
