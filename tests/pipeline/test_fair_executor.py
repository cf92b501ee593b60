"""Slow work of one storage: it keeps no other storage waiting, and only its own queue refuses."""

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from tests.support.waiting import WAIT_SECONDS, eventually
from thumbs.errors import Overloaded, Preempted
from thumbs.pipeline import fair_queue
from thumbs.pipeline.fair_executor import FairExecutor
from thumbs.pipeline.singleflight import Flight
from thumbs.pipeline.steps import Abandoned, Job, Step, Timings, run_job


def done() -> None:
    pass


class Works:
    """Work for an executor that waits until it is let through. `begun` has the names in the order of their start."""

    def __init__(self) -> None:
        self.begun: list[str] = []
        self.ended: list[str] = []
        self._gates: dict[str, threading.Event] = {}
        self._all = threading.Event()

    def slow(self, name: str) -> Callable[[], Callable[[], None]]:
        gate = self._gates.setdefault(name, threading.Event())

        def work() -> Callable[[], None]:
            self.begun.append(name)
            while not self._all.is_set() and not gate.wait(0.01):
                pass
            self.ended.append(name)
            return done

        return work

    def quick(self, name: str) -> Callable[[], Callable[[], None]]:
        def work() -> Callable[[], None]:
            self.begun.append(name)
            return lambda: self.ended.append(name)

        return work

    def open(self, name: str) -> None:
        self._gates[name].set()

    def open_all(self) -> None:
        self._all.set()


@pytest.fixture
def works() -> Iterator[Works]:
    made = Works()
    yield made
    made.open_all()


@pytest.fixture
def made(works: Works) -> Iterator[Callable[..., FairExecutor]]:
    with ExitStack() as closing:

        def make(weights: dict[str, float] | None = None, **options: Any) -> FairExecutor:
            executor = FairExecutor(weights or {"busy": 1, "quiet": 1}, **{"places": 2, "queue_length": 200, **options})
            closing.callback(executor.close)
            return executor

        yield make
        works.open_all()


Make = Callable[..., FairExecutor]


def fill(executor: FairExecutor, works: Works, count: int = 2) -> None:
    """Slow work of `busy`, numbered from 0; return when the places are held."""
    for number in range(count):
        executor.submit("busy", works.slow(f"busy {number}"))
    eventually(lambda: len(works.begun) >= 2)


# ----------------------------------------------------------------------------------- two storages


@pytest.mark.parametrize("count", [12, 100])
def test_work_of_a_quiet_storage_starts_while_slow_work_of_another_holds_all_places(
    made: Make, works: Works, count: int
) -> None:
    executor = made()
    fill(executor, works, count)
    for number in range(20):
        executor.submit("quiet", works.quick(f"quiet {number}"))
        eventually(lambda number=number: f"quiet {number}" in works.ended)  # type: ignore[misc]
    assert sorted(name for name in works.begun if name.startswith("busy")) == ["busy 0", "busy 1"]


def test_waiting_work_of_a_quiet_storage_goes_through_the_express_place(made: Make, works: Works) -> None:
    executor = made()
    fill(executor, works, 12)
    executor.submit("quiet", works.slow("quiet slow"))
    for number in range(20):
        executor.submit("quiet", works.quick(f"quiet {number}"))
    eventually(lambda: "quiet slow" in works.begun)
    works.open("quiet slow")
    eventually(lambda: len(works.ended) == 21)
    assert works.begun[2:] == ["quiet slow", *(f"quiet {number}" for number in range(20))]


def test_only_the_queue_of_the_storage_that_fills_it_refuses(made: Make, works: Works) -> None:
    executor = made(queue_length=3)
    fill(executor, works, 5)
    assert executor.stage("busy").full
    for _ in range(3):
        with pytest.raises(Overloaded):
            executor.submit("busy", works.quick("refused"))
    assert not executor.stage("quiet").full
    executor.submit("quiet", works.quick("quiet"))
    eventually(lambda: works.ended == ["quiet"])
    works.open("busy 0")
    eventually(lambda: not executor.stage("busy").full)
    executor.submit("busy", works.quick("taken"))
    works.open_all()
    eventually(lambda: "taken" in works.ended)
    eventually(lambda: not executor.stage("busy").busy)


