"""`run_thumb_server` as a user runs it, and what all commands have in common: one line of error, and a status."""

import contextlib
import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import pytest
from django.test import override_settings

from tests.support import pictures, servers
from tests.support.commands import BROKEN, BROKEN_IDS, disk_cache, environ_with, finished, local_storage, manage
from tests.support.processes import descendants, lives
from tests.support.servers import fetch
from tests.support.waiting import WAIT_SECONDS, eventually
from thumbs.wiring import caches, process

PICTURE = "thumbs/90x60/quarters.jpg"


def _janitors(pid: int) -> list[int]:
    return [child for child, command in descendants(pid).items() if "run_cache_janitor" in command]


def _the_janitor(pid: int) -> int:
    """Waits until there is exactly one: what it starts looks like it for a moment."""
    seen: list[int] = []

    def is_alone() -> bool:
        seen[:] = _janitors(pid)
        return len(seen) == 1

    eventually(is_alone)
    return seen[0]


def _gunicorns(pid: int) -> list[int]:
    return [child for child, command in descendants(pid).items() if "gunicorn" in command]


@contextlib.contextmanager
def _server(
    environ: Mapping[str, str],
    log: Path,
    *arguments: str,
    program: Sequence[str] = ("manage.py",),
    cwd: Path = servers.ROOT,
) -> Iterator[tuple["subprocess.Popen[bytes]", int]]:
    """`run_thumb_server` on a free port, as a user would start it."""
    port = servers.free_port()
    command = [sys.executable, *program, "run_thumb_server", "--bind", f"127.0.0.1:{port}", *arguments]
    with log.open("ab") as output:
        process = subprocess.Popen(command, cwd=cwd, env=environ, stdout=output, stderr=output)
    try:
        servers.wait_for_port(port, process, log)
        yield process, port
    finally:
        process.terminate()
        assert process.wait(WAIT_SECONDS) is not None


def _environ_without_children(directory: Path, storages: Sequence[Mapping[str, object]], **more: str) -> dict[str, str]:
    """As `environ_with`, for tests that say nothing of children that render: each costs a start of Python."""
    environ = environ_with(directory, storages, **more)
    path = directory / "storages.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "isolation": "off"}))
    return environ


def test_the_server_serves_with_its_janitor_and_leaves_nothing_behind(originals: Path, tmp_path: Path) -> None:
    environ = environ_with(tmp_path, [local_storage("photos", originals, disk=disk_cache(tmp_path / "cache"))])
    log = tmp_path / "server.log"
    program = (str(servers.ROOT / "manage.py"),)
    with _server(environ, log, "--workers", "2", program=program, cwd=tmp_path) as (process, port):
        janitor = _the_janitor(process.pid)
        answers = [fetch(f"http://127.0.0.1:{port}/photos/{PICTURE}") for _ in range(2)]
        assert [answer.headers["x-cache"] for answer in answers] == ["MISS", "HIT"]
        assert pictures.decoded(answers[0].body).size == (90, 60)
        assert json.loads(fetch(f"http://127.0.0.1:{port}/health").body) == {"status": "ok"}
        assert json.loads(fetch(f"http://127.0.0.1:{port}/ready").body)["status"] == "ready"
        assert len(_gunicorns(process.pid)) == 3  # the arbiter and its two workers
        os.kill(janitor, signal.SIGKILL)
        eventually(lambda: _janitors(process.pid) not in ([], [janitor]))
        family = descendants(process.pid)
        process.send_signal(signal.SIGTERM)
        assert process.wait(WAIT_SECONDS) == 0
        # Children that render end as soon as their worker has, and may be late on a busy machine.
        eventually(lambda: not any(map(lives, family)))
    assert "Traceback" not in log.read_text()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("processes", [1, 2], ids=["gunicorn begins", "a worker loads"])
def test_a_signal_at_any_moment_ends_the_server(
    originals: Path, tmp_path: Path, processes: int, number: signal.Signals
) -> None:
    environ = environ_with(tmp_path, [local_storage("photos", originals, disk=disk_cache(tmp_path / "cache"))])
    bind = f"127.0.0.1:{servers.free_port()}"
    command = [sys.executable, "manage.py", "run_thumb_server", "--workers", "1", "--bind", bind]
    with subprocess.Popen(command, cwd=servers.ROOT, env=environ, stderr=subprocess.PIPE) as process:
        eventually(lambda: len(_gunicorns(process.pid)) == processes)
        family = descendants(process.pid)
        process.send_signal(number)
        # Sooner than gunicorn would kill a worker that ignores its signal.
        process.communicate(timeout=WAIT_SECONDS)
    eventually(lambda: not any(map(lives, family)))


