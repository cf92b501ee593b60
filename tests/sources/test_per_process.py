"""Values of one process: made once at first use, and again in a forked copy."""

import os
import threading

import pytest

from thumbs.sources.per_process import PerProcess


def test_a_value_is_made_at_first_use_and_once() -> None:
    made: list[object] = []

    def make() -> object:
        made.append(object())
        return made[-1]

    value = PerProcess(make)
    assert value.made is None
    assert made == []
    assert value.get() is value.get() is value.made
    assert len(made) == 1


def test_a_copy_of_the_process_makes_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    value = PerProcess(object)
    first = value.get()
    monkeypatch.setattr(os, "getpid", lambda: 4711)
    assert value.made is None
    second = value.get()
    assert second is not first
    assert value.get() is second is value.made


def test_a_lock_that_was_held_at_the_fork_does_not_block_the_copy(monkeypatch: pytest.MonkeyPatch) -> None:
    def make() -> int:
        if os.getpid() == 4711:
            return 2
        monkeypatch.setattr(os, "getpid", lambda: 4711)  # as if forked within `make`
        assert value.get() == 2
        return 1

    value = PerProcess(make)
    value.get()


def test_a_failure_is_raised_and_tried_again() -> None:
    results = iter([ValueError("first"), None])

    def make() -> str:
        error = next(results)
        if error is not None:
            raise error
        return "made"

    value = PerProcess(make)
    with pytest.raises(ValueError, match="first"):
        value.get()
    assert value.made is None
    assert value.get() == "made"


def test_a_value_that_is_forgotten_is_made_again_but_its_successor_is_kept() -> None:
    value = PerProcess(object)
    first = value.get()
    value.forget(first)
    second = value.get()
    assert second is not first
    value.forget(first)
    assert value.get() is second


def test_callers_at_once_get_the_same_value() -> None:
    started, go = threading.Event(), threading.Event()
    made: list[object] = []

    def make() -> object:
        started.set()
        assert go.wait(30)
        made.append(object())
        return made[-1]

    value = PerProcess(make)
    got: list[object] = []
    threads = [threading.Thread(target=lambda: got.append(value.get())) for _ in range(2)]
    for thread in threads:
        thread.start()
    assert started.wait(30)
    go.set()
    for thread in threads:
        thread.join(30)
    assert len(made) == 1
    assert got == made * 2
