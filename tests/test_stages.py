"""Stages: a fixed number of threads, a bounded queue, a refusal at once for more, and no thread held between."""

import gc
import logging
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import ExitStack
from functools import partial

import pytest

from thumbs.errors import Overloaded, SourceMissing
from thumbs.singleflight import Flight, SingleFlight
from thumbs.stages import Abandoned, Journey, Stage, Timings, travel

PATIENCE = 10.0


@pytest.fixture
def closing() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


def stage(
    closing: ExitStack, name: str = "work", *, threads: int = 1, queue_length: int = 0, on_demand: bool = False
) -> Stage:
    made = Stage(name, threads=threads, queue_length=queue_length, on_demand=on_demand)
    closing.callback(made.close)
    return made


def gone(journey: Journey[str], stages: dict[str, Stage], timings: Timings | None = None) -> "Future[str]":
    flight: Flight[str] = Flight()
    travel(journey, stages, flight, timings or Timings())
    return flight.future


class Gate:
    """Work that stops until it is let through, and tells when it has begun."""

    def __init__(self, closing: ExitStack) -> None:
        self.begun = threading.Semaphore(0)
        self._open = threading.Event()
        closing.callback(self._open.set)

    def __call__(self) -> str:
        self.begun.release()
        assert self._open.wait(PATIENCE)
        return "through"

    def wait_for(self, count: int) -> None:
        for _ in range(count):
            assert self.begun.acquire(timeout=PATIENCE)

    def open(self) -> None:
        self._open.set()


def occupy(made: Stage, gate: Gate) -> None:
    def work() -> Callable[[], None]:
        gate()
        return lambda: None

    made.submit(work)


def settled(made: Stage) -> None:
    """Return when everything that was submitted has left the stage."""
    for _ in range(1000):
        if not made.pending:
            return
        threading.Event().wait(0.01)
    raise AssertionError("the stage is not empty")


# -------------------------------------------------------------------------------------- one stage


def test_no_thread_is_started_before_the_first_work(closing: ExitStack) -> None:
    before = threading.active_count()
    made = stage(closing, threads=4)
    assert threading.active_count() == before
    assert (made.pending, made.full) == (0, False)


def test_no_more_work_runs_at_once_than_there_are_threads(closing: ExitStack) -> None:
    made, gate = stage(closing, threads=3, queue_length=20), Gate(closing)
    for _ in range(23):
        occupy(made, gate)
    gate.wait_for(3)
    assert not gate.begun.acquire(timeout=0.1)
    assert (made.pending, made.full) == (23, True)
    gate.open()
    gate.wait_for(20)


def test_what_is_more_than_the_queue_holds_is_refused_at_once(closing: ExitStack) -> None:
    made, gate = stage(closing, threads=1, queue_length=2), Gate(closing)
    for _ in range(3):
        occupy(made, gate)
    for _ in range(5):
        with pytest.raises(Overloaded):
            occupy(made, gate)
    assert made.pending == 3
    gate.open()
    settled(made)
    assert not made.full
    occupy(made, gate)


def test_work_that_fails_leaves_the_stage_and_is_logged(closing: ExitStack, caplog: pytest.LogCaptureFixture) -> None:
    made = stage(closing)

    def fail() -> Callable[[], None]:
        raise RuntimeError("out of reach")

    with caplog.at_level(logging.ERROR, "thumbs"):
        made.submit(fail)
        settled(made)
        after = Gate(closing)
        occupy(made, after)  # by the same thread, when it has done with what failed
        after.wait_for(1)
    assert "out of reach" in caplog.text


def test_a_stage_that_is_closed_refuses_work(closing: ExitStack) -> None:
    made = stage(closing)
    made.close()
    with pytest.raises(Overloaded):
        occupy(made, Gate(closing))
    assert made.pending == 0


# -------------------------------------------------------------------------------------- journeys


