"""Stages: a fixed number of threads, a bounded queue, a refusal at once for more, and no thread held between."""

import gc
import logging
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import ExitStack
from unittest.mock import Mock

import pytest

from tests.support.waiting import WAIT_SECONDS, eventually
from thumbs.errors import Overloaded, SourceMissing
from thumbs.pipeline.executor import BoundedExecutor
from thumbs.pipeline.singleflight import Flight, SingleFlight
from thumbs.pipeline.steps import Abandoned, Job, Step, Timings, Wait, run_job


@pytest.fixture
def closing() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


def executor(
    closing: ExitStack, name: str = "work", *, threads: int = 1, queue_length: int = 0, on_demand: bool = False
) -> BoundedExecutor:
    made = BoundedExecutor(name, threads=threads, queue_length=queue_length, on_demand=on_demand)
    closing.callback(made.close)
    return made


def gone(job: Job[str], executors: dict[str, BoundedExecutor], timings: Timings | None = None) -> "Future[str]":
    flight: Flight[str] = Flight()
    run_job(job, executors, flight, timings or Timings())
    return flight.future


class Gate:
    """Work that blocks until it is released, and signals that it has begun."""

    def __init__(self, closing: ExitStack) -> None:
        self.begun = threading.Semaphore(0)
        self._open = threading.Event()
        closing.callback(self._open.set)

    def __call__(self) -> str:
        self.begun.release()
        assert self._open.wait(WAIT_SECONDS)
        return "through"

    def wait_for(self, count: int) -> None:
        for _ in range(count):
            assert self.begun.acquire(timeout=WAIT_SECONDS)

    def open(self) -> None:
        self._open.set()


def occupy(made: BoundedExecutor, gate: Gate) -> None:
    def work() -> Callable[[], None]:
        gate()
        return lambda: None

    made.submit(work)


def settled(made: BoundedExecutor) -> None:
    """Return when everything that was submitted has left the stage."""
    for _ in range(1000):
        if not made._pending:
            return
        threading.Event().wait(0.01)
    raise AssertionError("the stage is not empty")


# -------------------------------------------------------------------------------------- one stage


def test_no_thread_is_started_before_the_first_work(closing: ExitStack) -> None:
    before = set(threading.enumerate())
    made = executor(closing, threads=4)
    assert set(threading.enumerate()) <= before
    assert (made._pending, made.full) == (0, False)


def test_no_more_work_runs_at_once_than_there_are_threads(closing: ExitStack) -> None:
    made, gate = executor(closing, threads=3, queue_length=20), Gate(closing)
    for _ in range(23):
        occupy(made, gate)
    gate.wait_for(3)
    assert not gate.begun.acquire(timeout=0.1)
    assert (made._pending, made.full) == (23, True)
    gate.open()
    gate.wait_for(20)


def test_what_is_more_than_the_queue_holds_is_refused_at_once(closing: ExitStack) -> None:
    made, gate = executor(closing, threads=1, queue_length=2), Gate(closing)
    for _ in range(3):
        occupy(made, gate)
    for _ in range(5):
        with pytest.raises(Overloaded):
            occupy(made, gate)
    assert made._pending == 3
    gate.open()
    settled(made)
    assert not made.full
    occupy(made, gate)


def test_work_that_fails_leaves_the_stage_and_is_logged(closing: ExitStack, caplog: pytest.LogCaptureFixture) -> None:
    made = executor(closing)

    def fail() -> Callable[[], None]:
        raise RuntimeError("out of reach")

    with caplog.at_level(logging.ERROR, "thumbs"):
        made.submit(fail)
        settled(made)
        after = Gate(closing)
        occupy(made, after)  # by the same thread, after the failed work
        after.wait_for(1)
    assert "out of reach" in caplog.text


def test_a_stage_that_is_closed_refuses_work(closing: ExitStack) -> None:
    made = executor(closing)
    made.close()
    with pytest.raises(Overloaded):
        occupy(made, Gate(closing))
    assert made._pending == 0


# ------------------------------------------------------------------------------------------ jobs


