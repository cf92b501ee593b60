"""The threads of a source: they end when it is closed, and not before their calls."""

import threading

import pytest

from tests.support.waiting import WAIT_SECONDS, eventually
from thumbs.errors import StorageFailed
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
