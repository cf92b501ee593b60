"""Work in a fixed number of threads behind a bounded queue, which refuses what is more."""

import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from math import inf

from thumbs.errors import Overloaded

logger = logging.getLogger("thumbs")


# Is told by how much the number of what waits, and of what runs, has changed.
Watch = Callable[[int, int], None]


def _unwatched(_: int, __: int) -> None:
    pass


class BoundedExecutor:
    """`threads` workers behind a queue of `queue_length`, started at the first use in the process.

    What has waited for longer than `patience` seconds is refused when its turn comes: nobody waits for it any more, and
    the next one should not wait for it either. Work that costs much is done `on_demand`: only if somebody waits for the
    journey when its turn comes. `oversee` is given the stage when it starts.
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
        self._running: dict[int, float] = {}  # since when, by thread
        self._watch = watch or _unwatched
        self._capacity = threads + queue_length
        self.max_queue_seconds = max_queue_seconds
        self.on_demand = on_demand
        self._pending = 0
        self._lock = threading.Lock()
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix=f"mage-{name}")

    @property
    def pending(self) -> int:
        """How many pieces of work are running or waiting."""
        return self._pending

    @property
    def full(self) -> bool:
        return self._pending >= self._capacity

    @property
    def longest(self) -> float:
        """For how many seconds what has run for the longest is running; 0.0 where nothing runs."""
        now = time.monotonic()
        return max((now - began for began in list(self._running.values())), default=0.0)

    def submit(self, work: Callable[[], Callable[[], None]]) -> None:
        """Run `work` when a thread is free, and then, its place given up, what it returns: that may come back here.

        Raises `Overloaded` at once when the queue is full.
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

    def _run(self, work: Callable[[], Callable[[], None]]) -> None:
        self._watch(-1, 1)
        thread = threading.get_ident()
        self._running[thread] = time.monotonic()
        try:
            try:
                poll_once = work()
            finally:
                del self._running[thread]
                self._watch(0, -1)
                self._leave()
            poll_once()
        except BaseException:
            logger.exception("a stage's work failed outside its journey")

    def _leave(self) -> None:
        with self._lock:
            self._pending -= 1

    def close(self) -> None:
        self._pool.shutdown(wait=False, cancel_futures=True)