def test_a_journey_goes_through_its_stages_and_gets_what_each_gave(closing: ExitStack) -> None:
    def journey() -> Journey[str]:
        first: str = yield "one", lambda: threading.current_thread().name
        second: str = yield "two", lambda: f"{first}, {threading.current_thread().name}"
        return second

    stages = {name: stage(closing, name) for name in ("one", "two")}
    assert gone(journey(), stages).result(PATIENCE) == "mage-one_0, mage-two_0"


def test_a_journey_without_a_step_is_over_at_once() -> None:
    def journey() -> Journey[str]:
        return "home"
        yield

    assert gone(journey(), {}).result(0) == "home"


def test_what_a_stage_raises_is_raised_in_the_journey(closing: ExitStack) -> None:
    def missing() -> None:
        raise SourceMissing

    def journey() -> Journey[str]:
        try:
            yield "one", missing
        except SourceMissing:
            found: str = yield "one", lambda: "found elsewhere"
            return found
        return "found"

    assert gone(journey(), {"one": stage(closing)}).result(PATIENCE) == "found elsewhere"


def test_what_a_journey_does_not_catch_is_its_outcome(closing: ExitStack) -> None:
    def missing() -> None:
        raise SourceMissing

    def journey() -> Journey[str]:
        yield "one", missing
        return "found"

    assert isinstance(gone(journey(), {"one": stage(closing)}).exception(PATIENCE), SourceMissing)


def test_a_full_stage_is_raised_in_the_journey_before_travel_returns(closing: ExitStack) -> None:
    made, gate = stage(closing), Gate(closing)
    occupy(made, gate)

    def journey() -> Journey[str]:
        yield "one", gate
        return "through"

    future = gone(journey(), {"one": made})
    assert future.done()
    assert isinstance(future.exception(0), Overloaded)


def test_a_journey_may_go_another_way_round_a_full_stage(closing: ExitStack) -> None:
    full, gate = stage(closing), Gate(closing)
    occupy(full, gate)

    def journey() -> Journey[str]:
        try:
            yield "full", gate
        except Overloaded:
            found: str = yield "free", lambda: "round it"
            return found
        return "through it"

    assert gone(journey(), {"full": full, "free": stage(closing)}).result(PATIENCE) == "round it"


def test_a_slow_stage_holds_no_thread_of_another(closing: ExitStack) -> None:
    slow, quick = stage(closing, "slow", threads=2, queue_length=100), stage(closing, "quick", queue_length=100)
    gate = Gate(closing)

    def journey(first: str) -> Journey[str]:
        if first == "slow":
            yield "slow", gate
        found: str = yield "quick", lambda: first
        return found

    stages = {"slow": slow, "quick": quick}
    waiting = [gone(journey("slow"), stages) for _ in range(50)]
    gate.wait_for(2)
    assert [gone(journey("quick"), stages).result(PATIENCE) for _ in range(20)] == ["quick"] * 20
    assert not any(future.done() for future in waiting)
    gate.open()
    assert [future.result(PATIENCE) for future in waiting] == ["slow"] * 50


def test_what_has_waited_for_too_long_is_refused_when_its_turn_comes(closing: ExitStack) -> None:
    gate, done = Gate(closing), threading.Event()
    impatient = Stage("work", threads=1, queue_length=5, patience=0.05)
    closing.callback(impatient.close)

    def journey(work: Callable[[], object]) -> Journey[str]:
        yield "work", work
        return "made"

    first = gone(journey(gate), {"work": impatient})
    gate.wait_for(1)
    second = gone(journey(done.set), {"work": impatient})
    threading.Event().wait(0.1)
    gate.open()
    assert first.result(PATIENCE) == "made"
    with pytest.raises(Overloaded):
        second.result(PATIENCE)
    assert not done.is_set()