def test_the_server_may_be_started_in_djangos_other_ways(originals: Path, tmp_path: Path) -> None:
    environ = _environ_without_children(
        tmp_path, [local_storage("photos", originals, disk=disk_cache(tmp_path / "cache"))]
    )
    log = tmp_path / "log"
    where = ["--pythonpath", str(servers.ROOT), "--settings", "mage_project.settings"]
    with _server(environ, log, "--workers", "1", *where, program=("-m", "django"), cwd=tmp_path) as (_, port):
        assert fetch(f"http://127.0.0.1:{port}/photos/{PICTURE}").status == 200
        eventually(lambda: "photos: " in log.read_text())  # the janitor has found the project too


def test_port_and_workers_come_from_the_environment(originals: Path, tmp_path: Path) -> None:
    port = servers.free_port()
    environ = _environ_without_children(
        tmp_path, [local_storage("photos", originals)], PORT=str(port), WEB_CONCURRENCY="1"
    )
    command = [sys.executable, "manage.py", "run_thumb_server"]
    with servers.running(command, log=tmp_path / "log", environ=environ) as process:
        servers.wait_for_port(port, process, tmp_path / "log")
        assert fetch(f"http://127.0.0.1:{port}/photos/{PICTURE}").status == 200
        assert len(_gunicorns(process.pid)) == 2
        assert _janitors(process.pid) == []  # nothing to sweep


def test_disk_caches_are_cleared_on_startup_where_that_is_wanted(originals: Path, tmp_path: Path) -> None:
    storages = [
        local_storage("cleared", originals, disk=disk_cache(tmp_path / "cleared", clear_on_startup=True)),
        local_storage("kept", originals, disk=disk_cache(tmp_path / "kept")),
    ]
    environ = _environ_without_children(tmp_path, storages)
    for kept in ("MISS", "HIT"):
        with _server(environ, tmp_path / "log", "--workers", "2", "--no-janitor") as (process, port):
            assert fetch(f"http://127.0.0.1:{port}/cleared/{PICTURE}").headers["x-cache"] == "MISS"
            assert fetch(f"http://127.0.0.1:{port}/kept/{PICTURE}").headers["x-cache"] == kept
            assert _janitors(process.pid) == []
    assert "cleared: cleared on startup, 1 entry" in (tmp_path / "log").read_text()


def test_a_server_that_cannot_start_clears_nothing_and_says_why(originals: Path, tmp_path: Path) -> None:
    storages = [local_storage("photos", originals, disk=disk_cache(tmp_path / "cache", clear_on_startup=True))]
    environ = environ_with(tmp_path, storages)
    with override_settings(THUMBS={"STORAGES": storages}):
        store = caches.file_store(process.configuration().storages[0])
        assert store is not None
        store.set("group/name", b"kept", expires=None)
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
            done = manage(environ, "run_thumb_server", "--bind", f"127.0.0.1:{port}")
        assert done.returncode == 1
        sentence = f"CommandError: Port {port} is in use: choose another one with --bind HOST:PORT or PORT."
        assert _errors(done) == [sentence]
        assert store.get("group/name") is not None


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--bind", "localhost"], "CommandError: --bind takes HOST:PORT or unix:PATH, not 'localhost'."),
        (["--bind", "127.0.0.1:http"], "CommandError: --bind takes HOST:PORT or unix:PATH, not '127.0.0.1:http'."),
        (["--bind", "192.0.2.1:80"], "CommandError: Cannot listen at 192.0.2.1:80: Cannot assign requested address"),
        (["--bind", "127.0.0.1:0", "--workers", "0"], "CommandError: --workers takes a whole number from 1 to 1024."),
    ],
)
def test_the_server_refuses_what_it_cannot_do(
    originals: Path, tmp_path: Path, arguments: list[str], sentence: str
) -> None:
    done = manage(environ_with(tmp_path, [local_storage("photos", originals)]), "run_thumb_server", *arguments)
    assert done.returncode == 1
    assert _errors(done)[-1].startswith(sentence)


