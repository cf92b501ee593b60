"""A server that may open 64 files: a request gets its picture or 503 with `Retry-After`, and the log stays readable."""

import shutil
import socket
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.support import servers
from tests.support.commands import environ_with, local_storage
from tests.support.waiting import WAIT_SECONDS

_FILES = 64


@pytest.mark.parametrize("isolation", ["off", "auto"])
def test_what_cannot_be_opened_is_503_and_logged_once_a_second(originals: Path, tmp_path: Path, isolation: str) -> None:
    disk = {"enabled": True, "dir": str(tmp_path / "disk"), "ttl_seconds": 600}
    environ = environ_with(tmp_path, [local_storage("photos", originals, disk=disk)]) | {"MAGE_ISOLATION": isolation}
    port, log = servers.free_port(), tmp_path / "log"
    limit = shutil.which("prlimit") or servers.service("prlimit")
    command = [limit, f"--nofile={_FILES}:{_FILES}", sys.executable, "manage.py", "run_thumb_server"]
    options = ("--bind", f"127.0.0.1:{port}", "--workers", "1", "--no-janitor")
    with servers.running([*command, *options], log=log, environ=environ) as process:
        servers.wait_for_port(port, process, log)

        def ask(number: int) -> tuple[int, bool]:
            answer = servers.fetch(f"http://127.0.0.1:{port}/photos/thumbs/{20 + number}x60/quarters.jpg")
            return answer.status, "retry-after" in answer.headers

        with ExitStack() as opened, ThreadPoolExecutor(12) as pool:
            for _ in range(24):  # connections that hold a descriptor each, with a request under way
                busy = opened.enter_context(socket.create_connection(("127.0.0.1", port), timeout=WAIT_SECONDS))
                busy.sendall(b"GET /health HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\n")
            answers = Counter(pool.map(ask, range(300)))
        print(isolation, dict(answers))  # noqa: T201 - figures to read with `pytest -s`
        assert set(answers) <= {(200, False), (503, True)}
        assert ask(1)[0] == 200  # when descriptors are free again
    lines = [line for line in log.read_text().splitlines() if "storage photos: " in line]
    assert len(lines) < 100
