"""Which storage gets the next render place: shares by weight, none waits for long, and no credit for being idle."""

import heapq
import random
from collections import Counter, defaultdict
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.strategies import decimals
from thumbs.pipeline.fair_queue import OLD_SECONDS, FairQueue, Running


@dataclass
class Simulation:
    """A queue with a clock that moves from the end of one piece of work to the next. Work is (storage, seconds)."""

    weights: dict[str, float]
    places: int = 1
    can_recall: bool = False
    now: float = 1000.0
    started: list[tuple[str, float]] = field(default_factory=list)
    held: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    ended: int = 0
    put_back: list[tuple[str, float]] = field(default_factory=list)
    most: int = 0

    def __post_init__(self) -> None:
        self.queue: FairQueue[tuple[str, float]] = FairQueue(
            self.weights, places=self.places, queue_length=10**6, can_recall=self.can_recall
        )
        self.ends: list[tuple[float, int, Running[tuple[str, float]]]] = []

    def add(self, name: str, seconds: float, times: int = 1) -> None:
        for _ in range(times):
            self._note(self.queue.add(name, (name, seconds), self.now))

    def end_next(self) -> str:
        """Move to the next end; the storage of what has ended."""
        self.now, _, running = heapq.heappop(self.ends)
        name, seconds = running.work
        self.held[name] += seconds
        self.ended += 1
        self._note(self.queue.end(running, self.now))
        return name

    def wait(self, seconds: float) -> None:
        """Let time pass in which nothing ends."""
        self.now += seconds
        assert not self.ends or self.now <= self.ends[0][0]
        self._note(self.queue.start_next(self.now))

    def recall(self) -> None:
        """Put back what the queue recalls, until it recalls nothing."""
        while (holder := self.queue.recall(self.now)) is not None:
            holder.recalled = True
            self.put_back.append(holder.work)
            self.ends = [end for end in self.ends if end[2] is not holder]
            heapq.heapify(self.ends)
            self._note(self.queue.put_back(holder, self.now))

    def running(self) -> Counter[str]:
        return Counter(running.work[0] for _, _, running in self.ends)

    def _note(self, started: list[Running[tuple[str, float]]]) -> None:
        for running in started:
            self.started.append(running.work)
            heapq.heappush(self.ends, (running.started + running.work[1], len(self.started), running))
            assert running.started == self.now
        self.most = max(self.most, len(self.ends))


def names(simulation: Simulation) -> list[str]:
    return [name for name, _ in simulation.started]


# ------------------------------------------------------------------------------------- one storage


def test_a_storage_alone_has_all_places_and_its_work_starts_in_order() -> None:
    simulation = Simulation({"a": 0.1, "b": 100}, places=3)
    for seconds in (1.0, 1.1, 1.2, 1.3, 1.4):
        simulation.add("a", seconds)
    assert simulation.running() == {"a": 3}
    while simulation.ends:
        simulation.end_next()
    assert [seconds for _, seconds in simulation.started] == [1.0, 1.1, 1.2, 1.3, 1.4]


def test_a_queue_is_full_for_its_storage_alone() -> None:
    queue: FairQueue[str] = FairQueue({"a": 1, "b": 1, "c": 1}, places=1, queue_length=2, can_recall=False)
    assert not queue.full("a", 0.0)
    (running,) = queue.add("a", "runs", 0.0)
    for _ in range(2):
        assert not queue.full("a", 0.0)
        assert queue.add("a", "waits", 0.0) == []
    assert queue.full("a", 0.0)
    assert not queue.full("b", 0.0)
    assert (queue.busy("a"), queue.busy("b")) == (True, False)
    (express,) = queue.add("b", "express", 0.0)
    assert queue.busy("b")
    assert queue.add("b", "waits", 0.0) == []
    assert not queue.full("b", 0.0)
    queue.end(express, 0.1)
    queue.end(running, 0.2)
    assert not queue.full("a", 0.2)


