"""Our worker needs names inside gunicorn. Where one is missing, gunicorn's own worker serves, and the log says so."""

import ast
import logging
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
from gunicorn.asgi.protocol import ASGIProtocol
from gunicorn.config import Config
from gunicorn.glogging import Logger
from gunicorn.workers import gasgi

from tests.support import servers
from tests.support.deployed import thumb_server
from tests.support.servers import Server
from thumbs.server import protocol, worker
from thumbs.server.protocol import GUNICORN_NAMES, missing_names

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
    with servers.standalone(document, tmp_path, worker=servers.OUR_WORKER, workers=2) as server:
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


# ------------------------------------------------------------------------------------- the table


@pytest.fixture
def unstarted() -> Iterator[SimpleNamespace]:
    """A worker as gunicorn makes it, before the fork."""
    config = Config()
    config.set("worker_tmp_dir", None)
    app = SimpleNamespace(cfg=config)
    made = gasgi.ASGIWorker(1, 1, [], app, 30, config, Logger(config))
    yield made
    made.tmp.close()


def test_this_gunicorn_lacks_none_of_the_names(unstarted: SimpleNamespace) -> None:
    assert missing_names(unstarted) == []


@pytest.mark.parametrize(("owner", "name"), GUNICORN_NAMES)
def test_each_name_is_reported_where_it_is_missing(
    owner: str, name: str, unstarted: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(protocol, "dir", lambda each: [*filter(name.__ne__, dir(each))], raising=False)
    if owner == "ASGIWorker":
        vars(unstarted).pop(name, None)
    found = missing_names(unstarted)
    assert f"{owner}.{name}" in found
    assert {each.partition(".")[2] for each in found} == {name}


def test_a_connection_that_needs_more_is_reported(unstarted: SimpleNamespace, monkeypatch: pytest.MonkeyPatch) -> None:
    def connection(worker: SimpleNamespace) -> None:
        worker.more  # noqa: B018 - raises

    monkeypatch.setattr(protocol, "ASGIProtocol", connection)
    (report,) = missing_names(unstarted)
    assert "more" in report


def test_the_table_has_every_name_of_gunicorns_that_the_code_uses(unstarted: SimpleNamespace) -> None:
    owners = {
        "ThumbsProtocol": ("ASGIProtocol", ASGIProtocol(SimpleNamespace(cfg=Config(), log=logging, asgi=None))),
        "ThumbsWorker": ("ASGIWorker", unstarted),
    }
    used = set()
    for module in (protocol, worker):
        for node in ast.parse(Path(str(module.__file__)).read_text()).body:
            if isinstance(node, ast.ClassDef) and node.name in owners:
                owner, gunicorns = owners[node.name]
                used |= {(owner, name) for name in _own_names(node) if hasattr(gunicorns, name)}
    assert used - {("ASGIProtocol", "__init__"), ("ASGIWorker", "__init__"), ("ASGIWorker", "log")} <= set(
        GUNICORN_NAMES
    )
    assert len(used) > 20


def _own_names(node: ast.ClassDef) -> Iterator[str]:
    """Every name that the class uses on `self`, `super()` or `worker`, or defines."""
    for each in ast.walk(node):
        if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef):
            yield each.name
        elif isinstance(each, ast.Attribute):
            yield each.attr
