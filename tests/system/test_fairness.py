"""Slow renders of one storage leave the cold thumbnails of another one alone (P24)."""

import itertools
import json
import os
import signal
import statistics
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from tests.support import servers
from tests.support.commands import environ_with, local_storage
from tests.support.load import Client
from tests.support.processes import descendants, workers_of
from tests.support.prometheus import samples
from tests.support.servers import Server
from tests.support.waiting import eventually

ASKED = 30
RENDERS = 4
SIDE = 2500  # of a slow thumbnail: its render takes many times as long as a cold thumbnail of `quiet`


@contextmanager
def served(originals: Path, directory: Path) -> Iterator[Server]:
    """`run_thumb_server` with one worker and two unsigned storages without a cache, `busy` and `quiet`."""
    storages = [local_storage("busy", originals), local_storage("quiet", originals)]
    environ = environ_with(directory, storages)
    limits = {"renders": RENDERS, "render_seconds": 300, "queue_seconds": 300}
    document = {"storages": storages, "limits": limits, "metrics": True, "run_dir": str(directory / "run")}
    (directory / "storages.json").write_text(json.dumps(document))
    port, log = servers.free_port(), directory / "log"
    command = [sys.executable, "manage.py", "run_thumb_server", "--bind", f"127.0.0.1:{port}", "--workers", "1"]
    with servers.running(command, log=log, environ=environ) as process:
        servers.wait_for_port(port, process, log)
        eventually(lambda: len(workers_of(process.pid)) == 1)
        yield Server("fairness", port, process, log)


class Attack:
    """`clients` connections, each of which asks `busy` for one slow thumbnail after another until it is over."""

    def __init__(self, server: Server, clients: int) -> None:
        self._server = server
        self._over = threading.Event()
        self._numbers = itertools.count()
        self.statuses: list[int] = []
        self._threads = [threading.Thread(target=self._ask, daemon=True) for _ in range(clients)]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        self._over.set()

    def _ask(self) -> None:
        with closing(Client(self._server)) as client:
            while not self._over.is_set():
                number = next(self._numbers)
                status = client.status(f"busy/thumbs/{SIDE - number}x{SIDE}/filters:blur(100)/big.jpg")
                if not self._over.is_set():
                    self.statuses.append(status)


def running(server: Server) -> float:
    text = server.get("metrics").body.decode()
    return samples(text, "mage_stage_running").get(("render",), 0)


def cold(server: Server, width: int) -> tuple[list[int], list[float]]:
    """Statuses of `ASKED` cold thumbnails of `quiet`, asked one after another, and their seconds."""
    statuses, seconds = [], []
    with closing(Client(server)) as client:
        for number in range(ASKED):
            began = time.perf_counter()
            statuses.append(client.status(f"quiet/thumbs/{width + number}x/noise.jpg"))
            seconds.append(time.perf_counter() - began)
    return statuses, seconds


@pytest.mark.parametrize("clients", [12, pytest.param(100, marks=pytest.mark.slow)])
def test_slow_renders_of_one_storage_do_not_keep_cold_thumbnails_of_another_waiting(
    originals: Path, tmp_path: Path, clients: int
) -> None:
    with served(originals, tmp_path) as server:
        _, idle = cold(server, 100)
        attack = Attack(server, clients)
        attack.start()
        try:
            eventually(lambda: running(server) >= RENDERS)
            statuses, attacked = cold(server, 200)
            ended = len(attack.statuses)
        finally:
            attack.stop()
            for pid in descendants(server.process.pid):  # it would wait for the renders that run
                os.kill(pid, signal.SIGKILL)
    ratio = statistics.median(attacked) / statistics.median(idle)
    sys.stdout.write(
        f"{clients} slow clients: {statistics.median(idle) * 1e3:.0f} ms idle, "
        f"{statistics.median(attacked) * 1e3:.0f} ms attacked ({ratio:.1f} times), "
        f"{max(attacked) * 1e3:.0f} ms at most, {ended} slow renders ended meanwhile\n"
    )
    assert statuses == [200] * ASKED
    assert set(attack.statuses[:ended]) <= {200}
    assert ended < ASKED  # each cold thumbnail that waits for the end of a slow render takes at least one
