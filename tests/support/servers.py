"""Real servers for the tests: each in a process of its own, on a free port of the loopback, ended when left."""

import contextlib
import functools
import http.client
import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast
from urllib.parse import urlsplit

import pytest

from tests.support import copies
from tests.support.missing_extras import need
from tests.support.waiting import WAIT_SECONDS, eventually

__all__ = ["eventually"]
ROOT = Path(__file__).resolve().parents[2]
MOTO_SERVER = ROOT / "tests/support/moto_server.py"
OUR_WORKER = "thumbs.server.worker.ThumbsWorker"


@dataclass(frozen=True)
class Answer:
    """An HTTP answer; names of headers are lower case, and what came twice is joined (RFC 9110, 5.3)."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass
class Server:
    """A running server. `prefix` is what stands before `{storage}/thumbs/…`, with slashes on both sides."""

    name: str
    port: int
    process: copies.Process
    log: Path
    prefix: str = "/"
    environ: dict[str, str] = field(default_factory=dict)

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.port}{self.prefix}{path}"

    def get(self, path: str, *, method: str = "GET", headers: Mapping[str, str] | None = None) -> Answer:
        """`path` from the storage's name on, already percent-encoded."""
        return fetch(self.url(path), method=method, headers=headers)

    def raw(self, target: bytes, *, method: bytes = b"GET", headers: Sequence[bytes] = ()) -> Answer:
        """Send a request target byte for byte, which no client library would."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=WAIT_SECONDS) as connection:
            lines = [method + b" " + target + b" HTTP/1.1", b"Host: localhost", *headers]
            connection.sendall(b"\r\n".join(lines) + b"\r\n\r\n")
            with http.client.HTTPResponse(connection, method=method.decode()) as response:
                response.begin()
                return _answer(response)


def fetch(url: str, *, method: str = "GET", headers: Mapping[str, str] | None = None) -> Answer:
    """A request on a connection of its own, which the server need not close: as plain a request as browsers send."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.netloc, timeout=WAIT_SECONDS)
    with contextlib.closing(connection):
        connection.request(method, parts._replace(scheme="", netloc="").geturl() or "/", headers=dict(headers or {}))
        return _answer(connection.getresponse())


def _answer(response: http.client.HTTPResponse) -> Answer:
    return Answer(response.status, _folded(response.getheaders()), response.read())


