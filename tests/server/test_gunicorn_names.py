"""The table of the names inside gunicorn that our worker needs: it is complete, and what is missing is named."""

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

from thumbs.server import protocol, worker
from thumbs.server.protocol import GUNICORN_NAMES, missing_names


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
