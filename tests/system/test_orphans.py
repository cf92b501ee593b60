"""A supervisor that is killed leaves no process behind."""

import os
import signal
import sys
from pathlib import Path

from tests.support import servers
from tests.support.commands import environ_with, local_storage
from tests.support.processes import descendants, lives
from tests.support.waiting import eventually


def test_a_killed_supervisor_leaves_neither_server_nor_janitor(originals: Path, tmp_path: Path) -> None:
    disk = {"enabled": True, "dir": str(tmp_path / "disk")}
    environ = environ_with(tmp_path, [local_storage("photos", originals, disk=disk)])
    port, log = servers.free_port(), tmp_path / "log"
    command = [sys.executable, "manage.py", "run_thumb_server", "--bind", f"127.0.0.1:{port}", "--workers", "2"]
    with servers.running(command, log=log, environ=environ) as process:
        servers.wait_for_port(port, process, log)
        assert servers.fetch(f"http://127.0.0.1:{port}/photos/thumbs/90x60/quarters.jpg").status == 200

        def is_complete() -> bool:
            found = descendants(process.pid).values()
            return sum("gunicorn" in each for each in found) >= 3 and any("run_cache_janitor" in each for each in found)

        eventually(is_complete)
        family = set(descendants(process.pid))
        os.kill(process.pid, signal.SIGKILL)
        eventually(lambda: not any(map(lives, family)))
