"""Misses: pictures rendered per second, each from an original that was never requested before, and their CPU time."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from bench import limit
from bench.check import Wanted, WrongAnswerError, check, decode, is_progressive
from bench.cpu import cpu_seconds
from bench.load import Answer, Client, Template, drive, get
from bench.pictures import Originals

CASES: dict[str, Wanted] = {
    "JPEG q80": Wanted(500, 300, "jpeg", 80),
    "WebP q77": Wanted(500, 300, "webp", 77),
}
_LOWER_QUALITY = 30
_WARM_SECONDS = 1.0


@dataclass(slots=True)
class HttpMisses:
    """A server that renders for `clients` at once. `bodies` has its first response per case.

    `cpu` has the CPU seconds of one picture in each round, of all processes that descend from `pid`, if that is known.
    """

    name: str
    template: Template
    originals: Originals
    clients: int
    bodies: dict[str, bytes] = field(default_factory=dict)
    cpu: dict[str, list[float]] = field(default_factory=dict)
    pid: int = 0

    def verify(self, case: str) -> None:
        """Check the picture, and that a lower quality gives a smaller file: the server obeys the URL's quality."""
        wanted = CASES[case]
        body = self._once(wanted)
        decode(body)
        lower = self._once(replace(wanted, quality=_LOWER_QUALITY))
        if len(lower) >= len(body):
            raise WrongAnswerError(f"quality {_LOWER_QUALITY} makes no smaller file than {wanted.quality}")
        if case not in self.bodies:
            self.bodies[case] = body
            self._drive(case, _WARM_SECONDS, itertools.count())

    def rate(self, case: str, seconds: float) -> float:
        if not self.pid:
            return self._drive(case, seconds, itertools.count())
        answers, before = itertools.count(), cpu_seconds(self.pid)
        rate = self._drive(case, seconds, answers)
        self.cpu.setdefault(case, []).append((cpu_seconds(self.pid) - before) / max(1, next(answers)))
        return rate

    def _drive(self, case: str, seconds: float, answers: "itertools.count[int]") -> float:
        wanted = CASES[case]

        def ask(client: Client) -> None:
            check_answer(client.get(self.template.target(self.originals.take(), wanted)), wanted)
            next(answers)

        return drive(ask, self.template.host, self.template.port, clients=self.clients, seconds=seconds)

    def _once(self, wanted: Wanted) -> bytes:
        answer = get(self.template.host, self.template.port, self.template.target(self.originals.take(), wanted))
        check_answer(answer, wanted)
        return answer.body


@dataclass(slots=True)
class RawMisses:
    """libvips without a server, in one process per file of `logs`; `effort` is WebP's."""

    name: str
    photo: Path
    logs: Sequence[Path]
    effort: int
    bodies: dict[str, bytes] = field(default_factory=dict)
    cpu: dict[str, list[float]] = field(default_factory=dict)

    def verify(self, case: str) -> None:
        wanted = CASES[case]
        body = limit.render(self.photo.read_bytes(), wanted, effort=self.effort)
        check(body, f"image/{wanted.format}", wanted)
        self.bodies[case] = body

    def rate(self, case: str, seconds: float) -> float:
        rate = limit.pool_rate(self.photo, CASES[case], effort=self.effort, seconds=seconds, logs=self.logs)
        self.cpu.setdefault(case, []).append(rate.cpu_seconds)
        return rate.pictures


def check_answer(answer: Answer, wanted: Wanted) -> None:
    """Raise `WrongAnswerError` unless `answer` is the picture, rendered for this request."""
    if answer.status != 200:
        raise WrongAnswerError(f"answered the status {answer.status}")
    if answer.headers.get("x-cache", "").upper().startswith("HIT"):
        raise WrongAnswerError("answered from a cache")
    check(answer.body, answer.headers.get("content-type", ""), wanted)


def observed_encoding(server: HttpMisses) -> str:
    """How the server encodes JPEG, from its responses."""
    jpegs = [body for case, body in server.bodies.items() if CASES[case].format == "jpeg"]
    return " and ".join("progressive JPEG" if is_progressive(body) else "baseline JPEG" for body in jpegs)
