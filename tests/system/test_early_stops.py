"""A server that is told to stop while its workers still start stops then, and is not killed later."""

import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support import servers
from tests.support.commands import environ_with, local_storage
from tests.support.waiting import WAIT_SECONDS, eventually

# A worker that has just been forked stops its main process, which then stops the worker.
_CONFIGURATION = """
import os, signal, time

def post_fork(server, worker):
    os.kill(server.pid, signal.SIGTERM)
    time.sleep(1)
"""
# An application that says when it is loaded, and then waits.
_APPLICATION = """
import time
from pathlib import Path

Path("loading").touch()
while not Path("go").exists():
    time.sleep(0.01)

from mage_project.asgi import application
"""


@pytest.fixture
def environ(originals: Path, tmp_path: Path) -> dict[str, str]:
    return {**environ_with(tmp_path, [local_storage("photos", originals)]), "PYTHONPATH": str(servers.ROOT)}


@contextmanager
def gunicorn(
    environ: dict[str, str], directory: Path, application: str, *options: str
) -> Iterator[subprocess.Popen[bytes]]:
    """Our worker for `application`, in `directory`."""
    command = [sys.executable, "-m", "gunicorn", application, "--no-control-socket", "--log-level", "debug"]
    command += ["--worker-class", servers.OUR_WORKER, "--chdir", str(directory), "--bind", "127.0.0.1:0", *options]
    # Where the signal is lost, gunicorn waits that long.
    command += ["--graceful-timeout", str(int(10 * WAIT_SECONDS))]
    with (directory / "log").open("wb") as log, subprocess.Popen(command, env=environ, stderr=log) as process:
        try:
            yield process
        finally:
            process.kill()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("loop", ["uvloop", "asyncio"])
def test_a_signal_that_comes_while_the_application_is_loaded_is_not_lost(
    environ: dict[str, str], tmp_path: Path, loop: str, number: signal.Signals
) -> None:
    (tmp_path / "slow_application.py").write_text(_APPLICATION)
    with gunicorn(environ, tmp_path, "slow_application:application", "--asgi-loop", loop) as process:
        eventually((tmp_path / "loading").exists)
        process.send_signal(number)
        eventually(lambda: "Handling signal" in (tmp_path / "log").read_text())
        time.sleep(0.2)  # until the worker has it; later it would not be lost in any case
        (tmp_path / "go").touch()
        assert process.wait(WAIT_SECONDS) == 0


def test_a_signal_that_comes_right_after_the_fork_is_not_lost(environ: dict[str, str], tmp_path: Path) -> None:
    configuration = tmp_path / "configuration.py"
    configuration.write_text(_CONFIGURATION)
    with gunicorn(environ, tmp_path, "mage_project.asgi:application", "--config", str(configuration)) as process:
        assert process.wait(WAIT_SECONDS) == 0
    log = (tmp_path / "log").read_text()
    assert log.count("Booting worker") == 1
    assert "Worker exiting" in log
