"""Hits through URLs of other image servers beside hits through our own URLs: the same entries of the same server."""

import base64
import hmac
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bench import hits, servers
from bench.check import Wanted, WrongAnswerError
from bench.hits import Hits
from bench.load import WRK_CONNECTIONS, WRK_THREADS, Wrk
from bench.pictures import Originals
from bench.processes import UnavailableError
from bench.report import Plan
from bench.rounds import compare, say
from bench.servers import Workspace
from bench.table import Results, markdown

OWN = "our own URL"
_LAYER = "memory"
_KEY, _SALT = "943b421c9eb07c83", "520f986b998545b4"
_SOURCES = {"": _LAYER}
DIALECTS: Sequence[dict[str, object]] = (
    {"dialect": "imgproxy", "path": "/i/", "sources": {"local:///": _LAYER}, "key": _KEY, "salt": _SALT},
    {"dialect": "thumbor", "path": "/t/", "sources": _SOURCES, "key": _KEY},
    {"dialect": "imagor", "path": "/a/", "sources": _SOURCES, "key": _KEY},
    {"dialect": "ipx", "path": "/_ipx/", "sources": {"/": _LAYER}},
    {"dialect": "mage", "path": "/m/", "sources": _SOURCES, "key": _KEY},
)
_EXPLANATION = (
    f"A time is one second divided by the answers in it. `wrk -t{WRK_THREADS} -c{WRK_CONNECTIONS}`; every URL is "
    "answered with the same bytes from memory."
)
_AIM = "Aim: a hit through a dialect takes at most 1.1 × the time of one through our own URL."


@dataclass(slots=True)
class DialectsReport:
    """The rates of `OWN` and of each dialect. `left_out` has the reason of each failure."""

    plan: Plan
    machine: str
    about: str = ""
    results: Results = field(default_factory=lambda: Results(hits.CASES))
    left_out: dict[str, str] = field(default_factory=dict)

    @property
    def mage_failed(self) -> bool:
        return bool(self.left_out)

    def markdown(self) -> str:
        """One row a party: the median time of a hit, and its ratio to that through our own URL, in each case."""
        plan, results = self.plan, self.results
        header = ["Hits through", *(column for case in hits.CASES for column in (f"{case}, µs", "× our own"))]
        rows = [
            [party, *(cell for case in hits.CASES for cell in self._cells(party, case))] for party in results.parties
        ]
        parts = [
            f"{self.machine}; medians of {plan.rounds} interleaved rounds of {plan.seconds:g} s each.",
            markdown(header, rows) if results.rates else "",
            _EXPLANATION,
            _AIM,
            f"* {self.about}." if self.about else "",
            "\n".join(f"* Left out: {party}: {reason}" for party, reason in self.left_out.items()),
        ]
        return "\n\n".join(filter(None, parts))

    def json(self) -> dict[str, object]:
        """All single rates, and the ratios of times."""
        return {
            "machine": self.machine,
            "rounds": self.plan.rounds,
            "seconds": self.plan.seconds,
            "dialects": [
                {"party": party, "case": case, "rates": rates, "ratio": self.results.ratio(OWN, party, case)}
                for (party, case), rates in self.results.rates.items()
            ],
            "left_out": self.left_out,
        }

    def _cells(self, party: str, case: str) -> tuple[str, str]:
        # A time is the inverse of a rate, so the ratio of times is that of the rates the other way round.
        rate, ratio = self.results.rate(party, case), self.results.ratio(OWN, party, case)
        return (f"{1e6 / rate:,.1f}" if rate else "–", f"{ratio:.3f}" if ratio else "–")


def run(plan: Plan, workspace: Workspace, photo: Path) -> DialectsReport:
    """Measure. Nothing is raised."""
    report = DialectsReport(plan, servers.machine(workspace.cores))
    originals = Originals(workspace.photos, photo)
    say("starting Mage")
    try:
        with servers.mage(workspace, dialects=DIALECTS) as mage:
            report.about = mage.about
            wrk, thumbnail = Wrk.found(workspace.run), hits.thumbnail(mage, originals)
            parties = [
                Hits(
                    name, mage.port, [build(thumbnail.wanted, each) for each in thumbnail.names], thumbnail, wrk, _LAYER
                )
                for name, build in URLS.items()
            ]
            compare(parties, report.results, rounds=plan.rounds, seconds=plan.seconds)
    except (UnavailableError, WrongAnswerError, OSError) as error:
        report.left_out["dialects"] = str(error)
    report.left_out |= report.results.left_out
    return report


# ------------------------------------------------------------------------------------------------ URLs


def _own(wanted: Wanted, name: str) -> str:
    return f"/{_LAYER}/thumbs{_filters(wanted, name)}"


def _filters(wanted: Wanted, name: str) -> str:
    filters = f"format({wanted.format});quality({wanted.quality});upscale(yes)"
    return f"/{wanted.width}x{wanted.height}/filters:{filters}/{name}"


def _imgproxy(wanted: Wanted, name: str) -> str:
    options = f"rs:fill:{wanted.width}:{wanted.height}:1/q:{wanted.quality}/f:{wanted.format}"
    path = f"/{options}/plain/local:///{name}"
    digest = hmac.digest(bytes.fromhex(_KEY), bytes.fromhex(_SALT) + path.encode(), "sha256")
    return f"/i/{base64.urlsafe_b64encode(digest).decode().rstrip('=')}{path}"


def _thumbor(wanted: Wanted, name: str, at: str = "/t/") -> str:
    path = f"{wanted.width}x{wanted.height}/filters:format({wanted.format}):quality({wanted.quality})/{name}"
    return f"{at}{_signature(path, 'sha1')}/{path}"


def _imagor(wanted: Wanted, name: str) -> str:
    return _thumbor(wanted, name, "/a/")


def _ipx(wanted: Wanted, name: str) -> str:
    return f"/_ipx/s_{wanted.width}x{wanted.height},enlarge,f_{wanted.format},q_{wanted.quality}/{name}"


def _mage(wanted: Wanted, name: str) -> str:
    path = _filters(wanted, name)
    return f"/m/{_signature(path, 'sha256')[:16]}{path}"


def _signature(message: str, algorithm: str) -> str:
    return base64.urlsafe_b64encode(hmac.digest(_KEY.encode(), message.encode(), algorithm)).decode()


# The URL of a thumbnail of an original, by the party.
URLS: dict[str, Callable[[Wanted, str], str]] = {
    OWN: _own,
    "imgproxy": _imgproxy,
    "thumbor": _thumbor,
    "imagor": _imagor,
    "ipx": _ipx,
    "mage": _mage,
}
