"""A fault of ours is a constant problem document with status 500, and the log has its traceback."""

import json
import logging
from collections.abc import Callable

import pytest

from tests.support.fake_pipeline import Ask, FakeServer, cached, header, request
from thumbs.pipeline.reporting.observer import NullObserver
from thumbs.pipeline.steps import Step
from thumbs.pipeline.thumbnailer import Thumbnailer

Open = Callable[..., FakeServer]


def broken(*_: object) -> object:
    raise RuntimeError("secret detail")


def assert_is_a_fault(server: FakeServer, ask: Ask, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR, "thumbs"):
        answer = ask(server, request())
    assert answer.status == json.loads(answer.body)["status"] == 500
    assert header(answer, "Content-Type") == "application/problem+json"
    assert header(answer, "Cache-Control") == "no-store"
    assert b"secret" not in answer.body
    for message in caplog.messages:
        assert message.startswith(
            "storage photos: a request failed: RuntimeError('secret detail') (key a.jpg, request "
        )
    assert caplog.records[0].exc_info is not None
    assert str(caplog.records[0].exc_info[1]) == "secret detail"
    assert [status for status, _, _ in server.observer.counted] == [500]


def test_a_fault_of_the_lookup(
    open_server: Open, ask: Ask, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = open_server()
    monkeypatch.setattr(server.layers, "get_now", broken)
    assert_is_a_fault(server, ask, caplog)


def test_a_fault_after_the_lookup(
    open_server: Open, ask: Ask, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = open_server()
    monkeypatch.setattr(server.thumbnailer._jobs, "failure", broken)
    assert_is_a_fault(server, ask, caplog)


def test_a_fault_is_forgotten_with_the_request(open_server: Open, ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    server = open_server()
    with monkeypatch.context() as once:
        once.setattr(server.layers, "get_now", broken)
        assert ask(server, request()).status == 500
    assert cached(ask(server, request())) == (200, "MISS")


def test_a_thumbnailer_without_an_observer_answers_the_same(open_server: Open) -> None:
    server = open_server()
    silent = Thumbnailer(server.thumbnailer.storages, server.executors, observer=NullObserver(), clock=server.clock)
    assert silent.answer(request()).body == server.thumbnailer.answer(request()).body
    assert silent.answer(request("40x30/none.jpg")).status == 404


def test_the_work_of_a_step_is_given_once() -> None:
    step = Step("lookup", int, "7")
    assert step.take_work()() == 7
    with pytest.raises(RuntimeError, match="a step is awaited once"):
        step.take_work()
