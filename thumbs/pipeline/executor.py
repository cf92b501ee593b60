"""The fixed threads of a stage, behind a bounded queue. What does not fit into the queue is refused."""

import logging
import threading
import time
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
    `on_start`, if set, is called once with the executor, before its first work.
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
        self.on_start: Callable[[BoundedExecutor], None] | None = None
        self._running: dict[int, float] = {}  # start times by thread
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

    @property
    def longest(self) -> float:
        """For how many seconds the oldest running piece of work has run; 0.0 if none runs."""
        now = time.monotonic()
        return max((now - began for began in list(self._running.values())), default=0.0)

    def submit(self, work: Work) -> None:
        """Run `work` when a thread is free, and then what it returns.

        That continuation no longer counts against the queue, so it can submit the next work here. Raises `Overloaded`
        at once if the queue is full.
        """
        with self._lock:
            if self._pending >= self._capacity:
                raise Overloaded
            self._pending += 1
            on_start, self.on_start = self.on_start, None
        self._watch(1, 0)
        try:
            if on_start is not None:
                on_start(self)
                on_start = None
            self._pool.submit(self._run, work)
        except RuntimeError:  # no thread can be started, or the interpreter is shutting down
            self.on_start = on_start or self.on_start
            self._watch(-1, 0)
            self._leave()
            raise Overloaded from None

    def _run(self, work: Work) -> None:
        self._watch(-1, 1)
        thread = threading.get_ident()
        self._running[thread] = time.monotonic()
        try:
            try:
                proceed = work()
            finally:
                del self._running[thread]
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
