"""`run_thumb_server`: several addresses, the mode of a Unix socket, options of gunicorn, too many connections."""

import http.client
import socket
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from tests.support import servers
from tests.support.commands import environ_with, local_storage
from tests.support.waiting import LONG_WAIT_SECONDS, WAIT_SECONDS, eventually

PICTURE = "/photos/thumbs/90x60/quarters.jpg"


@contextmanager
def serving(originals: Path, directory: Path, *options: str) -> Iterator[tuple[int, Path]]:
    """The port and the log of a server with these options."""
    environ = environ_with(directory, [local_storage("photos", originals)])
    port, log = servers.free_port(), directory / "log"
    command = [sys.executable, "manage.py", "run_thumb_server", "--bind", f"127.0.0.1:{port}", "--workers", "1"]
    with servers.running([*command, *options], log=log, environ=environ) as process:
        servers.wait_for_port(port, process, log)
        yield port, log


def status_at(path: Path) -> int:
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(WAIT_SECONDS)
        connection.connect(str(path))
        connection.sendall(f"GET {PICTURE} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
        with http.client.HTTPResponse(connection) as response:
            response.begin()
            return response.status


def test_several_addresses_are_served_and_a_socket_has_its_mode(originals: Path, tmp_path: Path) -> None:
    second, path = servers.free_port(), tmp_path / "mage.sock"
    options = ("--bind", f"127.0.0.1:{second}", "--bind", f"unix:{path}", "--socket-mode", "660")
    with serving(originals, tmp_path, *options) as (first, _):
        assert [servers.fetch(f"http://127.0.0.1:{port}{PICTURE}").status for port in (first, second)] == [200, 200]
        assert status_at(path) == 200
        assert stat.S_IMODE(path.stat().st_mode) == 0o660


def test_options_after_two_hyphens_are_gunicorns(originals: Path, tmp_path: Path) -> None:
    with serving(originals, tmp_path, "--", "--max-requests", "3", "--log-level", "debug") as (port, log):
        for _ in range(3):
            assert servers.fetch(f"http://127.0.0.1:{port}{PICTURE}").status == 200
        eventually(lambda: "Autorestarting worker" in log.read_text())


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (("--socket-mode", "999"), "--socket-mode takes an octal mode such as 660, not '999'."),
        (("8080",), "There is no argument '8080'. Options of gunicorn come after --."),
        (("--bind", "nowhere"), "--bind takes HOST:PORT or unix:PATH, not 'nowhere'."),
    ],
)
def test_a_wrong_option_is_one_line(originals: Path, tmp_path: Path, options: tuple[str, ...], sentence: str) -> None:
    environ = environ_with(tmp_path, [local_storage("photos", originals)])
    command = [sys.executable, "manage.py", "run_thumb_server", *options]
    done = subprocess.run(
        command, cwd=servers.ROOT, env=environ, capture_output=True, text=True, timeout=LONG_WAIT_SECONDS, check=False
    )
    assert done.returncode != 0
    assert sentence in done.stderr
    assert "Traceback" not in done.stderr


def test_more_connections_than_a_worker_takes_get_503_with_retry_after(originals: Path, tmp_path: Path) -> None:
    with serving(originals, tmp_path, "--", "--worker-connections", "4") as (port, _), ExitStack() as opened:
        # Requests that are under way: their bodies have not come yet. An idle connection would be closed instead.
        for _ in range(4):
            busy = opened.enter_context(socket.create_connection(("127.0.0.1", port), timeout=WAIT_SECONDS))
            busy.sendall(
                b"GET /photos/thumbs/90x60/quarters.jpg HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\n"
            )
        answers = []

        def refused() -> bool:
            answers.append(servers.fetch(f"http://127.0.0.1:{port}{PICTURE}"))
            return answers[-1].status == 503

        eventually(refused)
    assert answers[-1].headers["retry-after"] == "1"
    assert answers[-1].headers["content-type"] == "application/problem+json"
    assert answers[-1].headers["connection"] == "close"
