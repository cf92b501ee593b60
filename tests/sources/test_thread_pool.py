"""The threads of a source: they end when it is closed, and not before their calls."""

import threading
from concurrent.futures import ThreadPoolExecutor
from unittest.mock import Mock

import pytest

from tests.support.waiting import WAIT_SECONDS, eventually
from thumbs.errors import ServerExhausted, StorageFailed
from thumbs.sources.reading import Deadline
from thumbs.sources.thread_pool import DaemonThreadPool


def test_all_threads_of_a_closed_pool_end() -> None:
    before = set(threading.enumerate())
    pool = DaemonThreadPool(4)
    together = threading.Barrier(3, timeout=WAIT_SECONDS)

    def call() -> None:
        pool.call(together.wait, Deadline(WAIT_SECONDS))

    callers = [threading.Thread(target=call) for _ in range(3)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join(WAIT_SECONDS)
    assert len(set(threading.enumerate()) - before) == 3
    pool.close()
    eventually(lambda: set(threading.enumerate()) <= before)


def test_a_call_that_runs_when_the_pool_is_closed_has_its_result() -> None:
    pool = DaemonThreadPool(1)

    def work() -> str:
        pool.close()
        return "done"

    assert pool.call(work, Deadline(WAIT_SECONDS)) == "done"


def test_a_closed_pool_takes_no_call() -> None:
    pool = DaemonThreadPool(1)
    pool.close()
    with pytest.raises(StorageFailed):
        pool.call(int, Deadline(WAIT_SECONDS))


def refuse_threads(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(threading.Thread, "start", Mock(side_effect=RuntimeError("can't start new thread")))


def test_a_pool_whose_threads_could_not_be_started_has_all_its_threads_when_they_can(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    size = 3
    pool = DaemonThreadPool(size)
    with monkeypatch.context() as patch:
        refuse_threads(patch)
        for _ in range(size):
            with pytest.raises(ServerExhausted):
                pool.call(int, Deadline(WAIT_SECONDS))
    together = threading.Barrier(size, timeout=WAIT_SECONDS)
    with ThreadPoolExecutor(size) as callers:
        calls = [callers.submit(pool.call, together.wait, Deadline(WAIT_SECONDS)) for _ in range(size)]
        assert {call.result(WAIT_SECONDS) for call in calls} == set(range(size))
    pool.close()


def test_a_call_whose_thread_could_not_be_started_is_not_made_by_another_thread(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pool = DaemonThreadPool(2)
    running, end = threading.Event(), threading.Event()
    made: list[str] = []

    def hang() -> None:
        running.set()
        end.wait(WAIT_SECONDS)

    with ThreadPoolExecutor(1) as callers:
        hanging = callers.submit(pool.call, hang, Deadline(WAIT_SECONDS))
        assert running.wait(WAIT_SECONDS)
        with monkeypatch.context() as patch:
            refuse_threads(patch)
            with pytest.raises(ServerExhausted):
                pool.call(lambda: made.append("refused"), Deadline(WAIT_SECONDS))
        end.set()
        hanging.result(WAIT_SECONDS)
    pool.call(lambda: made.append("taken"), Deadline(WAIT_SECONDS))
    assert made == ["taken"]
    pool.close()
