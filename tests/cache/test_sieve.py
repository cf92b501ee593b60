"""The memory store keeps its caps, its clock and its groups, and first evicts what was read once."""

import random
import sys
import threading

import hypothesis.strategies as st
import pytest
from hypothesis import settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from bench.caches import hit_ratios, zipf_with_scans
from tests.support.clock import Clock
from tests.support.strategies import examples
from thumbs.cache.sieve import ENTRY_BYTES, GROUP_BYTES, Sieve


@pytest.fixture
def sieve(clock: Clock) -> Sieve:
    return Sieve(max_bytes=1_000_000, max_items=100, clock=clock)


def fill(sieve: Sieve, keys: str, *, size: int = 0) -> None:
    for key in keys:
        sieve.set(key, key, size=size, expires=None)


# -------------------------------------------------------------------------------------- one entry


def test_a_value_is_shared_not_copied(sieve: Sieve) -> None:
    value = b"picture" * 100
    assert sieve.set("g/n", value, size=len(value), expires=None)
    assert sieve.get("g/n") is value


def test_a_default_distinguishes_none_from_a_miss(sieve: Sieve) -> None:
    missing = object()
    sieve.set("a", None, size=0, expires=None)
    assert sieve.get("a", missing) is None
    assert sieve.get("b", missing) is missing


def test_an_entry_past_its_time_is_a_miss_and_gone(sieve: Sieve, clock: Clock) -> None:
    sieve.set("a", 1, size=10, expires=clock.now + 5)
    clock.now += 4.9
    assert sieve.get("a") == 1
    clock.now += 0.1
    assert sieve.get("a") is None
    assert (len(sieve), sieve.bytes) == (0, 0)


def test_an_entry_whose_time_is_over_already_is_not_kept_and_replaces_the_old(sieve: Sieve, clock: Clock) -> None:
    sieve.set("a", 1, size=0, expires=None)
    assert sieve.set("a", 2, size=0, expires=clock.now)
    assert sieve.get("a") is None
    assert len(sieve) == 0


def test_add_stores_only_where_there_is_nothing_fresh(sieve: Sieve, clock: Clock) -> None:
    assert sieve.add("a", 1, size=0, expires=clock.now + 5)
    assert not sieve.add("a", 2, size=0, expires=None)
    assert sieve.get("a") == 1
    clock.now += 6
    assert sieve.add("a", 3, size=0, expires=None)
    assert sieve.get("a") == 3


def test_touch_gives_a_fresh_entry_a_new_time(sieve: Sieve, clock: Clock) -> None:
    sieve.set("a", 1, size=0, expires=clock.now + 5)
    assert sieve.touch("a", clock.now + 50)
    clock.now += 49
    assert sieve.get("a") == 1
    clock.now += 1
    assert sieve.get("a") is None
    sieve.set("a", 1, size=0, expires=clock.now + 5)
    assert sieve.touch("a", None)
    clock.now += 10**9
    assert sieve.get("a") == 1
    assert not sieve.touch("b", None)


def test_touch_does_not_raise_the_dead(sieve: Sieve, clock: Clock) -> None:
    sieve.set("a", 1, size=0, expires=clock.now + 5)
    clock.now += 5
    assert not sieve.touch("a", None)
    assert sieve.get("a") is None


def test_swap_needs_the_very_object_and_keeps_the_time(sieve: Sieve, clock: Clock) -> None:
    old, twin = [1], [1]
    sieve.set("a", old, size=0, expires=clock.now + 5)
    assert not sieve.swap("a", twin, 2, size=0)
    assert sieve.swap("a", old, 2, size=0)
    assert sieve.get("a") == 2
    assert not sieve.swap("b", None, 2, size=0)
    clock.now += 5
    assert sieve.get("a") is None


# ------------------------------------------------------------------------------------------- caps


def test_the_bytes_of_key_and_overhead_count(sieve: Sieve) -> None:
    sieve.set("key", b"", size=1000, expires=None)
    assert sieve.bytes == 1000 + ENTRY_BYTES + sys.getsizeof("key")
    sieve.set("g/key", b"", size=0, expires=None)
    assert sieve.bytes == 1000 + 2 * ENTRY_BYTES + GROUP_BYTES + sys.getsizeof("key") + sys.getsizeof("g/key")


def test_what_is_larger_than_the_cap_is_refused_and_leaves_nothing(clock: Clock) -> None:
    sieve = Sieve(max_bytes=10_000, max_items=10, clock=clock)
    sieve.set("other", 1, size=1000, expires=None)
    sieve.set("a", "old", size=10, expires=None)
    assert not sieve.set("a", "new", size=10_000, expires=None)
    assert sieve.get("a") is None
    assert sieve.get("other") == 1


def test_replacing_an_entry_counts_it_once(sieve: Sieve) -> None:
    for size in (10, 5000, 20):
        sieve.set("a", b"", size=size, expires=None)
    assert len(sieve) == 1
    assert sieve.bytes == 20 + ENTRY_BYTES + sys.getsizeof("a")


