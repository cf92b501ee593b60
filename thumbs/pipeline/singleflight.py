"""One flight per key: requests for the same key wait for one job and share its outcome."""

import threading
from collections.abc import Callable, Hashable
from concurrent.futures import Future, InvalidStateError
from contextlib import suppress
from typing import Generic, TypeVar

R = TypeVar("R")


def _always() -> bool:
    return True


def _never() -> bool:
    return False


class Ticket(Generic[R]):
    """One request or job that waits for a flight. `wanted` says whether it still waits."""

    __slots__ = ("future", "wanted")

    def __init__(self, future: "Future[R]") -> None:
        self.future = future
        self.wanted: Callable[[], bool] = _always

    def leave(self) -> None:
        """Stop waiting. The flight goes on for its other tickets."""
        self.wanted = _never


class Flight(Generic[R]):
    """One job and the tickets that wait for it, `first` to begin with. No waiter can cancel its future."""

    def __init__(self, forget: "Callable[[Flight[R]], None]" = lambda _: None) -> None:
        self.future: Future[R] = Future()
        self.future.set_running_or_notify_cancel()
        self._forget = forget
        self._lock = threading.Lock()
        self.first = Ticket(self.future)
        self._tickets = [self.first]
        self._abandoned = False

    def ticket(self) -> Ticket[R] | None:
        """A new ticket; None if the flight was abandoned."""
        with self._lock:
            if self._abandoned:
                return None
            ticket = Ticket(self.future)
            self._tickets.append(ticket)
            return ticket

    def end(self, result: R) -> None:
        """Give all waiters the result, unless the flight has ended."""
        self._forget(self)  # before a waiter goes on: its next request must not join what has ended
        with suppress(InvalidStateError):
            self.future.set_result(result)

    def fail(self, error: BaseException) -> None:
        """Raise `error` for all waiters, unless the flight has ended."""
        self._forget(self)
        with suppress(InvalidStateError):
            self.future.set_exception(error)

    @property
    def wanted(self) -> bool:
        """Whether at least one ticket still waits."""
        return any(ticket.wanted() for ticket in tuple(self._tickets))

    def abandon_if_unwanted(self) -> bool:
        """Abandon the flight if no ticket waits: later requests start another. Returns whether it is abandoned."""
        with self._lock:
            self._abandoned = self._abandoned or not self.wanted
        if self._abandoned:
            self._forget(self)
        return self._abandoned


class SingleFlight(Generic[R]):
    """The flights of this process, by key. A ticket that leaves does not end the flight for the others."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._flights: dict[Hashable, Flight[R]] = {}

    def join(self, key: Hashable, start: Callable[[Flight[R]], None]) -> Ticket[R]:
        """A ticket for the flight for `key`. If there is none, `start` is called with a new one."""
        with self._lock:
            flight = self._flights.get(key)
            ticket = None if flight is None else flight.ticket()
            if ticket is not None:
                return ticket
            flight = Flight(lambda flight: self._forget(key, flight))
            self._flights[key] = flight
            ticket = flight.first
        flight.future.add_done_callback(lambda _: self._forget(key, flight))
        try:
            start(flight)
        except BaseException as error:
            flight.fail(error)
            raise
        return ticket

    def fail(self, error: Callable[[], BaseException]) -> None:
        """End all flights with an error. What their jobs still return is dropped."""
        with self._lock:
            flights = list(self._flights.values())
        for flight in flights:
            flight.fail(error())

    def _forget(self, key: Hashable, flight: Flight[R]) -> None:
        with self._lock:
            if self._flights.get(key) is flight:  # another may have begun after this one was abandoned
                del self._flights[key]
