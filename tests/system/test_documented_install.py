"""The server where the documentation installs it: without the checkout, it has all that it needs."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support import servers
from tests.support.commands import local_storage
from tests.support.documented_install import install, installed
from tests.support.processes import children, workers_of
from tests.support.servers import OUR_WORKER, Server
from tests.support.waiting import WAIT_SECONDS, eventually

PICTURE = "photos/thumbs/90x60/quarters.jpg"
LONG = f"photos/thumbs/90x60/{'x' * 3000}.jpg"


@contextmanager
def serving(command: list[str], originals: Path, directory: Path, **environ: str) -> Iterator[Server]:
    """`command` with `python`, and an address, where the steps have put the project."""
    config = directory / "storages.json"
    config.write_text(json.dumps({"storages": [local_storage("photos", originals)], "metrics": True}))
    kept = {name: value for name, value in os.environ.items() if name != "DJANGO_SETTINGS_MODULE"}
    port, log = servers.free_port(), directory / "log"
    everything = {**kept, "STORAGES_CONFIG_PATH": str(config), **environ}
    line = [sys.executable, *command, "--bind", f"127.0.0.1:{port}"]
    with servers.running(line, log=log, environ=everything, directory=installed()) as process:
        servers.wait_for_port(port, process, log)
        yield Server("installed", port, process, log)


def test_the_steps_install_the_project_and_nothing_of_the_checkout(tmp_path: Path) -> None:
    install(tmp_path)
    names = {path.name for path in (tmp_path / "opt/mage/app").iterdir()}
    assert names == {"gunicorn.conf.py", "mage_project", "manage.py", "requirements.txt", "thumbs"}
    assert (tmp_path / "etc/mage/mage.env").stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "etc/mage/storages.json").exists()


def test_the_gauges_of_a_worker_that_was_killed_are_gone(originals: Path, tmp_path: Path) -> None:
    kept = tmp_path / "metrics"
    kept.mkdir()
    with serving(["manage.py", "run_thumb_server", "--workers", "1"], originals, tmp_path, TMPDIR=str(kept)) as server:
        _kill_and_look(server, kept, lambda: workers_of(server.process.pid))


@pytest.mark.parametrize("worker", ["asgi", "gthread", OUR_WORKER])
def test_the_gauges_of_a_worker_of_gunicorn_alone_are_gone_too(originals: Path, tmp_path: Path, worker: str) -> None:
    kept = tmp_path / "metrics"
    kept.mkdir()
    application = "mage_project.wsgi" if worker == "gthread" else "mage_project.asgi"
    command = ["-m", "gunicorn", application, "--worker-class", worker, "--no-control-socket"]
    with serving(command, originals, tmp_path, PROMETHEUS_MULTIPROC_DIR=str(kept)) as server:
        assert server.get(LONG).headers["content-type"] == "application/problem+json"  # its limit, and not gunicorn's
        _kill_and_look(server, kept, lambda: children(server.process.pid))


def _kill_and_look(server: Server, kept: Path, workers: Callable[[], set[int]]) -> None:
    assert server.get(PICTURE).status == 200
    (worker,) = workers()
    live = f"**/gauge_live*_{worker}.db"
    assert list(kept.glob(live))
    os.kill(worker, signal.SIGKILL)
    eventually(lambda: not list(kept.glob(live)))
    eventually(lambda: len(workers() - {worker}) == 1)
    # Gunicorn's own workers lose a signal to stop that comes while they start.
    assert server.get(PICTURE).status == 200


def test_gunicorns_own_secrets_are_not_logged(originals: Path, tmp_path: Path) -> None:
    command = ["manage.py", "run_thumb_server", "--workers", "1"]
    arguments = "--env CANARY_TOKEN=canary-secret"
    with serving(command, originals, tmp_path, LOG_LEVEL="DEBUG", GUNICORN_CMD_ARGS=arguments) as server:
        assert server.get(PICTURE).status == 200
        text = server.log.read_text()
    assert "raw_env" in text
    assert "canary-secret" not in text


def _port_read(directory: Path, **environ: str) -> str:
    """The port of the configuration, and its errors, that the standalone settings choose in `directory`."""
    script = (
        "from mage_project import settings; from thumbs.conf.loading import load; "
        "read = load(settings.THUMBS); print(read.document.port, *read.errors)"
    )
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("STORAGES_", "PORT"))}
    return subprocess.run(
        [sys.executable, "-c", script],
        cwd=directory,
        env={**kept, **environ, "PYTHONPATH": str(installed())},
        check=True,
        capture_output=True,
        text=True,
        timeout=WAIT_SECONDS,
    ).stdout.strip()


def test_the_settings_look_at_the_named_file_or_at_those_to_be_searched_and_then_here(
    originals: Path, tmp_path: Path
) -> None:
    etc, here = tmp_path / "etc/storages.json", tmp_path / "app/storages.json"
    here.parent.mkdir()
    etc.parent.mkdir()
    named = _write(tmp_path / "named.json", originals, port=9001)
    searched = {"STORAGES_CONFIG_SEARCH": f"{tmp_path}/none.json:{etc}"}
    nothing = _port_read(here.parent, **searched)
    assert f"{tmp_path}/none.json, {etc}, {here}: do not exist" in nothing
    _write(here, originals, port=9002)
    assert _port_read(here.parent) == _port_read(here.parent, **searched) == "9002"
    _write(etc, originals, port=9003)
    assert _port_read(here.parent, **searched) == "9003"
    assert _port_read(here.parent, STORAGES_CONFIG_PATH=named, **searched) == "9001"
    missing = _port_read(here.parent, STORAGES_CONFIG_PATH=f"{tmp_path}/missing.json", **searched)
    assert f"{tmp_path}/missing.json: does not exist." in missing


def _write(path: Path, originals: Path, *, port: int) -> str:
    path.write_text(json.dumps({"storages": [local_storage("photos", originals)], "port": port}))
    return str(path)