def test_the_item_cap_holds_and_the_oldest_unvisited_goes(clock: Clock) -> None:
    sieve = Sieve(max_bytes=1_000_000, max_items=3, clock=clock)
    fill(sieve, "abc")
    sieve.get("a")
    fill(sieve, "d")
    assert [key for key in "abcd" if sieve.get(key)] == ["a", "c", "d"]


def test_the_hand_goes_on_where_it_stopped(clock: Clock) -> None:
    # The example of the paper's figure 4 in small: bits are cleared only up to the victim.
    sieve = Sieve(max_bytes=1_000_000, max_items=4, clock=clock)
    fill(sieve, "abcd")
    sieve.get("a")
    sieve.get("c")
    fill(sieve, "e")  # passes a and clears its bit, removes b, rests before c
    fill(sieve, "f")  # passes c and clears its bit, removes d
    fill(sieve, "g")  # removes e: the hand has not come back to a
    assert [key for key in "abcdefg" if sieve.get(key)] == ["a", "c", "f", "g"]


def test_an_expired_entry_goes_before_a_fresh_one_however_well_used(clock: Clock) -> None:
    sieve = Sieve(max_bytes=1_000_000, max_items=2, clock=clock)
    sieve.set("old", 1, size=0, expires=clock.now + 5)
    sieve.get("old")
    sieve.set("new", 1, size=0, expires=None)
    clock.now += 10
    sieve.set("newer", 1, size=0, expires=None)
    assert sieve.get("new") == 1
    assert sieve.get("newer") == 1


def test_a_clock_set_back_keeps_nothing_for_ever(sieve: Sieve, clock: Clock) -> None:
    ten_years = 10 * 365 * 86400.0
    clock.now += ten_years
    sieve.set("a", 1, size=0, expires=clock.now + 300)
    clock.now -= ten_years
    sieve.set("b", 1, size=0, expires=clock.now + 300)
    assert sieve.get("a") is None
    assert sieve.get("b") == 1


# ----------------------------------------------------------------------------------------- groups


def test_a_group_goes_whole_and_alone(sieve: Sieve) -> None:
    for key in ("g", "g/1", "g/2", "g/2/3", "gg/1", "h/g/1", "h"):
        sieve.set(key, key, size=0, expires=None)
    assert sieve.delete_group("g") == 4
    assert [key for key in ("g", "g/1", "g/2", "g/2/3") if sieve.get(key)] == []
    assert [sieve.get(key) for key in ("gg/1", "h/g/1", "h")] == ["gg/1", "h/g/1", "h"]
    assert sieve.delete_group("g") == 0


def test_deleting_says_what_was_there(sieve: Sieve) -> None:
    fill(sieve, "ab")
    assert sieve.delete("a")
    assert not sieve.delete("a")
    assert sieve.clear() == 1
    assert (len(sieve), sieve.bytes) == (0, 0)


# ------------------------------------------------------------------------------- against a model

KEYS = st.sampled_from([f"g{group}/{name}" for group in range(3) for name in range(3)] + ["a", "b", "g0"])
TIMES = st.one_of(st.none(), st.integers(-2, 20))
MISSING = object()


