"""Which full queues make a process not ready: those of all storages that were asked in the last two seconds."""

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from tests.support.clock import Clock
from tests.support.waiting import WAIT_SECONDS
from thumbs.pipeline.executor import BoundedExecutor, Executor
from thumbs.pipeline.fair_executor import FairExecutor
from thumbs.pipeline.ports import FETCH, LOOKUP, fetch_stage, render_stage
from thumbs.pipeline.reporting.pressure import Pressure
from thumbs.pipeline.thumbnailer import Thumbnailer
from thumbs.site.readiness import _Prober

Work = Callable[[], Callable[[], None]]


@pytest.fixture
def work() -> Iterator[Work]:
    """Work that lasts as long as the test."""
    over = threading.Event()

    def wait() -> Callable[[], None]:
        assert over.wait(WAIT_SECONDS)
        return lambda: None

    yield wait
    over.set()


@pytest.fixture
def thumbs(clock: Clock) -> Iterator[Thumbnailer]:
    rendering = FairExecutor({"busy": 1, "quiet": 1}, places=1, queue_length=1)
    made: dict[str, Executor] = {
        LOOKUP: BoundedExecutor(LOOKUP, threads=1, queue_length=0),
        fetch_stage("busy"): BoundedExecutor(FETCH, threads=1, queue_length=0),
        fetch_stage("quiet"): BoundedExecutor(FETCH, threads=1, queue_length=0),
        render_stage("busy"): rendering.stage("busy"),
        render_stage("quiet"): rendering.stage("quiet"),
    }
    with ExitStack() as closing:
        for executor in made.values():
            closing.callback(executor.close)
        thumbnailer = Thumbnailer({}, made)
        thumbnailer.pressure = Pressure(clock)
        yield thumbnailer


def reasons(thumbs: Thumbnailer) -> tuple[str, ...]:
    return _Prober().readiness(thumbs).reasons


def test_a_process_without_work_is_ready(thumbs: Thumbnailer) -> None:
    assert reasons(thumbs) == ()


def test_a_full_queue_counts_while_its_storage_is_asked(thumbs: Thumbnailer, work: Work, clock: Clock) -> None:
    thumbs.executors[fetch_stage("busy")].submit(work)
    assert reasons(thumbs) == ()
    thumbs.pressure.ask("busy")
    assert reasons(thumbs) == ("the fetch queue of storage busy is full",)
    clock.now += 2
    assert reasons(thumbs) == ("the fetch queue of storage busy is full",)
    clock.now += 0.1
    assert reasons(thumbs) == ()


def test_another_storage_that_is_asked_and_has_room_keeps_the_process_ready(
    thumbs: Thumbnailer, work: Work, clock: Clock
) -> None:
    thumbs.executors[fetch_stage("busy")].submit(work)
    thumbs.pressure.ask("busy")
    thumbs.pressure.ask("quiet")
    assert reasons(thumbs) == ()
    thumbs.executors[fetch_stage("quiet")].submit(work)
    assert len(reasons(thumbs)) == 2
    clock.now += 1
    thumbs.pressure.ask("busy")
    clock.now += 1.5
    assert reasons(thumbs) == ("the fetch queue of storage busy is full",)


def test_a_queue_of_renders_is_full_for_one_storage_alone(thumbs: Thumbnailer, work: Work) -> None:
    busy, quiet = (thumbs.executors[render_stage(name)] for name in ("busy", "quiet"))
    busy.submit(work)
    quiet.submit(work)  # in the express place
    busy.submit(work)
    thumbs.pressure.ask("busy")
    assert reasons(thumbs) == ("the render queue of storage busy is full",)
    thumbs.pressure.ask("quiet")
    assert reasons(thumbs) == ()


def test_a_queue_that_refused_counts_for_two_seconds_though_a_place_is_free_now(
    thumbs: Thumbnailer, clock: Clock
) -> None:
    thumbs.pressure.ask("busy")
    thumbs.pressure.refuse("busy")
    clock.now += 1
    thumbs.pressure.ask("busy")
    assert reasons(thumbs) == ("the render queue of storage busy is full",)
    clock.now += 1.1
    assert reasons(thumbs) == ()
