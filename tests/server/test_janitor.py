"""The janitor sweeps every store, more often when there is much to do; of several janitors only one works."""

import logging
import os
import threading
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.support.clock import Clock
from thumbs.cache.filestore.store import FileStore
from thumbs.server import janitor as janitor_module
from thumbs.server.janitor import Janitor


class Rounds(threading.Event):
    """Replaces the wait between sweeps: records each pause, runs its action, and ends after a number of them."""

    def __init__(self, count: int, between: Callable[[int], object] = lambda _: None) -> None:
        super().__init__()
        self.pauses: list[float | None] = []
        self._count = count
        self._between = between

    def wait(self, timeout: float | None = None) -> bool:
        self.pauses.append(timeout)
        self._between(len(self.pauses))
        if len(self.pauses) == self._count:
            self.set()
        return self.is_set()


def filled(directory: Path, clock: Clock, *, expired: int = 0, fresh: int = 0) -> FileStore:
    store = FileStore(directory, max_bytes=None, clock=clock)
    fill(store, clock, expired=expired, fresh=fresh)
    return store


def fill(store: FileStore, clock: Clock, *, expired: int = 0, fresh: int = 0) -> None:
    """Entries that will have expired in a second, and others that stay."""
    for number in range(expired):
        store.set(f"old/{number}", b"x", expires=clock.now + 1)
    for number in range(fresh):
        store.set(f"new/{number}", b"x", expires=clock.now + 100_000)
    clock.now += 1


def descriptors() -> int:
    return len(os.listdir("/proc/self/fd"))  # noqa: PTH208 - counting, not walking


# -------------------------------------------------------------------------------------- one sweep


def test_once_sweeps_every_store_and_says_what_it_did(tmp_path: Path, clock: Clock) -> None:
    stores = {name: filled(tmp_path / name, clock, expired=3, fresh=2) for name in ("one", "two")}
    lines: list[str] = []
    assert Janitor(stores, report=lines.append).once()
    assert [store.usage().entries for store in stores.values()] == [2, 2]
    assert [line.partition(":")[0] for line in lines] == ["one", "two"]
    assert "2 entries" in lines[0]
    assert "removed 3 expired, 0 over the cap, 0 orphans" in lines[0]


def test_a_dry_run_removes_nothing(tmp_path: Path, clock: Clock) -> None:
    store = filled(tmp_path / "cache", clock, expired=3, fresh=2)
    lines: list[str] = []
    assert Janitor({"photos": store}, dry_run=True, report=lines.append).once()
    assert store.usage().entries == 5
    assert "would remove 3 expired" in lines[0]


def test_a_store_that_cannot_be_swept_is_logged_and_the_others_are_swept(
    tmp_path: Path, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "foreign").mkdir()
    (tmp_path / "foreign" / "holiday.jpg").touch()
    (tmp_path / "file").touch()
    stores = {
        "foreign": FileStore(tmp_path / "foreign", max_bytes=None, clock=clock),
        "file": FileStore(tmp_path / "file", max_bytes=None, clock=clock),
        "good": filled(tmp_path / "good", clock, expired=3),
    }
    with caplog.at_level(logging.WARNING, "thumbs.janitor"):
        assert not Janitor(stores).once()
    assert stores["good"].usage().entries == 0
    assert [record.getMessage().partition(" cannot")[0] for record in caplog.records] == [
        "the cache of storage foreign",
        "the cache of storage file",
    ]
    assert (tmp_path / "foreign" / "holiday.jpg").exists()


def test_the_lock_is_given_back_after_one_sweep(tmp_path: Path, clock: Clock) -> None:
    store = filled(tmp_path / "cache", clock)
    Janitor({"photos": store}).once()
    with store.try_lock_janitor() as alone:
        assert alone


# ------------------------------------------------------------------------------------- the rhythm