def test_no_more_work_runs_than_there_are_places_and_the_express_place(made: Make, works: Works) -> None:
    executor = made({"a": 1, "b": 1, "c": 1, "d": 1}, places=2, queue_length=50)
    for number in range(20):
        for name in "abcd":
            executor.submit(name, works.slow(f"{name}{number}"))
    eventually(lambda: len(works.begun) == 3)
    threading.Event().wait(0.2)
    assert len(works.begun) == 3
    works.open_all()
    eventually(lambda: len(works.ended) == 80)
    assert len(executor._pool._threads) <= 4


def test_a_storage_with_a_small_weight_gets_few_of_the_places(made: Make, works: Works) -> None:
    executor = made({"first": 1, "light": 1, "heavy": 10_000}, places=1, queue_length=1000)

    def short(name: str) -> Callable[[], Callable[[], None]]:
        def work() -> Callable[[], None]:
            works.begun.append(name)
            threading.Event().wait(0.001)
            return done

        return work

    for name in ("first", "heavy"):  # the place, and the express place
        executor.submit(name, works.slow(name))
    eventually(lambda: len(works.begun) == 2)
    for _ in range(100):
        executor.submit("light", short("light"))
        executor.submit("heavy", short("heavy"))
    works.open_all()
    eventually(lambda: len(works.begun) == 202)
    assert works.begun[2:82].count("heavy") > 60


# ------------------------------------------------------------------------------------ old renders


def test_young_work_of_the_only_storage_runs_beside_old_work(
    made: Make, works: Works, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fair_queue, "OLD_SECONDS", 0.05)
    executor = made({"busy": 1}, places=1)
    executor.submit("busy", works.slow("old"))
    eventually(lambda: works.begun == ["old"])
    executor.submit("busy", works.quick("young"))
    eventually(lambda: works.ended == ["young"])


class Children:
    """Ends work from outside, as the end of a child process does."""

    def __init__(self) -> None:
        self.ended: list[int] = []
        self._gates: dict[int, threading.Event] = {}

    def preempt(self, thread: int) -> bool:
        if thread not in self._gates:
            return False
        self.ended.append(thread)
        self._gates[thread].set()
        return True

    def work(self, works: Works, name: str, *, ends: threading.Event) -> Callable[[], Callable[[], None]]:
        def work() -> Callable[[], None]:
            thread = threading.get_ident()
            gate = self._gates[thread] = threading.Event()
            works.begun.append(name)
            try:
                while not gate.wait(0.01):
                    if ends.is_set():
                        works.ended.append(name)
                        return done
            finally:
                del self._gates[thread]
            raise Preempted

        return work


def test_slow_work_in_the_express_place_is_ended_for_others_and_runs_again_later(
    made: Make, works: Works, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fair_queue, "OLD_SECONDS", 0.05)
    children, ends = Children(), threading.Event()
    waits: list[tuple[int, int]] = []
    executor = made(places=1, preempt=children.preempt, watch=lambda wait, run: waits.append((wait, run)))
    executor.submit("busy", children.work(works, "old", ends=ends))
    eventually(lambda: works.begun == ["old"])
    executor.submit("busy", children.work(works, "lent", ends=ends))
    eventually(lambda: works.begun == ["old", "lent"])
    for number in range(5):
        executor.submit("quiet", works.quick(f"quiet {number}"))
    eventually(lambda: len(works.ended) == 5)
    assert len(children.ended) == 1
    assert works.begun[2:] == [f"quiet {number}" for number in range(5)]
    ends.set()
    eventually(lambda: sorted(works.ended[5:]) == ["lent", "old"])
    assert works.begun.count("lent") == 2
    eventually(lambda: (sum(wait for wait, _ in waits), sum(run for _, run in waits)) == (0, 0))


def test_work_whose_render_has_not_begun_is_ended_as_soon_as_it_has(
    made: Make, works: Works, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fair_queue, "OLD_SECONDS", 0.05)
    children, begins, ends = Children(), threading.Event(), threading.Event()
    executor = made(places=1, preempt=children.preempt)
    render = children.work(works, "lent", ends=ends)

    def late() -> Callable[[], None]:
        assert begins.wait(WAIT_SECONDS)
        return render()

    executor.submit("busy", works.slow("old"))
    eventually(lambda: works.begun == ["old"])
    executor.submit("busy", late)
    eventually(lambda: len(executor._queue._running) == 2)
    executor.submit("quiet", works.quick("quiet"))
    threading.Event().wait(0.2)
    assert works.begun == ["old"]
    begins.set()
    eventually(lambda: works.ended == ["quiet"])
    assert works.begun == ["old", "lent", "quiet"]
    ends.set()


