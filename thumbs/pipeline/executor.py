"""Work in a fixed number of threads: every stage has its own, a bounded queue before them, and refuses what is more.

A journey is a generator that yields `(stage, work)` and gets the result of `work` back; where the work is that of
another journey, it yields its ticket for that. Between its steps it holds no thread, so a slow stage never keeps the
threads of another one waiting.
"""

import logging
import threading
import time
import traceback
from collections.abc import Callable, Generator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from math import inf
from typing import Any, Generic, TypeVar

from thumbs.errors import Overloaded
from thumbs.pipeline.singleflight import Flight, Ticket

logger = logging.getLogger("thumbs")


@dataclass(slots=True)
class Timings:
    """Seconds that one journey spent: `queue` waiting for threads, and in each stage that it went through.

    `told` when an observer has counted them: many requests may share one journey."""

    queue: float = 0.0
    counted: bool = False
    spent: dict[str, float] = field(default_factory=dict)

    def spend(self, name: str, *, since: float) -> None:
        """Count the time since that moment of `time.perf_counter` for the stage `name`, or its kind."""
        kind = name.partition(":")[0]
        self.spent[kind] = self.spent.get(kind, 0.0) + time.perf_counter() - since

    @property
    def seconds(self) -> dict[str, float]:
        """Everything in one, by name."""
        return {"queue": self.queue, **self.spent}


# The name of a stage, `kind` or `kind:of what`, and the work.
Step = tuple[str, "Callable[[], object] | Future[Any] | Ticket[Any]"]
R = TypeVar("R")
# What comes back from a `yield` is what its work returned: the annotation at the `yield` says what that is.
Job = Generator[Step, Any, R]


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


class Abandoned(Exception):
    """Nobody waited for the journey any more."""


def run_job(job: Job[R], executors: Mapping[str, BoundedExecutor], flight: Flight[R], timings: Timings) -> None:
    """Drive `journey` to its end and put the outcome, or what it raised, into the flight's future. Returns at once.

    Where nobody waits for it any more it ends before the next step that is costly, closed, with `Abandoned`.
    """
    driver = _Driver(job, executors, flight, timings)
    driver.advance(lambda: next(job))


@dataclass(frozen=True, slots=True, eq=False)
class _Driver(Generic[R]):
    """A journey on its way: at every moment one thread, or nobody, is about to take its next step."""

    job: Job[R]
    executors: Mapping[str, BoundedExecutor]
    flight: Flight[R]
    timings: Timings

    def advance(self, resume: Callable[[], Step]) -> None:
        try:
            name, work = resume()
        except StopIteration as end:
            self.flight.future.set_result(end.value)
        except BaseException as error:  # whoever waits for the future gets it
            _let_go(error)
            self.flight.future.set_exception(error)
        else:
            if isinstance(work, Ticket):
                work.wanted = lambda: self.flight.wanted
                self._wait_for(name, work.future)
            elif isinstance(work, Future):
                self._wait_for(name, work)
            else:
                self._enter(name, work)

    def _enter(self, name: str, work: Callable[[], object]) -> None:
        try:
            self.executors[name].submit(_Task(self, name, work))
        except Exception as error:  # `Overloaded`, or nobody would ever come back to this journey
            self.thrown(error)()

    def _wait_for(self, name: str, other: "Future[Any]") -> None:
        began = time.perf_counter()

        def landed(_: object) -> None:
            self.timings.spend(name, since=began)
            error = other.exception()
            if error is None:
                self.advance(lambda: self.job.send(other.result()))
            elif isinstance(error, Abandoned) and self.flight.give_up():
                self.abandon()
            else:
                self.thrown(error)()

        other.add_done_callback(landed)

    def abandon(self) -> None:
        try:
            self.job.close()
        finally:
            self.flight.future.set_exception(Abandoned())

    def thrown(self, error: BaseException) -> Callable[[], None]:
        return lambda: self.advance(lambda: self.job.throw(error))


class _Task:
    """The work of one step, on its way through a stage."""

    def __init__(self, driver: _Driver[Any], name: str, work: Callable[[], object]) -> None:
        self._driver = driver
        self._name = name
        self._work: Callable[[], object] | None = work
        self._entered = time.perf_counter()

    def __call__(self) -> Callable[[], None]:
        driver, began = self._driver, time.perf_counter()
        # Nothing but this call may hold the work, and what that holds: the traceback of an error keeps this object.
        work, self._work = self._work, None
        driver.timings.queue += began - self._entered
        executor = driver.executors[self._name]
        if executor.on_demand and driver.flight.give_up():
            return driver.abandon
        if work is None or began - self._entered > executor.max_queue_seconds:
            return driver.thrown(Overloaded())
        try:
            result = work()
        except BaseException as error:  # the journey decides what it means
            return driver.thrown(error)
        driver.timings.spend(self._name, since=began)
        return lambda: driver.advance(lambda: driver.job.send(result))


def _let_go(error: BaseException | None) -> None:
    """Drop what the frames of an error hold: an original of many megabytes would live as long as its traceback."""
    while error is not None:
        traceback.clear_frames(error.__traceback__)
        error = error.__cause__ or error.__context__
