"""Caches that break under a running server: each request gets its right answer, and they come back (P8, P10)."""

import contextlib
import functools
import itertools
import os
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support import copies, servers
from tests.support.commands import disk_cache, environ_with, local_storage
from tests.support.pictures import encoded, noise
from tests.support.servers import Answer, Server
from tests.support.waiting import WAIT_SECONDS, eventually

NAMESPACE = ("unshare", "--user", "--map-root-user", "--mount")
WIDTHS = range(60, 160)
CLIENTS = 8


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Originals whose thumbnails take little time to render, and room on a disk."""
    root = tmp_path_factory.mktemp("root")
    (root / "noise.jpg").write_bytes(encoded(noise(320, 240), "JPEG", quality=90))
    return root


def layer(answer: Answer) -> str:
    return answer.headers["server-timing"].partition(",")[0].removeprefix('layer;desc="').removesuffix('"')


def path_of(width: int, storage: str) -> str:
    return f"{storage}/thumbs/{width}x{width}/filters:format(png)/noise.jpg"


def asked(server: Server, paths: list[str]) -> list[Answer]:
    with ThreadPoolExecutor(CLIENTS) as pool:
        return list(pool.map(server.get, paths))


@functools.cache
def right(port: int) -> list[bytes]:
    """What a storage without a cache of the server on that port answers to each width: once for all tests of it."""
    urls = [f"http://127.0.0.1:{port}/{path_of(width, 'plain')}" for width in WIDTHS]
    with ThreadPoolExecutor(CLIENTS) as pool:
        answers = list(pool.map(servers.fetch, urls))
    assert {answer.status for answer in answers} == {200}
    return [answer.body for answer in answers]


def wrong(server: Server, answers: list[Answer]) -> list[int]:
    """Which of the answers, each to the next width, differ from what a storage without a cache answers."""
    found = zip(answers, itertools.cycle(right(server.port)), strict=False)
    return [number for number, (answer, body) in enumerate(found) if (answer.status, answer.body) != (200, body)]


# ------------------------------------------------------------------------------------------- P8: the disk


class Disk:
    """A file system in memory that only the server sees, with a cache in one of its directories."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.cache = root / "cache"
        self._pid = 0

    def belongs_to(self, process: copies.Process) -> None:
        self._pid = process.pid

    def run(self, *command: str | Path) -> None:
        inside = ["nsenter", "--target", str(self._pid), "--user", "--mount", "--preserve-credentials"]
        subprocess.run([*inside, *command], check=True, capture_output=True, timeout=WAIT_SECONDS)


def nothing(_: Disk) -> None:
    """A file system that is too small from the beginning."""


def read_only(disk: Disk) -> None:
    # It cannot be remounted read-only while a file is open for writing: so another one is mounted over it.
    disk.run("mount", "-t", "tmpfs", "-o", "ro", "tmpfs", disk.cache)


def writable(disk: Disk) -> None:
    disk.run("umount", disk.cache)


def deleted(disk: Disk) -> None:
    for _ in range(50):
        disk.run("sh", "-c", f"rm -rf {disk.cache}/* {disk.cache}; true")  # it may be filled meanwhile
        time.sleep(0.02)


def larger(disk: Disk) -> None:
    disk.run("mount", "-o", "remount,size=64m,nr_inodes=10000", disk.root)


@dataclass(frozen=True)
class Trial:
    """How a file system is mounted, what becomes of it, and how often each picture is requested meanwhile."""

    options: str
    spoil: Callable[[Disk], None]
    mend: Callable[[Disk], None]
    rounds: int = 5


# By the storage that has its disk cache there.
TRIALS = {
    "full": Trial("size=1m", nothing, larger),
    "without-inodes": Trial("size=64m,nr_inodes=60", nothing, larger),
    "read-only": Trial("size=64m", read_only, writable),
    "deleted": Trial("size=64m", deleted, nothing, rounds=10),  # it is deleted again and again
}


