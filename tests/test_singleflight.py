"""One flight per key: who comes during a flight shares its outcome, who comes after starts another."""

import threading
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from thumbs.singleflight import SingleFlight

PATIENCE = 10.0


class Starts:
    """Counts the flights that were started, and keeps their futures to be landed by the test."""

    def __init__(self) -> None:
        self.futures: list[Future[str]] = []

    def __call__(self, future: "Future[str]") -> None:
        self.futures.append(future)


def test_everybody_who_comes_during_a_flight_shares_it() -> None:
    flights, starts = SingleFlight[str](), Starts()
    barrier = threading.Barrier(50)

    joined = threading.Semaphore(0)

    def join() -> str:
        barrier.wait(PATIENCE)
        future = flights.join("key", starts)
        joined.release()
        return future.result(PATIENCE)

    with ThreadPoolExecutor(50) as pool:
        waiting = [pool.submit(join) for _ in range(50)]
        for _ in waiting:
            assert joined.acquire(timeout=PATIENCE)
        shared = flights.join("key", starts)
        assert ("key" in flights, len(flights)) == (True, 1)
        starts.futures[0].set_result("outcome")
        outcomes = {future.result(PATIENCE) for future in waiting}
    assert outcomes == {"outcome"}
    assert starts.futures == [shared]


def test_a_flight_that_has_landed_is_not_joined() -> None:
    flights, starts = SingleFlight[str](), Starts()
    first = flights.join("key", starts)
    starts.futures[0].set_result("first")
    assert ("key" in flights, len(flights)) == (False, 0)
    second = flights.join("key", starts)
    assert second is not first
    starts.futures[1].set_result("second")
    assert (first.result(0), second.result(0)) == ("first", "second")


def test_different_keys_fly_apart() -> None:
    flights, starts = SingleFlight[str](), Starts()
    assert flights.join("one", starts) is not flights.join("two", starts)
    assert len(flights) == len(starts.futures) == 2


def test_a_failure_is_shared_and_not_remembered() -> None:
    flights, starts = SingleFlight[str](), Starts()
    waiting = [flights.join("key", starts) for _ in range(3)]
    starts.futures[0].set_exception(OSError("lost"))
    assert {str(future.exception(0)) for future in waiting} == {"lost"}
    flights.join("key", starts)
    assert len(starts.futures) == 2


def test_who_leaves_does_not_end_the_flight() -> None:
    flights, starts = SingleFlight[str](), Starts()
    first, second = flights.join("key", starts), flights.join("key", starts)
    assert not first.cancel()
    starts.futures[0].set_result("outcome")
    assert second.result(0) == "outcome"


def test_a_flight_that_ends_while_it_is_started_is_over() -> None:
    flights = SingleFlight[str]()
    assert flights.join("key", lambda future: future.set_result("at once")).result(0) == "at once"
    assert len(flights) == 0


def test_a_flight_that_cannot_be_started_fails_for_all_and_is_over() -> None:
    flights = SingleFlight[str]()
    joined: list[Future[str]] = []

    def start(future: "Future[str]") -> None:
        joined.append(flights.join("key", start))
        raise RuntimeError("no threads")

    with pytest.raises(RuntimeError, match="no threads"):
        flights.join("key", start)
    assert isinstance(joined[0].exception(0), RuntimeError)
    assert len(flights) == 0
