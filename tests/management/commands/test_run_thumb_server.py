"""`run_thumb_server`: which server it runs, what beside it, what it clears before, and what it refuses."""

import os
import re
import shlex
import socket
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import SimpleNamespace

import pytest
from django.core.management import CommandError, call_command
from django.test import override_settings

from tests.support import servers
from tests.support.commands import BROKEN, BROKEN_IDS, Run, disk_cache, local_storage
from tests.support.disk_entries import make, store_of
from thumbs.cache.filestore.store import FileStore
from thumbs.management.commands import run_thumb_server

WRAPPED = "tests.support.wrapped.asgi_application"


class Supervised:
    """Stands for the supervisor: it keeps the commands, and ends with a status of its own."""

    STATUS = 7

    def __init__(self) -> None:
        self.runs: list[tuple[str, list[str], str]] = []
        self.directories: list[tuple[Path, bool]] = []

    def __call__(
        self,
        server: Sequence[str],
        companions: Sequence[Sequence[str]],
        *,
        check: Sequence[str],
        logs_check: bool,
        adopts: bool,
    ) -> SimpleNamespace:
        assert logs_check is ("JsonLogger" in " ".join(server))
        assert adopts is (os.getpid() == 1), "it would take the status of other children of this process"
        self.runs.append((shlex.join(server), [shlex.join(each) for each in companions], shlex.join(check)))
        return SimpleNamespace(run=self._run)

    def _run(self) -> int:
        for found in re.findall(r"PROMETHEUS_MULTIPROC_DIR=(\S+)", self.runs[-1][0]):
            self.directories.append((Path(found), Path(found).is_dir()))
        return self.STATUS


@pytest.fixture
def supervised(monkeypatch: pytest.MonkeyPatch) -> Iterator[Supervised]:
    kept = Supervised()
    monkeypatch.setattr(run_thumb_server, "Supervisor", kept)
    monkeypatch.setattr(sys, "argv", ["/site/manage.py", "run_thumb_server"])
    monkeypatch.setitem(sys.modules, "__main__", SimpleNamespace(__spec__=None))
    with override_settings(ASGI_APPLICATION=WRAPPED):
        yield kept


def serve(run: Run, supervised: Supervised, *arguments: str) -> tuple[str, list[str], str]:
    """The commands of the server, of what runs beside it, and of the check before a reload."""
    with pytest.raises(SystemExit) as ended:
        run("run_thumb_server", *arguments)
    assert ended.value.code == Supervised.STATUS
    return supervised.runs[-1]


def free_bind() -> str:
    return f"127.0.0.1:{servers.free_port()}"


def test_the_server_is_gunicorn_with_our_worker_and_the_janitor_beside_it(
    run: Run, storages: object, supervised: Supervised
) -> None:
    bind = free_bind()
    server, beside, check = serve(run, supervised, "--bind", bind, "--workers", "3")
    python = shlex.quote(sys.executable)
    assert server == (
        f"env WEB_CONCURRENCY=3 {python} -m gunicorn tests.support.wrapped:asgi_application "
        f"--worker-class thumbs.server.worker.ThumbsWorker --bind {bind} --workers 3 "
        "--limit-request-line 8190 --keep-alive 75 --graceful-timeout 30 --log-level info "
        f"--pythonpath {shlex.quote(sys.path[0])} --no-control-socket"
    )
    assert beside == [f"{python} /site/manage.py run_cache_janitor"]
    assert check == f"env WEB_CONCURRENCY=3 {python} /site/manage.py check --fail-level ERROR"


def test_port_workers_and_log_level_are_those_of_the_configuration(
    run: Run, originals: Path, supervised: Supervised
) -> None:
    port = servers.free_port()
    thumbs = {"STORAGES": [local_storage("photos", originals)], "PORT": port, "WORKERS": 5, "LOG_LEVEL": "WARNING"}
    with override_settings(THUMBS=thumbs):
        server, beside, _ = serve(run, supervised)
    assert f"--bind 0.0.0.0:{port} --workers 5 " in server
    assert "--log-level warning " in server
    assert "WEB_CONCURRENCY" not in server  # the workers read the configuration themselves
    assert beside == []  # no disk cache, so nothing to sweep


