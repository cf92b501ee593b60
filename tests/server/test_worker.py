"""Our worker: it redacts before the fork, and serves with our connections unless gunicorn lacks a name."""

import asyncio
import logging
import sys
import threading
from collections.abc import Callable, Iterator
from types import SimpleNamespace

import gunicorn
import pytest
from gunicorn.config import Config
from gunicorn.workers import gasgi

import thumbs.server
from thumbs.observability import redaction
from thumbs.server import protocol
from thumbs.server.worker import ThumbsWorker
from thumbs.wiring import process


class Log:
    """Stands for gunicorn's logger."""

    access_log_enabled = False

    def __init__(self) -> None:
        self.warnings: list[str] = []

    def warning(self, message: str, *arguments: object) -> None:
        self.warnings.append(message % arguments)


@pytest.fixture
def log() -> Log:
    return Log()


@pytest.fixture
def make(log: Log, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], ThumbsWorker]]:
    """Makes workers as gunicorn does before the fork, in a main process without any yet."""
    monkeypatch.setattr(ThumbsWorker, "_missing", None)
    made: list[ThumbsWorker] = []

    def one() -> ThumbsWorker:
        config = Config()
        made.append(ThumbsWorker(1, 1, [], SimpleNamespace(cfg=config), 30, config, log))
        return made[-1]

    yield one
    # What a worker has frozen stays so: what tests/conftest.py has frozen would not stay so either.
    for worker in made:
        worker.tmp.close()


@pytest.fixture(autouse=True)
def _goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """The process of the tests does not stop with a worker that is a test's."""
    monkeypatch.setattr(process._process, "stopping", False)


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """The class of the connections each time that gunicorn's own worker starts."""
    classes: list[object] = []
    monkeypatch.setattr(gasgi, "ASGIProtocol", gasgi.ASGIProtocol)
    monkeypatch.setattr(gasgi.ASGIWorker, "init_process", lambda _: classes.append(gasgi.ASGIProtocol))
    return classes


def test_a_worker_with_every_name_serves_with_our_connections(
    make: Callable[[], ThumbsWorker], log: Log, started: list[object]
) -> None:
    assert gasgi.ASGIProtocol is not protocol.ThumbsProtocol
    make().init_process()
    assert log.warnings == []
    assert started == [protocol.ThumbsProtocol]


def test_names_that_are_missing_are_logged_once_and_gunicorns_connections_serve(
    make: Callable[[], ThumbsWorker], log: Log, started: list[object], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(protocol, "missing_names", lambda _: ["ASGIProtocol.app", "Logger.x"])
    gunicorns = gasgi.ASGIProtocol
    for _ in range(3):
        make().init_process()
    missing = f"gunicorn {gunicorn.__version__} lacks ASGIProtocol.app, Logger.x"
    assert log.warnings == [f"{missing}: its own asgi worker serves, and hits cost more"]
    assert started == [gunicorns] * 3


def test_a_module_that_does_not_import_is_a_missing_name(
    make: Callable[[], ThumbsWorker], log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(thumbs.server, "protocol")
    monkeypatch.setitem(sys.modules, "thumbs.server.protocol", None)
    make()
    (warning,) = log.warnings
    assert warning.startswith(f"gunicorn {gunicorn.__version__} lacks a name (")
    assert "protocol" in warning


@pytest.mark.parametrize("missing", [[], ["a name"]])
def test_a_worker_that_stops_closes_what_is_idle_before_gunicorn_waits(
    make: Callable[[], ThumbsWorker], monkeypatch: pytest.MonkeyPatch, missing: list[str]
) -> None:
    events: list[str] = []

    async def gunicorns(_: object) -> None:
        events.append("gunicorn waits")

    monkeypatch.setattr(gasgi.ASGIWorker, "_shutdown", gunicorns)
    monkeypatch.setattr(protocol.connections, "close_idle", lambda: events.append("idle connections closed"))
    worker = make()
    monkeypatch.setattr(ThumbsWorker, "_missing", missing)
    worker.servers = [SimpleNamespace(close=lambda: events.append("listening socket closed"))]
    asyncio.run(worker._shutdown())
    ours = [] if missing else ["listening socket closed", "idle connections closed"]
    assert events == [*ours, "gunicorn waits"]


def test_records_are_redacted_from_the_setup_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "excepthook", sys.excepthook)
    monkeypatch.setattr(threading, "excepthook", threading.excepthook)
    monkeypatch.setattr(redaction, "_known", set())
    monkeypatch.setattr(redaction, "_secrets", None)
    factory = logging.getLogRecordFactory()
    redaction.hide(["canary"])
    try:
        ThumbsWorker.setup()
        record = logging.getLogger("any").makeRecord("any", 20, "a.py", 1, "%s", ("canary",), None)
    finally:
        logging.setLogRecordFactory(factory)
    assert record.getMessage() == "[hidden]"
