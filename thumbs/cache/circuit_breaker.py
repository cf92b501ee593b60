"""Circuit breakers around a cache layer: a failing layer is logged once and skipped for five seconds."""

import logging
import threading
import time
from collections.abc import Callable
from functools import partial
from typing import TypeVar, TypeVarTuple

from thumbs.cache.background import BackgroundWrites
from thumbs.cache.layer import Layer, QuickLayer, SlowLayer

logger = logging.getLogger("thumbs.cache")
OPEN_SECONDS = 5.0  # how long a breaker stays open after a failure
CALM_SECONDS = 10.0  # without a failure, until the log says that the layer works again

A = TypeVarTuple("A")
T = TypeVar("T")


class ProtectedLayer:
    """A layer behind three circuit breakers: for reading, writing, and a feed of purges that may fail alone.

    A full disk can still be read, and an object store that refuses to list, which its feed needs, has objects
    nevertheless. `read`, `write`, `call_anyway` and `read_feed` call a method of `inner`; see `CircuitBreaker`.
    The log names `storage` unless that is empty: several have layers of one name.
    """

    def __init__(self, inner: Layer, storage: str = "") -> None:
        self.inner = inner
        self.name = inner.name
        self.get_now = inner.get_now if isinstance(inner, QuickLayer) else None
        where = f"storage {storage}: " if storage else ""
        this = f"cache layer {inner.name}"
        self._reads, self._writes = (CircuitBreaker(f"{where}{this}", done) for done in ("read", "written"))
        self._feeds = CircuitBreaker(f"{where}the feed of purges of {this}", "read")
        self.read, self.write, self.call_anyway = self._reads.call, self._writes.call, self._writes.call_anyway
        self.read_feed = self._feeds.call
        self._breakers = (self._reads, self._writes, self._feeds)
        self._background = BackgroundWrites() if isinstance(inner, SlowLayer) else None

    def write_soon(self, key: str, size: int, function: Callable[[*A], object], *args: *A) -> None:
        """As `write`; for a slow layer in the background, in the order of the calls for `key`. Then nothing is raised.

        `size` is about the bytes that wait. A write of size 0 is never dropped.
        """
        if self._background is None:
            self.write(function, *args)
        else:
            self._background.submit(key, partial(self.write, function, *args), size=size)

    def flush(self, seconds: float) -> bool:
        """Wait for the writes in the background, for that long; return whether all have been made."""
        return self._background is None or self._background.flush(seconds)

    def close(self) -> None:
        """End the threads of a slow layer. What waits to be written is dropped."""
        if self._background is not None and isinstance(self.inner, SlowLayer):
            self._background.close()
            self.inner.close()

    @property
    def failing(self) -> bool:
        """Whether the last write failed: to put an entry in, or to remove one."""
        return self._writes.failing

    @property
    def works(self) -> bool:
        """Whether neither the last read, nor the last write, nor the last reading of the feed failed."""
        return not any(breaker.failing for breaker in self._breakers)

    def on_change(self, report: Callable[[bool], None]) -> None:
        """Call `report` with `works`: now, and whenever a breaker opens or closes."""
        for breaker in self._breakers:
            breaker.on_change = lambda: report(self.works)
        report(self.works)


class CircuitBreaker:
    """Keeps failures of one kind away from requests: after a failure it is open, and nothing is called for a while.

    The log names `what` fails and what cannot be `done` with it: "cache layer disk", "written". It says that this is
    over when nothing has failed for `CALM_SECONDS`: a layer that fails now and then is logged once.
    """

    def __init__(self, what: str, done: str) -> None:
        self._what = what
        self._done = done
        self._lock = threading.Lock()
        self._open_until: float | None = None  # monotonic seconds; None since the last call that succeeded
        self._calm_at: float | None = None  # when a success ends what was logged; None if no failure was
        self.on_change: Callable[[], None] = _nothing

    @property
    def failing(self) -> bool:
        """Whether the last call failed."""
        return self._open_until is not None

    def call(self, function: Callable[[*A], T], *args: *A) -> T | None:
        """What `function` returns; None when it raises, would block, or when the breaker is open."""
        if self._calm_at is None:  # the usual case, at each hit: it costs one call less
            try:
                return function(*args)
            except BlockingIOError:
                return None
            except Exception as error:  # as below
                self._fail(error)
                return None
        open_until = self._open_until
        if open_until is not None and time.monotonic() < open_until:
            return None
        return self.call_anyway(function, *args)

    def call_anyway(self, function: Callable[[*A], T], *args: *A) -> T | None:
        """As `call`, but also while the breaker is open."""
        try:
            result = function(*args)
        except BlockingIOError:
            return None
        except Exception as error:  # a cache may break in any way, and none of them is the client's fault
            self._fail(error)
            return None
        if self._calm_at is not None:
            self._recover()
        return result

    def _fail(self, error: Exception) -> None:
        now = time.monotonic()
        with self._lock:  # of threads that see a change at the same time, only one logs it
            was_failing, self._open_until = self._open_until is not None, now + OPEN_SECONDS
            is_logged, self._calm_at = self._calm_at is not None, now + CALM_SECONDS
        if not is_logged:
            logger.warning("%s cannot be %s and is skipped for a few seconds: %r", self._what, self._done, error)
        if not was_failing:
            self.on_change()

    def _recover(self) -> None:
        with self._lock:
            was_failing, self._open_until = self._open_until is not None, None
            is_over = self._calm_at is not None and time.monotonic() >= self._calm_at
            if is_over:
                self._calm_at = None
        if was_failing:
            self.on_change()
        if is_over:
            logger.warning("%s can be %s again", self._what, self._done)


def _nothing() -> None:
    pass