def test_it_backs_off_when_there_is_nothing_to_do(tmp_path: Path, clock: Clock) -> None:
    rounds = Rounds(12)
    Janitor({"photos": filled(tmp_path / "cache", clock, fresh=2)}, interval=30).run(rounds)
    assert rounds.pauses[:3] == [45, 67.5, 101.25]
    assert rounds.pauses[-1] == 300


def test_it_comes_back_to_its_interval_when_there_is_something_to_do(tmp_path: Path, clock: Clock) -> None:
    store = filled(tmp_path / "cache", clock)
    rounds = Rounds(6, lambda number: fill(store, clock, expired=2) if number == 4 else None)
    Janitor({"photos": store}, interval=30).run(rounds)
    assert rounds.pauses[3] == 30 * 1.5**4
    assert rounds.pauses[4:] == [30, 45]


def test_it_sweeps_more_often_when_there_is_much_to_do(
    tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(janitor_module, "_BUSY_REMOVALS", 5)
    store = filled(tmp_path / "cache", clock, expired=5)
    rounds = Rounds(8, lambda _: fill(store, clock, expired=5))
    Janitor({"photos": store}, interval=30).run(rounds)
    assert rounds.pauses == [15, 7.5, 3.75, 2, 2, 2, 2, 2]


def test_it_does_not_begin_when_it_is_to_stop(tmp_path: Path, clock: Clock) -> None:
    store = filled(tmp_path / "cache", clock, expired=3)
    stop = threading.Event()
    stop.set()
    Janitor({"photos": store}).run(stop)
    assert store.usage().entries == 3


def test_a_store_that_fails_is_tried_again(tmp_path: Path, clock: Clock, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "cache").touch()
    store = FileStore(tmp_path / "cache", max_bytes=None, clock=clock)

    def repair(number: int) -> None:
        if number == 2:
            (tmp_path / "cache").unlink()
            fill(store, clock, expired=3, fresh=1)

    with caplog.at_level(logging.WARNING, "thumbs.janitor"):
        Janitor({"photos": store}).run(Rounds(3, repair))
    assert len(caplog.records) == 2
    assert store.usage().entries == 1


# -------------------------------------------------------------------------------- several janitors


def test_one_that_has_to_wait_says_so_once_and_sweeps_nothing(tmp_path: Path, clock: Clock) -> None:
    store = filled(tmp_path / "cache", clock, expired=3)
    lines: list[str] = []
    rounds = Rounds(5)
    with store.try_lock_janitor():
        Janitor({"photos": store}, interval=30, report=lines.append).run(rounds)
        assert Janitor({"photos": store}).once()
    assert store.usage().entries == 3
    assert lines == ["photos: another janitor works here; this one waits"]
    assert rounds.pauses == [30] * 5


def test_one_that_waits_takes_over_when_the_other_ends(tmp_path: Path, clock: Clock) -> None:
    store = filled(tmp_path / "cache", clock, expired=3, fresh=1)
    lines: list[str] = []
    with ExitStack() as other:
        assert other.enter_context(store.try_lock_janitor())
        Janitor({"photos": store}, report=lines.append).run(
            Rounds(4, lambda number: other.close() if number == 2 else None)
        )
    assert store.usage().entries == 1
    assert [line.partition("; ")[2][:17] for line in lines] == [
        "this one waits",
        "removed 3 expired",
        "removed 0 expired",
    ]


def test_one_that_waits_for_long_holds_no_more_files_open(tmp_path: Path, clock: Clock) -> None:
    store = filled(tmp_path / "cache", clock)
    counts: list[int] = []
    with store.try_lock_janitor():
        Janitor({"photos": store}).run(Rounds(50, lambda _: counts.append(descriptors())))
    assert len(set(counts)) == 1


def test_while_one_works_no_other_does_until_it_ends(tmp_path: Path, clock: Clock) -> None:
    store = filled(tmp_path / "cache", clock)
    alone: list[bool] = []

    def try_to(_: int) -> None:
        with store.try_lock_janitor() as got:
            alone.append(got)

    Janitor({"photos": store}).run(Rounds(3, try_to))
    try_to(0)
    assert alone == [False, False, False, True]
