"""How many children a pool has, which one a call gets, and what happens when none can be started."""

import logging
import os
import threading
from collections.abc import Callable

import pytest

from tests.support.fake_child import PICTURE, FakeChild, FakeSite, fake_site
from thumbs.errors import RendererUnavailable
from thumbs.image.transforms import Transform
from thumbs.render import arenas
from thumbs.render.isolation import pool as pool_module
from thumbs.render.isolation.pool import MAX_CALLS, ChildPool
from thumbs.render.isolation.process import ChildLost, Loss
from thumbs.render.isolation.wire import Answer, Call, Work
from thumbs.render.values import RenderLimits

WORK = Work(RenderLimits(seconds=10.0), Transform(format="webp"))


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch) -> FakeSite:
    return fake_site(monkeypatch)


def render(pool: ChildPool) -> Answer:
    return pool.run(Call.RENDER, WORK, b"")


def at_once(site: FakeSite, pool: ChildPool, count: int, inside: Callable[[], object] = lambda: None) -> None:
    """`count` calls that are in their children at the same time; then `inside` is called."""
    failures: list[BaseException] = []

    def during() -> None:
        nonlocal count
        count -= 1
        if count > 0:
            in_a_thread()
        else:
            inside()

    def call() -> None:
        try:
            render(pool)
        except BaseException as error:
            failures.append(error)

    def in_a_thread() -> None:
        thread = threading.Thread(target=call)
        thread.start()
        thread.join(30)
        assert not thread.is_alive()

    site.during = during
    in_a_thread()
    site.during = lambda: None
    if failures:
        raise failures[0]


def numbers(pool: ChildPool) -> list[int]:
    return [child.number for child in pool.idle]  # type: ignore[attr-defined]


# --------------------------------------------------------------------------------------------------- which child


def test_a_pool_starts_no_child_before_its_first_call(site: FakeSite) -> None:
    pool = site.pool()
    assert site.children == []
    assert pool.layers is None
    assert pool.unavailable.since is None


def test_the_first_child_is_started_at_once_even_when_the_machine_has_just_booted(site: FakeSite) -> None:
    site.now = 0.5
    assert render(site.pool()) == PICTURE