def test_a_journey_that_has_failed_holds_on_to_nothing(closing: ExitStack) -> None:
    """An original of many megabytes would else live until the garbage collector finds the circle it is in."""

    class Original:
        pass

    def fail(original: Original) -> None:
        raise SourceMissing from ValueError(repr(original))

    original = Original()
    alive = weakref.ref(original)

    def journey(original: Original) -> Journey[str]:
        yield "work", partial(fail, original)
        return "never"

    gc.disable()
    closing.callback(gc.enable)
    future = gone(journey(original), {"work": stage(closing, queue_length=1)})
    del original
    assert isinstance(future.exception(PATIENCE), SourceMissing)
    end = time.monotonic() + PATIENCE
    while alive() is not None and time.monotonic() < end:
        time.sleep(0.01)  # the thread that ended it may not have come back yet
    assert alive() is None


def test_the_time_in_each_stage_and_in_queues_is_told(closing: ExitStack) -> None:
    gate = Gate(closing)

    def journey() -> Journey[str]:
        yield "one", lambda: None
        yield "two", lambda: None
        yield "one", lambda: None
        return "home"

    stages = {"one": stage(closing, "one", queue_length=9), "two": stage(closing, "two", queue_length=9)}
    occupy(stages["one"], gate)
    timings = Timings()
    future = gone(journey(), stages, timings)
    gate.wait_for(1)
    gate.open()
    future.result(PATIENCE)
    assert set(timings.spent) == {"one", "two"}
    assert timings.queue > 0
    assert list(timings.seconds) == ["queue", "one", "two"]
    assert all(seconds >= 0 for seconds in timings.seconds.values())


def test_a_thousand_journeys_all_come_home(closing: ExitStack) -> None:
    stages = {name: stage(closing, name, threads=3, queue_length=1000) for name in ("one", "two", "three")}

    def journey(number: int) -> Journey[str]:
        total = 0
        for name in stages:
            total = yield name, partial(int.__add__, total, number)
        return str(total)

    futures = [gone(journey(number), stages) for number in range(1000)]
    assert [future.result(PATIENCE) for future in futures] == [str(3 * number) for number in range(1000)]
    for made in stages.values():
        settled(made)


def test_a_journey_that_leaves_a_full_stage_may_come_back_to_it(closing: ExitStack) -> None:
    def journey() -> Journey[str]:
        yield "one", lambda: None
        yield "one", lambda: None
        return "home"

    made = stage(closing, threads=1, queue_length=0)
    future = gone(journey(), {"one": made})
    assert future.result(PATIENCE) == "home"
    assert made.pending == 0


def test_a_journey_waits_for_another_without_holding_a_thread(closing: ExitStack) -> None:
    made, gate = stage(closing, queue_length=19), Gate(closing)

    def first() -> Journey[str]:
        found: str = yield "slow", gate
        return found

    def second(other: "Future[str]") -> Journey[str]:
        found: str = yield "other", other
        again: str = yield "quick", lambda: f"{found} again"
        return again

    other = gone(first(), {"slow": stage(closing)})
    timings = Timings()
    waiting = [gone(second(other), {"quick": made}, timings) for _ in range(20)]
    gate.wait_for(1)
    assert made.pending == 0
    gate.open()
    assert [future.result(PATIENCE) for future in waiting] == ["through again"] * 20
    assert set(timings.spent) == {"other", "quick"}


def test_the_failure_of_another_journey_is_raised_in_all_that_wait_for_it(closing: ExitStack) -> None:
    other: Future[str] = Future()

    def journey() -> Journey[str]:
        try:
            yield "other", other
        except SourceMissing:
            return "missed"
        return "found"

    waiting = [gone(journey(), {}) for _ in range(3)]
    other.set_exception(SourceMissing())
    assert [future.result(PATIENCE) for future in (*waiting, gone(journey(), {}))] == ["missed"] * 4


def test_a_thread_that_cannot_be_started_strands_nobody(closing: ExitStack) -> None:
    made = stage(closing)
    starts: list[Stage] = []

    def oversee(watched: Stage) -> None:
        starts.append(watched)
        if len(starts) == 1:
            raise RuntimeError("can't start new thread")

    made.oversee = oversee
    journeys = [walk(("work", lambda: "done"), told=[]) for _ in range(3)]
    assert isinstance(gone(journeys[0], {"work": made}).exception(PATIENCE), Overloaded)
    assert made.pending == 0
    for journey in journeys[1:]:
        assert gone(journey, {"work": made}).result(PATIENCE) == "there"
    assert starts == [made, made]


