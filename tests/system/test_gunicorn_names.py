"""Our worker needs names inside gunicorn. Where one is missing, gunicorn's own worker serves, and the log says so."""

from pathlib import Path

import pytest

from tests.support import servers
from tests.support.deployed import thumb_server
from tests.support.servers import Server

PATH = "local/thumbs/40x30/quarters.jpg"

# Makes another gunicorn of the installed one: its modules with other names in their source.
MOVED = """
import importlib, pathlib, re

for module in [importlib.import_module(name) for name in {modules!r}]:
    source = re.sub(r"\\b{old}\\b", {new!r}, pathlib.Path(module.__file__).read_text())
    exec(compile(source, module.__file__, "exec"), vars(module))
    vars(module).pop({old!r}, None)
"""
PROTOCOL, GASGI = "gunicorn.asgi.protocol", "gunicorn.workers.gasgi"
MOVES = {
    "a method": ([PROTOCOL], "_arm_keepalive_timer", "ASGIProtocol._arm_keepalive_timer"),
    "a field of a connection": ([PROTOCOL], "_awaiting_request", "ASGIProtocol._awaiting_request"),
    "a field of its flow control": ([PROTOCOL], "write_paused", "FlowControl.write_paused"),
    "a method of the worker": ([GASGI], "_shutdown", "ASGIWorker._shutdown"),
    "a class": ([PROTOCOL, GASGI], "ASGIProtocol", "cannot import name 'ASGIProtocol'"),
}


def move(modules: list[str], name: str, directory: Path) -> str:
    """The command-line arguments for gunicorn that move `name`."""
    file = directory / "moved.py"
    file.write_text(MOVED.format(modules=modules, old=name, new=f"{name}_moved"))
    return f"--config {file}"


@pytest.fixture
def document(originals: Path) -> dict[str, object]:
    memory = {"memory": {"enabled": True, "max_size_mb": 16}}
    return {"storages": [{"name": "local", "driver": "local", "root": str(originals), "cache": memory}]}


def assert_serves_with_one_warning(server: Server, named: str) -> None:
    answers = [server.get(PATH) for _ in range(3)]
    assert [answer.status for answer in answers] == [200, 200, 200]
    assert server.get("local/thumbs/40x30/nothing.jpg").status == 404
    server.process.terminate()
    assert server.process.wait(60) == 0
    warnings = [line for line in server.log.read_text().splitlines() if "[WARNING]" in line]
    assert len(warnings) == 1
    assert named in warnings[0]
    assert "asgi worker" in warnings[0]
    assert "Traceback" not in server.log.read_text()


@pytest.mark.parametrize(("modules", "name", "named"), MOVES.values(), ids=MOVES)
def test_a_name_that_gunicorn_has_moved_is_named_once_and_its_own_worker_serves(
    document: dict[str, object],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    modules: list[str],
    name: str,
    named: str,
) -> None:
    monkeypatch.setenv("GUNICORN_CMD_ARGS", move(modules, name, tmp_path))
    # A copy has imported gunicorn before it is changed.
    with servers.standalone(document, tmp_path, worker=servers.OUR_WORKER, workers=2, fresh=True) as server:
        assert_serves_with_one_warning(server, named)


def test_a_gunicorn_that_has_every_name_is_not_warned_of(document: dict[str, object], tmp_path: Path) -> None:
    with servers.standalone(document, tmp_path, worker=servers.OUR_WORKER) as server:
        assert server.get(PATH).status == 200
        assert "lacks" not in server.log.read_text()


def test_run_thumb_server_serves_where_a_name_has_moved(
    document: dict[str, object], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GUNICORN_CMD_ARGS", move([PROTOCOL], "_awaiting_request", tmp_path))
    with thumb_server(document, tmp_path) as server:
        assert_serves_with_one_warning(server, "ASGIProtocol._awaiting_request")
