"""Jobs of typed steps, and the driver that runs them.

A job is a coroutine that awaits a `Step` (work for the executor of a stage) or a `Wait` (for another job, or a timer).
Between its steps it holds no thread, so a slow stage never keeps the threads of another one waiting. No event loop is
involved: `run_job` takes each step in the threads of its stage.
"""

import time
import traceback
from collections.abc import Callable, Coroutine, Generator, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Generic, ParamSpec, TypeVar

from thumbs.errors import Overloaded, Preempted
from thumbs.pipeline.executor import Executor
from thumbs.pipeline.reporting.tracing import QUEUE, Span
from thumbs.pipeline.singleflight import Flight, Ticket

P = ParamSpec("P")
R = TypeVar("R")
T = TypeVar("T")
Job = Coroutine["Step[Any] | Wait[Any]", Any, R]


@dataclass(slots=True)
class Timings:
    """Seconds that one job spent: `queue` waiting for threads, and in each stage that it went through.

    Where requests are traced, its steps are children of `span`.
    """

    span: Span | None = None
    queue: float = 0.0
    spent: dict[str, float] = field(default_factory=dict)
    _counted: bool = False

    def spend(self, name: str, *, since: float) -> None:
        """Count the time since that moment of `time.perf_counter` for the stage `name`, or its kind."""
        kind = name.partition(":")[0]
        self.spent[kind] = self.spent.get(kind, 0.0) + time.perf_counter() - since

    @property
    def seconds(self) -> dict[str, float]:
        """All of them, by name."""
        return {"queue": self.queue, **self.spent}

    def count_once(self) -> dict[str, float]:
        """`seconds` at the first call, then nothing: many requests share one job, and metrics count it once."""
        if self._counted:
            return {}
        self._counted = True
        return self.seconds


class Step(Generic[T]):
    """`result = await Step(stage, work, *arguments)`: what `work` returns, run by the executor of `stage`.

    Raises what `work` raises, and `Overloaded` where the queue of the stage is full. `name` is that of its span, by
    default the kind of the stage; empty for none.
    """

    __slots__ = ("_work", "name", "stage")

    def __init__(self, stage: str, work: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> None:
        self.stage = stage
        self.name = stage.partition(":")[0]
        self._work: Callable[[], T] | None = partial(work, *args, **kwargs)

    def named(self, name: str) -> "Step[T]":
        """This step, with another name for its span."""
        self.name = name
        return self

    def __await__(self) -> Generator[object, Any, T]:
        result: T = yield self
        return result

    def take_work(self) -> Callable[[], T]:
        """The work, once: a suspended job must not keep alive what its work holds, such as an original."""
        work, self._work = self._work, None
        if work is None:
            raise RuntimeError("a step is awaited once")
        return work


class Wait(Generic[T]):
    """`result = await Wait(stage, outcome)`: the outcome of another job, by its ticket, or of a future.

    The time is counted for `stage`. `name` is that of its span; empty for none.
    """

    __slots__ = ("name", "outcome", "stage")

    def __init__(self, stage: str, outcome: "Ticket[T] | Future[T]", name: str = "") -> None:
        self.stage = stage
        self.outcome = outcome
        self.name = name

    def __await__(self) -> Generator[object, Any, T]:
        result: T = yield self
        return result


class Abandoned(Exception):
    """No request waited for the job any more."""


def run_job(job: Job[R], executors: Mapping[str, Executor], flight: Flight[R], timings: Timings) -> None:
    """Run `job` and put its result, or what it raises, into the flight's future. Returns at once.

    If no request waits any more when a step of an `on_demand` stage is due, the job is closed, and the future gets
    `Abandoned`.
    """
    driver = _Driver(job, executors, flight, timings)
    driver.advance(lambda: job.send(None))


@dataclass(frozen=True, slots=True, eq=False)
class _Driver(Generic[R]):
    """Drives one job. At most one thread advances it at any time."""

    job: Job[R]
    executors: Mapping[str, Executor]
    flight: Flight[R]
    timings: Timings

    def advance(self, resume: "Callable[[], Step[Any] | Wait[Any]]") -> None:
        try:
            step = resume()
        except StopIteration as end:
            self.flight.end(end.value)
        except BaseException as error:  # it is raised where the future is waited for
            _clear_frames(error)
            self.flight.fail(error)
        else:
            if isinstance(step, Step):
                self._enter(step)
            else:
                self._wait_for(step)

    def _enter(self, step: Step[Any]) -> None:
        try:
            self.executors[step.stage].submit(_Task(self, step))
        except Exception as error:  # not only `Overloaded`: else the job would never end
            self.throw(error)()

    def _wait_for(self, step: Wait[Any]) -> None:
        outcome, span = step.outcome, self.timings.span
        if isinstance(outcome, Ticket):
            outcome.wanted = lambda: self.flight.wanted
        other: Future[Any] = outcome.future if isinstance(outcome, Ticket) else outcome
        began = time.perf_counter()

        def resume(_: object) -> None:
            self.timings.spend(step.stage, since=began)
            if span is not None and step.name:
                span.add(step.name, began)
            error = other.exception()
            if error is None:
                self.advance(lambda: self.job.send(other.result()))
            elif isinstance(error, Abandoned) and self.flight.abandon_if_unwanted():
                self.abandon()
            else:
                self.throw(error)()

        other.add_done_callback(resume)

    def abandon(self) -> None:
        """Close the job. Its future gets `Abandoned`."""
        try:
            self.job.close()
        finally:
            self.flight.fail(Abandoned())

    def throw(self, error: BaseException) -> Callable[[], None]:
        """The continuation that raises `error` in the job."""
        return lambda: self.advance(lambda: self.job.throw(error))


class _Task:
    """The work of one step, for the executor of its stage. Returns how the job continues."""

    def __init__(self, driver: _Driver[Any], step: Step[Any]) -> None:
        self._driver = driver
        self._name = step.stage
        self._span_name = step.name
        self._work: Callable[[], object] | None = step.take_work()
        self._entered = time.perf_counter()

    def __call__(self) -> Callable[[], None]:
        driver, began = self._driver, time.perf_counter()
        # Only this call may hold the work, and with it an original: the traceback of an error keeps this object alive.
        work, self._work = self._work, None
        driver.timings.queue += began - self._entered
        span = driver.timings.span if self._span_name else None
        if span is not None:
            span.add(QUEUE, self._entered)
        executor = driver.executors[self._name]
        if executor.on_demand and driver.flight.abandon_if_unwanted():
            return driver.abandon
        if work is None or began - self._entered > executor.max_queue_seconds:
            return driver.throw(Overloaded())
        try:
            result = work() if span is None else span.run(self._span_name, work)
        except Preempted:  # this object is called again: the work is kept, and waits anew
            self._work, self._entered = work, time.perf_counter()
            driver.timings.spend(self._name, since=began)
            raise
        except BaseException as error:  # the job handles it
            return driver.throw(error)
        driver.timings.spend(self._name, since=began)
        return lambda: driver.advance(lambda: driver.job.send(result))


def _clear_frames(error: BaseException | None) -> None:
    """Clear the frames of an error: else an original of many megabytes would live as long as its traceback."""
    while error is not None:
        traceback.clear_frames(error.__traceback__)
        error = error.__cause__ or error.__context__
