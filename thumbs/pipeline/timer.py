"""A timer: one thread completes all futures that wait for a time, so a waiting job holds no thread."""

import heapq
import itertools
import threading
import time
from concurrent.futures import Future


class Timer:
    """Starts its thread with the first future in the process."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._due: list[tuple[float, int, Future[None]]] = []
        self._numbers = itertools.count()  # keeps the order of futures that are due together
        self._thread: threading.Thread | None = None
        self._closed = False

    def after(self, seconds: float) -> "Future[None]":
        """A future that is done after `seconds`. Raises RuntimeError if no thread can be started, or when closed."""
        future: Future[None] = Future()
        with self._changed:
            if self._closed:
                raise RuntimeError("the timer is closed")
            heapq.heappush(self._due, (time.monotonic() + seconds, next(self._numbers), future))
            if self._thread is None:
                thread = threading.Thread(target=self._run, name="mage-timer", daemon=True)
                thread.start()
                self._thread = thread
            self._changed.notify()
        return future

    def close(self) -> None:
        """End the thread. Futures that wait are never done."""
        with self._changed:
            self._closed = True
            self._due.clear()
            self._changed.notify()

    def _run(self) -> None:
        while True:
            with self._changed:
                while not self._closed and (not self._due or (left := self._due[0][0] - time.monotonic()) > 0):
                    self._changed.wait(left if self._due else None)
                if self._closed:
                    return
                future = heapq.heappop(self._due)[2]
            future.set_result(None)
