"""What the processes of a server hold: supervisor and janitor no Django, and workers share what gunicorn has loaded."""

import json
import os
import re
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support import copies, servers
from tests.support.commands import environ_with, local_storage
from tests.support.processes import children, descendants
from tests.support.waiting import WAIT_SECONDS, eventually

# Python with what both need takes about 9 MiB, Django alone 20 MiB more.
MOST_BYTES = 18 * 1024 * 1024
# A class of handlers that only the site's own code can make.
_OWN_LOG = """
import logging, os
from mage_project.settings import *

class OwnHandler(logging.StreamHandler):
    def emit(self, record):
        self.stream.write(f"own {os.getpid()} {record.getMessage()}" + chr(10))
        self.flush()

LOGGING["handlers"]["stderr"] = {"()": OwnHandler}
"""


@contextmanager
def server(
    originals: Path, directory: Path, *options: str, metrics: bool = False, **environ: str
) -> Iterator[tuple[copies.Process, Path]]:
    """A running server with a janitor, and its log."""
    disk = {"enabled": True, "dir": str(directory / "disk"), "ttl_seconds": 600}
    variables = environ_with(directory, [local_storage("photos", originals, disk=disk)], **environ)
    if metrics:
        config = directory / "storages.json"
        config.write_text(json.dumps({**json.loads(config.read_text()), "metrics": True}))
    port, log = servers.free_port(), directory / "log"
    command = [sys.executable, "manage.py", "run_thumb_server", "--bind", f"127.0.0.1:{port}", "--workers", "1"]
    command += options
    with servers.running(command, log=log, environ=variables) as process:
        servers.wait_for_port(port, process, log)
        eventually(lambda: "photos: " in log.read_text())  # the janitor's first sweep
        yield process, log


def janitor_of(pid: int) -> int:
    (found,) = (
        each for each, line in descendants(pid).items() if "run_cache_janitor" in line and each in children(pid)
    )
    return found


def anonymous_bytes(pid: int) -> int:
    (found,) = re.findall(r"^RssAnon:\s+(\d+) kB$", Path(f"/proc/{pid}/status").read_text(), re.MULTILINE)
    return int(found) * 1024


def test_supervisor_and_janitor_hold_no_django_and_show_their_command(originals: Path, tmp_path: Path) -> None:
    with server(originals, tmp_path) as (process, _):
        janitor = janitor_of(process.pid)
        assert max(map(anonymous_bytes, (process.pid, janitor))) < MOST_BYTES
        shown = Path(f"/proc/{process.pid}/cmdline").read_text().split("\0")
        assert shown[shown.index("manage.py") : -1][:3] == ["manage.py", "run_thumb_server", "--bind"]


def test_a_killed_janitor_is_started_again_and_the_log_is_as_before(originals: Path, tmp_path: Path) -> None:
    with server(originals, tmp_path, LOG_FORMAT="json") as (process, log):
        os.kill(janitor_of(process.pid), signal.SIGKILL)
        eventually(lambda: "it is started again" in log.read_text())
        process.send_signal(signal.SIGTERM)
        assert process.wait(WAIT_SECONDS) == 0
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    (restart,) = (line for line in lines if "it is started again" in line["message"])
    assert (restart["logger"], restart["level"]) == ("thumbs", "WARNING")


def test_the_directory_of_the_metrics_is_there_until_the_server_ends(originals: Path, tmp_path: Path) -> None:
    with server(originals, tmp_path, metrics=True, TMPDIR=str(tmp_path)) as (process, _):
        (directory,) = tmp_path.glob("mage-metrics-*")
        eventually(lambda: any(directory.iterdir()))
        process.send_signal(signal.SIGTERM)
        assert process.wait(WAIT_SECONDS) == 0
    assert not directory.exists()


def test_a_site_with_handlers_of_its_own_keeps_its_process_and_its_log(originals: Path, tmp_path: Path) -> None:
    (tmp_path / "own_log_settings.py").write_text(_OWN_LOG)
    path = str(tmp_path)
    with server(originals, tmp_path, DJANGO_SETTINGS_MODULE="own_log_settings", PYTHONPATH=path) as (process, log):
        assert f"own {janitor_of(process.pid)} photos: " in log.read_text()


def test_no_worker_collects_the_garbage_of_what_its_main_process_has_loaded(originals: Path, tmp_path: Path) -> None:
    """The collector writes into each object, and a page that is written to is copied."""
    config = tmp_path / "hooks.py"
    config.write_text(
        "import gc\n"
        "def post_fork(server, worker):\n"
        "    server.log.warning('collects %d, not %d', len(gc.get_objects()), gc.get_freeze_count())\n"
    )
    with server(originals, tmp_path, "--", "--config", str(config)) as (_, log):
        eventually(lambda: re.search(r"collects \d+", log.read_text()) is not None)
        counts = re.findall(r"collects (\d+), not (\d+)", log.read_text())
    assert counts
    assert all(int(collected) < int(frozen) / 10 for collected, frozen in counts)
