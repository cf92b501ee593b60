"""`run_cache_janitor` as a process: it sweeps until a signal ends it, and only one sweeps at a time."""

import signal
import sys
from pathlib import Path

from tests.support import servers
from tests.support.commands import disk_cache, environ_with, local_storage
from tests.support.disk_entries import leave_expired
from tests.support.waiting import eventually


def test_the_janitor_sweeps_again_and_again_until_it_is_told_to_stop(originals: Path, tmp_path: Path) -> None:
    environ = environ_with(tmp_path, [local_storage("photos", originals, disk=disk_cache(tmp_path / "cache"))])
    log = tmp_path / "log"
    command = [sys.executable, "manage.py", "run_cache_janitor", "--interval", "0.1"]
    with servers.running(command, log=log, environ=environ) as process:
        eventually(lambda: log.read_text().count("photos: 0 entries") >= 2)
        leave_expired(tmp_path / "cache", 1)
        eventually(lambda: "removed 1 expired" in log.read_text())
        # Another one waits for the first, and takes over when that has ended.
        second_log = tmp_path / "second-log"
        with servers.running(command, log=second_log, environ=environ) as second:
            eventually(lambda: "another janitor works here; this one waits" in second_log.read_text())
            process.send_signal(signal.SIGTERM)
            assert process.wait(10) == 0
            leave_expired(tmp_path / "cache", 1)
            eventually(lambda: "removed 1 expired" in second_log.read_text())
            second.send_signal(signal.SIGINT)
            assert second.wait(10) == 0
    assert "Traceback" not in log.read_text() + second_log.read_text()