def test_a_job_goes_through_its_stages_and_gets_what_each_gave(closing: ExitStack) -> None:
    async def job() -> str:
        first: str = await Step("one", lambda: threading.current_thread().name)
        second: str = await Step("two", lambda: f"{first}, {threading.current_thread().name}")
        return second

    executors = {name: executor(closing, name) for name in ("one", "two")}
    assert gone(job(), executors).result(WAIT_SECONDS) == "mage-one_0, mage-two_0"


def test_a_job_without_a_step_is_over_at_once() -> None:
    async def job() -> str:
        return "home"

    assert gone(job(), {}).result(0) == "home"


def test_what_a_stage_raises_is_raised_in_the_job(closing: ExitStack) -> None:
    def missing() -> None:
        raise SourceMissing

    async def job() -> str:
        try:
            await Step("one", missing)
        except SourceMissing:
            found: str = await Step("one", lambda: "found elsewhere")
            return found
        return "found"

    assert gone(job(), {"one": executor(closing)}).result(WAIT_SECONDS) == "found elsewhere"


def test_what_a_job_does_not_catch_is_its_outcome(closing: ExitStack) -> None:
    def missing() -> None:
        raise SourceMissing

    async def job() -> str:
        await Step("one", missing)
        return "found"

    assert isinstance(gone(job(), {"one": executor(closing)}).exception(WAIT_SECONDS), SourceMissing)


def test_a_full_stage_is_raised_in_the_job_before_run_job_returns(closing: ExitStack) -> None:
    made, gate = executor(closing), Gate(closing)
    occupy(made, gate)

    async def job() -> str:
        await Step("one", gate)
        return "through"

    future = gone(job(), {"one": made})
    assert future.done()
    assert isinstance(future.exception(0), Overloaded)


def test_a_job_may_go_another_way_round_a_full_stage(closing: ExitStack) -> None:
    full, gate = executor(closing), Gate(closing)
    occupy(full, gate)

    async def job() -> str:
        try:
            await Step("full", gate)
        except Overloaded:
            found: str = await Step("free", lambda: "round it")
            return found
        return "through it"

    assert gone(job(), {"full": full, "free": executor(closing)}).result(WAIT_SECONDS) == "round it"


def test_a_slow_stage_holds_no_thread_of_another(closing: ExitStack) -> None:
    slow, quick = executor(closing, "slow", threads=2, queue_length=100), executor(closing, "quick", queue_length=100)
    gate = Gate(closing)

    async def job(first: str) -> str:
        if first == "slow":
            await Step("slow", gate)
        found: str = await Step("quick", lambda: first)
        return found

    executors = {"slow": slow, "quick": quick}
    waiting = [gone(job("slow"), executors) for _ in range(50)]
    gate.wait_for(2)
    assert [gone(job("quick"), executors).result(WAIT_SECONDS) for _ in range(20)] == ["quick"] * 20
    assert not any(future.done() for future in waiting)
    gate.open()
    assert [future.result(WAIT_SECONDS) for future in waiting] == ["slow"] * 50


def test_work_that_has_waited_for_too_long_is_refused_when_a_thread_is_free(closing: ExitStack) -> None:
    gate, done = Gate(closing), threading.Event()
    impatient = BoundedExecutor("work", threads=1, queue_length=5)
    closing.callback(impatient.close)

    async def job(work: Callable[[], object]) -> str:
        await Step("work", work)
        return "made"

    first = gone(job(gate), {"work": impatient})
    gate.wait_for(1)
    impatient.max_queue_seconds = 0.05
    second = gone(job(done.set), {"work": impatient})
    threading.Event().wait(0.1)
    gate.open()
    assert first.result(WAIT_SECONDS) == "made"
    with pytest.raises(Overloaded):
        second.result(WAIT_SECONDS)
    assert not done.is_set()


def test_a_job_that_has_failed_holds_on_to_nothing(closing: ExitStack) -> None:
    """Otherwise an original of many megabytes would stay until the garbage collector finds the reference cycle."""

    class Original:
        pass

    def fail(original: Original) -> None:
        raise SourceMissing from ValueError(repr(original))

    original = Original()
    alive = weakref.ref(original)

    async def job(original: Original) -> str:
        await Step("work", fail, original)
        return "never"

    gc.disable()
    closing.callback(gc.enable)
    future = gone(job(original), {"work": executor(closing, queue_length=1)})
    del original
    assert isinstance(future.exception(WAIT_SECONDS), SourceMissing)
    end = time.monotonic() + WAIT_SECONDS
    while alive() is not None and time.monotonic() < end:
        time.sleep(0.01)  # the thread that ended it may not have come back yet
    assert alive() is None