def test_the_server_does_not_start_with_a_broken_configuration(tmp_path: Path) -> None:
    environ = environ_with(tmp_path, BROKEN)
    port = servers.free_port()
    done = manage(environ, "run_thumb_server", "--bind", f"127.0.0.1:{port}")
    assert done.returncode == 1
    assert set(re.findall(r"\((thumbs\.E[0-9]+)\)", done.stderr)) == BROKEN_IDS
    assert "storages[other].buket" in done.stderr
    assert "Did you mean 'bucket'?" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(("worker", "module"), [("asgi", "asgi"), ("gthread", "wsgi")])
def test_gunicorn_alone_does_not_start_with_a_broken_configuration_either(
    tmp_path: Path, worker: str, module: str
) -> None:
    environ = environ_with(tmp_path, BROKEN)
    command = [
        *(sys.executable, "-m", "gunicorn", f"mage_project.{module}:application", "--no-control-socket"),
        *("--worker-class", worker, "--bind", f"127.0.0.1:{servers.free_port()}"),
    ]
    done = finished(command, environ)
    assert done.returncode != 0
    assert "NotConfigured" in done.stderr
    # A missing root does not prevent the start: only its own storage fails, and it may come back.
    assert set(re.findall(r"thumbs\.E[0-9]+", done.stderr)) == BROKEN_IDS - {"thumbs.E009"}


@pytest.mark.parametrize("worker", ["asgi", "gthread"])
def test_a_storage_whose_root_is_away_fails_alone(originals: Path, tmp_path: Path, worker: str) -> None:
    away = tmp_path / "mount"
    storages = [local_storage("here", originals), local_storage("away", away)]
    with servers.standalone({"storages": storages}, tmp_path, worker=worker) as server:
        assert server.get(f"here/{PICTURE}").status == 200
        assert server.get(f"away/{PICTURE}").status == 502
        away.symlink_to(originals)
        assert server.get(f"away/{PICTURE}").status == 200


def _errors(done: subprocess.CompletedProcess[str]) -> list[str]:
    """The lines on stderr, without the system checks' warnings."""
    lines = [line for line in done.stderr.splitlines() if line.strip()]
    return [line for line in lines if not line.startswith(("System check", "WARNINGS", "?: ", "\t"))]


def test_errors_are_one_line_on_stderr_and_a_status(originals: Path, tmp_path: Path) -> None:
    environ = environ_with(tmp_path, [local_storage("photos", originals)])
    for arguments, sentence in (
        (["run_cache_janitor", "--once"], "There is nothing to sweep: no storage has an enabled cache.disk"),
        (["clear_thumb_cache", "--storage", "phots"], "No storage is called 'phots'. Did you mean 'photos'?"),
        (["thumb_url", "photos", "quarters.jpg", "--size", "big"], "The size must be 400x300, 400x, x300 or x,"),
    ):
        done = manage(environ, *arguments)
        assert done.returncode == 1
        (line,) = done.stderr.splitlines()
        assert line.startswith(f"CommandError: {sentence}")
        assert done.stdout == ""


def test_a_broken_configuration_is_a_line_for_each_error(tmp_path: Path) -> None:
    done = manage(environ_with(tmp_path, BROKEN), "clear_thumb_cache")
    assert done.returncode == 1
    lines = done.stderr.removeprefix("CommandError: ").splitlines()
    assert all(re.match(r"\(thumbs\.E[0-9]{3}\) storages\[", line) for line in lines)
    # A missing root keeps nothing from being cleared.
    assert {line[1:12] for line in lines} == BROKEN_IDS - {"thumbs.E009"}


def test_a_reload_takes_a_good_configuration_and_refuses_a_broken_one(originals: Path, tmp_path: Path) -> None:
    environ = environ_with(tmp_path, [local_storage("photos", originals)])
    config, log = tmp_path / "storages.json", tmp_path / "server.log"
    with _server(environ, log, "--workers", "1") as (process, port):
        base = f"http://127.0.0.1:{port}"
        assert fetch(f"{base}/photos/{PICTURE}").status == 200
        config.write_text(json.dumps({"storages": BROKEN}))
        process.send_signal(signal.SIGHUP)
        eventually(lambda: "nothing is reloaded" in log.read_text())
        assert fetch(f"{base}/photos/{PICTURE}").status == 200
        environ_with(tmp_path, [local_storage("others", originals)])
        process.send_signal(signal.SIGHUP)
        eventually(lambda: _status(f"{base}/others/{PICTURE}") == 200)


def _status(url: str) -> int | None:
    """None while workers change, and a connection may be cut."""
    with contextlib.suppress(OSError, http.client.HTTPException):
        return fetch(url).status
    return None
