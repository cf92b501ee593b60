"""A watchdog reports what runs for too long, once; its thread ends with the executor that it watches."""

import gc
import logging
import signal
import sys
import threading
from contextlib import closing

import pytest

from tests.support.waiting import eventually
from thumbs.pipeline import watchdog
from thumbs.pipeline.fair_executor import FairExecutor
from thumbs.pipeline.watchdog import Watchdog, replace_process


def test_a_watchdog_does_not_keep_the_executor_that_it_watches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watchdog, "_EVERY_SECONDS", 0.01)
    before = set(threading.enumerate())
    executor = FairExecutor({"photos": 1.0}, places=1, queue_length=1)
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
    with closing(FairExecutor({"photos": 1.0}, places=2, queue_length=1)) as executor:
        executor.on_start = Watchdog(0.3, counted.append).watch
        assert executor.longest == 0.0
        for work in (gate.wait, int):
            executor.submit("photos", lambda work=work: (work(), lambda: None)[1])  # type: ignore[misc]
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

    executor = FairExecutor({"photos": 1.0}, places=1, queue_length=1)
    executor.on_start = Watchdog(60).watch
    assert watchdogs() == 0
    executor.submit("photos", lambda: lambda: None)
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


class Process:
    """Stands for `os` and `time` of a worker of gunicorn's: it records the signal, and its end is an exception."""

    class Ended(BaseException):
        pass

    def __init__(self) -> None:
        self.events: list[object] = []
        self.now = 0.0
        self.exits_at = 0.0
        self._thread = threading.current_thread()

    def getpid(self) -> int:
        return 77

    def kill(self, pid: int, number: int) -> None:
        self.events.append((pid, number))

    def _exit(self, status: int) -> None:
        self.events.append(f"exit {status} at {self.now}")
        raise Process.Ended

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        if threading.current_thread() is self._thread:
            self.now += seconds
        else:  # the watchdog of an earlier test
            threading.Event().wait(seconds)


@pytest.fixture
def gunicorns(monkeypatch: pytest.MonkeyPatch) -> Process:
    process = Process()
    monkeypatch.setitem(sys.modules, "gunicorn.arbiter", threading)  # any module: only its name counts
    monkeypatch.setattr(watchdog, "os", process)
    monkeypatch.setattr(watchdog, "time", process)
    monkeypatch.setattr(watchdog, "_is_exiting", lambda: process.now >= process.exits_at)
    monkeypatch.setattr(logging, "shutdown", lambda: process.events.append("logs written"))
    return process


@pytest.mark.parametrize(("exits_at", "ended_at"), [(0.0, 0.0), (3.0, 3.0), (1e9, 300.0)])
def test_a_worker_of_gunicorns_stops_as_usual_and_ends_when_only_the_render_is_left(
    gunicorns: Process, caplog: pytest.LogCaptureFixture, exits_at: float, ended_at: float
) -> None:
    gunicorns.exits_at = exits_at
    with caplog.at_level(logging.ERROR, "thumbs"), pytest.raises(Process.Ended):
        replace_process(61.4)
    assert gunicorns.events == [(77, signal.SIGTERM), "logs written", f"exit 1 at {ended_at}"]
    assert caplog.messages == [
        "a render has not ended after 61 s: this worker stops, and gunicorn starts another",
    ]


@pytest.mark.parametrize(
    ("reason", "exiting"),
    [
        ("cannot schedule new futures after interpreter shutdown", True),
        ("can't start new thread", False),
        (None, False),
    ],
)
def test_an_interpreter_that_exits_accepts_no_work(
    monkeypatch: pytest.MonkeyPatch, reason: str | None, exiting: bool
) -> None:
    closed: list[str] = []

    class Pool:
        def __init__(self, threads: int) -> None:
            assert threads == 1

        def submit(self, _: object) -> None:
            if reason is not None:
                raise RuntimeError(reason)

        def shutdown(self) -> None:
            closed.append("closed")

    monkeypatch.setattr(watchdog, "ThreadPoolExecutor", Pool)
    assert watchdog._is_exiting() is exiting
    assert closed == ["closed"]
