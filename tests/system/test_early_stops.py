"""A server that is told to stop while its workers still load the application stops then, and is not killed later."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.support import servers
from tests.support.commands import environ_with, local_storage
from tests.support.waiting import WAIT_SECONDS, eventually

# An application that says when it is loaded, and then waits.
_APPLICATION = """
import time
from pathlib import Path

Path("loading").touch()
while not Path("go").exists():
    time.sleep(0.01)

from mage_project.asgi import application
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("loop", ["uvloop", "asyncio"])
def test_a_signal_that_comes_while_the_application_is_loaded_is_not_lost(
    originals: Path, tmp_path: Path, loop: str, number: signal.Signals
) -> None:
    (tmp_path / "slow_application.py").write_text(_APPLICATION)
    environ = environ_with(tmp_path, [local_storage("photos", originals)])
    command = [sys.executable, "-m", "gunicorn", "slow_application:application", "--no-control-socket"]
    command += ["--worker-class", servers.OUR_WORKER, "--asgi-loop", loop, "--chdir", str(tmp_path)]
    # Where the signal is lost, gunicorn waits that long.
    command += ["--bind", "127.0.0.1:0", "--graceful-timeout", str(int(10 * WAIT_SECONDS)), "--log-level", "debug"]
    environ["PYTHONPATH"] = str(servers.ROOT)
    with (tmp_path / "log").open("wb") as log, subprocess.Popen(command, env=environ, stderr=log) as process:
        try:
            eventually((tmp_path / "loading").exists)
            process.send_signal(number)
            eventually(lambda: "Handling signal" in (tmp_path / "log").read_text())
            time.sleep(0.2)  # until the worker, which may not see it before, has it
            (tmp_path / "go").touch()
            assert process.wait(WAIT_SECONDS) == 0
        finally:
            process.kill()