def test_the_time_in_each_stage_and_in_queues_is_measured(closing: ExitStack) -> None:
    gate = Gate(closing)

    async def job() -> str:
        await Step("one", lambda: None)
        await Step("two", lambda: None)
        await Step("one", lambda: None)
        return "home"

    executors = {"one": executor(closing, "one", queue_length=9), "two": executor(closing, "two", queue_length=9)}
    occupy(executors["one"], gate)
    timings = Timings()
    future = gone(job(), executors, timings)
    gate.wait_for(1)
    gate.open()
    future.result(WAIT_SECONDS)
    assert set(timings.spent) == {"one", "two"}
    assert timings.queue > 0
    assert list(timings.seconds) == ["queue", "one", "two"]
    assert all(seconds >= 0 for seconds in timings.seconds.values())


def test_a_thousand_jobs_all_come_home(closing: ExitStack) -> None:
    executors = {name: executor(closing, name, threads=3, queue_length=1000) for name in ("one", "two", "three")}

    async def job(number: int) -> str:
        total = 0
        for name in executors:
            total = await Step(name, int.__add__, total, number)
        return str(total)

    futures = [gone(job(number), executors) for number in range(1000)]
    assert [future.result(WAIT_SECONDS) for future in futures] == [str(3 * number) for number in range(1000)]
    for made in executors.values():
        settled(made)


def test_a_job_that_leaves_a_full_stage_may_come_back_to_it(closing: ExitStack) -> None:
    async def job() -> str:
        await Step("one", lambda: None)
        await Step("one", lambda: None)
        return "home"

    made = executor(closing, threads=1, queue_length=0)
    future = gone(job(), {"one": made})
    assert future.result(WAIT_SECONDS) == "home"
    assert made._pending == 0


def test_a_job_waits_for_another_without_holding_a_thread(closing: ExitStack) -> None:
    made, gate = executor(closing, queue_length=19), Gate(closing)

    async def first() -> str:
        found: str = await Step("slow", gate)
        return found

    async def second(other: "Future[str]") -> str:
        found: str = await Wait("other", other)
        again: str = await Step("quick", lambda: f"{found} again")
        return again

    other = gone(first(), {"slow": executor(closing)})
    timings = Timings()
    waiting = [gone(second(other), {"quick": made}, timings) for _ in range(20)]
    gate.wait_for(1)
    assert made._pending == 0
    gate.open()
    assert [future.result(WAIT_SECONDS) for future in waiting] == ["through again"] * 20
    assert set(timings.spent) == {"other", "quick"}


def test_the_failure_of_another_job_is_raised_in_all_that_wait_for_it(closing: ExitStack) -> None:
    other: Future[str] = Future()

    async def job() -> str:
        try:
            await Wait("other", other)
        except SourceMissing:
            return "missed"
        return "found"

    waiting = [gone(job(), {}) for _ in range(3)]
    other.set_exception(SourceMissing())
    assert [future.result(WAIT_SECONDS) for future in (*waiting, gone(job(), {}))] == ["missed"] * 4


