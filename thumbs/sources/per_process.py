"""Values that must not be shared across `fork`: made at first use, once in each process."""

import os
import threading
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class PerProcess(Generic[T]):
    """The value of `make`. The first caller in a process makes it, and concurrent callers wait.

    An exception of `make` is raised to that caller; the next call tries again.
    """

    def __init__(self, make: Callable[[], T]) -> None:
        self._make = make
        self._made: tuple[int, T] | None = None
        # One lock for each process: a lock that another thread held during the fork would stay locked in the child.
        self._locks: dict[int, threading.Lock] = {}

    @property
    def made(self) -> T | None:
        """The value of this process; None if it has not been made."""
        made = self._made
        return made[1] if made is not None and made[0] == os.getpid() else None

    def get(self) -> T:
        process = os.getpid()
        made = self._made
        if made is None or made[0] != process:
            with self._locks.setdefault(process, threading.Lock()):
                made = self._made
                if made is None or made[0] != process:
                    made = self._made = (process, self._make())
        return made[1]

    def forget(self, value: T) -> None:
        """The next `get` makes another value, if `value` is still the one of this process."""
        process = os.getpid()
        with self._locks.setdefault(process, threading.Lock()):
            if self._made is not None and self._made[0] == process and self._made[1] is value:
                self._made = None