def test_the_memory_of_the_process_is_set_up(site: FakeSite, monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[str] = []
    monkeypatch.setattr(arenas, "limit", lambda: done.append("limit"))
    monkeypatch.setattr(arenas, "return_large_blocks", lambda: done.append("return"))
    site.pool()
    assert done == ["limit", "return"]


def test_while_a_call_is_made_a_spare_is_started_and_the_next_call_gets_the_used_child(site: FakeSite) -> None:
    pool = site.pool()
    for calls in (1, 2):
        render(pool)
        assert numbers(pool) == [1, 0]
        assert [child.calls for child in site.children] == [calls, 0]
    assert site.events == {"started": 2}


def test_a_child_that_was_killed_while_idle_is_counted_and_not_used(site: FakeSite) -> None:
    pool = site.pool()
    render(pool)
    site.children[0].gone = True
    render(pool)
    assert site.children[0].ends == 1
    assert site.children[1].calls == 1
    assert site.events["killed"] == 1


@pytest.mark.parametrize("loss", [Loss.INVALID, Loss.KILLED])
def test_a_child_that_misbehaved_while_idle_is_counted_and_not_used(site: FakeSite, loss: Loss) -> None:
    pool = site.pool()
    render(pool)
    site.children[0].loss = loss
    site.children[1].loss = loss
    assert render(pool) == PICTURE
    assert [child.ends for child in site.children[:2]] == [1, 1]
    assert site.events[loss.name.lower()] == 2
    assert site.children[2].calls == 1


# ------------------------------------------------------------------------------------------------------ how many


@pytest.mark.parametrize(("places", "warm"), [(1, 1), (2, 0), (3, 0)])
def test_there_is_a_child_for_each_place_and_a_warm_one_for_the_only_place(
    site: FakeSite, places: int, warm: int
) -> None:
    pool = site.pool(places=places)
    inside: list[int] = []
    at_once(site, pool, places, lambda: inside.append(len(site.alive)))
    assert inside == [places + warm]
    assert len(pool.idle) == places + warm
    assert site.events == {"started": places + warm}


@pytest.mark.parametrize("places", [2, 3])
def test_while_a_render_is_slow_a_child_is_warm_for_the_express_place(site: FakeSite, places: int) -> None:
    pool = site.pool(places=places)
    at_once(site, pool, places)
    pool.idle[0].is_slow = True  # type: ignore[attr-defined]
    inside: list[int] = []
    at_once(site, pool, places, lambda: inside.append(len(site.alive)))
    assert inside == [places + 1]
    assert len(pool.idle) == places + 1


@pytest.mark.parametrize(("later", "left"), [(59.9, 3), (60.0, 2)])
def test_it_stays_warm_for_a_minute(site: FakeSite, later: float, left: int) -> None:
    pool = site.pool(places=2)
    at_once(site, pool, 2)
    pool._slow()
    at_once(site, pool, 2)
    site.now += later
    at_once(site, pool, 2)
    assert len(pool.idle) == len(site.alive) == left


@pytest.mark.parametrize(("places", "more"), [(1, 2), (2, 1)])
def test_a_call_in_the_express_place_has_a_child_of_its_own_and_another_is_started_where_there_is_one_place(
    site: FakeSite, places: int, more: int
) -> None:
    pool = site.pool(places=places)
    inside: list[int] = []
    at_once(site, pool, places + 1, lambda: inside.append(len(site.alive)))
    assert inside == [places + more]
    assert len(pool.idle) == places + more


def test_a_call_that_looks_whether_its_child_can_be_used_has_that_child(
    site: FakeSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else a call that comes meanwhile would see too few children, and start another."""
    pool = site.pool(places=2)
    at_once(site, pool, 2)
    last = site.children[numbers(pool)[-1]]
    looks: list[int] = []

    def look() -> bool:
        if not looks:
            looks.append(1)
            at_once(site, pool, 1)
        return False

    monkeypatch.setattr(last, "has_ended", look)
    render(pool)
    assert looks == [1]
    assert site.events == {"started": 2}


@pytest.mark.parametrize(
    ("calls", "events"), [(MAX_CALLS - 21, {"started": 2}), (MAX_CALLS - 20, {"started": 3, "retired": 1})]
)
def test_a_child_that_has_nearly_done_its_calls_is_replaced_when_its_successor_is_there(
    site: FakeSite, calls: int, events: dict[str, int]
) -> None:
    pool = site.pool(places=2)
    at_once(site, pool, 2)
    site.children[numbers(pool)[-1]].calls = calls
    at_once(site, pool, 2)
    assert site.events == events
    assert len(pool.idle) == len(site.alive) == 2


@pytest.mark.parametrize(("later", "left"), [(59.9, 3), (60.0, 2)])
def test_the_further_child_stays_for_a_minute(site: FakeSite, later: float, left: int) -> None:
    pool = site.pool()
    at_once(site, pool, 2)
    site.now += later
    render(pool)
    assert len(pool.idle) == left
    assert len(site.alive) == left
    assert site.events["retired"] == 3 - left


def test_a_pool_that_is_new_is_not_crowded(site: FakeSite) -> None:
    site.now = 1.0
    pool = site.pool()
    at_once(site, pool, 1)
    at_once(site, pool, 1, pool._keep_spare)
    assert len(site.children) == 2


def test_only_one_spare_is_started_at_a_time(site: FakeSite) -> None:
    pool = site.pool(places=3)

    def again(child: FakeChild) -> None:
        if child.number == 1:
            pool._keep_spare()

    site.prepare = again
    render(pool)
    assert len(site.children) == 2
    pool.idle.clear()
    pool._keep_spare()
    assert len(site.children) == 3


def test_a_spare_that_is_not_needed_when_it_is_there_is_retired(site: FakeSite) -> None:
    pool = site.pool()
    site.prepare = lambda child: pool.close() if child.number == 1 else None
    assert render(pool) == PICTURE
    assert site.alive == []
    assert site.events["retired"] == 2


def test_a_spare_that_cannot_be_started_fails_no_call(site: FakeSite) -> None:
    pool = site.pool()
    site.prepare = lambda _: site.refusals.append(OSError(11, "busy"))
    assert render(pool) == PICTURE
    assert site.events == {"started": 1, "failed": 1}
    assert numbers(pool) == [0]


def test_after_a_child_is_lost_a_spare_is_started(site: FakeSite) -> None:
    pool = site.pool()
    render(pool)
    site.children[0].replies.append(Loss.KILLED)
    site.during = pool.idle.clear
    with pytest.raises(RendererUnavailable):
        render(pool)
    assert numbers(pool) == [2]
    assert site.children[0].ends == 1


def test_a_child_whose_end_fails_is_not_busy_for_ever(site: FakeSite, monkeypatch: pytest.MonkeyPatch) -> None:
    pool = site.pool()
    render(pool)
    child = site.children[0]
    child.replies.append(Loss.KILLED)

    def fail() -> None:
        raise OSError

    monkeypatch.setattr(child, "end", fail)
    with pytest.raises(OSError, match=r"^$"):
        render(pool)
    assert pool._busy == {}


# ----------------------------------------------------------------------------------------------------- the end


def test_a_closed_pool_ends_its_children_and_keeps_none_of_later_calls(site: FakeSite) -> None:
    pool = site.pool()
    render(pool)
    pool.close()
    assert site.alive == []
    assert pool.idle == []
    assert render(pool) == PICTURE
    assert site.alive == []
    assert len(site.children) == 3
    pool.close()
    assert [child.ends for child in site.children] == [1, 1, 1]


# -------------------------------------------------------------------------------------- children that do not start


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (OSError(11, os.strerror(11)), os.strerror(11)),
        (MemoryError("no memory"), "no memory"),
        (RuntimeError("it is ending"), "it is ending"),
    ],
)
def test_without_a_child_the_renderer_is_unavailable(
    site: FakeSite, caplog: pytest.LogCaptureFixture, error: BaseException, reason: str
) -> None:
    pool = site.pool()
    site.refusals.append(error)
    with pytest.raises(RendererUnavailable):
        render(pool)
    assert caplog.messages == [f"a render process cannot be started: {reason}"]
    assert caplog.records[0].levelno == logging.ERROR
    assert site.events == {"failed": 1}
    assert pool.unavailable.since == 1000.0


def test_a_start_is_tried_again_a_second_later_and_logged_once(
    site: FakeSite, caplog: pytest.LogCaptureFixture
) -> None:
    pool = site.pool()
    site.refusals += [OSError(11, "busy"), OSError(11, "busy")]
    for now, refusals in ((1000.0, 1), (1000.9, 1), (1001.0, 0), (1001.9, 0)):
        site.now = now
        with pytest.raises(RendererUnavailable):
            render(pool)
        assert len(site.refusals) == refusals
    assert pool.unavailable.since == 1000.0
    assert len(caplog.records) == 1
    site.now = 1002.0
    assert render(pool) == PICTURE
    assert pool.unavailable.since is None
    assert site.events == {"failed": 2, "started": 2}


def test_a_start_is_tried_again_without_a_call_and_no_sooner(site: FakeSite) -> None:
    pool = site.pool()
    site.refusals += [OSError(11, "busy"), OSError(11, "busy")]
    with pytest.raises(RendererUnavailable):
        render(pool)
    for now, refusals in ((1000.9, 1), (1001.0, 0), (1001.9, 0)):
        site.now = now
        pool.retry()
        assert len(site.refusals) == refusals
        assert pool.unavailable.since == 1000.0
    site.now = 1002.0
    pool.retry()
    assert pool.unavailable.since is None
    assert pool._busy == {}
    assert sorted(numbers(pool)) == site.alive == [0, 1]
    pool.retry()
    assert site.events == {"failed": 2, "started": 2}


def test_a_try_whose_child_is_lost_in_another_way_fails_nothing(site: FakeSite) -> None:
    pool = site.pool()
    site.refusals.append(OSError(11, "busy"))
    with pytest.raises(RendererUnavailable):
        render(pool)
    site.now += 1.0
    site.prepare = lambda child: setattr(child, "start_error", MemoryError())
    pool.retry()
    assert pool.unavailable.since == 1000.0
    assert pool._busy == {}


@pytest.mark.parametrize("is_closed", [False, True])
def test_a_pool_starts_no_child_without_a_call_unless_it_must_and_is_open(site: FakeSite, is_closed: bool) -> None:
    pool = site.pool()
    if is_closed:
        site.refusals.append(OSError(11, "busy"))
        with pytest.raises(RendererUnavailable):
            render(pool)
        site.now += 1.0
        pool.close()
    pool.retry()
    assert site.children == []


def test_a_spare_that_cannot_be_started_makes_no_renderer_unavailable_whose_other_children_work(
    site: FakeSite,
) -> None:
    pool = site.pool(places=2)

    def no_spare() -> None:
        pool.idle.clear()
        site.refusals.append(OSError(11, "busy"))
        pool._slow()
        assert pool.unavailable.since is None

    at_once(site, pool, 1, no_spare)
    assert site.refusals == []
    assert site.events["failed"] == 1
    assert pool.unavailable.since is None


def test_without_any_child_a_spare_that_cannot_be_started_makes_it_unavailable(site: FakeSite) -> None:
    pool = site.pool()
    render(pool)
    site.children[0].replies.append(Loss.KILLED)

    def no_spare() -> None:
        pool.idle.clear()
        site.refusals.append(OSError(11, "busy"))

    site.during = no_spare
    with pytest.raises(RendererUnavailable):
        render(pool)
    assert pool.unavailable.since == 1000.0


@pytest.mark.parametrize(("loss", "name"), [(Loss.CRASH, "crash"), (Loss.TIMEOUT, "timeout")])
def test_a_child_that_ends_before_it_is_ready_counts_as_not_started(
    site: FakeSite, caplog: pytest.LogCaptureFixture, loss: Loss, name: str
) -> None:
    def prepare(child: FakeChild) -> None:
        child.start_error, child.written = ChildLost(loss, 0), f"  {'x' * 500}the end\n"

    site.prepare = prepare
    pool = site.pool()
    with pytest.raises(RendererUnavailable):
        render(pool)
    end = f"{'x' * 493}the end"
    assert caplog.messages == [f"a render process ended before it was ready ({name}): {end}"]
    assert site.children[0].ends == 1
    assert site.events == {"started": 2, "failed": 1}
    assert pool._busy == {}


def test_an_interrupted_start_ends_the_child(site: FakeSite) -> None:
    site.prepare = lambda child: setattr(child, "start_error", KeyboardInterrupt())
    pool = site.pool()
    with pytest.raises(KeyboardInterrupt):
        render(pool)
    assert site.children[0].ends == 1
    assert pool._busy == {}


@pytest.mark.parametrize(
    ("wanted", "layers", "is_good"), [(3, 3, True), (1, 3, True), (0, 0, True), (3, 1, False), (2, 1, False)]
)
def test_a_child_without_a_layer_that_is_required_is_not_used(
    site: FakeSite, caplog: pytest.LogCaptureFixture, wanted: int, layers: int, is_good: bool
) -> None:
    site.prepare = lambda child: setattr(child, "layers", layers)
    pool = site.pool(wanted=wanted)
    if is_good:
        assert render(pool) == PICTURE
    else:
        with pytest.raises(RendererUnavailable):
            render(pool)
        assert "could not set up its sandbox" in caplog.text
        assert site.children[0].ends == 1
        assert not any(child.asked for child in site.children)
        assert site.events["failed"] == 1
        assert pool.unavailable.since == 1000.0
    assert pool.layers == layers
    assert pool._busy == {}


def test_each_event_is_one_that_is_exported(site: FakeSite) -> None:
    assert {loss.name.lower() for loss in Loss} < set(pool_module.EVENTS)
