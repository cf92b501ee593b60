"""The fixed threads of a stage, behind a bounded queue. What does not fit into the queue is refused."""

import contextlib
import logging
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from math import inf
from typing import Protocol

from thumbs.errors import Overloaded

logger = logging.getLogger("thumbs")

# Called with the change in the number of pieces of work that wait, and that run.
Watch = Callable[[int, int], None]
# A piece of work. It returns its continuation, which no longer counts against the queue.
Work = Callable[[], Callable[[], None]]


def unwatched(_: int, __: int) -> None:
    """The callback of an executor that nothing watches."""


class Executor(Protocol):
    """What a step needs of the executor of its stage. `BoundedExecutor` says what the fields mean."""

    @property
    def max_queue_seconds(self) -> float: ...
    @property
    def on_demand(self) -> bool: ...
    @property
    def full(self) -> bool: ...
    @property
    def busy(self) -> bool: ...

    def submit(self, work: Work) -> None:
        """Run `work`, and then its continuation. Raises `Overloaded` if the queue is full."""

    def close(self) -> None:
        """Drop the queue."""


class BoundedExecutor:
    """`threads` threads and a queue of `queue_length`. The threads start with the first work in the process.

    Two fields are for `pipeline.steps`. Work that has waited for more than `max_queue_seconds` is refused, as its
    clients have given up. With `on_demand`, for costly work, it is run only if a request still waits for its job.
    """

    def __init__(
        self,
        name: str,
        *,
        threads: int,
        queue_length: int,
        max_queue_seconds: float = inf,
        on_demand: bool = False,
        watch: Watch | None = None,
    ) -> None:
        self._watch = watch or unwatched
        self._capacity = threads + queue_length
        self.max_queue_seconds = max_queue_seconds
        self.on_demand = on_demand
        self._pending = 0
        self._lock = threading.Lock()
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix=f"mage-{name}")

    @property
    def full(self) -> bool:
        """Whether `submit` would refuse work now."""
        return self._pending >= self._capacity

    @property
    def busy(self) -> bool:
        """Whether work runs or waits."""
        return self._pending > 0

    def submit(self, work: Work) -> None:
        """Run `work` when a thread is free, and then what it returns.

        That continuation no longer counts against the queue, so it can submit the next work here. Raises `Overloaded`
        at once if the queue is full.
        """
        with self._lock:
            if self._pending >= self._capacity:
                raise Overloaded
            self._pending += 1
        self._watch(1, 0)
        queued = [work]
        try:
            self._pool.submit(self._run, queued)
        except (RuntimeError, MemoryError):  # no thread can be started, or the interpreter is shutting down
            # The pool may have queued it before: then a thread that runs other work takes it, if it has not yet.
            with contextlib.suppress(IndexError):
                queued.pop()
                self._watch(-1, 0)
                self._leave()
                raise Overloaded from None

    def _run(self, queued: list[Work]) -> None:
        try:
            work = queued.pop()
        except IndexError:  # it was refused
            return
        self._watch(-1, 1)
        try:
            try:
                proceed = work()
            finally:
                self._watch(0, -1)
                self._leave()
            proceed()
        except BaseException:
            logger.exception("a stage's work failed outside its job")

    def _leave(self) -> None:
        with self._lock:
            self._pending -= 1

    def close(self) -> None:
        """Drop the queue. Work that runs goes on; nothing waits for it."""
        self._pool.shutdown(wait=False, cancel_futures=True)
