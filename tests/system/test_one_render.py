"""One render for all simultaneous requests: over threads, over processes, and when the rendering process is killed."""

import contextlib
import os
import shutil
import signal
import socket
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support import servers
from tests.support.servers import Server
from tests.support.waiting import WAIT_SECONDS

WORKERS = 4
ASKED = 500


@dataclass
class Fleet:
    """A server of several processes with one disk cache; `reads` are the processes that read an original, in order."""

    server: Server
    journal: Path

    @property
    def reads(self) -> list[int]:
        if not self.journal.exists():
            return []
        return [int(line.split()[0]) for line in self.journal.read_text().splitlines()]

    def await_read(self) -> int:
        end = time.monotonic() + WAIT_SECONDS
        while not self.reads:
            assert time.monotonic() < end, "no render began"
            time.sleep(0.005)
        return self.reads[0]

    def ask(self, path: str, times: int) -> "Counter[int | str]":
        """How often each status came; a connection that broke counts by the name of its error."""

        def once(_: int) -> int | str:
            try:
                return self.server.get(path).status
            except (OSError, EOFError) as error:
                return type(error).__name__
            except Exception as error:  # an answer that broke off
                return type(error).__name__

        with ThreadPoolExecutor(100) as pool:
            return Counter(pool.map(once, range(times)))


@contextlib.contextmanager
def fleet(
    originals: Path, directory: Path, *, seconds: float = 0.3, worker: str = servers.OUR_WORKER
) -> Iterator[Fleet]:
    root, journal = directory / "root", directory / "journal"
    root.mkdir()
    shutil.copy(originals / "quarters.jpg", root / "quarters.jpg")
    options = {"location": str(root), "journal": str(journal), "seconds": seconds}
    disk = {"enabled": True, "dir": str(directory / "cache"), "ttl_seconds": 600}
    storage = {
        "name": "slow",
        "driver": "tests.support.slow_storage.SlowStorage",
        "options": options,
        "cache": {"disk": disk},
    }
    limits = {"queue_length": 1000, "queue_seconds": 60}
    document = {"storages": [storage], "run_dir": str(directory / "run"), "limits": limits}
    with servers.standalone(document, directory, worker=worker, workers=WORKERS) as server:
        yield Fleet(server, journal)


def leave_while_it_is_read(asked: Fleet, path: str) -> None:
    """As a client that asks for `path`, and is gone when its original has begun to be read."""
    with socket.create_connection(("127.0.0.1", asked.server.port)) as client:
        client.sendall(b"GET /" + path.encode() + b" HTTP/1.1\r\nHost: localhost\r\n\r\n")
        asked.await_read()


@pytest.mark.parametrize("worker", [servers.OUR_WORKER, "gthread"])
def test_five_hundred_requests_for_one_cold_thumbnail_make_it_once(
    originals: Path, tmp_path: Path, worker: str
) -> None:
    with fleet(originals, tmp_path, worker=worker) as asked:
        assert asked.ask("slow/thumbs/60x40/quarters.jpg", ASKED) == {200: ASKED}
        assert len(asked.reads) == 1
        assert asked.ask("slow/thumbs/60x40/quarters.jpg", 20) == {200: 20}
        assert len(asked.reads) == 1


def test_when_the_one_that_makes_it_is_killed_another_does_and_all_the_others_are_answered(
    originals: Path, tmp_path: Path
) -> None:
    with fleet(originals, tmp_path, seconds=1.0) as asked, ThreadPoolExecutor(1) as pool:
        answers = pool.submit(asked.ask, "slow/thumbs/60x40/quarters.jpg", ASKED)
        leader = asked.await_read()
        time.sleep(0.2)
        os.kill(leader, signal.SIGKILL)
        found = answers.result(WAIT_SECONDS)
        assert sum(found.values()) == ASKED
        assert set(map(str, found)) <= {"200", "ConnectionResetError", "RemoteDisconnected", "IncompleteRead"}
        # Only clients that were connected to the killed process got none.
        assert found[200] > ASKED / 3
        assert len(asked.reads) == 2
        assert asked.reads[1] != leader


def test_the_first_client_may_leave_and_the_others_are_served(originals: Path, tmp_path: Path) -> None:
    path = "slow/thumbs/60x40/quarters.jpg"
    with fleet(originals, tmp_path, seconds=1.0) as asked:
        leave_while_it_is_read(asked, path)
        assert asked.ask(path, 50) == {200: 50}
        # Its process may have stopped before the others' were known to wait: then one of them has started again.
        assert len(asked.reads) <= 2


@pytest.mark.parametrize("worker", [servers.OUR_WORKER, "asgi"])
def test_a_thumbnail_that_no_client_waits_for_any_more_is_not_made(
    originals: Path, tmp_path: Path, worker: str
) -> None:
    path = "slow/thumbs/60x40/quarters.jpg"
    with fleet(originals, tmp_path, seconds=1.0, worker=worker) as asked:
        leave_while_it_is_read(asked, path)
        time.sleep(2)
        assert [asked.server.get(path).headers["x-cache"] for _ in range(2)] == ["MISS", "HIT"]
        assert len(asked.reads) == 2
