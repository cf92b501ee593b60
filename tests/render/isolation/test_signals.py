"""Signals that are sent while a child starts: they are its parent's to handle, and end no child."""

import signal
from collections.abc import Iterator

import pytest

from tests.support.thread_child import Machine, machine, wait
from thumbs.render.isolation.signals import LEFT_TO_PARENT, held


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch) -> Iterator[Machine]:
    made = machine(monkeypatch)
    yield made
    made.close()


@pytest.fixture
def seen() -> Iterator[list[int]]:
    """The signals SIGUSR1 that this process has handled."""
    handled: list[int] = []
    before = signal.signal(signal.SIGUSR1, lambda number, _frame: handled.append(number))
    yield handled
    signal.signal(signal.SIGUSR1, before)


def mask() -> set[int]:
    return set(signal.pthread_sigmask(signal.SIG_BLOCK, ()))


def test_a_signal_that_is_held_comes_afterwards(seen: list[int]) -> None:
    with held():
        signal.raise_signal(signal.SIGUSR1)
        assert seen == []
    assert seen == [signal.SIGUSR1]


def test_a_signal_that_was_held_before_is_held_afterwards(seen: list[int]) -> None:
    before = signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGUSR1,))
    try:
        expected = mask()
        with pytest.raises(OSError, match="refused"), held():
            raise OSError("refused")
        assert mask() == expected
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
    assert seen == []


def test_a_child_starts_with_the_signals_held_that_it_leaves_to_its_parent(site: Machine) -> None:
    before = mask()
    site.start(wait)
    assert site.mask == before | set(LEFT_TO_PARENT)
    assert mask() == before