def test_a_timer_that_cannot_be_started_is_tried_again(
    made: Make, works: Works, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fair_queue, "OLD_SECONDS", WAIT_SECONDS)
    executor = made({"busy": 1}, places=1)
    executor.submit("busy", works.slow("old"))
    eventually(lambda: works.begun == ["old"])
    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", _cannot_start)
        executor.submit("busy", works.quick("one"))
    monkeypatch.setattr(fair_queue, "OLD_SECONDS", 0.05)
    executor.submit("busy", works.quick("two"))
    eventually(lambda: sorted(works.ended) == ["one", "two"])


def test_work_that_cannot_be_ended_keeps_the_express_place(
    made: Make, works: Works, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fair_queue, "OLD_SECONDS", 0.05)
    executor = made({"a": 1, "b": 1, "c": 1}, places=1)
    executor.submit("a", works.slow("a"))
    executor.submit("b", works.slow("b"))
    executor.submit("c", works.quick("c"))
    eventually(lambda: sorted(works.begun) == ["a", "b"])
    threading.Event().wait(0.2)
    assert sorted(works.begun) == ["a", "b"]
    works.open("b")
    eventually(lambda: works.ended == ["b", "c"])


# ----------------------------------------------------------------------------------------- faults


def test_work_that_fails_frees_its_place_and_is_logged(
    made: Make, works: Works, caplog: pytest.LogCaptureFixture
) -> None:
    executor = made(places=1, queue_length=1)

    def fail() -> Callable[[], None]:
        raise RuntimeError("out of reach")

    with caplog.at_level(logging.ERROR, "thumbs"):
        for _ in range(3):
            executor.submit("busy", fail)
            eventually(lambda: not executor.stage("busy").busy)
        executor.submit("busy", works.quick("after"))
        eventually(lambda: works.ended == ["after"])
        eventually(lambda: caplog.text.count("out of reach") >= 3)


def test_the_next_work_starts_while_a_continuation_runs(made: Make, works: Works) -> None:
    executor = made(places=1)
    running, go_on = threading.Event(), threading.Event()
    ended: list[str] = []

    def continuation() -> None:
        running.set()
        go_on.wait(WAIT_SECONDS)
        ended.append("continuation")

    first = works.slow("first")

    def work() -> Callable[[], None]:
        first()
        return continuation

    executor.submit("busy", work)
    executor.submit("busy", works.quick("next"))
    works.open("first")
    assert running.wait(WAIT_SECONDS)
    eventually(lambda: works.begun == ["first", "next"] or bool(ended))
    assert not ended
    go_on.set()


def test_a_continuation_that_fails_ends_no_thread(made: Make, works: Works, caplog: pytest.LogCaptureFixture) -> None:
    executor = made(places=1)

    def fail() -> None:
        raise RuntimeError("too late")

    for _ in range(4):
        executor.submit("busy", lambda: fail)
    executor.submit("busy", works.quick("after"))
    eventually(lambda: works.ended == ["after"])


