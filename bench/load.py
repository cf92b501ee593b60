"""Load generators: `wrk` for hits, which are too fast for a Python client, and a Python client that checks misses."""

import http.client
import shutil
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from string import Formatter
from urllib.parse import urlsplit

from bench.check import Wanted, WrongAnswerError
from bench.processes import LOOPBACK, UnavailableError, running

WRK_THREADS, WRK_CONNECTIONS = 2, 16
_FIELDS = frozenset({"name", "width", "height", "format", "quality"})
_TIMEOUT_SECONDS = 30.0

_SEVERAL_URLS = """\
local paths = {{ {paths} }}
local requests, at = {{}}, 0
function init(args)
  for i, path in ipairs(paths) do requests[i] = wrk.format("GET", path) end
end
function request()
  at = at % #requests + 1
  return requests[at]
end
"""
_SUMMARY = """\
function done(summary, latency, requests)
  local e = summary.errors
  print("")
  print(summary.requests, summary.duration, summary.bytes, e.status, e.connect + e.read + e.write + e.timeout)
end
"""


@dataclass(frozen=True, slots=True)
class Answer:
    """A response; header names are in lower case."""

    status: int
    headers: dict[str, str]
    body: bytes


class Template:
    """A URL of a server on this machine with the field `{name}`, and `{width}`, `{height}`, `{format}`, `{quality}`."""

    def __init__(self, url: str) -> None:
        """Raises ValueError, with a message for the user, when `url` is not a template."""
        parts = urlsplit(url)
        if parts.scheme != "http" or parts.hostname not in (LOOPBACK, "localhost"):
            raise ValueError(f"a template must start with http://{LOOPBACK}:PORT/ or http://localhost:PORT/")
        unknown = {field for _, field, _, _ in Formatter().parse(url) if field is not None} - _FIELDS
        if unknown or "{name}" not in url:
            raise ValueError("a template must have {name}; its fields are among " + ", ".join(sorted(_FIELDS)))
        self.host, self.port = parts.hostname, parts.port or 80
        self._target = url.partition(parts.netloc)[2]

    def target(self, name: str, wanted: Wanted) -> str:
        return self._target.format(
            name=name, width=wanted.width, height=wanted.height, format=wanted.format, quality=wanted.quality
        )


class Client:
    """One persistent connection, opened again after the server has closed it."""

    def __init__(self, host: str, port: int) -> None:
        self._connection = http.client.HTTPConnection(host, port, timeout=_TIMEOUT_SECONDS)

    def get(self, target: str) -> Answer:
        """The response. Raises `WrongAnswerError` when there is none."""
        try:
            try:
                return self._get(target)
            except (http.client.RemoteDisconnected, ConnectionError):
                self._connection.close()
                return self._get(target)
        except (http.client.HTTPException, OSError) as error:
            raise WrongAnswerError(f"gave no answer ({type(error).__name__})") from None

    def _get(self, target: str) -> Answer:
        self._connection.request("GET", target)
        response = self._connection.getresponse()
        return Answer(response.status, {name.lower(): text for name, text in response.getheaders()}, response.read())

    def close(self) -> None:
        self._connection.close()


def get(host: str, port: int, target: str) -> Answer:
    """One request on a new connection. Raises `WrongAnswerError` when there is no response."""
    client = Client(host, port)
    try:
        return client.get(target)
    finally:
        client.close()


def drive(work: Callable[[Client], None], host: str, port: int, *, clients: int, seconds: float) -> float:
    """Calls of `work` per second by `clients` at once, each with one persistent connection. Raises the first error.

    Each client finishes its last call and divides by its own time. Otherwise calls in progress at the end would distort
    a low rate.
    """
    started = threading.Barrier(clients)
    stop = threading.Event()

    def one() -> float:
        client = Client(host, port)
        started.wait()
        began = time.monotonic()
        count = 0
        try:
            while not stop.is_set() and time.monotonic() - began < seconds:
                work(client)
                count += 1
        except BaseException:
            stop.set()
            raise
        finally:
            client.close()
        return count / (time.monotonic() - began)

    with ThreadPoolExecutor(clients) as pool:
        try:
            return sum(future.result() for future in [pool.submit(one) for _ in range(clients)])
        finally:
            stop.set()


@dataclass(frozen=True, slots=True)
class Wrk:
    """The program `wrk`, with a directory for its script and its log."""

    program: str
    scratch: Path

    @staticmethod
    def found(scratch: Path) -> "Wrk":
        """The installed `wrk`. Raises `UnavailableError` when there is none."""
        program = shutil.which("wrk")
        if program is None:
            raise UnavailableError("wrk is not installed (on Debian: apt-get install wrk)")
        return Wrk(program, scratch)

    def rate(self, port: int, paths: Sequence[str], *, seconds: float, body_bytes: int) -> float:
        """Requests per second over `paths` in turn. Raises `WrongAnswerError` for any wrong or missing response."""
        script = self.scratch / "wrk.lua"
        quoted = ", ".join(f'"{path}"' for path in paths)
        script.write_text((_SEVERAL_URLS.format(paths=quoted) if len(paths) > 1 else "") + _SUMMARY)
        options = (
            f"-t{WRK_THREADS}",
            f"-c{WRK_CONNECTIONS}",
            f"-d{max(1, round(seconds))}",
            f"--timeout={_TIMEOUT_SECONDS:.0f}",
        )
        command = (self.program, *options, "-s", script, f"http://{LOOPBACK}:{port}{paths[0]}")
        with running(command, log=self.scratch / "wrk.log") as child:
            status = child.await_end(seconds + 60)
            line = child.last_line
        if status:
            raise WrongAnswerError(f"wrk failed: {line}")
        return summarized(line, body_bytes=body_bytes)


def summarized(line: str, *, body_bytes: int) -> float:
    """The rate from the line that `done` prints: requests, microseconds, bytes, error statuses, other errors.

    Raises `WrongAnswerError` when there were errors, or fewer bytes than the pictures have.
    """
    requests, microseconds, received, refused, lost = map(int, line.split())
    if refused or lost:
        raise WrongAnswerError(f"of {requests} requests {refused} were answered with an error and {lost} not at all")
    if requests == 0 or received < requests * body_bytes:
        raise WrongAnswerError(f"{requests} answers came with {received} bytes, too few")
    return requests / (microseconds / 1e6)
