"""One of all processes makes a thumbnail: the others wait for it, and no longer than half the time of a request."""

from collections.abc import Generator
from concurrent.futures import Future
from types import SimpleNamespace
from typing import Any, cast

import pytest

from thumbs.cache.entry import Entry
from thumbs.cache.layers import LockResult
from thumbs.pipeline.leadership import make_once
from thumbs.pipeline.ports import LOOKUP, WAIT, Storage
from thumbs.pipeline.steps import Step, Wait
from thumbs.pipeline.timer import Timer

ENTRY, EXPIRED = cast(Any, "the entry"), cast(Any, "an expired entry")


class Lock:
    def __init__(self) -> None:
        self.released = 0

    def release(self) -> None:
        self.released += 1


class Layers:
    """Layers that give `results`, one for each lookup, and the last one for ever."""

    def __init__(self, *results: LockResult, shared: bool = True) -> None:
        self.shared = shared
        self.lookups: list[str] = []
        self._results = list(results)

    def lock_or_get(self, key: str) -> LockResult:
        self.lookups.append(key)
        return self._results.pop(0) if len(self._results) > 1 else self._results[0]


class Process:
    """Runs the job step by step, and moves a clock in place of each wait."""

    def __init__(self, layers: Layers, *, seconds: float = 2.0) -> None:
        self.layers, self.pauses = layers, list[float]()
        self.made: list[Entry | None] = []
        self._storage = cast(Storage, SimpleNamespace(layers=layers, seconds=seconds))
        self._error: Exception | None = None

    def after(self, seconds: float) -> "Future[None]":
        self.pauses.append(seconds)
        return Future()

    async def make(self, expired: Entry | None) -> Any:
        self.made.append(expired)
        if self._error is not None:
            raise self._error
        return "made"

    def run(self, error: Exception | None = None) -> object:
        self._error = error
        job = make_once(self._storage, "key", self.make, cast(Timer, self))
        steps: Generator[Any, Any, Any] = job.__await__()
        result: object = None
        try:
            while True:
                step = steps.send(result)
                if isinstance(step, Step):
                    assert step.stage == LOOKUP
                    result = step.take_work()()
                else:
                    assert isinstance(step, Wait)
                    assert step.stage == WAIT
                    result = None
        except StopIteration as end:
            return end.value


def nothing() -> LockResult:
    return LockResult(None, None, None)


def test_where_no_layer_is_shared_it_is_made_at_once_without_a_lookup() -> None:
    process = Process(Layers(nothing(), shared=False))
    assert process.run() == "made"
    assert (process.layers.lookups, process.pauses, process.made) == ([], [], [None])


def test_the_leader_makes_it_with_the_expired_entry_and_releases_the_lock() -> None:
    lock = Lock()
    process = Process(Layers(LockResult(lock=cast(Any, lock), found=None, expired=EXPIRED)))
    assert process.run() == "made"
    assert (process.made, process.pauses, lock.released) == ([EXPIRED], [], 1)


def test_the_lock_is_released_when_making_it_fails() -> None:
    lock = Lock()
    process = Process(Layers(LockResult(lock=cast(Any, lock), found=None, expired=None)))
    with pytest.raises(RuntimeError, match="broken"):
        process.run(RuntimeError("broken"))
    assert lock.released == 1


def test_the_others_take_what_the_leader_has_made() -> None:
    found = LockResult(lock=None, found=ENTRY, expired=None)
    process = Process(Layers(nothing(), nothing(), nothing(), found))
    assert process.run() == ENTRY
    assert process.made == []
    assert process.layers.lookups == ["key"] * 4
    assert process.pauses == [0.02, 0.02, 0.02]


def test_pauses_grow_to_a_fifth_of_a_second_and_end_after_half_the_time_of_a_request() -> None:
    process = Process(Layers(nothing()), seconds=6.0)
    assert process.run() == "made"
    assert process.made == [None]
    pauses = process.pauses
    assert pauses == sorted(pauses)
    assert (pauses[0], pauses[-1]) == (0.02, 0.2)
    assert sum(pauses) >= 3.0 > sum(pauses[:-1])


def test_a_lock_that_becomes_free_meanwhile_is_taken() -> None:
    lock = Lock()
    free = LockResult(lock=cast(Any, lock), found=None, expired=None)
    process = Process(Layers(nothing(), free))
    assert process.run() == "made"
    assert (process.pauses, lock.released) == ([0.02], 1)
