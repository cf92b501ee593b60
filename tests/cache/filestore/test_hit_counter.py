"""Hits and stores reach the ledger once a second at most, and none is lost where it cannot be written."""

from collections.abc import Callable
from typing import cast

import pytest

from thumbs.cache.filestore import hit_counter
from thumbs.cache.filestore.hit_counter import HitCounter, uncounted
from thumbs.cache.filestore.ledger import Ledger
from thumbs.cache.filestore.stats import Stats


class FakeLedger:
    """Keeps statistics; `meanwhile` happens within a write, as another thread counts then."""

    def __init__(self) -> None:
        self.stats = Stats()
        self.writes = 0
        self.error: OSError | None = None
        self.meanwhile: Callable[[], object] = lambda: None

    def update_stats(self, change: Callable[[Stats], Stats]) -> None:
        self.meanwhile()
        if self.error is not None:
            raise self.error
        self.writes += 1
        self.stats = change(self.stats)


class Time:
    now = 100.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def time(monkeypatch: pytest.MonkeyPatch) -> Time:
    fake = Time()
    monkeypatch.setattr(hit_counter, "time", fake)
    return fake


@pytest.fixture
def ledger() -> FakeLedger:
    return FakeLedger()


@pytest.fixture
def counter(ledger: FakeLedger, time: Time) -> HitCounter:
    return HitCounter(cast(Ledger, ledger))


def count(counter: HitCounter, *, hits: int = 0, stores: int = 0) -> None:
    counter.hits += hits
    counter.stores += stores
    counter.flush()


def test_counts_are_written_once_a_second(counter: HitCounter, ledger: FakeLedger, time: Time) -> None:
    count(counter, hits=1)
    assert (ledger.stats.hits, ledger.writes) == (1, 1)
    for _ in range(10):
        count(counter, hits=2, stores=1)
    assert (ledger.stats.hits, ledger.writes) == (1, 1)
    time.now += 0.99
    counter.flush()
    assert ledger.writes == 1
    time.now += 0.01
    counter.flush()
    assert (ledger.stats.hits, ledger.stats.stores, ledger.writes) == (21, 10, 2)
    assert (counter.hits, counter.stores) == (0, 0)


def test_nothing_is_written_where_nothing_was_counted(counter: HitCounter, ledger: FakeLedger, time: Time) -> None:
    counter.flush()
    time.now += 5
    counter.flush()
    assert ledger.writes == 0
    count(counter, stores=1)  # at once: no second has begun
    assert ledger.stats.stores == 1


def test_counts_are_kept_where_the_ledger_cannot_be_written(
    counter: HitCounter, ledger: FakeLedger, time: Time
) -> None:
    ledger.error = OSError(28, "No space left on device")
    count(counter, hits=3, stores=2)
    assert (counter.hits, counter.stores) == (3, 2)
    ledger.error = None
    time.now += 1
    count(counter, hits=1)
    assert (ledger.stats.hits, ledger.stats.stores) == (4, 2)


def test_what_another_thread_counts_within_a_write_is_written_by_the_next(
    counter: HitCounter, ledger: FakeLedger, time: Time
) -> None:
    def meanwhile() -> None:
        counter.hits += 5
        counter.stores += 7

    ledger.meanwhile = meanwhile
    count(counter, hits=1)
    assert (ledger.stats.hits, ledger.stats.stores) == (1, 0)
    assert (counter.hits, counter.stores) == (5, 7)
    ledger.meanwhile = lambda: None
    time.now += 1
    counter.flush()
    assert (ledger.stats.hits, ledger.stats.stores) == (6, 7)


def test_what_is_uncounted_is_never_written(counter: HitCounter, ledger: FakeLedger, time: Time) -> None:
    with uncounted():
        count(counter, hits=9, stores=9)
        assert (counter.hits, counter.stores) == (0, 0)
    time.now += 1
    count(counter, hits=1)
    assert (ledger.stats.hits, ledger.stats.stores) == (1, 0)
    with pytest.raises(KeyError), uncounted():
        raise KeyError
    assert not HitCounter.silent
