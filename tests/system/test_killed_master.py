"""When gunicorn's main process is killed, its workers stop without losing a request of those that are connected."""

import http.client
import os
import signal
import sys
from pathlib import Path

import pytest

from tests.support import servers
from tests.support.commands import environ_with, local_storage
from tests.support.processes import children, lives, workers_of
from tests.support.waiting import WAIT_SECONDS, eventually

PICTURE = "/photos/thumbs/90x60/quarters.jpg"


@pytest.mark.parametrize("loop", ["uvloop", "asyncio"])
def test_a_kept_connection_gets_its_next_answer_with_connection_close(
    originals: Path, tmp_path: Path, loop: str
) -> None:
    memory = {"enabled": True, "max_size_mb": 16}
    environ = environ_with(tmp_path, [local_storage("photos", originals, memory=memory)])
    port, log = servers.free_port(), tmp_path / "log"
    command = [sys.executable, "manage.py", "run_thumb_server", "--bind", f"127.0.0.1:{port}", "--workers", "1"]
    with servers.running([*command, "--no-janitor", "--", "--asgi-loop", loop], log=log, environ=environ) as process:
        servers.wait_for_port(port, process, log)
        eventually(lambda: len(workers_of(process.pid)) == 1)
        (worker,) = workers_of(process.pid)
        (master,) = children(process.pid)
        kept = http.client.HTTPConnection("127.0.0.1", port, timeout=WAIT_SECONDS)
        assert not _answer(kept)
        os.kill(master, signal.SIGKILL)
        eventually(lambda: _answer(kept))  # raises where the connection is closed without an answer
        eventually(lambda: not lives(worker))
        assert "Forcing close" not in log.read_text()


def _answer(connection: http.client.HTTPConnection) -> bool:
    """Whether the server closes the connection after an answer, which must be 200."""
    connection.request("GET", PICTURE)
    answer = connection.getresponse()
    answer.read()
    assert answer.status == 200
    return answer.headers.get("Connection", "").lower() == "close"
