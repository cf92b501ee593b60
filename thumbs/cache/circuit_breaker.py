"""What keeps the failures of a cache layer from those who ask it."""

import logging
import threading
import time
from collections.abc import Callable
from typing import TypeVar, TypeVarTuple

from thumbs.cache.layer import Layer, QuickLayer

logger = logging.getLogger("thumbs.cache")
OPEN_SECONDS = 5.0  # how long nothing is tried after a failure

A = TypeVarTuple("A")
T = TypeVar("T")


class GuardedLayer:
    """One layer, with a breaker for what is read of it and one for what is written: a full disk still has its hits."""

    def __init__(self, layer: Layer) -> None:
        self.layer = layer
        self.get_now = layer.get_now if isinstance(layer, QuickLayer) else None
        reads, self._writes = (CircuitBreaker(f"cache layer {layer.name}", done) for done in ("read", "written"))
        self.read, self.write, self.call_anyway = reads.call, self._writes.call, self._writes.call_anyway

    @property
    def failing(self) -> bool:
        """Whether it could not be written when that was last tried, to put something in or to remove it."""
        return self._writes.failing


class CircuitBreaker:
    """Keeps failures of one kind from the request: logs the first, and after each one tries nothing for a while.

    `what` can, or cannot, be `done`, as the log says it.
    """

    def __init__(self, what: str, done: str) -> None:
        self._what = what
        self._done = done
        self._lock = threading.Lock()
        self._open_until: float | None = None

    @property
    def failing(self) -> bool:
        return self._open_until is not None

    def call(self, act: Callable[[*A], T], *args: *A) -> T | None:
        """What `act` returns; None when it fails, cannot do without blocking, or has just failed."""
        if self._open_until is not None and time.monotonic() < self._open_until:
            return None
        return self.call_anyway(act, *args)

    def call_anyway(self, act: Callable[[*A], T], *args: *A) -> T | None:
        """The same, but tried in any case."""
        try:
            result = act(*args)
        except BlockingIOError:
            return None
        except Exception as error:  # a cache may break in any way, and none of them is the client's fault
            if self._set_open_until(time.monotonic() + OPEN_SECONDS) is None:
                logger.warning("%s cannot be %s and is left alone for now: %r", self._what, self._done, error)
            return None
        if self._open_until is not None and self._set_open_until(None) is not None:
            logger.warning("%s can be %s again", self._what, self._done)
        return result

    def _set_open_until(self, moment: float | None) -> float | None:
        """Until when it rested before: of threads that find out at once, one alone tells of it."""
        with self._lock:
            before, self._open_until = self._open_until, moment
        return before
