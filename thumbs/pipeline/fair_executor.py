"""The threads that render, shared by all storages: each has a queue and a fair share of the places.

`pipeline.fair_queue` decides which work runs. Of the threads, `places` are for work, one is for the express place, and
one for a continuation: the place is free before it runs, so the next work starts beside it.
"""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from math import inf

from thumbs.errors import Overloaded, Preempted
from thumbs.pipeline.executor import Watch, Work, unwatched
from thumbs.pipeline.fair_queue import FairQueue, Running
from thumbs.pipeline.timer import Timer

logger = logging.getLogger("thumbs")
_RETRY_SECONDS = 0.05


class FairExecutor:
    """Runs the work of the storages in `weights`, `places` pieces at once; one more in the express place.

    Each storage has a queue of `queue_length`. The threads start with the first work in the process: `on_start` is
    called then, and `on_close` at the end. `max_queue_seconds` is as in `BoundedExecutor`, for all stages.

    `preempt`, if given, ends the render in the thread with this identifier, and returns whether it did. The work then
    raises `Preempted`, unless it was done just before. It is called with a lock held, so it neither waits nor calls the
    executor. Without `preempt`, slow work keeps the express place until it ends, as threads cannot be ended.
    """

    def __init__(
        self,
        weights: Mapping[str, float],
        *,
        places: int,
        queue_length: int,
        max_queue_seconds: float = inf,
        watch: Watch | None = None,
        preempt: Callable[[int], bool] | None = None,
    ) -> None:
        self.on_start: Callable[[FairExecutor], None] | None = None
        self.on_close: Callable[[], None] = _nothing
        self.max_queue_seconds = max_queue_seconds
        self._watch = watch or unwatched
        self._preempt = preempt
        self._queue: FairQueue[Work] = FairQueue(
            weights, places=places, queue_length=queue_length, can_recall=preempt is not None
        )
        self._ready: deque[Running[Work]] = deque()  # work that holds a place, and that no thread has taken yet
        self._due: float | None = None  # when the timer is to call next
        self._closed = False
        self._lock = threading.Lock()
        self._timer = Timer()
        self._pool = ThreadPoolExecutor(places + 2, thread_name_prefix="mage-render")

    def stage(self, storage: str) -> "FairStage":
        """What the steps of one storage are submitted to."""
        return FairStage(self, storage)

    @property
    def longest(self) -> float:
        """For how many seconds the oldest running piece of work has run; 0.0 if none runs."""
        with self._lock:
            oldest = self._queue.oldest
        return 0.0 if oldest is None else time.monotonic() - oldest

    def full(self, storage: str) -> bool:
        """Whether `submit` would refuse work of this storage now."""
        with self._lock:
            return self._queue.full(storage, time.monotonic())

    def busy(self, storage: str) -> bool:
        """Whether work of this storage runs or waits."""
        with self._lock:
            return self._queue.busy(storage)

    def submit(self, storage: str, work: Work) -> None:
        """Run `work` when its storage gets a place, and then what it returns, as `BoundedExecutor.submit`.

        Raises `Overloaded` at once if the queue of the storage is full.
        """
        if self.on_start is not None:
            self._begin()
        now = time.monotonic()
        with self._lock:
            if self._closed or self._queue.full(storage, now):
                raise Overloaded
            started = self._queue.add(storage, work, now)
            self._ready.extend(started)
            due = self._look_ahead(now)
        self._watch(1, 0)
        if due is not None:
            self._call_at(due)
        if not self._add_threads(len(started)) and self._withdraw(started, work):
            self._watch(-1, 0)
            raise Overloaded

    def close(self) -> None:
        """Drop the queues. Work that runs goes on; nothing waits for it."""
        with self._lock:
            self._closed = True
            self._queue.clear()
        self._timer.close()
        self.on_close()
        self._pool.shutdown(wait=False, cancel_futures=True)

    # -------------------------------------------------------------------------------------- threads

    def _begin(self) -> None:
        with self._lock:
            on_start, self.on_start = self.on_start, None
        if on_start is not None:
            try:
                on_start(self)
            except RuntimeError:  # no thread can be started
                self.on_start = on_start
                raise Overloaded from None

    def _add_threads(self, count: int) -> bool:
        """Wake or start a thread for each of `count` pieces of work. False if that is not possible."""
        try:
            for _ in range(count):
                self._pool.submit(self._run_ready)
        except RuntimeError:  # no thread can be started, or the interpreter is shutting down
            return False
        return True

    def _withdraw(self, started: list[Running[Work]], work: Work) -> bool:
        """Take back `work` for which no thread could be started. False if it waits, or if a thread has taken it."""
        with self._lock:
            for running in started:
                if running.work is work and running in self._ready:
                    self._ready.remove(running)
                    self._ready.extend(self._queue.end(running, time.monotonic()))
                    return True
        return False

    def _run_ready(self) -> None:
        while True:
            with self._lock:
                if not self._ready:
                    return
                running = self._ready.popleft()
                running.thread = threading.get_ident()
            self._run(running)
            del running  # else an idle thread would keep the work, and with it an original

    def _run(self, running: Running[Work]) -> None:
        leave = self._queue.end
        try:
            try:
                self._watch(-1, 1)
                try:
                    proceed = running.work()
                except Preempted:
                    proceed = _nothing
                    if not self._closed:
                        leave = self._queue.put_back
                        self._watch(1, 0)
                finally:
                    self._watch(0, -1)
            finally:
                self._leave(running, leave)  # whatever else fails, the place is free again
            proceed()
        except BaseException:
            logger.exception("a stage's work failed outside its job")

    def _leave(self, running: Running[Work], leave: Callable[[Running[Work], float], list[Running[Work]]]) -> None:
        now = time.monotonic()
        with self._lock:
            started = leave(running, now)
            self._ready.extend(started)
            due = self._look_ahead(now)
        if due is not None:
            self._call_at(due)
        self._add_threads(len(started))  # this thread has a continuation first; where no other starts, it takes all

    # ----------------------------------------------------------------------------------------- time

    def _look_ahead(self, now: float) -> float | None:
        """Recall what is due, and return the time to set the timer for, if that is needed. With the lock held."""
        due = self._queue.next_change(now) if self._recall(now) else now + _RETRY_SECONDS
        if due is None or (self._due is not None and self._due <= due):
            return None
        self._due = due
        return due

    def _recall(self, now: float) -> bool:
        """End the work in the express place if it is to be put back. False if that failed. With the lock held."""
        running = self._queue.recall(now)
        if running is None or self._preempt is None:
            return True
        running.recalled = running.thread is not None and self._preempt(running.thread)
        return running.recalled

    def _call_at(self, due: float) -> None:
        try:
            self._timer.after(due - time.monotonic()).add_done_callback(lambda _: self._on_time(due))
        except RuntimeError:  # no thread can be started: the end of any work looks ahead again
            self._due = None

    def _on_time(self, due: float) -> None:
        now = time.monotonic()
        with self._lock:
            if self._due == due:
                self._due = None
            started = self._queue.start_next(now)
            self._ready.extend(started)
            again = self._look_ahead(now)
        if again is not None:
            self._call_at(again)
        self._add_threads(len(started))  # where that fails, a thread that runs work takes them


@dataclass(frozen=True, slots=True)
class FairStage:
    """The render stage of one storage, for `pipeline.steps`: work that no request waits for is not run."""

    executor: FairExecutor
    storage: str
    on_demand: bool = True

    @property
    def max_queue_seconds(self) -> float:
        return self.executor.max_queue_seconds

    @property
    def full(self) -> bool:
        """Whether `submit` would refuse work now."""
        return self.executor.full(self.storage)

    @property
    def busy(self) -> bool:
        """Whether work of this storage runs or waits."""
        return self.executor.busy(self.storage)

    def submit(self, work: Work) -> None:
        """`FairExecutor.submit` for this storage."""
        self.executor.submit(self.storage, work)

    def close(self) -> None:
        """Close the executor, for all storages."""
        self.executor.close()


def _nothing() -> None:
    pass