@pytest.fixture(scope="module")
def on_disks(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Server, dict[str, Disk]]]:
    """A server whose storages have a disk each, and one without a cache."""
    for program in ("unshare", "nsenter"):
        servers.service(program)
    if subprocess.run([*NAMESPACE, "true"], capture_output=True, check=False).returncode:
        reason = "needs a mount namespace of its own"
        pytest.fail(reason) if os.environ.get("MAGE_REQUIRE_SERVICES") else pytest.skip(reason)
    directory = tmp_path_factory.mktemp("disks")
    disks = {name: Disk(directory / name) for name in TRIALS}
    for disk in disks.values():
        disk.root.mkdir()
    # Their caps are larger than the disks: those are what fills up.
    storages = [local_storage(name, root, disk=disk_cache(disk.cache, max_size_mb=64)) for name, disk in disks.items()]
    environ = environ_with(directory, [*storages, local_storage("plain", root)])
    port, log = servers.free_port(), directory / "log"
    mounts = [
        f"mount -t tmpfs -o {TRIALS[name].options} tmpfs {disk.root} && mkdir -m 700 {disk.cache}"
        for name, disk in disks.items()
    ]
    serve = f"exec {sys.executable} manage.py run_thumb_server --bind 127.0.0.1:{port} --workers 2"
    with servers.running([*NAMESPACE, "sh", "-c", " && ".join([*mounts, serve])], log=log, environ=environ) as process:
        servers.wait_for_port(port, process, log)
        for disk in disks.values():
            disk.belongs_to(process)
        yield Server("on-disks", port, process, log), disks


@pytest.mark.parametrize("name", TRIALS)
def test_every_request_is_answered_whatever_becomes_of_the_disk(
    on_disks: tuple[Server, dict[str, Disk]], name: str
) -> None:
    (server, disks), trial = on_disks, TRIALS[name]
    disk, logged = disks[name], len(server.log.read_text())
    assert [layer(server.get(path_of(50, name))) for _ in range(2)] == ["source", "disk"]
    paths = [path_of(width, name) for width in WIDTHS] * trial.rounds
    with ThreadPoolExecutor(1) as pool:
        spoiling = pool.submit(trial.spoil, disk)
        answers = asked(server, paths)
        spoiling.result()
    assert len(answers) == trial.rounds * len(WIDTHS)
    assert wrong(server, answers) == []
    trial.mend(disk)
    mended = time.monotonic()
    fresh = itertools.count(200)

    def kept() -> bool:
        path = path_of(next(fresh), name)
        return [layer(server.get(path)) for _ in range(2)] == ["source", "disk"]

    eventually(kept)
    took = time.monotonic() - mended
    log = server.log.read_text()[logged:]
    assert "Traceback" not in log
    complaints = log.count("is skipped for a few seconds")
    print(  # noqa: T201 - figures to read with `pytest -s`
        f"layers {dict(Counter(map(layer, answers)))}, {complaints} complaints, kept again after {took:.1f} s"
    )
    # It is logged once in each process while it lasts, not with each request.
    assert complaints <= 2 * 5


# ------------------------------------------------------------------------------- P10: the shared cache


class Stub:
    """A replacement for memcached: it accepts connections and treats each as configured."""

    def __init__(self, act: Callable[[socket.socket], None]) -> None:
        self.act = act
        self.connections = 0
        self._wires: list[socket.socket] = []
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=256)
        self.port: int = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._accept)
        self._thread.start()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                wire, _ = self._listener.accept()
                self.connections += 1
                self._wires.append(wire)
                with contextlib.suppress(OSError):
                    self.act(wire)

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(WAIT_SECONDS)
        for wire in self._wires:
            wire.close()


def hangs(_: socket.socket) -> None:
    """The connection stays open, and no data is sent."""


def talks_garbage(wire: socket.socket) -> None:
    wire.sendall(bytes(range(256)) * 4 + b"\r\nVALUE x 0 99999999\r\nEND\r\n")