@pytest.mark.parametrize("error", [RuntimeError("can't start new thread"), MemoryError()])
def test_a_thread_that_cannot_be_started_fails_its_own_job_only(closing: ExitStack, error: Exception) -> None:
    """The pool queues work before it starts a thread: a thread that runs already must not take what was refused."""
    changes: list[tuple[int, int]] = []
    made = BoundedExecutor("work", threads=2, queue_length=2, watch=lambda *change: changes.append(change))
    closing.callback(made.close)
    gate, done = Gate(closing), list[str]()
    first = gone(walk(("work", gate), counted=done), {"work": made})
    gate.wait_for(1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(threading.Thread, "start", Mock(side_effect=error))
        refused = gone(walk(("work", lambda: "refused"), counted=done), {"work": made})
        assert isinstance(refused.exception(WAIT_SECONDS), Overloaded)
    assert made._pending == 1
    later = gone(walk(("work", lambda: "later"), counted=done), {"work": made})
    assert later.result(WAIT_SECONDS) == "there"
    gate.open()
    assert first.result(WAIT_SECONDS) == "there"
    assert sorted(done) == ["let go", "let go", "let go", "work: later", "work: through"]
    eventually(lambda: (sum(wait for wait, _ in changes), sum(run for _, run in changes)) == (0, 0))


# ------------------------------------------------------------------------------ requests that leave


async def walk(*steps: tuple[str, Callable[[], str]], counted: list[str]) -> str:
    try:
        for name, work in steps:
            done: str = await Step(name, work)
            counted.append(f"{name}: {done}")
    finally:
        counted.append("let go")
    return "there"


def test_a_job_that_no_request_waits_for_ends_before_the_next_costly_step(closing: ExitStack) -> None:
    gate, counted = Gate(closing), list[str]()
    executors = {"ask": executor(closing, "ask"), "make": executor(closing, "make", on_demand=True)}
    flights = SingleFlight[str]()
    job = walk(("ask", gate), ("make", lambda: "made"), counted=counted)
    ticket = flights.join("key", lambda flight: run_job(job, executors, flight, Timings()))
    gate.wait_for(1)
    ticket.leave()
    gate.open()
    assert isinstance(ticket.future.exception(WAIT_SECONDS), Abandoned)
    assert counted == ["ask: through", "let go"]
    assert "key" not in flights._flights


def test_what_was_made_is_kept_after_the_request_for_it_has_left(closing: ExitStack) -> None:
    gate, counted = Gate(closing), list[str]()
    executors = {"make": executor(closing, "make", on_demand=True), "keep": executor(closing, "keep")}
    flights = SingleFlight[str]()
    job = walk(("make", gate), ("keep", lambda: "kept"), counted=counted)
    ticket = flights.join("key", lambda flight: run_job(job, executors, flight, Timings()))
    gate.wait_for(1)
    ticket.leave()
    gate.open()
    assert ticket.future.result(WAIT_SECONDS) == "there"
    assert counted == ["make: through", "keep: kept", "let go"]


def test_a_request_that_stays_gets_the_outcome_of_a_job_that_another_began_and_left(closing: ExitStack) -> None:
    gate, counted = Gate(closing), list[str]()
    executors = {"ask": executor(closing, "ask"), "make": executor(closing, "make", on_demand=True)}
    flights = SingleFlight[str]()
    job = walk(("ask", gate), ("make", lambda: "made"), counted=counted)
    first = flights.join("key", lambda flight: run_job(job, executors, flight, Timings()))
    gate.wait_for(1)
    first.leave()
    second = flights.join("key", lambda _: None)
    gate.open()
    assert second.future.result(WAIT_SECONDS) == "there"


@pytest.mark.parametrize("stays", [False, True])
def test_a_job_that_others_wait_for_is_wanted_as_long_as_they_are(closing: ExitStack, stays: bool) -> None:
    """Two thumbnails of one original: it is fetched as long as one of them is waited for."""
    gate, counted = Gate(closing), list[str]()
    executors = {"ask": executor(closing, "ask"), "make": executor(closing, "make", on_demand=True)}
    inner, outer = SingleFlight[str](), SingleFlight[str]()

    def fetch(flight: Flight[str]) -> None:
        run_job(walk(("ask", gate), ("make", lambda: "made"), counted=counted), executors, flight, Timings())

    async def thumbnail() -> str:
        original: str = await Wait("ask", inner.join("original", fetch))
        return f"of {original}"

    def begin(flight: Flight[str]) -> None:
        run_job(thumbnail(), executors, flight, Timings())

    one, two = outer.join("one", begin), outer.join("two", begin)
    gate.wait_for(1)
    one.leave()
    if not stays:
        two.leave()
    gate.open()
    if stays:
        assert two.future.result(WAIT_SECONDS) == "of there"
        assert counted == ["ask: through", "make: made", "let go"]
    else:
        assert isinstance(two.future.exception(WAIT_SECONDS), Abandoned)
        assert counted == ["ask: through", "let go"]
        assert len(inner._flights) == len(outer._flights) == 0
