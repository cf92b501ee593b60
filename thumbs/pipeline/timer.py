"""Waiting without a thread of one's own: one thread wakes all who pause."""

import heapq
import itertools
import threading
import time
from concurrent.futures import Future


class Timer:
    """Starts its thread at the first pause in the process."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._due: list[tuple[float, int, Future[None]]] = []
        self._numbers = itertools.count()  # of two that are due together the first comes first
        self._thread: threading.Thread | None = None

    def after(self, seconds: float) -> "Future[None]":
        """A future that is done after that time."""
        future: Future[None] = Future()
        with self._changed:
            heapq.heappush(self._due, (time.monotonic() + seconds, next(self._numbers), future))
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="mage-pauses", daemon=True)
                self._thread.start()
            self._changed.notify()
        return future

    def _run(self) -> None:
        while True:
            with self._changed:
                while not self._due or (left := self._due[0][0] - time.monotonic()) > 0:
                    self._changed.wait(left if self._due else None)
                future = heapq.heappop(self._due)[2]
            future.set_result(None)
