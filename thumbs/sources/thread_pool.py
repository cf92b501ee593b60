"""Runs uninterruptible storage calls in daemon threads, so that callers can time out."""

import functools
import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from contextvars import copy_context
from typing import TypeVar

from thumbs.errors import ServerExhausted, StorageFailed, StorageTimeout
from thumbs.sources.reading import Deadline

T = TypeVar("T")


class DaemonThreadPool:
    """At most `size` threads, started on demand. They do not keep the process from exiting."""

    def __init__(self, size: int) -> None:
        self._slots = threading.Semaphore(size)
        self._idle = threading.Semaphore(0)
        self._calls: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._closed = False

    def call(self, work: Callable[[], T], deadline: Deadline) -> T:
        """Run `work` in a thread; return or raise what it does.

        Raises `StorageTimeout` at the deadline. `work` then continues, and occupies its thread until it ends. Raises
        `StorageFailed` when the pool is closed, and `ServerExhausted` where no thread can be started.
        """
        if self._closed:
            raise StorageFailed
        if not self._slots.acquire(timeout=deadline.left()):
            raise StorageTimeout
        if not self._idle.acquire(blocking=False):
            self._start_thread()
        future: Future[T] = Future()
        # In the context of the caller: a library that traces its calls finds the span of the fetch there.
        self._calls.put(functools.partial(_keep, future, functools.partial(copy_context().run, work)))
        try:
            return future.result(deadline.left())
        except TimeoutError as error:
            raise StorageTimeout from error

    def close(self) -> None:
        """End the threads, each when its call has ended."""
        self._closed = True
        self._calls.put(None)

    def _start_thread(self) -> None:
        """Start a thread, before its call is queued: else another thread would run the call of a caller that failed."""
        try:
            threading.Thread(target=self._serve, name="thumbs-source", daemon=True).start()
        except (RuntimeError, MemoryError) as error:  # no thread can be started, or the interpreter is shutting down
            self._slots.release()
            raise ServerExhausted from error

    def _serve(self) -> None:
        while (call := self._calls.get()) is not None:
            call()
            # First the idle thread, then the slot: the next caller must find this thread instead of starting another.
            self._idle.release()
            self._slots.release()
        self._calls.put(None)  # for the next thread


def _keep(future: Future[T], work: Callable[[], T]) -> None:
    try:
        future.set_result(work())
    except BaseException as error:
        future.set_exception(error)