def test_a_thread_that_cannot_be_started_refuses_that_work_only(
    made: Make, works: Works, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits: list[tuple[int, int]] = []
    executor = made(places=1, watch=lambda wait, run: waits.append((wait, run)))
    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", _cannot_start)
        with pytest.raises(Overloaded):
            executor.submit("busy", works.quick("refused"))
    assert not executor.stage("busy").busy
    executor.submit("busy", works.quick("taken"))
    eventually(lambda: works.ended == ["taken"])
    assert works.begun == ["taken"]
    assert (sum(wait for wait, _ in waits), sum(run for _, run in waits)) == (0, 0)


def _cannot_start(_: threading.Thread) -> None:
    raise RuntimeError("can't start new thread")


def test_the_first_work_that_starts_no_watchdog_is_refused_and_the_next_one_tries_again(
    made: Make, works: Works
) -> None:
    executor, starts = made(), list[FairExecutor]()

    def on_start(watched: FairExecutor) -> None:
        starts.append(watched)
        if len(starts) == 1:
            raise RuntimeError("can't start new thread")

    executor.on_start = on_start
    with pytest.raises(Overloaded):
        executor.submit("busy", works.quick("refused"))
    for name in ("one", "two"):
        executor.submit("busy", works.quick(name))
    eventually(lambda: sorted(works.ended) == ["one", "two"])
    assert starts == [executor, executor]


def test_no_thread_is_started_before_the_first_work(made: Make) -> None:
    before = set(threading.enumerate())
    executor = made()
    assert executor.longest == 0.0
    assert not executor.stage("busy").full
    assert set(threading.enumerate()) <= before


def test_a_closed_executor_drops_its_queues_and_refuses_work(made: Make, works: Works) -> None:
    executor = made(places=1)
    executor.submit("busy", works.slow("runs"))
    for _ in range(5):
        executor.submit("busy", works.quick("dropped"))
    eventually(lambda: works.begun == ["runs"])
    assert executor.longest > 0
    executor.stage("quiet").close()
    for name in ("busy", "quiet"):
        with pytest.raises(Overloaded):
            executor.submit(name, works.quick("refused"))
    works.open("runs")
    eventually(lambda: not executor.stage("busy").busy)
    assert works.ended == ["runs"]
    assert executor.longest == 0.0
    eventually(lambda: not any(thread.is_alive() for thread in executor._pool._threads))


# ------------------------------------------------------------------------------------------- jobs


async def thumbnail(stage: str, work: Callable[[], str]) -> str:
    made: str = await Step(stage, work)
    return made


def run(job: Job[str], executor: FairExecutor, timings: Timings | None = None) -> Flight[str]:
    flight: Flight[str] = Flight()
    stages = {f"render:{name}": executor.stage(name) for name in ("busy", "quiet")}
    run_job(job, stages, flight, timings or Timings())
    return flight


def test_the_time_of_all_storages_is_counted_for_the_render_stage(made: Make) -> None:
    timings = Timings()
    flight = run(thumbnail("render:quiet", lambda: "made"), made(), timings)
    assert flight.future.result(WAIT_SECONDS) == "made"
    assert set(timings.seconds) == {"queue", "render"}


def test_a_job_that_no_request_waits_for_is_not_rendered(made: Make, works: Works) -> None:
    executor, rendered = made(places=1), list[str]()
    executor.submit("busy", works.slow("runs"))
    eventually(lambda: works.begun == ["runs"])
    left, kept = (run(thumbnail("render:busy", lambda: rendered.append("yes") or "made"), executor) for _ in "ab")  # type: ignore[func-returns-value]
    left.first.leave()
    works.open("runs")
    assert kept.future.result(WAIT_SECONDS) == "made"
    assert isinstance(left.future.exception(WAIT_SECONDS), Abandoned)
    assert rendered == ["yes"]


def test_a_job_that_has_waited_for_too_long_is_refused(made: Make, works: Works) -> None:
    executor = made(places=1, max_queue_seconds=0.05)
    executor.submit("busy", works.slow("runs"))
    eventually(lambda: works.begun == ["runs"])
    late = run(thumbnail("render:busy", lambda: "made"), executor)
    threading.Event().wait(0.1)
    works.open("runs")
    assert isinstance(late.future.exception(WAIT_SECONDS), Overloaded)
    executor.max_queue_seconds = WAIT_SECONDS  # the machine may be busy
    assert run(thumbnail("render:busy", lambda: "made"), executor).future.result(WAIT_SECONDS) == "made"


def test_a_step_that_is_ended_runs_again_with_its_work(made: Make) -> None:
    calls: list[int] = []

    def render() -> str:
        calls.append(1)
        if len(calls) == 1:
            raise Preempted
        return "made"

    timings = Timings()
    flight = run(thumbnail("render:busy", render), made(places=1), timings)
    assert flight.future.result(WAIT_SECONDS) == "made"
    assert len(calls) == 2


@pytest.mark.parametrize("change", [(-1, 1), (0, -1)], ids=["as work starts", "as work ends"])
def test_a_place_is_free_again_where_the_count_of_work_fails(
    made: Make, works: Works, caplog: pytest.LogCaptureFixture, change: tuple[int, int]
) -> None:
    failures = [change]

    def watch(waiting: int, running: int) -> None:
        if (waiting, running) in failures:
            failures.clear()
            raise OSError("the metrics cannot be written")

    executor = made(places=1, watch=watch)
    executor.submit("busy", works.quick("first"))
    eventually(lambda: bool(caplog.records))
    executor.submit("busy", works.quick("second"))
    eventually(lambda: works.ended == ["second"])
