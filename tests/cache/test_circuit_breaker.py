"""Circuit breakers: after a failure nothing is called for five seconds, and each change is logged once."""

from types import SimpleNamespace

import pytest

from tests.support.clock import Clock
from thumbs.cache import circuit_breaker
from thumbs.cache.circuit_breaker import CircuitBreaker

FAILED = "cache layer disk cannot be written and is skipped for a few seconds: OSError('full')"
GOOD = "cache layer disk can be written again"


@pytest.fixture
def now(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> Clock:
    monkeypatch.setattr(circuit_breaker, "time", SimpleNamespace(monotonic=clock))
    return clock


@pytest.fixture
def breaker(now: Clock) -> CircuitBreaker:
    return CircuitBreaker("cache layer disk", "written")


def fail() -> int:
    raise OSError("full")


def block() -> int:
    raise BlockingIOError


def test_a_call_returns_what_the_function_returns(breaker: CircuitBreaker) -> None:
    assert breaker.call(max, 3, 7) == 7
    assert not breaker.failing


@pytest.mark.parametrize(("after", "called"), [(0.0, False), (4.9, False), (5.0, True)])
def test_after_a_failure_nothing_is_called_for_five_seconds(
    breaker: CircuitBreaker, now: Clock, after: float, called: bool
) -> None:
    assert breaker.call(fail) is None
    assert breaker.failing
    now.now += after
    assert (breaker.call(max, 3, 7) == 7) is called
    assert breaker.failing is not called


def test_another_failure_opens_it_for_as_long_again(breaker: CircuitBreaker, now: Clock) -> None:
    breaker.call(fail)
    now.now += 5
    breaker.call(fail)
    now.now += 4.9
    assert breaker.call(max, 3, 7) is None


def test_an_open_breaker_can_be_bypassed_and_closes_when_that_succeeds(breaker: CircuitBreaker) -> None:
    breaker.call(fail)
    assert breaker.call_anyway(max, 3, 7) == 7
    assert not breaker.failing
    assert breaker.call(max, 3, 7) == 7


def test_a_call_that_would_block_is_no_failure_and_no_success(breaker: CircuitBreaker) -> None:
    assert breaker.call(block) is None
    assert not breaker.failing
    breaker.call(fail)
    assert breaker.call_anyway(block) is None
    assert breaker.failing


def test_the_first_failure_and_the_next_success_are_logged(
    breaker: CircuitBreaker, now: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    for _ in range(3):
        breaker.call(fail)
        now.now += 5
    assert caplog.messages == [FAILED]
    for _ in range(3):
        now.now += 10  # without a failure
        breaker.call(max, 3, 7)
    assert caplog.messages == [FAILED, GOOD]


def test_a_layer_that_fails_now_and_then_is_logged_once(
    breaker: CircuitBreaker, now: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    for _ in range(20):
        breaker.call(fail)
        now.now += 5
        assert breaker.call(max, 3, 7) == 7
        now.now += 4.9
        assert breaker.call(max, 3, 7) == 7
    assert caplog.messages == [FAILED]
    now.now += 0.1
    breaker.call(max, 3, 7)
    assert caplog.messages == [FAILED, GOOD]
    breaker.call(fail)
    assert caplog.messages == [FAILED, GOOD, FAILED]


def test_each_change_is_reported(breaker: CircuitBreaker, now: Clock) -> None:
    told: list[bool] = []
    breaker.on_change = lambda: told.append(not breaker.failing)
    for _ in range(2):
        breaker.call(fail)
        now.now += 5
        breaker.call(fail)
        now.now += 5
        breaker.call(max, 3, 7)
        breaker.call(max, 3, 7)
    assert told == [False, True, False, True]
