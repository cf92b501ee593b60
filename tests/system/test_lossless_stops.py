"""Reloads and `--max-requests` lose no request, on new and on kept connections, without nginx."""

import signal
import socket
import sys
from pathlib import Path

import pytest

from tests.support import servers
from tests.support.commands import environ_with, local_storage
from tests.support.hasty_clients import clients
from tests.support.processes import workers_of
from tests.support.waiting import eventually

PICTURE = "photos/thumbs/90x60/quarters.jpg"
# Of a client on a new connection. Without it, clients take the processors from the workers that start, which is most of
# a reload. Four clients still connect about 400 times a second, and 16 workers stop: one that loses connections for a
# millisecond is met with a probability of 1 - exp(-0.4), and one of all with 1 - exp(-6.4) = 99.8 %.
FRESH_PAUSE = 0.005
MEMORY = {"enabled": True, "max_size_mb": 16}


@pytest.fixture
def environ(originals: Path, tmp_path: Path) -> dict[str, str]:
    disk = {"enabled": True, "dir": str(tmp_path / "disk"), "ttl_seconds": 600}
    return environ_with(tmp_path, [local_storage("photos", originals, memory=MEMORY, disk=disk)])


def command(port: int, *options: str, workers: int = 2) -> list[str]:
    bind = f"127.0.0.1:{port}"
    return [
        *(sys.executable, "manage.py", "run_thumb_server", "--bind", bind, "--workers", str(workers), "--no-janitor"),
        *options,
    ]


@pytest.mark.parametrize("loop", ["uvloop", "asyncio"])
def test_reloads_lose_no_request(environ: dict[str, str], tmp_path: Path, loop: str) -> None:
    port, log = servers.free_port(), tmp_path / "log"
    with servers.running(command(port, "--", "--asgi-loop", loop), log=log, environ=environ) as process:
        servers.wait_for_port(port, process, log)
        eventually(lambda: len(workers_of(process.pid)) == 2)
        with clients(port, PICTURE, fresh=4, kept=4, pause=0.02, fresh_pause=FRESH_PAUSE) as tally:
            for _ in range(4):
                before = workers_of(process.pid)
                process.send_signal(signal.SIGHUP)
                eventually(lambda before=before: not before & workers_of(process.pid))  # type: ignore[misc]
        assert tally.lost == []
        assert set(tally.answers) == {200}


def test_a_limit_of_requests_loses_none_and_keeps_hits_fast(environ: dict[str, str], tmp_path: Path) -> None:
    port, log = servers.free_port(), tmp_path / "log"
    options = ("--", "--max-requests", "300", "--max-requests-jitter", "100")
    with servers.running(command(port, *options), log=log, environ=environ) as process:
        servers.wait_for_port(port, process, log)
        eventually(lambda: len(workers_of(process.pid)) == 2)
        first = workers_of(process.pid)
        with clients(port, PICTURE, fresh=2, kept=2) as tally:
            eventually(lambda: not first & workers_of(process.pid))
            replaced = sum(tally.answers.values())
            eventually(lambda: sum(tally.answers.values()) > replaced + 800)
        assert tally.lost == []
        assert set(tally.answers) == {200}
    assert log.read_text().count("Autorestarting worker") >= 2


def test_a_client_that_has_connected_and_sent_nothing_yet_is_answered(environ: dict[str, str], tmp_path: Path) -> None:
    port, log = servers.free_port(), tmp_path / "log"
    with servers.running(command(port, workers=1), log=log, environ=environ) as process:
        servers.wait_for_port(port, process, log)
        eventually(lambda: len(workers_of(process.pid)) == 1)
        (worker,) = workers_of(process.pid)
        with socket.create_connection(("127.0.0.1", port), timeout=60) as silent:
            eventually(lambda: servers.fetch(f"http://127.0.0.1:{port}/health").status == 200)
            process.send_signal(signal.SIGHUP)
            eventually(lambda: "No new connections" in log.read_text())
            assert worker in workers_of(process.pid)
            silent.sendall(f"GET /{PICTURE} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
            answer = b""
            while more := silent.recv(65536):
                answer += more
        assert answer.startswith(b"HTTP/1.1 200 ")
        assert b"\r\nconnection: close\r\n" in answer.lower()
        eventually(lambda: worker not in workers_of(process.pid))
