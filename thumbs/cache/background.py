"""Writes that no request waits for: in threads, those of one key in order; dropped when too many wait."""

import contextlib
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import NamedTuple

_LANES = 4
_MAX_BYTES = 64 * 1024 * 1024
_MAX_WRITES = 1000
_IDLE_SECONDS = 2.0


class _Write(NamedTuple):
    work: Callable[[], object]
    size: int
    may_drop: bool


class BackgroundWrites:
    """Runs work that raises nothing. Constructing starts nothing; a thread ends when it was idle for two seconds."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._lanes: tuple[deque[_Write], ...] = tuple(deque() for _ in range(_LANES))
        self._running: set[int] = set()
        self._bytes = 0
        self._pending = 0
        self._closed = False

    def submit(self, key: str, work: Callable[[], object], *, size: int) -> None:
        """Run `work` soon, after all that was submitted for `key`; never, if too much waits. `size` is about its bytes.

        Work of size 0 is never dropped.
        """
        lane = hash(key) % _LANES
        with self._changed:
            is_full = self._closed or self._pending >= _MAX_WRITES or self._bytes + size > _MAX_BYTES
            if size and is_full:
                return
            self._lanes[lane].append(_Write(work, size, may_drop=size > 0))
            self._bytes += size
            self._pending += 1
            if lane in self._running:
                self._changed.notify_all()
                return
            self._running.add(lane)
        try:
            threading.Thread(target=self._run, args=(lane,), name="mage-writes", daemon=True).start()
        except RuntimeError:  # no thread can be started now: only what must not be dropped is done, here
            self._finish_here(lane)

    def flush(self, seconds: float) -> bool:
        """Wait until nothing waits any more, for that long; return whether that is so."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._pending, seconds)

    def close(self) -> None:
        """Drop what waits. Threads end when the work that runs has ended."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def _run(self, lane: int) -> None:
        while (write := self._next(lane)) is not None:
            try:
                if not (write.may_drop and self._closed):
                    write.work()
            finally:
                self._done(write)

    def _finish_here(self, lane: int) -> None:
        while True:
            with self._changed:
                if not self._lanes[lane]:
                    self._running.discard(lane)
                    return
                write = self._lanes[lane].popleft()
            with contextlib.suppress(Exception):
                if not write.may_drop:
                    write.work()
            self._done(write)

    def _next(self, lane: int) -> _Write | None:
        waiting, end = self._lanes[lane], time.monotonic() + _IDLE_SECONDS
        with self._changed:
            while not waiting:
                left = end - time.monotonic()
                if left <= 0 or self._closed:
                    self._running.discard(lane)
                    return None
                self._changed.wait(left)
            return waiting.popleft()

    def _done(self, write: _Write) -> None:
        with self._changed:
            self._bytes -= write.size
            self._pending -= 1
            self._changed.notify_all()