def test_no_janitor_runs_where_none_is_wanted(run: Run, storages: object, supervised: Supervised) -> None:
    _, beside, _ = serve(run, supervised, "--bind", free_bind(), "--no-janitor")
    assert beside == []


def test_other_commands_are_run_in_the_way_of_this_one(
    run: Run, storages: object, supervised: Supervised, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = SimpleNamespace(__spec__=SimpleNamespace(parent="django"))
    monkeypatch.setitem(sys.modules, "__main__", module)
    monkeypatch.setattr(sys, "path", ["/more", "/site", *sys.path])
    server, (janitor,), check = serve(run, supervised, "--bind", free_bind(), "--pythonpath", "/more")
    assert " --pythonpath /more,/site " in server
    assert janitor.endswith(" -m django run_cache_janitor --pythonpath=/more")
    assert check.endswith(" -m django check --fail-level ERROR --pythonpath=/more")


def test_workers_share_a_directory_for_their_metrics_while_the_server_runs(
    run: Run, originals: Path, supervised: Supervised
) -> None:
    with override_settings(THUMBS={"STORAGES": [local_storage("photos", originals)], "METRICS": True}):
        server, _, _ = serve(run, supervised, "--bind", free_bind())
    ((directory, there),) = supervised.directories
    assert server.startswith(f"env PROMETHEUS_MULTIPROC_DIR={directory} {shlex.quote(sys.executable)} -m gunicorn ")
    assert there
    assert not directory.exists()


def test_a_remark_on_the_application_is_printed(
    run: Run, storages: object, supervised: Supervised, capsys: pytest.CaptureFixture[str]
) -> None:
    with override_settings(ASGI_APPLICATION="tests.support.site.asgi_application"):
        serve(run, supervised, "--bind", free_bind())
    assert "Thumbnails pass through Django and its middleware." in capsys.readouterr().err


# ------------------------------------------------------------------------------------------- cleared on startup


@pytest.fixture
def two(originals: Path, tmp_path: Path) -> Iterator[None]:
    """Two storages with a disk cache; that of the first is cleared on startup."""
    thumbs = [
        local_storage("cleared", originals, disk=disk_cache(tmp_path / "cleared", clear_on_startup=True)),
        local_storage("kept", originals, disk=disk_cache(tmp_path / "kept")),
    ]
    with override_settings(THUMBS={"STORAGES": thumbs, "RUN_DIR": str(tmp_path / "run")}):
        make(*(f"{name}/thumbs/{size}/quarters.jpg" for name in ("cleared", "kept") for size in ("50x", "60x")))
        yield


def entries() -> list[int]:
    return [store_of(name).usage().entries for name in ("cleared", "kept")]


def test_only_the_caches_are_cleared_for_which_that_is_wanted(
    run: Run, two: None, supervised: Supervised, capsys: pytest.CaptureFixture[str]
) -> None:
    assert entries() == [2, 2]
    serve(run, supervised, "--bind", free_bind())
    assert entries() == [0, 2]
    assert "cleared: cleared on startup, 2 entries\n" in capsys.readouterr().err


def test_a_server_that_cannot_listen_clears_nothing(run: Run, two: None, supervised: Supervised) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        sentence = f"Port {port} is in use: choose another one with --bind HOST:PORT or PORT."
        assert run.refused("run_thumb_server", "--bind", f"127.0.0.1:{port}") == sentence
    assert entries() == [2, 2]
    assert supervised.runs == []


def test_a_cache_that_cannot_be_cleared_keeps_the_server_from_starting(
    run: Run, two: None, supervised: Supervised, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> int:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(FileStore, "clear", broken)
    sentence = "The disk cache of cleared could not be cleared on startup: [Errno 5] Input/output error"
    assert run.refused("run_thumb_server", "--bind", free_bind()) == sentence
    assert supervised.runs == []


# ----------------------------------------------------------------------------------------------- what is refused


@pytest.mark.parametrize("workers", ["0", "-1", "1025"])
def test_a_number_of_workers_that_cannot_be_is_refused(
    run: Run, storages: object, supervised: Supervised, workers: str
) -> None:
    sentence = run.refused("run_thumb_server", f"--workers={workers}", "--bind", free_bind())
    assert sentence == "--workers takes a whole number from 1 to 1024."
    assert supervised.runs == []


def test_a_broken_configuration_is_a_line_for_each_error(run: Run, supervised: Supervised) -> None:
    with override_settings(THUMBS={"STORAGES": BROKEN}), pytest.raises(CommandError) as raised:
        call_command("run_thumb_server", "--bind", free_bind(), skip_checks=False)
    assert set(re.findall(r"(?m)^\((thumbs\.E[0-9]+)\) storages\[", str(raised.value))) == BROKEN_IDS
    assert supervised.runs == []


def test_addresses_mode_and_options_are_passed_on(run: Run, storages: object, supervised: Supervised) -> None:
    first, second = free_bind(), free_bind()
    binds = ("--bind", first, "--bind", second)
    server, _, _ = serve(run, supervised, *binds, "--socket-mode", "0660", "--", "--max-requests", "9")
    assert f"--bind {first} --bind {second} " in server
    assert server.endswith(" --no-control-socket --umask 0117 --max-requests 9")


@pytest.mark.parametrize(
    ("binds", "host"), [(("127.0.0.1", "0.0.0.0"), "0.0.0.0"), (("127.0.0.1", "127.0.0.2"), "127.0.0.1")]
)
def test_workers_know_the_address_that_the_check_of_the_playground_is_about(
    run: Run, originals: Path, supervised: Supervised, binds: tuple[str, ...], host: str
) -> None:
    arguments = [word for each in binds for word in ("--bind", f"{each}:{servers.free_port()}")]
    thumbs = {"STORAGES": [local_storage("photos", originals)], "HOST": "0.0.0.0", "PLAYGROUND": "on"}
    with override_settings(THUMBS=thumbs):
        server, _, check = serve(run, supervised, *arguments)
    assert server.startswith(f"env MAGE_HOST={host} ")
    assert check.startswith(f"env MAGE_HOST={host} ")


def test_workers_know_among_how_many_they_share_the_cores(run: Run, originals: Path, supervised: Supervised) -> None:
    thumbs = {"STORAGES": [local_storage("photos", originals)], "WORKERS": 5, "HOST": "0.0.0.0", "PLAYGROUND": "on"}
    with override_settings(THUMBS=thumbs):
        server, _, check = serve(run, supervised, "--bind", free_bind(), "--workers", "4")
    assert " --workers 4 " in server
    for command in (server, check):
        assert command.startswith("env MAGE_HOST=127.0.0.1 WEB_CONCURRENCY=4 ")


@pytest.mark.parametrize("option", ["--bind=0.0.0.0:8089", "-b0.0.0.0:8089", "-Rb0.0.0.0:8089", "--bin=0.0.0.0:8089"])
def test_an_address_after_two_hyphens_is_refused(
    run: Run, storages: object, supervised: Supervised, option: str
) -> None:
    sentence = run.refused("run_thumb_server", "--bind", free_bind(), "--", option)
    assert sentence == "Addresses come before --: run_thumb_server takes --bind itself, also several times."
    assert supervised.runs == []


def test_with_json_gunicorn_logs_json_too(run: Run, originals: Path, supervised: Supervised) -> None:
    with override_settings(THUMBS={"STORAGES": [local_storage("photos", originals)], "LOG_FORMAT": "json"}):
        server, _, _ = serve(run, supervised, "--bind", free_bind())
    assert server.endswith(" --logger-class thumbs.server.json_logger.JsonLogger")
