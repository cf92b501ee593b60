"""`/metrics` has what became of workers, what a stop left unanswered, memory, and the room of disk caches."""

import os
import signal
import socket
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from tests.support import servers
from tests.support.commands import disk_cache, environ_with, local_storage
from tests.support.processes import workers_of
from tests.support.prometheus import samples
from tests.support.servers import Server
from tests.support.waiting import WAIT_SECONDS, eventually

PICTURE = "photos/thumbs/90x60/quarters.jpg"


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("mage")


@pytest.fixture(scope="module")
def server(originals: Path, directory: Path) -> Iterator[Server]:
    """Two workers for all tests, and beside the usual storage one whose reads do not end while a test runs."""
    options = {"location": str(originals), "journal": str(directory / "journal"), "seconds": 30}
    storages: list[Mapping[str, object]] = [
        local_storage("photos", originals, disk=disk_cache(directory / "disk", max_size_mb=64)),
        {"name": "slow", "driver": "tests.support.slow_storage.SlowStorage", "options": options},
    ]
    environ = environ_with(directory, storages, TMPDIR=str(directory))
    config = directory / "storages.json"
    config.write_text(config.read_text().replace("{", '{"metrics": true, ', 1))
    port, log = servers.free_port(), directory / "log"
    command = [sys.executable, "manage.py", "run_thumb_server", "--bind", f"127.0.0.1:{port}", "--workers", "2"]
    with servers.running([*command, "--", "--graceful-timeout", "1"], log=log, environ=environ) as process:
        servers.wait_for_port(port, process, log)
        eventually(lambda: len(workers_of(process.pid)) == 2)
        yield Server("mage", port, process, log)


def values(server: Server, name: str) -> dict[tuple[str, ...], float]:
    return samples(server.get("metrics").body.decode(), name)


def since(before: dict[tuple[str, ...], float], server: Server, name: str) -> dict[tuple[str, ...], float]:
    """How much more the values of `name` are than those of `before`."""
    return {labels: value - before.get(labels, 0) for labels, value in values(server, name).items()}


def replaced(server: Server, number: int, act: int) -> set[int]:
    """Send the signal `number` to the process `act`, and return the workers when all are there again."""
    before = workers_of(server.process.pid)
    os.kill(act, number)
    left = before if act == server.process.pid else {act}
    eventually(lambda: len(workers_of(server.process.pid)) == 2 and not left & workers_of(server.process.pid))
    return workers_of(server.process.pid)


def test_before_a_worker_exits_the_counts_are_zero(server: Server) -> None:
    """The first test of this server."""
    assert values(server, "mage_worker_exits_total") == {("stopped",): 0, ("lost",): 0}
    assert values(server, "mage_connections_dropped_total")[("unanswered",)] == 0


def test_workers_that_stop_and_workers_that_are_lost_are_counted_apart(server: Server) -> None:
    eventually(lambda: values(server, "mage_workers") == {(): 2})
    before = values(server, "mage_worker_exits_total")
    replaced(server, signal.SIGHUP, server.process.pid)
    eventually(lambda: since(before, server, "mage_worker_exits_total") == {("stopped",): 2, ("lost",): 0})
    replaced(server, signal.SIGKILL, min(workers_of(server.process.pid)))
    eventually(lambda: since(before, server, "mage_worker_exits_total") == {("stopped",): 2, ("lost",): 1})
    eventually(lambda: values(server, "mage_workers") == {(): 2})


def test_counts_outlive_their_worker_and_its_files_do_not(server: Server, directory: Path) -> None:
    (shared,) = directory.glob("mage-metrics-*")
    made = values(server, "mage_thumbnail_seconds_count")
    for width in range(40, 46):
        assert server.get(f"photos/thumbs/{width}x60/quarters.jpg").status == 200
    before = values(server, "mage_requests_total")
    assert since(made, server, "mage_thumbnail_seconds_count") == {(): 6}
    for worker in workers_of(server.process.pid):
        replaced(server, signal.SIGKILL, worker)
        eventually(lambda worker=worker: not list(shared.glob(f"*_{worker}.db")))  # type: ignore[misc]
    assert values(server, "mage_requests_total") == before
    assert since(made, server, "mage_thumbnail_seconds_count") == {(): 6}


def test_a_request_that_a_stopping_worker_does_not_answer_is_counted(server: Server, directory: Path) -> None:
    """None was lost by the reload of the test before, in which no request was under way."""
    assert values(server, "mage_connections_dropped_total")[("unanswered",)] == 0
    journal = directory / "journal"
    with socket.create_connection(("127.0.0.1", server.port), timeout=WAIT_SECONDS) as client:
        client.sendall(b"GET /slow/thumbs/90x60/quarters.jpg HTTP/1.1\r\nHost: localhost\r\n\r\n")
        eventually(lambda: journal.exists() and "quarters.jpg" in journal.read_text())
        replaced(server, signal.SIGHUP, server.process.pid)
        eventually(lambda: values(server, "mage_connections_dropped_total")[("unanswered",)] == 1)
    assert "before their requests were answered" in server.log.read_text()


def test_memory_is_that_of_all_workers_and_of_what_they_started(server: Server) -> None:
    assert server.get(PICTURE).status == 200
    eventually(lambda: values(server, "mage_workers") == {(): 2})
    memory = values(server, "mage_memory_bytes")
    assert set(memory) == {("worker",), ("render",)}
    for worker in workers_of(server.process.pid):
        assert memory[("worker",)] > _anonymous(worker)
    assert memory[("render",)] > 1024**2


def _anonymous(pid: int) -> int:
    (line,) = (each for each in Path(f"/proc/{pid}/status").read_text().splitlines() if each.startswith("RssAnon:"))
    return int(line.split()[1]) * 1024


def test_a_disk_cache_has_its_limit_and_the_free_space_of_its_file_system(server: Server, directory: Path) -> None:
    space = os.statvfs(directory)
    assert values(server, "mage_cache_limit_bytes") == {("photos",): 64 * 1024**2}
    free = values(server, "mage_cache_free_bytes")
    assert set(free) == {("photos",)}
    assert 0 < free[("photos",)] <= space.f_blocks * space.f_frsize


def test_making_a_thumbnail_is_timed_as_a_whole_and_a_hit_is_not(server: Server) -> None:
    made, stages, whole = (
        values(server, f"mage_{name}")
        for name in ("thumbnail_seconds_count", "stage_seconds_sum", "thumbnail_seconds_sum")
    )
    for _ in range(3):
        assert server.get("photos/thumbs/91x60/quarters.jpg").status == 200
    assert since(made, server, "mage_thumbnail_seconds_count") == {(): 1}
    spent = sum(since(stages, server, "mage_stage_seconds_sum").values())
    assert since(whole, server, "mage_thumbnail_seconds_sum")[()] == pytest.approx(spent)
