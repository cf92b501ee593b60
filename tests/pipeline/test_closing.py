"""A thumbnailer that is closed refuses what waits and what comes, and leaves no thread."""

import threading
from collections.abc import Callable

import pytest

from tests.support.fake_pipeline import Ask, FakeServer, request
from tests.support.waiting import WAIT_SECONDS, eventually
from thumbs.pipeline.fair_executor import FairExecutor
from thumbs.pipeline.replies import Pending
from thumbs.pipeline.timer import Timer
from thumbs.pipeline.watchdog import Watchdog


def new_threads(before: set[threading.Thread]) -> list[str]:
    return sorted(each.name for each in set(threading.enumerate()) - before)


def test_requests_that_wait_when_it_is_closed_are_refused_at_once(open_server: Callable[..., FakeServer]) -> None:
    server = open_server()
    server.renderer.gate.shut()
    waiting = [server.thumbnailer.reply(request(f"{width}x/a.jpg")) for width in range(1, 6)]
    server.renderer.gate.wait_for_one()
    server.thumbnailer.close()
    for reply in waiting:
        assert isinstance(reply, Pending)
        assert type(reply.ticket.future.exception(WAIT_SECONDS)).__name__ == "Overloaded"


def test_what_a_job_still_returns_after_that_is_dropped_without_a_log_line(
    open_server: Callable[..., FakeServer], caplog: pytest.LogCaptureFixture
) -> None:
    before = set(threading.enumerate())
    server = open_server()
    server.renderer.gate.shut()
    server.thumbnailer.reply(request())
    server.renderer.gate.wait_for_one()
    server.thumbnailer.close()
    server.renderer.gate.open()
    eventually(lambda: not new_threads(before))
    assert caplog.records == []


def test_a_request_that_comes_after_that_is_refused(open_server: Callable[..., FakeServer], ask: Ask) -> None:
    server = open_server()
    server.thumbnailer.close()
    assert ask(server, request()).status == 503


def test_its_source_is_closed_with_it(open_server: Callable[..., FakeServer]) -> None:
    server = open_server()
    closed: list[str] = []
    server.source.close = lambda: closed.append("source")  # type: ignore[attr-defined]
    server.thumbnailer.close()
    assert closed == ["source"]


def test_a_closed_timer_has_no_thread_and_takes_nothing() -> None:
    before = set(threading.enumerate())
    timer = Timer()
    waits = timer.after(3600)
    timer.close()
    eventually(lambda: not new_threads(before))
    assert not waits.done()
    with pytest.raises(RuntimeError, match="closed"):
        timer.after(0)


def test_a_closed_executor_of_renders_has_no_thread_not_even_that_of_its_watchdog() -> None:
    before = set(threading.enumerate())
    executor = FairExecutor({"photos": 1}, places=2, queue_length=3)
    watchdog = Watchdog(3600)
    executor.on_start, executor.on_close = watchdog.watch, watchdog.stop
    done = threading.Event()

    def work() -> Callable[[], None]:
        return done.set

    executor.submit("photos", work)
    assert done.wait(WAIT_SECONDS)
    executor.close()
    eventually(lambda: not new_threads(before))
