"""Which full queues make a process not ready: a storage with a full queue of renders is refused alone."""

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from tests.support.waiting import WAIT_SECONDS
from thumbs.pipeline.executor import BoundedExecutor, Executor
from thumbs.pipeline.fair_executor import FairExecutor
from thumbs.pipeline.ports import FETCH, LOOKUP, fetch_stage, render_stage
from thumbs.pipeline.thumbnailer import Thumbnailer
from thumbs.site.readiness import _Prober


@pytest.fixture
def work() -> Iterator[Callable[[], Callable[[], None]]]:
    """Work that lasts as long as the test."""
    over = threading.Event()

    def wait() -> Callable[[], None]:
        assert over.wait(WAIT_SECONDS)
        return lambda: None

    yield wait
    over.set()


@pytest.fixture
def executors() -> Iterator[dict[str, Executor]]:
    rendering = FairExecutor({"busy": 1, "quiet": 1}, places=1, queue_length=1)
    made: dict[str, Executor] = {
        LOOKUP: BoundedExecutor(LOOKUP, threads=1, queue_length=0),
        fetch_stage("busy"): BoundedExecutor(FETCH, threads=1, queue_length=0),
        render_stage("busy"): rendering.stage("busy"),
        render_stage("quiet"): rendering.stage("quiet"),
    }
    with ExitStack() as closing:
        for executor in made.values():
            closing.callback(executor.close)
        yield made


def reasons(executors: dict[str, Executor]) -> tuple[str, ...]:
    return _Prober().readiness(Thumbnailer({}, executors)).reasons


def test_a_process_without_work_is_ready(executors: dict[str, Executor]) -> None:
    assert reasons(executors) == ()


@pytest.mark.parametrize("stage", [LOOKUP, fetch_stage("busy")])
def test_a_full_queue_is_named(
    executors: dict[str, Executor], work: Callable[[], Callable[[], None]], stage: str
) -> None:
    executors[stage].submit(work)
    assert reasons(executors) == (f"the {stage} queue is full",)


def test_the_queue_of_renders_is_full_when_it_is_for_all_storages_that_render(
    executors: dict[str, Executor], work: Callable[[], Callable[[], None]]
) -> None:
    busy, quiet = executors[render_stage("busy")], executors[render_stage("quiet")]
    busy.submit(work)
    assert reasons(executors) == ()
    quiet.submit(work)  # in the express place
    busy.submit(work)
    assert (busy.full, quiet.full) == (True, False)
    assert reasons(executors) == ()
    quiet.submit(work)
    assert reasons(executors) == ("the render queue is full",)
