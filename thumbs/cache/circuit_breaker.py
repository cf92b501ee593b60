"""Circuit breakers around a cache layer: a failing layer is logged once and skipped for five seconds."""

import logging
import threading
import time
from collections.abc import Callable
from typing import TypeVar, TypeVarTuple

from thumbs.cache.layer import Layer, QuickLayer

logger = logging.getLogger("thumbs.cache")
OPEN_SECONDS = 5.0  # how long a breaker stays open after a failure

A = TypeVarTuple("A")
T = TypeVar("T")


class ProtectedLayer:
    """A layer behind two circuit breakers, one for reading and one for writing: a full disk can still be read.

    `read`, `write` and `call_anyway` call a method of `inner`; see `CircuitBreaker`.
    """

    def __init__(self, inner: Layer) -> None:
        self.inner = inner
        self.name = inner.name
        self.get_now = inner.get_now if isinstance(inner, QuickLayer) else None
        reads, self._writes = (CircuitBreaker(f"cache layer {inner.name}", done) for done in ("read", "written"))
        self.read, self.write, self.call_anyway = reads.call, self._writes.call, self._writes.call_anyway

    @property
    def failing(self) -> bool:
        """Whether the last write failed: to put an entry in, or to remove one."""
        return self._writes.failing


class CircuitBreaker:
    """Keeps failures of one kind away from requests: after a failure it is open, and nothing is called for a while.

    The log names `what` fails and what cannot be `done` with it: "cache layer disk", "written".
    """

    def __init__(self, what: str, done: str) -> None:
        self._what = what
        self._done = done
        self._lock = threading.Lock()
        self._open_until: float | None = None  # monotonic seconds; None since the last call that succeeded

    @property
    def failing(self) -> bool:
        """Whether the last call failed."""
        return self._open_until is not None

    def call(self, function: Callable[[*A], T], *args: *A) -> T | None:
        """What `function` returns; None when it raises, would block, or when the breaker is open."""
        if self._open_until is None:  # the usual case, at each hit: it costs one call less
            try:
                return function(*args)
            except BlockingIOError:
                return None
            except Exception as error:  # as below
                self._fail(error)
                return None
        return None if time.monotonic() < self._open_until else self.call_anyway(function, *args)

    def call_anyway(self, function: Callable[[*A], T], *args: *A) -> T | None:
        """As `call`, but also while the breaker is open."""
        try:
            result = function(*args)
        except BlockingIOError:
            return None
        except Exception as error:  # a cache may break in any way, and none of them is the client's fault
            self._fail(error)
            return None
        if self._open_until is not None and self._set_open_until(None) is not None:
            logger.warning("%s can be %s again", self._what, self._done)
        return result

    def _fail(self, error: Exception) -> None:
        if self._set_open_until(time.monotonic() + OPEN_SECONDS) is None:
            logger.warning("%s cannot be %s and is skipped for a few seconds: %r", self._what, self._done, error)

    def _set_open_until(self, moment: float | None) -> float | None:
        """Set it and return what it was. Of threads that see a change at the same time, only one logs it."""
        with self._lock:
            before, self._open_until = self._open_until, moment
        return before
