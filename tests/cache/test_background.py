"""Writes in the background: in order, bounded, and gone with their layer."""

import threading
from collections.abc import Iterator

import pytest

from tests.support.waiting import WAIT_SECONDS, eventually
from thumbs.cache import background
from thumbs.cache.background import BackgroundWrites


@pytest.fixture
def writes() -> Iterator[BackgroundWrites]:
    made = BackgroundWrites()
    yield made
    made.close()


def test_writes_of_one_key_are_made_in_order(writes: BackgroundWrites) -> None:
    made: list[int] = []
    for number in range(200):
        writes.submit("key", lambda number=number: made.append(number), size=1)  # type: ignore[misc]
    assert writes.flush(WAIT_SECONDS)
    assert made == list(range(200))


def test_a_caller_does_not_wait_for_a_write(writes: BackgroundWrites) -> None:
    over = threading.Event()
    writes.submit("key", over.wait, size=1)
    assert not writes.flush(0.01)
    over.set()
    assert writes.flush(WAIT_SECONDS)


@pytest.mark.parametrize(("limit", "value"), [("_MAX_WRITES", 3), ("_MAX_BYTES", 30)])
def test_what_would_wait_over_the_limit_is_dropped(
    writes: BackgroundWrites, monkeypatch: pytest.MonkeyPatch, limit: str, value: int
) -> None:
    monkeypatch.setattr(background, limit, value)
    over, made = threading.Event(), list[str]()
    writes.submit("key", over.wait, size=10)
    for name in ("one", "two", "three"):
        writes.submit("key", lambda name=name: made.append(name), size=10)  # type: ignore[misc]
    writes.submit("key", lambda: made.append("must"), size=0)
    over.set()
    assert writes.flush(WAIT_SECONDS)
    assert made == ["one", "two", "must"]
    writes.submit("key", lambda: made.append("later"), size=10)
    assert writes.flush(WAIT_SECONDS)
    assert made[-1] == "later"


def test_a_close_drops_what_waits_but_for_what_must_be_done(writes: BackgroundWrites) -> None:
    over, made = threading.Event(), list[str]()
    writes.submit("key", over.wait, size=10)
    for size in (1, 10):
        writes.submit("key", lambda: made.append("may be dropped"), size=size)
    writes.submit("key", lambda: made.append("must"), size=0)
    writes.close()
    over.set()
    assert writes.flush(WAIT_SECONDS)
    assert made == ["must"]


def test_threads_end_when_there_is_nothing_to_write(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(background, "_IDLE_SECONDS", 0.01)
    before = set(threading.enumerate())
    writes, made = BackgroundWrites(), list[int]()
    for number in range(20):
        writes.submit(f"{number}", lambda number=number: made.append(number), size=1)  # type: ignore[misc]
    assert writes.flush(WAIT_SECONDS)
    eventually(lambda: not any(each.name == "mage-writes" for each in set(threading.enumerate()) - before))
    writes.submit("again", lambda: made.append(20), size=1)
    assert writes.flush(WAIT_SECONDS)
    assert sorted(made) == list(range(21))


def test_a_thread_that_cannot_be_started_loses_only_what_may_be_lost(
    writes: BackgroundWrites, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    made: list[str] = []
    monkeypatch.setattr(threading.Thread, "start", refuse)
    writes.submit("key", lambda: made.append("may be dropped"), size=10)
    writes.submit("key", lambda: made.append("must"), size=0)
    assert writes.flush(0)
    assert made == ["must"]
