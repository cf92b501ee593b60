"""Failed requests are logged with their place, and at most once a second for each storage and code."""

import logging
import re
from collections.abc import Callable
from concurrent.futures import Future

import pytest

from tests.support.clock import Clock
from tests.support.fake_pipeline import FakeServer, request
from tests.support.waiting import eventually
from thumbs.errors import StorageFailed, StorageTimeout
from thumbs.pipeline.reporting.failure_log import FailureLog

Open = Callable[..., FakeServer]


class Waits:
    """A timer that the test lets go off."""

    def __init__(self) -> None:
        self.futures: list[Future[None]] = []

    def after(self, _: float) -> "Future[None]":
        self.futures.append(Future())
        return self.futures[-1]

    def go_off(self) -> None:
        waiting, self.futures = self.futures, []
        for future in waiting:
            future.set_result(None)


def failed(cause: Exception) -> StorageFailed:
    error = StorageFailed()
    error.__cause__ = cause
    return error


def test_a_line_names_storage_key_request_code_and_cause(open_server: Open, caplog: pytest.LogCaptureFixture) -> None:
    server = open_server()
    server.source.failure = failed(OSError(5, "Input/output error"))
    with caplog.at_level(logging.WARNING, "thumbs"):
        server.thumbnailer.answer(request(request_id="of-the-proxy"))
    (record,) = caplog.records
    assert record.getMessage() == (
        "storage photos: The storage did not give the original.: OSError(5, 'Input/output error') "
        "(key a.jpg, request of-the-proxy, code storage-failed)"
    )
    fields = {name: getattr(record, name) for name in ("storage", "key", "request_id", "code", "error")}
    assert fields == {
        "storage": "photos",
        "key": "a.jpg",
        "request_id": "of-the-proxy",
        "code": "storage-failed",
        "error": "OSError(5, 'Input/output error')",
    }


def test_a_request_without_a_good_id_gets_one(open_server: Open, caplog: pytest.LogCaptureFixture) -> None:
    server = open_server()
    server.source.failure = StorageFailed()
    with caplog.at_level(logging.WARNING, "thumbs"):
        server.thumbnailer.answer(request(request_id="forged\nline"))
    assert re.search(r"request [0-9a-f]{32}, ", caplog.text)
    assert "forged" not in caplog.text


def test_the_query_of_a_remote_original_is_left_out(open_server: Open, caplog: pytest.LogCaptureFixture) -> None:
    server = open_server()
    with caplog.at_level(logging.WARNING, "thumbs"):
        server.source.failure = StorageFailed()
        server.thumbnailer.answer(request("40x30/https/img.example.com/a.jpg?token=canary"))
    assert "key https/img.example.com/a.jpg?…," in caplog.text
    assert "canary" not in caplog.text


@pytest.mark.parametrize("key", ["token='a.jpg", "cookie: a.jpg", "<secret>a.jpg"])
def test_a_key_hides_nothing_of_the_rest_of_the_line(
    open_server: Open, caplog: pytest.LogCaptureFixture, key: str
) -> None:
    server = open_server()
    server.source.failure = failed(OSError(5, "Input/output error"))
    with caplog.at_level(logging.WARNING, "thumbs"):
        server.thumbnailer.answer(request(f"40x30/{key}", request_id="of-the-proxy"))
    (record,) = caplog.records
    assert "a.jpg" not in record.getMessage()
    assert record.getMessage().endswith("[hidden], request of-the-proxy, code storage-failed)")


def test_a_second_has_one_line_for_each_storage_and_code(
    open_server: Open, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    waits = Waits()
    log = FailureLog(waits.after, clock)
    with caplog.at_level(logging.WARNING, "thumbs"):
        for _ in range(690):
            log.add("failed", StorageFailed(), thumb=None)
        log.add("late", StorageTimeout(), thumb=None)
        assert [message.split(":")[0] for message in caplog.messages] == ["failed", "late"]
        clock.now += 1
        waits.go_off()
        assert caplog.messages[2:] == ["689 more failures with code storage-failed were left out"]
        log.add("failed", StorageFailed(), thumb=None)  # in the same second as that line
        assert len(caplog.messages) == 3
        clock.now += 1
        log.add("failed", StorageFailed(), thumb=None)
        assert caplog.messages[3:] == [
            (
                "failed: StorageFailed('The storage did not give the original.') "
                "(code storage-failed; 1 more were left out)"
            )
        ]
        waits.go_off()
        assert len(caplog.messages) == 4


def test_without_a_thread_for_the_timer_the_next_line_has_the_number(
    clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    def after(_: float) -> "Future[None]":
        raise RuntimeError("can't start new thread")

    log = FailureLog(after, clock)
    with caplog.at_level(logging.WARNING, "thumbs"):
        for _ in range(3):
            log.add("failed", StorageFailed(), thumb=None)
        clock.now += 1
        log.add("failed", StorageFailed(), thumb=None)
    assert len(caplog.messages) == 2
    assert "2 more were left out" in caplog.messages[1]


def test_many_failures_at_once_leave_two_lines(open_server: Open, caplog: pytest.LogCaptureFixture) -> None:
    server = open_server()
    server.source.failure = StorageFailed()
    with caplog.at_level(logging.WARNING, "thumbs"):
        for _ in range(50):
            assert server.thumbnailer.answer(request()).status == 502
        eventually(lambda: any("more failures" in message for message in caplog.messages))
    assert len(server.observer.failures) == 50
    assert len(caplog.messages) < 25  # a machine that is busy takes a few seconds for them