def test_without_a_queue_work_is_taken_only_for_a_place() -> None:
    queue: FairQueue[str] = FairQueue({"a": 1, "b": 1, "c": 1}, places=1, queue_length=0, can_recall=False)
    queue.add("a", "runs", 0.0)
    assert [queue.full(name, 0.0) for name in "ab"] == [True, False]
    queue.add("b", "express", 0.0)
    assert [queue.full(name, 0.0) for name in "abc"] == [True, True, True]
    assert not queue.busy("c")
    queue.add("c", "waits", 0.0)
    assert queue.busy("c")


# ------------------------------------------------------------------------------------------ shares


@pytest.mark.parametrize("places", [1, 2, 4, 8])
@pytest.mark.parametrize("weights", [{"a": 1.0, "b": 1.0}, {"a": 1.0, "b": 3.0}, {"a": 0.5, "b": 1.0, "c": 6.0}])
@pytest.mark.parametrize("seconds", [{"a": 1.0, "b": 1.0, "c": 1.0}, {"a": 0.03, "b": 1.3, "c": 0.2}])
def test_the_long_run_shares_follow_the_weights(
    places: int, weights: dict[str, float], seconds: dict[str, float]
) -> None:
    simulation = Simulation(weights, places=places)
    for name in weights:
        simulation.add(name, seconds[name], 3 * places)
    for _ in range(4000):
        name = simulation.end_next()
        simulation.add(name, seconds[name])
    held = {name: simulation.held[name] / sum(simulation.held.values()) for name in weights}
    wanted = {name: weight / sum(weights.values()) for name, weight in weights.items()}
    assert held == pytest.approx(wanted, rel=0.1)


@given(
    st.lists(st.tuples(decimals(1, 100), st.floats(0.01, 1.9)), min_size=2, max_size=5),
    st.integers(1, 4),
    st.integers(0, 99),
)
def test_storages_that_always_wait_get_their_shares_to_within_one_round(
    storages: list[tuple[float, float]], places: int, seed: int
) -> None:
    weights = {f"s{number}": weight for number, (weight, _) in enumerate(storages)}
    longest = max(seconds for _, seconds in storages)
    simulation, factors = Simulation(weights, places=places), random.Random(seed)
    for name, (_, seconds) in zip(weights, storages, strict=True):
        simulation.add(name, seconds, 40)
    for _ in range(120):
        name = simulation.end_next()
        simulation.add(name, storages[int(name[1:])][1] * factors.uniform(0.5, 1))
    queue = simulation.queue
    virtual = {name: queue._flows[name].virtual(simulation.now) for name in weights}
    # A storage is ahead of another by what it was given at once: at most a render in each place, and the express place.
    slack = {name: (places + 1) * longest / weight for name, weight in weights.items()}
    for name in weights:
        for other in weights:
            assert virtual[name] - virtual[other] <= slack[name] + 1e-6


@given(
    st.integers(1, 4),
    st.booleans(),
    st.lists(st.tuples(st.sampled_from("abcd"), st.floats(0.001, 9), st.booleans()), min_size=1, max_size=80),
)
def test_places_are_never_free_while_work_waits_and_all_work_runs_once(
    places: int, can_recall: bool, steps: list[tuple[str, float, bool]]
) -> None:
    simulation = Simulation({"a": 1, "b": 2, "c": 0.1, "d": 100}, places=places, can_recall=can_recall)
    added: Counter[str] = Counter()
    wanted: dict[str, list[float]] = defaultdict(list)
    for name, seconds, then_end in steps:
        simulation.add(name, seconds)
        added[name] += 1
        wanted[name].append(seconds)
        if then_end and simulation.ends:
            simulation.end_next()
        assert simulation.most <= places + 1
        assert len(simulation.ends) >= min(places, added.total() - simulation.ended)
    while simulation.ends:
        simulation.end_next()
    assert Counter(names(simulation)) == added
    for name in added:
        assert [seconds for each, seconds in simulation.started if each == name] == wanted[name]
    assert simulation.queue._waiting == {}
    assert not any(simulation.queue.busy(name) for name in "abcd")


