"""One run from beginning to end: who takes part, then hits, then misses."""

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
from bench.report import Plan, Report
from bench.rounds import Contender, compare, say
from bench.servers import Ground, Server
from bench.table import MAGE, Board
from thumbs.render.encode import WEBP_EFFORT

PEERS = ("nginx", "thumbor", "ipx", "pyvips")
_LIMIT = "pyvips"
_CLIENTS_PER_CORE = 4


def run(plan: Plan, ground: Ground, photo: Path) -> Report:
    """Measure. Parties that cannot take part are left out with their reasons; nothing else is raised."""
    image = pyvips.Image.new_from_file(str(photo), access="sequential")
    megapixels = image.width * image.height / 1e6
    about = f"a {megapixels:.1f}-megapixel JPEG of {photo.stat().st_size / 1e6:.2f} MB"
    report = Report(plan, servers.machine(ground.cores), about, clients=_CLIENTS_PER_CORE * ground.cores)
    originals = Originals(ground.photos, photo)
    load = os.getloadavg()[0]
    if load > ground.cores / 4:
        say(f"the load of this machine is {load:.1f} before anything was started: expect noise")
    with _started(MAGE, servers.mage(ground), report) as mage:
        if "hits" in plan.kinds:
            _hits(report, ground, originals, mage)
        if "misses" in plan.kinds:
            _misses(report, ground, originals, mage=mage)
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


def _hits(report: Report, ground: Ground, originals: Originals, mage: Server | None) -> None:
    if mage is None:
        return  # there is nothing to serve; the report has the reason
    try:
        wrk = Wrk.found(ground.run)
        thumbnail = hits.thumbnail(mage, originals)
    except UnavailableError as error:
        report.left_out["hits"] = str(error)
        return
    except WrongAnswerError as error:
        report.left_out[MAGE] = str(error)
        return
    board = report.boards["hits"] = Board(hits.CASES)
    report.body_bytes = len(thumbnail.body)
    contenders: list[Contender] = [
        Hits(f"{MAGE}, {layer}", mage.port, thumbnail.paths(layer), thumbnail, wrk, layer)
        for layer in ("memory", "disk")
    ]
    with ExitStack() as stack:
        if "nginx" in report.plan.peers:
            files = thumbnail.write(ground.run / "static")
            server = stack.enter_context(_started("nginx", servers.nginx(ground, ground.run / "static"), report))
            if server is not None:
                contenders.insert(0, Hits("nginx", server.port, files, thumbnail, wrk))
        compare(contenders, board, rounds=report.plan.rounds, seconds=report.plan.seconds)
    report.left_out |= board.left_out


def _misses(report: Report, ground: Ground, originals: Originals, *, mage: Server | None) -> None:
    board = report.boards["misses"] = Board(tuple(misses.CASES))
    with ExitStack() as stack:
        templates: dict[str, Template] = {} if mage is None else {MAGE: Template(mage.template)}
        for name, start in (("thumbor", servers.thumbor), ("ipx", servers.ipx)):
            if name in report.plan.peers:
                started = stack.enter_context(_started(name, start(ground), report))
                templates |= {} if started is None else {name: Template(started.template)}
        templates |= report.plan.against
        asked = [HttpMisses(name, template, originals, report.clients) for name, template in templates.items()]
        limits = [_limit(report, ground, originals)] if _LIMIT in report.plan.peers else []
        compare([*asked, *limits], board, rounds=report.plan.rounds, seconds=report.plan.seconds)
    report.left_out |= board.left_out
    parties: list[HttpMisses | RawMisses] = [*asked, *limits]
    for party in parties:
        report.sizes |= {(party.name, case): len(body) for case, body in party.bodies.items()}
    for server in asked:
        if server.name == MAGE:
            report.notes[MAGE] += f"; {misses.peculiarities(server)}, WebP effort {WEBP_EFFORT}"
        elif server.name not in PEERS:
            report.notes[server.name] = (
                f"at {server.template.host}:{server.template.port}: {misses.peculiarities(server)}"
            )


def _limit(report: Report, ground: Ground, originals: Originals) -> RawMisses:
    """libvips at Mage's own WebP effort: what Mage could be at best."""
    libvips = ".".join(str(pyvips.version(part)) for part in range(3))
    report.notes[_LIMIT] = (
        f"{pyvips.__version__} with libvips {libvips}: the limit, `thumbnail_buffer` and encode without HTTP in "
        f"{ground.cores} processes, WebP effort {WEBP_EFFORT}"
    )
    logs = [ground.run / f"limit-{core}.log" for core in range(ground.cores)]
    return RawMisses(_LIMIT, originals.photo, logs, WEBP_EFFORT)