class SieveModel(RuleBasedStateMachine):
    """A roomy sieve is a dictionary with times; a tight one is a part of that dictionary under its caps."""

    @initialize(roomy=st.booleans())
    def begin(self, roomy: bool) -> None:
        self.clock = Clock()
        self.roomy = roomy
        self.caps = (1_000_000, 1000) if roomy else (4000, 5)
        self.sieve = Sieve(max_bytes=self.caps[0], max_items=self.caps[1], clock=self.clock)
        self.model: dict[str, tuple[object, float]] = {}

    def expires(self, seconds: int | None) -> float | None:
        return None if seconds is None else self.clock.now + seconds

    def remember(self, key: str, value: object, seconds: int | None) -> None:
        self.model[key] = (value, float("inf") if seconds is None else self.clock.now + seconds)

    def live(self, key: str) -> object:
        value, expires = self.model.get(key, (MISSING, 0.0))
        return value if expires > self.clock.now else MISSING

    @rule(key=KEYS, value=st.integers(), size=st.integers(0, 6000), seconds=TIMES)
    def set(self, key: str, value: int, size: int, seconds: int | None) -> None:
        if self.sieve.set(key, value, size=size, expires=self.expires(seconds)):
            self.remember(key, value, seconds)
        else:
            assert size + ENTRY_BYTES + GROUP_BYTES + sys.getsizeof(key) > self.caps[0]
            self.model.pop(key, None)

    @rule(key=KEYS, value=st.integers(), seconds=TIMES)
    def add(self, key: str, value: int, seconds: int | None) -> None:
        held = self.sieve.get(key, MISSING)
        assert self.sieve.add(key, value, size=0, expires=self.expires(seconds)) == (held is MISSING)
        if held is MISSING:
            self.remember(key, value, seconds)

    @rule(key=KEYS, seconds=TIMES)
    def touch(self, key: str, seconds: int | None) -> None:
        held = self.sieve.get(key, MISSING)
        assert self.sieve.touch(key, self.expires(seconds)) == (held is not MISSING)
        if held is not MISSING:
            self.remember(key, held, seconds)

    @rule(key=KEYS)
    def get(self, key: str) -> None:
        held, expected = self.sieve.get(key, MISSING), self.live(key)
        assert held == expected or (held is MISSING and not self.roomy)

    @rule(key=KEYS)
    def delete(self, key: str) -> None:
        self.sieve.delete(key)
        self.model.pop(key, None)

    @rule(group=st.sampled_from(["g0", "g1", "g2", "a"]))
    def delete_group(self, group: str) -> None:
        before = len(self.sieve)
        removed = self.sieve.delete_group(group)
        assert before - len(self.sieve) == removed
        for key in [key for key in self.model if key.split("/")[0] == group]:
            del self.model[key]

    @rule(seconds=st.integers(0, 10))
    def wait(self, seconds: int) -> None:
        self.clock.now += seconds

    @rule()
    def read_all(self) -> None:
        """Reading an expired entry removes it."""
        for key in list(self.model):
            self.sieve.get(key)
        if self.roomy:
            assert len(self.sieve) == sum(self.live(key) is not MISSING for key in self.model)

    @rule()
    def clear(self) -> None:
        self.sieve.clear()
        self.model.clear()

    @invariant()
    def caps_hold(self) -> None:
        assert self.sieve.bytes <= self.caps[0]
        assert len(self.sieve) <= self.caps[1]

    @invariant()
    def the_queue_the_index_and_the_bytes_agree(self) -> None:
        queue, older, entry = [], None, self.sieve._oldest
        while entry is not None:
            assert entry.older is older
            queue.append(entry)
            older, entry = entry, entry.newer
        assert self.sieve._newest is older
        assert self.sieve._hand is None or self.sieve._hand in queue
        assert {entry.key: entry for entry in queue} == self.sieve._entries
        assert sum(entry.size for entry in queue) == self.sieve.bytes
        grouped = sorted(key for keys in self.sieve._groups.values() for key in keys)
        assert grouped == sorted(key for key in self.sieve._entries if "/" in key)
        assert all(self.sieve._groups.values())


SieveModel.TestCase.settings = settings(max_examples=examples(40), stateful_step_count=40, deadline=None)
TestSieveAgainstAModel = SieveModel.TestCase


# ------------------------------------------------------------------------------------- many threads


def test_threads_that_read_write_and_purge_leave_it_whole() -> None:
    sieve = Sieve(max_bytes=60_000, max_items=50)
    wrong: list[object] = []

    def work(seed: int) -> None:
        chance = random.Random(seed)
        try:
            for _ in range(4000):
                key = f"g{chance.randrange(10)}/{chance.randrange(20)}"
                match chance.randrange(12):
                    case 0 | 1 | 2:
                        sieve.set(key, key, size=chance.randrange(4000), expires=None)
                    case 3:
                        sieve.delete_group(key.split("/", maxsplit=1)[0])
                    case 4:
                        sieve.add(key, key, size=100, expires=None)
                    case _:
                        if sieve.get(key) not in {None, key}:
                            wrong.append(key)
        except Exception as error:
            wrong.append(error)

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
    assert sieve.bytes == sum(entry.size for entry in sieve._entries.values()) <= 60_000
    removed = sum(sieve.delete_group(f"g{number}") for number in range(10))
    assert (len(sieve), sieve.bytes) == (0, 0)
    assert removed <= 50


def test_one_of_many_threads_adds() -> None:
    sieve = Sieve(max_bytes=1_000_000, max_items=1000)
    barrier = threading.Barrier(8)
    won: list[int] = []

    def work(number: int) -> None:
        barrier.wait()
        won.extend(key for key in range(100) if sieve.add(str(key), number, size=0, expires=None))

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(won) == list(range(100))


# --------------------------------------------------------------------------------------- hit ratio


@pytest.mark.parametrize("skew", [0.7, 1.0])
def test_hits_are_at_least_those_of_lru_at_equal_bytes(skew: float) -> None:
    trace = zipf_with_scans(60_000, pictures=20_000, skew=skew, seed=1)
    for share in (0.02, 0.1):
        sieve, lru = hit_ratios(trace, max_bytes=int(share * 20_000 * 32_000))
        print(  # noqa: T201 - figures to read with `pytest -s`
            f"Zipf {skew}, cache {share:.0%} of the pictures: SIEVE {sieve:.1%}, LRU {lru:.1%}"
        )
        assert sieve >= lru