@given(
    st.integers(1, 3),
    st.lists(st.tuples(st.sampled_from("abc"), st.floats(0.01, 9), st.integers(0, 3)), min_size=1, max_size=60),
)
def test_work_that_is_recalled_runs_again_once_and_all_work_ends(
    places: int, steps: list[tuple[str, float, int]]
) -> None:
    simulation = Simulation({"a": 1, "b": 2, "c": 0.1}, places=places, can_recall=True)
    for name, seconds, ends in steps:
        simulation.add(name, seconds)
        simulation.recall()
        for _ in range(min(ends, len(simulation.ends))):
            simulation.end_next()
            simulation.recall()
    while simulation.ends:
        change = simulation.queue.next_change(simulation.now)
        if change is not None and change < simulation.ends[0][0]:
            simulation.wait(change - simulation.now)
        else:
            simulation.end_next()
        simulation.recall()
    assert simulation.ended == len(steps)
    assert simulation.most <= places + 1
    assert simulation.queue._waiting == {}
    assert max(Counter(map(id, simulation.put_back)).values(), default=0) <= 1


# ---------------------------------------------------------------------------------------- newcomers


def test_a_storage_that_begins_to_wait_is_served_next() -> None:
    simulation = Simulation({"a": 1, "b": 1, "c": 1}, places=2)
    simulation.add("a", 1.0, 100)
    for _ in range(50):
        simulation.end_next()
    simulation.add("b", 1.0, 2)  # the first one gets the express place
    assert names(simulation)[-1] == "b"
    simulation.add("c", 1.0)
    assert simulation.running() == {"a": 2, "b": 1}
    while names(simulation)[-1] == "b":
        simulation.end_next()
    assert names(simulation)[-1] == "c"


def test_a_storage_that_was_idle_has_no_credit() -> None:
    simulation = Simulation({"a": 1, "b": 1}, places=1)
    simulation.add("b", 1.0)
    simulation.add("a", 1.0, 1000)
    for _ in range(500):
        simulation.end_next()
    simulation.add("b", 1.0, 500)
    simulation.held.clear()
    for _ in range(100):
        simulation.end_next()
    assert abs(simulation.held["a"] - simulation.held["b"]) <= 2


def test_a_storage_that_was_idle_starts_with_those_that_wait_and_not_with_one_that_needs_little() -> None:
    simulation = Simulation({"a": 1, "b": 1, "little": 100}, places=2)
    simulation.add("little", 10_000.0)
    simulation.add("a", 1.0, 1000)
    for _ in range(500):
        simulation.end_next()
    simulation.add("b", 1.0, 500)
    simulation.held.clear()
    for _ in range(100):
        simulation.end_next()
    assert abs(simulation.held["a"] - simulation.held["b"]) <= 3


def test_a_storage_that_was_idle_starts_with_what_runs_where_nothing_waits() -> None:
    simulation = Simulation({"a": 1, "b": 1}, places=1)
    simulation.add("a", 100.5)
    simulation.wait(50)
    simulation.add("b", 1.0, 500)
    simulation.add("a", 1.0, 500)
    while simulation.end_next() == "b":
        pass
    simulation.held.clear()
    for _ in range(100):
        simulation.end_next()
    assert abs(simulation.held["a"] - simulation.held["b"]) <= 3


def test_a_storage_that_always_has_one_render_saves_up_no_credit() -> None:
    simulation = Simulation({"a": 1, "b": 1}, places=4)
    simulation.add("a", 1.0, 5000)
    simulation.add("b", 1.0)
    for _ in range(2000):
        if simulation.end_next() == "b":
            simulation.add("b", 1.0)
    simulation.add("b", 1.0, 1000)
    simulation.held.clear()
    for _ in range(200):
        simulation.end_next()
    assert simulation.held["a"] == pytest.approx(100, abs=6)


@pytest.mark.parametrize("order", ["ab", "ba"])
def test_what_one_storage_used_alone_does_not_count_against_it_later(order: str) -> None:
    simulation = Simulation({"a": 1, "b": 1}, places=1)
    simulation.add("a", 1.0, 50)
    while simulation.ends:
        simulation.end_next()
    simulation.now += 5
    for name in order:
        simulation.add(name, 1.0, 100)
    simulation.held.clear()
    for _ in range(40):
        simulation.end_next()
    assert abs(simulation.held["a"] - simulation.held["b"]) <= 2


