"""One flight per key: whoever asks for what is already being made waits for that, and shares its outcome."""

import threading
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from typing import Generic, TypeVar

R = TypeVar("R")


def _always() -> bool:
    return True


def _never() -> bool:
    return False


class Ticket(Generic[R]):
    """One who waits for a flight. `wanted` tells whether he still does."""

    __slots__ = ("future", "wanted")

    def __init__(self, future: "Future[R]") -> None:
        self.future = future
        self.wanted: Callable[[], bool] = _always

    def leave(self) -> None:
        self.wanted = _never


class Flight(Generic[R]):
    """What is being made, and who waits for it: at first one. Its future runs, so that no waiter can cancel it."""

    def __init__(self, forget: "Callable[[Flight[R]], None]" = lambda _: None) -> None:
        self.future: Future[R] = Future()
        self.future.set_running_or_notify_cancel()
        self._forget = forget
        self._lock = threading.Lock()
        self.first = Ticket(self.future)
        self._tickets = [self.first]
        self._given_up = False

    def ticket(self) -> Ticket[R] | None:
        """A place in it; None when it was given up."""
        with self._lock:
            if self._given_up:
                return None
            ticket = Ticket(self.future)
            self._tickets.append(ticket)
            return ticket

    @property
    def wanted(self) -> bool:
        """Whether anybody still waits for it."""
        return any(ticket.wanted() for ticket in tuple(self._tickets))

    def give_up(self) -> bool:
        """End it if nobody waits for it: who comes later starts another one. Returns whether it has ended so."""
        with self._lock:
            self._given_up = self._given_up or not self.wanted
        if self._given_up:
            self._forget(self)
        return self._given_up


class SingleFlight(Generic[R]):
    """Flights of this process. A flight belongs to nobody: who leaves does not end it for the others."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._flights: dict[Hashable, Flight[R]] = {}

    def join(self, key: Hashable, start: Callable[[Flight[R]], None]) -> Ticket[R]:
        """A place in the flight for `key`; `start` is called with it when there was none."""
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
            if not flight.future.done():
                flight.future.set_exception(error)
            raise
        return ticket

    def _forget(self, key: Hashable, flight: Flight[R]) -> None:
        with self._lock:
            if self._flights.get(key) is flight:  # another may have begun when this one was given up
                del self._flights[key]

    def __contains__(self, key: Hashable) -> bool:
        return key in self._flights

    def __len__(self) -> int:
        return len(self._flights)
