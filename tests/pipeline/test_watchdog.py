"""A watchdog reports what runs for too long, once; its thread ends with the executor that it watches."""

import gc
import logging
import sys
import threading
from contextlib import closing

import pytest

from tests.support.waiting import eventually
from thumbs.pipeline import watchdog
from thumbs.pipeline.executor import BoundedExecutor
from thumbs.pipeline.watchdog import Watchdog, replace_process


def test_a_watchdog_does_not_keep_the_executor_that_it_watches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watchdog, "_EVERY_SECONDS", 0.01)
    before = set(threading.enumerate())
    executor = BoundedExecutor("render", threads=1, queue_length=1)
    Watchdog(600.0).watch(executor)
    [thread] = [new for new in set(threading.enumerate()) - before if new.name == "mage-watchdog"]
    assert thread.is_alive()
    del executor
    gc.collect()
    eventually(lambda: not thread.is_alive())


def test_what_runs_for_too_long_is_reported_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watchdog, "_EVERY_SECONDS", 0.01)
    counted: list[float] = []
    gate = threading.Event()
    with closing(BoundedExecutor("render", threads=2, queue_length=0)) as executor:
        executor.on_start = Watchdog(0.3, counted.append).watch
        assert executor.longest == 0.0
        for work in (gate.wait, int):
            executor.submit(lambda work=work: (work(), lambda: None)[1])  # type: ignore[misc]
        eventually(lambda: bool(counted))
        assert counted[0] > 0.3
        gate.set()
        eventually(lambda: executor.longest == 0.0)
        assert len(counted) == 1


def test_a_stage_that_is_not_used_or_is_gone_is_not_watched(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watchdog, "_EVERY_SECONDS", 0.01)

    before = set(threading.enumerate())  # those of earlier tests may end meanwhile

    def watchdogs() -> int:
        return sum(thread.name == "mage-watchdog" for thread in set(threading.enumerate()) - before)

    executor = BoundedExecutor("render", threads=1, queue_length=0)
    executor.on_start = Watchdog(60).watch
    assert watchdogs() == 0
    executor.submit(lambda: lambda: None)
    assert watchdogs() == 1
    executor.close()
    del executor
    gc.collect()
    eventually(lambda: watchdogs() == 0)


def test_a_process_that_would_not_be_started_again_goes_on(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(sys.modules, "gunicorn.arbiter", raising=False)
    with caplog.at_level(logging.ERROR, "thumbs"):
        replace_process(60)
    assert "has not ended after 60 s" in caplog.text