def test_the_state_is_that_of_the_storages_whatever_they_asked() -> None:
    simulation = Simulation({"a": 1, "b": 1}, places=2)
    for _ in range(200):
        simulation.add("a", 0.1)
        simulation.add("b", 0.1)
        simulation.end_next()
        simulation.end_next()
    queue = simulation.queue
    assert len(queue._flows) == 2
    assert (queue._running, queue._waiting, queue._express) == ({}, {}, None)


# ------------------------------------------------------------------------------------ express place


def test_a_storage_without_a_render_takes_the_express_place_at_once() -> None:
    simulation = Simulation({"a": 1, "b": 1}, places=3)
    simulation.add("a", 60.0, 100)
    assert simulation.running() == {"a": 3}
    simulation.add("b", 0.1, 5)
    assert simulation.running() == {"a": 3, "b": 1}
    for _ in range(4):
        assert simulation.end_next() == "b"
        assert simulation.running() == {"a": 3, "b": 1}


def test_storages_without_a_render_take_the_express_place_one_after_another() -> None:
    queue: FairQueue[str] = FairQueue(dict.fromkeys("abcd", 1.0), places=1, queue_length=9, can_recall=False)
    queue.add("a", "a", 0.0)
    (running,) = queue.add("b", "b", 0.0)
    for name in "cd":
        assert queue.add(name, name, 0.0) == []
    for name in "cd":
        (running,) = queue.end(running, 0.0)
        assert running.work == name


def test_the_express_place_is_a_usual_one_as_soon_as_another_is_free() -> None:
    simulation = Simulation({"a": 1, "b": 1, "c": 1}, places=2)
    simulation.add("a", 1.0, 2)
    simulation.add("b", 9.0)
    assert simulation.running() == {"a": 2, "b": 1}
    assert simulation.end_next() == "a"
    simulation.add("c", 1.0)
    assert simulation.running() == {"a": 1, "b": 1, "c": 1}


def test_a_storage_that_has_had_more_than_its_share_waits_for_old_renders_only() -> None:
    simulation = Simulation({"a": 100, "b": 0.1}, places=1)
    simulation.add("a", 60.0, 3)
    simulation.add("b", 0.5, 3)
    assert simulation.end_next() == "b"
    assert simulation.running() == {"a": 1}  # young: the share of `b` is used up
    assert simulation.queue.next_change(simulation.now) == pytest.approx(1000 + OLD_SECONDS)
    simulation.wait(OLD_SECONDS - 0.5)
    assert simulation.running() == {"a": 1, "b": 1}
    assert simulation.end_next() == "b"
    assert simulation.running() == {"a": 1, "b": 1}


@pytest.mark.parametrize(
    ("weights", "can_recall", "lent"),
    [({"a": 1}, False, 1), ({"a": 1, "b": 1}, False, 0), ({"a": 1, "b": 1}, True, 1)],
)
def test_more_of_the_same_storage_runs_beside_old_renders_where_that_harms_no_other(
    weights: dict[str, float], can_recall: bool, lent: int
) -> None:
    simulation = Simulation(weights, places=2, can_recall=can_recall)
    simulation.add("a", 60.0)
    simulation.now += 1
    simulation.add("a", 60.0, 5)
    simulation.wait(OLD_SECONDS - 0.5)
    assert simulation.running() == {"a": 2}  # one is old, one is young
    simulation.wait(0.5)
    assert simulation.running() == {"a": 2 + lent}
    simulation.wait(10)
    assert simulation.running() == {"a": 2 + lent}


# ------------------------------------------------------------------------------------------ recalls


def lent(places: int = 2) -> tuple[FairQueue[str], Running[str]]:
    """All places with old renders of `a`, and one more render of `a` in the express place since 1002.0."""
    queue: FairQueue[str] = FairQueue({"a": 1, "b": 1}, places=places, queue_length=9, can_recall=True)
    for work in (*(f"old {number}" for number in range(places)), "lent", "last"):
        queue.add("a", work, 1000.0)
    (holder,) = queue.start_next(1000.0 + OLD_SECONDS)
    assert holder.work == "lent"
    return queue, holder


