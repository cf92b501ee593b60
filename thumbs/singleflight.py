"""One flight per key: whoever asks for what is already being made waits for that, and shares its outcome."""

import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Generic, TypeVar

R = TypeVar("R")


class SingleFlight(Generic[R]):
    """Flights of this process. A flight belongs to nobody: who leaves does not end it for the others."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._flights: dict[str, Future[R]] = {}

    def join(self, key: str, start: "Callable[[Future[R]], None]") -> "Future[R]":
        """The future of the flight for `key`; `start` is called with it when there was none.

        The future is already running, so that no waiter can cancel it.
        """
        with self._lock:
            future = self._flights.get(key)
            if future is not None:
                return future
            future = Future()
            future.set_running_or_notify_cancel()
            self._flights[key] = future
        future.add_done_callback(lambda _: self._land(key))
        try:
            start(future)
        except BaseException as error:
            if not future.done():
                future.set_exception(error)
            raise
        return future

    def _land(self, key: str) -> None:
        with self._lock:
            self._flights.pop(key, None)

    def __contains__(self, key: str) -> bool:
        return key in self._flights

    def __len__(self) -> int:
        return len(self._flights)
