"""One flight per key: a request that joins during a flight shares its outcome, a later one starts another."""

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from tests.support.waiting import WAIT_SECONDS
from thumbs.pipeline.singleflight import Flight, SingleFlight, Ticket


class Starts:
    """Counts the flights that were started, and keeps them for the test to end."""

    def __init__(self) -> None:
        self.flights: list[Flight[str]] = []

    @property
    def futures(self) -> list[Future[str]]:
        return [flight.future for flight in self.flights]

    def __call__(self, flight: Flight[str]) -> None:
        self.flights.append(flight)


def test_every_thread_that_joins_during_a_flight_shares_it() -> None:
    flights, starts = SingleFlight[str](), Starts()
    barrier = threading.Barrier(50)

    joined = threading.Semaphore(0)

    def join() -> str:
        barrier.wait(WAIT_SECONDS)
        future = flights.join("key", starts).future
        joined.release()
        return future.result(WAIT_SECONDS)

    with ThreadPoolExecutor(50) as pool:
        waiting = [pool.submit(join) for _ in range(50)]
        for _ in waiting:
            assert joined.acquire(timeout=WAIT_SECONDS)
        shared = flights.join("key", starts).future
        assert ("key" in flights._flights, len(flights._flights)) == (True, 1)
        starts.futures[0].set_result("outcome")
        outcomes = {future.result(WAIT_SECONDS) for future in waiting}
    assert outcomes == {"outcome"}
    assert starts.futures == [shared]


@pytest.mark.parametrize("end", [lambda flight: flight.end("first"), lambda flight: flight.fail(KeyError())])
def test_a_waiter_that_goes_on_does_not_join_the_flight_that_it_waited_for(
    end: Callable[[Flight[str]], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Waiters go on as soon as the future has its outcome, and before its callbacks are called."""
    flights, starts = SingleFlight[str](), Starts()
    first = flights.join("key", starts).future
    monkeypatch.setattr(first._condition, "notify_all", lambda: flights.join("key", starts))
    end(starts.flights[0])
    assert first.done()
    assert len(starts.futures) == 2
    assert not starts.futures[1].done()


def test_a_flight_that_has_landed_is_not_joined() -> None:
    flights, starts = SingleFlight[str](), Starts()
    first = flights.join("key", starts).future
    starts.futures[0].set_result("first")
    assert ("key" in flights._flights, len(flights._flights)) == (False, 0)
    second = flights.join("key", starts).future
    assert second is not first
    starts.futures[1].set_result("second")
    assert (first.result(0), second.result(0)) == ("first", "second")


def test_different_keys_fly_apart() -> None:
    flights, starts = SingleFlight[str](), Starts()
    assert flights.join("one", starts).future is not flights.join("two", starts).future
    assert len(flights._flights) == len(starts.futures) == 2


def test_a_failure_is_shared_and_not_remembered() -> None:
    flights, starts = SingleFlight[str](), Starts()
    waiting = [flights.join("key", starts).future for _ in range(3)]
    starts.futures[0].set_exception(OSError("lost"))
    assert {str(future.exception(0)) for future in waiting} == {"lost"}
    flights.join("key", starts)
    assert len(starts.futures) == 2


def test_a_request_that_leaves_does_not_end_the_flight() -> None:
    flights, starts = SingleFlight[str](), Starts()
    first, second = (flights.join("key", starts).future for _ in range(2))
    assert not first.cancel()
    starts.futures[0].set_result("outcome")
    assert second.result(0) == "outcome"


def test_a_flight_that_ends_while_it_is_started_is_over() -> None:
    flights = SingleFlight[str]()
    assert flights.join("key", lambda flight: flight.future.set_result("at once")).future.result(0) == "at once"
    assert len(flights._flights) == 0


def test_a_flight_that_cannot_be_started_fails_for_all_and_is_over() -> None:
    flights = SingleFlight[str]()
    joined: list[Ticket[str]] = []

    def start(_: Flight[str]) -> None:
        joined.append(flights.join("key", start))
        raise RuntimeError("no threads")

    with pytest.raises(RuntimeError, match="no threads"):
        flights.join("key", start)
    assert isinstance(joined[0].future.exception(0), RuntimeError)
    assert len(flights._flights) == 0


def test_a_flight_is_given_up_when_all_have_left_it_and_not_before() -> None:
    flights, starts = SingleFlight[str](), Starts()
    first, second = (flights.join("key", starts) for _ in range(2))
    (flight,) = starts.flights
    first.leave()
    assert (flight.wanted, flight.abandon_if_unwanted()) == (True, False)
    second.leave()
    assert not flight.wanted
    third = flights.join("key", starts)  # just in time
    assert (len(starts.flights), flight.abandon_if_unwanted()) == (1, False)
    third.leave()
    assert flight.abandon_if_unwanted()
    assert "key" not in flights._flights


def test_a_request_after_an_abandoned_flight_starts_another_that_the_old_one_leaves_alone() -> None:
    flights, starts = SingleFlight[str](), Starts()
    flights.join("key", starts).leave()
    assert starts.flights[0].abandon_if_unwanted()
    second = flights.join("key", starts)
    starts.futures[0].set_exception(OSError("given up"))
    assert "key" in flights._flights
    starts.futures[1].set_result("outcome")
    assert second.future.result(0) == "outcome"
    assert "key" not in flights._flights


def test_no_request_joins_a_flight_that_is_being_abandoned() -> None:
    flights = SingleFlight[str]()
    started: list[Flight[str]] = []
    over = threading.Event()

    def give_up() -> None:
        while not over.is_set():
            for flight in started[-2:]:
                if flight.abandon_if_unwanted() and not flight.future.done():
                    flight.future.set_exception(OSError("given up"))

    with ThreadPoolExecutor(1) as pool:
        giving_up = pool.submit(give_up)
        for number in range(3000):
            ticket = flights.join("key", started.append)
            if number % 2:
                ticket.leave()
            else:
                assert not ticket.future.done()
                started[-1].future.set_result("outcome")
                assert ticket.future.result(0) == "outcome"
        over.set()
        giving_up.result(WAIT_SECONDS)
