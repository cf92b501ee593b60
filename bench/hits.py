"""Hits: requests per second for cached thumbnails, compared with nginx serving the same bytes."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from bench.check import Wanted, WrongAnswerError, check, decode
from bench.load import WRK_CONNECTIONS, Answer, Client, Wrk, get
from bench.pictures import Originals
from bench.processes import LOOPBACK
from bench.servers import Server

URLS = 200
CASES = ("one URL", f"{URLS} URLs")
_BODY_BYTES = 20_000  # approximately
_QUALITIES = range(50, 95, 5)
_WARM_SECONDS = 1.0
_WARM_PASSES = 10


@dataclass(frozen=True, slots=True)
class Thumbnail:
    """The bytes that every server serves, under several names."""

    names: tuple[str, ...]
    wanted: Wanted
    body: bytes

    def paths(self, storage: str) -> list[str]:
        """Its URLs on Mage, in `storage`."""
        spec = f"{self.wanted.width}x{self.wanted.height}/filters:format(jpeg);quality({self.wanted.quality})"
        return [f"/{storage}/thumbs/{spec}/{name}" for name in self.names]

    def write(self, directory: Path) -> list[str]:
        """Write one file per name into `directory`; return their URLs."""
        directory.mkdir()
        for number in range(len(self.names)):
            (directory / f"{number}.jpg").write_bytes(self.body)
        return [f"/{number}.jpg" for number in range(len(self.names))]


def thumbnail(mage: Server, originals: Originals) -> Thumbnail:
    """Mage's thumbnail of the photo, in the quality whose size is nearest to 20 KB.

    Raises `WrongAnswerError` when Mage's response is wrong.
    """
    made = []
    for quality in _QUALITIES:
        wanted = Wanted(500, 300, "jpeg", quality)
        (path,) = Thumbnail((originals.take(),), wanted, b"").paths("cold")
        answer = get(LOOPBACK, mage.port, path)
        if answer.status != 200:
            raise WrongAnswerError(f"answered the status {answer.status}")
        check(answer.body, answer.headers.get("content-type", ""), wanted)
        made.append((wanted, answer.body))
    wanted, body = min(made, key=lambda one: abs(len(one[1]) - _BODY_BYTES))
    decode(body)
    return Thumbnail(tuple(originals.take() for _ in range(URLS)), wanted, body)


@dataclass(slots=True)
class Hits:
    """A server and its URLs of the thumbnail. `layer` is the cache layer that must answer; None for nginx."""

    name: str
    port: int
    paths: Sequence[str]
    thumbnail: Thumbnail
    wrk: Wrk
    layer: str | None = None
    warm: set[str] = field(default_factory=set)

    def verify(self, case: str) -> None:
        """Check that every URL gives the expected bytes from the cache. New connections reach every process."""
        paths = self._paths(case)
        if case not in self.warm:
            self._warm(paths)
            self.rate(case, _WARM_SECONDS)
            self.warm.add(case)
        for path in paths:
            self._check(get(LOOPBACK, self.port, path))

    def rate(self, case: str, seconds: float) -> float:
        return self.wrk.rate(self.port, self._paths(case), seconds=seconds, body_bytes=len(self.thumbnail.body))

    def _warm(self, paths: Sequence[str]) -> None:
        """Request every URL until every process of the server has it; connections go to random processes."""
        for _ in range(_WARM_PASSES):
            _request_all(self.port, paths)
            # nginx has no X-Cache header.
            answers = (get(LOOPBACK, self.port, path) for path in paths)
            if all(answer.headers.get("x-cache", "HIT") == "HIT" for answer in answers):
                return

    def _check(self, answer: Answer) -> None:
        if answer.status != 200 or answer.body != self.thumbnail.body:
            raise WrongAnswerError(f"answered other bytes (status {answer.status})")
        cache, timing = answer.headers.get("x-cache"), answer.headers.get("server-timing", "")
        if self.layer is not None and (cache != "HIT" or self.layer not in timing):
            raise WrongAnswerError(f"answered X-Cache {cache}, Server-Timing {timing}: not a hit from {self.layer}")

    def _paths(self, case: str) -> Sequence[str]:
        return self.paths if case == CASES[1] else self.paths[:1]


def _request_all(port: int, paths: Sequence[str]) -> None:
    """Request every path on as many connections as wrk uses."""

    def one_connection() -> None:
        client = Client(LOOPBACK, port)
        for path in paths:
            client.get(path)
        client.close()

    with ThreadPoolExecutor(WRK_CONNECTIONS) as pool:
        for done in [pool.submit(one_connection) for _ in range(WRK_CONNECTIONS)]:
            done.result()
