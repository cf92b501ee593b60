"""A reload with lines of JSON: what the check of the configuration prints is in the log as objects, too."""

import json
import os
import re
import signal
import sys
from pathlib import Path

from tests.support import servers
from tests.support.commands import BROKEN, BROKEN_IDS, environ_with, local_storage
from tests.support.processes import workers_of
from tests.support.waiting import WAIT_SECONDS, eventually


def test_every_line_of_a_refused_and_of_a_good_reload_is_an_object(originals: Path, tmp_path: Path) -> None:
    good = [local_storage("photos", originals)]
    environ = environ_with(tmp_path, good, LOG_FORMAT="json")
    port, log = servers.free_port(), tmp_path / "log"
    command = [sys.executable, "manage.py", "run_thumb_server", "--bind", f"127.0.0.1:{port}", "--workers", "1"]
    with servers.running(command, log=log, environ=environ) as process:
        servers.wait_for_port(port, process, log)
        assert servers.fetch(f"http://127.0.0.1:{port}/health").status == 200
        before = workers_of(process.pid)
        environ_with(tmp_path, BROKEN)
        process.send_signal(signal.SIGHUP)
        eventually(lambda: "nothing is reloaded" in log.read_text())
        (tmp_path / "storages.json").write_text("{")
        process.send_signal(signal.SIGHUP)
        eventually(lambda: log.read_text().count("nothing is reloaded") == 2)
        environ_with(tmp_path, good)
        process.send_signal(signal.SIGHUP)
        eventually(lambda: workers_of(process.pid).isdisjoint(before))
    found = [json.loads(line) for line in log.read_text().splitlines()]
    errors = " ".join(line["message"] for line in found if line["level"] == "ERROR")
    assert {each for each in BROKEN_IDS if each in errors} == BROKEN_IDS
    summary = re.compile(r"System check identified \d+ issues? \(0 silenced\)\.")
    assert [line["level"] for line in found if summary.fullmatch(line["message"])] == [
        "ERROR",
        "ERROR",
        "WARNING",
    ]  # a storage without a secret is a warning


def test_a_worker_that_cannot_start_is_one_object(originals: Path, tmp_path: Path) -> None:
    environ = environ_with(tmp_path, [local_storage("photos", originals)], LOG_FORMAT="json")
    port, log = servers.free_port(), tmp_path / "log"
    command = [sys.executable, "manage.py", "run_thumb_server", "--bind", f"127.0.0.1:{port}", "--workers", "1"]
    with servers.running(command, log=log, environ=environ) as process:
        servers.wait_for_port(port, process, log)
        assert servers.fetch(f"http://127.0.0.1:{port}/health").status == 200
        environ_with(tmp_path, BROKEN)
        (worker,) = workers_of(process.pid)
        os.kill(worker, signal.SIGKILL)
        assert process.wait(WAIT_SECONDS) != 0
    found = [json.loads(line) for line in log.read_text().splitlines()]
    (failure,) = (line for line in found if line["message"] == "Exception in worker process")
    assert "(thumbs.E002) storages[other].buket: is not a known key." in failure["exception"]
    assert "Reason: Worker failed to boot." in {line["message"] for line in found}


def test_in_text_the_check_prints_as_before(originals: Path, tmp_path: Path) -> None:
    environ = environ_with(tmp_path, [local_storage("photos", originals)], LOG_FORMAT="text")
    port, log = servers.free_port(), tmp_path / "log"
    command = [sys.executable, "manage.py", "run_thumb_server", "--bind", f"127.0.0.1:{port}", "--workers", "1"]
    with servers.running(command, log=log, environ=environ) as process:
        servers.wait_for_port(port, process, log)
        assert servers.fetch(f"http://127.0.0.1:{port}/health").status == 200
        environ_with(tmp_path, BROKEN)
        process.send_signal(signal.SIGHUP)
        eventually(lambda: "nothing is reloaded" in log.read_text())
    assert "SystemCheckError: System check identified some issues:" in log.read_text().splitlines()
