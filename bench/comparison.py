"""One benchmark run: starts the servers, then measures hits, then misses."""

import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path

import pyvips

from bench import hits, misses, servers
from bench.check import WrongAnswerError
from bench.hits import Hits
from bench.load import Template, Wrk
from bench.misses import HttpMisses, RawMisses
from bench.pictures import Originals
from bench.processes import UnavailableError
from bench.quality.answers import answer_score
from bench.report import Plan, Report
from bench.rounds import Contender, compare, say
from bench.servers import Server, Workspace
from bench.table import MAGE, Results
from thumbs.render.codecs.savers import WEBP_EFFORT

PEERS = ("nginx", "thumbor", "ipx", "pyvips")
_BASELINE = "pyvips"
_UNISOLATED = f"{MAGE}, isolation off"
_RENDERING = {"thumbor": servers.thumbor, "ipx": servers.ipx}
_CLIENTS_PER_CORE = 4


def run(plan: Plan, workspace: Workspace, photo: Path) -> Report:
    """Measure. A server that does not start or answers wrongly is left out, with the reason in the report."""
    image = pyvips.Image.new_from_file(str(photo), access="sequential")
    megapixels = image.width * image.height / 1e6
    about = f"a {megapixels:.1f}-megapixel JPEG of {photo.stat().st_size / 1e6:.2f} MB"
    report = Report(plan, servers.machine(workspace.cores), about, clients=_CLIENTS_PER_CORE * workspace.cores)
    originals = Originals(workspace.photos, photo)
    load = os.getloadavg()[0]
    if load > workspace.cores / 4:
        say(f"the load of this machine is {load:.1f} before the run starts: expect noise")
    with _started(MAGE, servers.mage(workspace), report) as mage:
        if "hits" in plan.kinds:
            _hits(report, workspace, originals, mage)
        if "misses" in plan.kinds:
            _misses(report, workspace, originals, mage=mage)
    return report


@contextmanager
def _started(name: str, server: AbstractContextManager[Server], report: Report) -> Iterator[Server | None]:
    with ExitStack() as stack:
        try:
            say(f"starting {name}")
            started = stack.enter_context(server)
        except (UnavailableError, OSError) as error:
            report.left_out[name] = str(error)
            say(f"left out: {name}: {error}")
            yield None
        else:
            report.notes[name] = started.about
            yield started


def _hits(report: Report, workspace: Workspace, originals: Originals, mage: Server | None) -> None:
    if mage is None:
        return  # without Mage there is no thumbnail to serve; the report has the reason
    try:
        wrk = Wrk.found(workspace.run)
        thumbnail = hits.thumbnail(mage, originals)
    except UnavailableError as error:
        report.left_out["hits"] = str(error)
        return
    except WrongAnswerError as error:
        report.left_out[MAGE] = str(error)
        return
    results = report.results["hits"] = Results(hits.CASES)
    report.body_bytes = len(thumbnail.body)
    contenders: list[Contender] = [
        Hits(f"{MAGE}, {layer}", mage.port, thumbnail.paths(layer), thumbnail, wrk, layer)
        for layer in ("memory", "disk")
    ]
    with ExitStack() as stack:
        if "nginx" in report.plan.peers:
            files = thumbnail.write(workspace.run / "static")
            server = stack.enter_context(_started("nginx", servers.nginx(workspace, workspace.run / "static"), report))
            if server is not None:
                contenders.insert(0, Hits("nginx", server.port, files, thumbnail, wrk))
        compare(contenders, results, rounds=report.plan.rounds, seconds=report.plan.seconds)
    report.left_out |= results.left_out


def _misses(report: Report, workspace: Workspace, originals: Originals, *, mage: Server | None) -> None:
    results = report.results["misses"] = Results(tuple(misses.CASES))
    with ExitStack() as stack:
        found = {} if mage is None else {MAGE: mage}
        starts = {_UNISOLATED: servers.mage(workspace, home="mage-unisolated", isolation="off")} if mage else {}
        starts |= {name: start(workspace) for name, start in _RENDERING.items() if name in report.plan.peers}
        for name, start in starts.items():
            started = stack.enter_context(_started(name, start, report))
            found |= {} if started is None else {name: started}
        over_http = [
            HttpMisses(name, Template(server.template), originals, report.clients, pid=server.pid)
            for name, server in found.items()
        ]
        over_http += [
            HttpMisses(name, template, originals, report.clients) for name, template in report.plan.against.items()
        ]
        limits = [_limit(report, workspace, originals)] if _BASELINE in report.plan.peers else []
        compare([*over_http, *limits], results, rounds=report.plan.rounds, seconds=report.plan.seconds)
    report.left_out |= results.left_out
    report.baseline, report.cpu = _BASELINE, Results(tuple(misses.CASES))
    photo = originals.photo
    parties: list[HttpMisses | RawMisses] = [*over_http, *limits]
    for party in parties:
        if party.name in results.left_out:
            continue
        report.sizes |= {(party.name, case): len(body) for case, body in party.bodies.items()}
        report.cpu.rates |= {(party.name, case): seconds for case, seconds in party.cpu.items()}
        for case, body in party.bodies.items():
            likeness = answer_score(photo.read_bytes(), misses.CASES[case], body)
            report.scores |= {} if likeness is None else {(party.name, case): likeness}
    for server in over_http:
        if server.name in (MAGE, _UNISOLATED):
            report.notes[server.name] += f"; {misses.observed_encoding(server)}, WebP effort {WEBP_EFFORT}"
        elif server.name not in PEERS:
            report.notes[server.name] = (
                f"at {server.template.host}:{server.template.port}: {misses.observed_encoding(server)}"
            )


def _limit(report: Report, workspace: Workspace, originals: Originals) -> RawMisses:
    """libvips at Mage's WebP effort: the upper limit for Mage."""
    libvips = ".".join(str(pyvips.version(part)) for part in range(3))
    report.notes[_BASELINE] = (
        f"{pyvips.__version__} with libvips {libvips}: the limit, `thumbnail_buffer` and encode without HTTP in "
        f"{workspace.cores} processes, WebP effort {WEBP_EFFORT}"
    )
    logs = [workspace.run / f"limit-{core}.log" for core in range(workspace.cores)]
    return RawMisses(_BASELINE, originals.photo, logs, WEBP_EFFORT)