def _folded(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    folded: dict[str, str] = {}
    for name, value in pairs:
        low = name.lower()
        folded[low] = f"{folded[low]}, {value}" if low in folded else value
    return folded


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextlib.contextmanager
def standalone(
    thumbs: Mapping[str, object],
    directory: Path,
    *,
    worker: str = "asgi",
    workers: int = 1,
    options: Sequence[str] = (),
    fresh: bool = False,
) -> Iterator[Server]:
    """The project in gunicorn's `worker` (`asgi`, `gthread` for the WSGI application, or ours), or in uvicorn.

    `options` are more options of gunicorn. `fresh`: it shares no memory with other processes.
    """
    config = directory / "storages.json"
    write_document(config, thumbs)
    application = "mage_project.wsgi:application" if worker == "gthread" else "mage_project.asgi:application"
    environ = {"STORAGES_CONFIG_PATH": str(config), "DJANGO_SETTINGS_MODULE": "mage_project.settings"}
    name = f"standalone-{worker}"
    if worker == "uvicorn":
        command = ("uvicorn", application, "--http", "h11", "--no-access-log")
        starting = _served(name, lambda port: (*command, "--port", str(port)), directory, environ, fresh)
    else:
        starting = _gunicorn(name, application, (worker, workers, *options), directory, environ, fresh)
    with starting as server:
        yield server


def patient(thumbs: Mapping[str, object]) -> Mapping[str, object]:
    """`thumbs`, whose requests wait until a busy machine has started a child, unless it says how long they may wait."""
    limits = thumbs.get("limits", {})
    return {**thumbs, "limits": {"queue_seconds": 300, **limits}} if isinstance(limits, Mapping) else thumbs


def write_document(path: Path, thumbs: Mapping[str, object]) -> None:
    path.write_text(json.dumps(patient(thumbs)))


@contextlib.contextmanager
def site(
    thumbs: Mapping[str, object],
    directory: Path,
    *,
    worker: str = "gthread",
    workers: int = 1,
    module: str = "tests.support.site",
    settings: Mapping[str, object] | None = None,
) -> Iterator[Server]:
    """The site of `tests.support.site`, which includes the app under `/img/`, or what `module` makes of that.

    `thumbs` as for `standalone`; `settings` are more settings of the site.
    """
    name = module.rpartition(".")[2]
    application = f"{module}:{'application' if worker == 'gthread' else 'asgi_application'}"
    environ = {
        "SITE_THUMBS": json.dumps({key.upper(): value for key, value in patient(thumbs).items()}),
        "SITE_SETTINGS": json.dumps(settings or {}),
        "DJANGO_SETTINGS_MODULE": "",
    }
    with _gunicorn(f"{name}-{worker}", application, (worker, workers), directory, environ) as server:
        server.prefix = "/img/"
        yield server


@contextlib.contextmanager
def every_front(
    thumbs: Mapping[str, object],
    directory: Path,
    *,
    only_in_sites: Sequence[object] = (),
    settings: Mapping[str, object] | None = None,
) -> Iterator[tuple[Server, ...]]:
    """All the ways to serve `thumbs`: standalone, a site with the view, a front around that site; WSGI and ASGI each.

    The first is what `run_thumb_server` runs.
    `only_in_sites` are more storages for the sites, `settings` more of their settings.
    """
    in_sites = {**thumbs, "storages": [*cast("Sequence[object]", thumbs["storages"]), *only_in_sites]}
    in_site = functools.partial(site, in_sites, settings=settings)
    starts = [functools.partial(standalone, thumbs, worker=worker) for worker in (OUR_WORKER, "asgi", "gthread")]
    starts += [functools.partial(in_site, worker=worker) for worker in ("asgi", "gthread")]
    starts += [
        functools.partial(in_site, worker=worker, module="tests.support.wrapped") for worker in ("asgi", "gthread")
    ]
    with contextlib.ExitStack() as stack, ThreadPoolExecutor(len(starts)) as pool:
        directories = [directory / f"front-{number}" for number in range(len(starts))]
        for each in directories:
            each.mkdir()
        fronts = tuple(pool.map(lambda start, own: stack.enter_context(start(own)), starts, directories))
        yield fronts
        for front in fronts:  # all at once, so that none waits for another
            front.process.terminate()


@contextlib.contextmanager
def gunicorn(name: str, application: str, worker: str, directory: Path, environ: dict[str, str]) -> Iterator[Server]:
    """One worker of the class `worker` with any application; the environment is this process's with `environ`."""
    with _gunicorn(name, application, (worker, 1), directory, environ) as server:
        yield server


@contextlib.contextmanager
def _gunicorn(
    name: str,
    application: str,
    how: Sequence[str | int],
    directory: Path,
    environ: dict[str, str],
    fresh: bool = False,
) -> Iterator[Server]:
    """`how` is the class of the workers, their number, and more options of gunicorn."""
    need("server")
    worker, workers, *options = map(str, how)

    def command(port: int) -> Sequence[str]:
        return (
            *("gunicorn", application, "--bind", f"127.0.0.1:{port}"),
            *("--worker-class", worker, "--workers", workers, "--no-control-socket"),
            *(("--threads", "16") if worker == "gthread" else ()),
            *options,
        )

    with _served(name, command, directory, environ, fresh) as server:
        yield server


@contextlib.contextmanager
def _served(
    name: str, command: Callable[[int], Sequence[str]], directory: Path, environ: dict[str, str], fresh: bool
) -> Iterator[Server]:
    """`python -m` with what `command` makes of a free port."""
    port = free_port()
    environ = {name: value for name, value in {**os.environ, **environ}.items() if value}
    if environ.get("DJANGO_SETTINGS_MODULE") == "tests.support.settings":
        del environ["DJANGO_SETTINGS_MODULE"]
    log = directory / f"{name}.log"
    with log.open("wb") as output:
        process = copies.started(["-m", *command(port)], environ=environ, outputs=[output.fileno()], fresh=fresh)
    with _ended(process):
        wait_for_port(port, process, log)
        yield Server(name, port, process, log, environ=environ)


@contextlib.contextmanager
def running(
    command: Sequence[str], *, log: Path, environ: Mapping[str, str] | None = None, directory: Path = ROOT
) -> Iterator[copies.Process]:
    """`command` as long as the block lasts, in `directory`; its output goes to `log`."""
    program, *arguments = command
    process: copies.Process
    with log.open("wb") as output:
        if (program, arguments[0], directory) == (sys.executable, "manage.py", ROOT):
            process = copies.started(arguments, environ=environ or os.environ, outputs=[output.fileno()])
        else:
            process = subprocess.Popen(command, cwd=directory, env=environ, stdout=output, stderr=subprocess.STDOUT)
    with _ended(process):
        yield process


@contextlib.contextmanager
def _ended(process: copies.Process) -> Iterator[None]:
    """End the process when the block is left."""
    try:
        yield
    finally:
        process.terminate()
        try:
            process.wait(WAIT_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def wait_for_port(port: int, process: copies.Process, log: Path) -> None:
    end = time.monotonic() + WAIT_SECONDS
    while time.monotonic() < end:
        if process.poll() is not None:
            break
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        time.sleep(0.05)
    raise AssertionError(f"no server came up on port {port}:\n{log.read_text()}")


def service(program: str) -> str:
    """The path of a program that a test needs. Without it the test is skipped; in CI it fails."""
    found = shutil.which(program, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
    if found is None:
        reason = f"{program} is not installed: apt-get install {program}"
        if os.environ.get("MAGE_REQUIRE_SERVICES"):
            pytest.fail(reason)
        pytest.skip(reason)
    return found


@contextlib.contextmanager
def moto(directory: Path) -> Iterator[int]:
    """moto's S3 server over HTTP; gives its port."""
    port = free_port()
    log = directory / "moto.log"
    command = [sys.executable, str(MOTO_SERVER), "-H", "127.0.0.1", "-p", str(port)]
    with running(command, log=log) as process:
        wait_for_port(port, process, log)
        yield port


@contextlib.contextmanager
def memcached(directory: Path) -> Iterator[int]:
    """Debian's memcached; gives its port."""
    port = free_port()
    log = directory / "memcached.log"
    user = ("-u", "nobody") if os.getuid() == 0 else ()
    with running([service("memcached"), "-l", "127.0.0.1", "-p", str(port), *user], log=log) as process:
        wait_for_port(port, process, log)
        yield port
        process.kill()  # it has nothing to save, and would take a second to end