# ------------------------------------------------------------------------------------- those who leave


def walk(*steps: tuple[str, Callable[[], object]], told: list[str]) -> Journey[str]:
    try:
        for name, work in steps:
            done: str = yield name, work
            told.append(f"{name}: {done}")
    finally:
        told.append("let go")
    return "there"


def test_what_nobody_waits_for_ends_before_the_next_costly_step(closing: ExitStack) -> None:
    gate, told = Gate(closing), list[str]()
    stages = {"ask": stage(closing, "ask"), "make": stage(closing, "make", on_demand=True)}
    flights = SingleFlight[str]()
    journey = walk(("ask", gate), ("make", lambda: "made"), told=told)
    ticket = flights.join("key", lambda flight: travel(journey, stages, flight, Timings()))
    gate.wait_for(1)
    ticket.leave()
    gate.open()
    assert isinstance(ticket.future.exception(PATIENCE), Abandoned)
    assert told == ["ask: through", "let go"]
    assert "key" not in flights


def test_what_was_made_is_kept_though_who_wanted_it_has_left(closing: ExitStack) -> None:
    gate, told = Gate(closing), list[str]()
    stages = {"make": stage(closing, "make", on_demand=True), "keep": stage(closing, "keep")}
    flights = SingleFlight[str]()
    journey = walk(("make", gate), ("keep", lambda: "kept"), told=told)
    ticket = flights.join("key", lambda flight: travel(journey, stages, flight, Timings()))
    gate.wait_for(1)
    ticket.leave()
    gate.open()
    assert ticket.future.result(PATIENCE) == "there"
    assert told == ["make: through", "keep: kept", "let go"]


def test_who_stays_gets_what_one_who_has_left_had_begun(closing: ExitStack) -> None:
    gate, told = Gate(closing), list[str]()
    stages = {"ask": stage(closing, "ask"), "make": stage(closing, "make", on_demand=True)}
    flights = SingleFlight[str]()
    journey = walk(("ask", gate), ("make", lambda: "made"), told=told)
    first = flights.join("key", lambda flight: travel(journey, stages, flight, Timings()))
    gate.wait_for(1)
    first.leave()
    second = flights.join("key", lambda _: None)
    gate.open()
    assert second.future.result(PATIENCE) == "there"


@pytest.mark.parametrize("stays", [False, True])
def test_a_journey_that_others_wait_for_is_wanted_as_long_as_they_are(closing: ExitStack, stays: bool) -> None:
    """Two thumbnails of one original: it is fetched as long as one of them is waited for."""
    gate, told = Gate(closing), list[str]()
    stages = {"ask": stage(closing, "ask"), "make": stage(closing, "make", on_demand=True)}
    inner, outer = SingleFlight[str](), SingleFlight[str]()

    def fetch(flight: Flight[str]) -> None:
        travel(walk(("ask", gate), ("make", lambda: "made"), told=told), stages, flight, Timings())

    def thumbnail() -> Journey[str]:
        original: str = yield "ask", inner.join("original", fetch)
        return f"of {original}"

    def begin(flight: Flight[str]) -> None:
        travel(thumbnail(), stages, flight, Timings())

    one, two = outer.join("one", begin), outer.join("two", begin)
    gate.wait_for(1)
    one.leave()
    if not stays:
        two.leave()
    gate.open()
    if stays:
        assert two.future.result(PATIENCE) == "of there"
        assert told == ["ask: through", "make: made", "let go"]
    else:
        assert isinstance(two.future.exception(PATIENCE), Abandoned)
        assert told == ["ask: through", "let go"]
        assert len(inner) == len(outer) == 0
