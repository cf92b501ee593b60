"""The thread of a watchdog ends with the executor that it watches."""

import gc
import threading

import pytest

from tests.support.waiting import eventually
from thumbs.pipeline import watchdog
from thumbs.pipeline.executor import BoundedExecutor
from thumbs.pipeline.watchdog import Watchdog


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