@pytest.mark.parametrize("places", [1, 2, 3])
def test_a_place_that_was_lent_is_recalled_as_soon_as_another_storage_waits(places: int) -> None:
    queue, holder = lent(places)
    assert queue.recall(1002.1) is None
    assert queue.add("b", "quick", 1002.2) == []
    assert queue.recall(1002.2) is holder
    assert queue.next_change(1002.3) == 1002.0 + OLD_SECONDS
    holder.recalled = True
    assert queue.recall(1002.3) is None
    assert queue.next_change(1002.3) is None
    assert [each.work for each in queue.put_back(holder, 1002.3)] == ["quick"]


def test_a_place_that_a_storage_without_a_render_took_is_recalled_only_when_it_is_old() -> None:
    queue: FairQueue[str] = FairQueue({"a": 1, "b": 1, "c": 1}, places=1, queue_length=9, can_recall=True)
    queue.add("a", "slow", 0.0)
    (express,) = queue.add("b", "express", 0.1)
    queue.add("c", "quick", 0.2)
    assert queue.recall(1.0) is None
    assert queue.recall(0.1 + OLD_SECONDS) is express


def test_old_work_in_the_express_place_is_recalled_for_any_other_once() -> None:
    queue, holder = lent()
    assert queue.next_change(1002.5) == 1002.0 + OLD_SECONDS
    assert queue.recall(1002.0 + OLD_SECONDS - 0.1) is None
    assert queue.recall(1002.0 + OLD_SECONDS) is holder
    (last,) = queue.put_back(holder, 1004.1)
    assert last.work == "last"
    assert queue.recall(1010.0) is None  # all that waits is known to be slow
    assert queue.end(last, 1010.0) == []


def test_work_that_was_put_back_is_the_first_of_its_storage_for_a_usual_place() -> None:
    queue, holder = lent()
    queue.add("a", "very last", 1002.1)
    (last,) = queue.put_back(holder, 1004.1)
    queue.end(last, 1004.2)
    old, other, _ = queue._running
    assert queue.end(old, 1005.0) == []
    assert [each.work for each in queue.end(other, 1006.0)] == ["lent"]


def test_time_alone_changes_nothing_for_a_storage_that_is_not_lent_a_place() -> None:
    queue: FairQueue[str] = FairQueue({"a": 1, "b": 1}, places=1, queue_length=9, can_recall=False)
    queue.add("a", "slow", 0.0)
    assert queue.next_change(0.0) is None
    queue.add("a", "waits", 0.0)
    assert queue.next_change(0.0) is None
    assert queue.start_next(100.0) == []


def test_work_that_was_put_back_waits_also_where_no_other_of_its_storage_does() -> None:
    queue: FairQueue[str] = FairQueue({"a": 1, "b": 1}, places=1, queue_length=9, can_recall=True)
    (old,) = queue.add("a", "old", 0.0)
    queue.add("a", "lent", 0.0)
    (holder,) = queue.start_next(OLD_SECONDS)
    queue.add("b", "quick", 3.0)
    (quick,) = queue.put_back(holder, 3.0)
    assert queue.end(old, 4.0) == []
    assert not queue.full("a", 4.0)
    assert [each.work for each in queue.end(quick, 5.0)] == ["lent"]


def test_nothing_is_recalled_where_work_cannot_be_ended() -> None:
    queue: FairQueue[str] = FairQueue({"a": 1, "b": 1, "c": 1}, places=1, queue_length=9, can_recall=False)
    queue.add("a", "slow", 0.0)
    queue.add("b", "slow too", 0.0)
    queue.add("c", "quick", 0.0)
    assert queue.recall(100.0) is None
    assert queue.next_change(0.0) is None


def test_cleared_queues_start_nothing() -> None:
    queue, holder = lent()
    queue.put_back(holder, 1002.1)
    queue.clear()
    for running in list(queue._running):
        assert queue.busy("a")
        assert queue.end(running, 1003.0) == []
    assert not queue.busy("a")
    assert queue.add("a", "next", 1004.0)[0].work == "next"
