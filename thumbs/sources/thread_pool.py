"""Calls that nobody can interrupt are made by a fixed crew of threads, so that who waits for one can leave in time."""

import functools
import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

from thumbs.errors import StorageTimeout
from thumbs.sources.reading import Deadline

T = TypeVar("T")


class DaemonThreadPool:
    """At most `size` threads, each started when it is first needed; they never keep the process from ending."""

    def __init__(self, size: int) -> None:
        self._slots = threading.Semaphore(size)
        self._idle = threading.Semaphore(0)
        self._calls: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()

    def call(self, work: Callable[[], T], deadline: Deadline) -> T:
        """What `work` returns or raises.

        Raises `StorageTimeout` at the deadline: `work` then goes on alone, and holds its thread until it ends.
        """
        if not self._slots.acquire(timeout=deadline.left()):
            raise StorageTimeout
        future: Future[T] = Future()
        self._calls.put(functools.partial(_keep, future, work))
        if not self._idle.acquire(blocking=False):
            threading.Thread(target=self._serve, name="thumbs-source", daemon=True).start()
        try:
            return future.result(deadline.left())
        except TimeoutError as error:
            raise StorageTimeout from error

    def _serve(self) -> None:
        while True:
            self._calls.get()()
            # In this order: who gets a seat then finds an idle thread, or may start one more.
            self._idle.release()
            self._slots.release()


def _keep(future: Future[T], work: Callable[[], T]) -> None:
    try:
        future.set_result(work())
    except BaseException as error:
        future.set_exception(error)