def hangs_up(wire: socket.socket) -> None:
    wire.close()


def beside(
    ports: Mapping[str, int], root: Path, directory: Path, *, workers: int = 2
) -> contextlib.AbstractContextManager[Server]:
    """A server with a storage for each shared cache, with the time limits that a system check requires."""
    options = {"connect_timeout": 0.05, "timeout": 0.05}
    backend = "django.core.cache.backends.memcached.PyMemcacheCache"
    document = {
        "storages": [
            *(local_storage(name, root, shared={"alias": name}) for name in ports),
            local_storage("plain", root),
        ],
        "caches": {
            name: {"backend": backend, "location": f"127.0.0.1:{port}", "options": options}
            for name, port in ports.items()
        },
        "run_dir": str(directory / "run"),
    }
    return servers.standalone(document, directory, worker=servers.OUR_WORKER, workers=workers)


# By the storage that has this for a shared cache.
ACTS = {"hangs": hangs, "talks-garbage": talks_garbage, "hangs-up": hangs_up}


@pytest.fixture(scope="module")
def beside_stubs(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Server, dict[str, Stub]]]:
    with contextlib.ExitStack() as stack:
        stubs = {name: Stub(act) for name, act in ACTS.items()}
        for stub in stubs.values():
            stack.callback(stub.close)
        ports = {"absent": servers.free_port(), **{name: stub.port for name, stub in stubs.items()}}
        yield stack.enter_context(beside(ports, root, tmp_path_factory.mktemp("stubs"))), stubs


@pytest.mark.parametrize("name", ["absent", *ACTS])
def test_a_shared_cache_that_is_none_costs_no_request_its_answer(
    beside_stubs: tuple[Server, dict[str, Stub]], name: str
) -> None:
    server, stubs = beside_stubs
    logged = len(server.log.read_text())
    began = time.monotonic()
    answers = asked(server, [path_of(width, name) for width in WIDTHS] * 2)
    took = time.monotonic() - began
    assert wrong(server, answers) == []
    assert set(map(layer, answers)) == {"source"}
    log = server.log.read_text()[logged:]
    assert "Traceback" not in log
    complaints = log.count("is skipped for a few seconds")
    connections = stubs[name].connections if name in stubs else 0
    print(  # noqa: T201 - figures to read with `pytest -s`
        f"{len(answers)} answers in {took:.2f} s, {connections} connections, {complaints} complaints"
    )
    # Until it is known to be broken, each request waits for its time limit; later requests do not wait. Each worker
    # logs that it cannot read and that it cannot write, again every five seconds.
    assert 1 <= complaints <= 2 * 2 * (1 + took // 5)
    threads_that_ask = 2 * 10
    attempts = 1 + took / 5
    assert connections <= threads_that_ask * 4 * attempts


def test_a_shared_cache_that_comes_back_is_used_again(root: Path, tmp_path: Path) -> None:
    port = servers.free_port()
    with beside({"photos": port}, root, tmp_path, workers=1) as server:
        assert [layer(server.get(path_of(50, "photos"))) for _ in range(2)] == ["source", "source"]
        options = ("-u", "nobody") if os.getuid() == 0 else ()
        command = [servers.service("memcached"), "-l", "127.0.0.1", "-p", str(port), *options]
        with servers.running(command, log=tmp_path / "memcached.log") as process:
            servers.wait_for_port(port, process, tmp_path / "memcached.log")
            fresh = itertools.count(200)

            def kept() -> bool:
                path = path_of(next(fresh), "photos")
                return [layer(server.get(path)) for _ in range(2)] == ["source", "shared"]

            eventually(kept)
            # The log says so only when it has worked for a while, in which a few requests a second are enough.

            def is_said() -> bool:
                time.sleep(0.2)
                return kept() and "cache layer shared can be read again" in server.log.read_text()

            eventually(is_said)
        assert layer(server.get(path_of(50, "photos"))) == "source"
