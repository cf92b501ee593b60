"""What must not be shared across `fork` is made at first use, once in each process."""

import os
import threading
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class PerProcess(Generic[T]):
    """A value of `make`, made by the first caller in a process while the others wait for it.

    A failure of `make` goes to its caller and is not remembered.
    """

    def __init__(self, make: Callable[[], T]) -> None:
        self._make = make
        self._made: tuple[int, T] | None = None
        # One lock a process: a lock that another thread held during the fork would stay locked in the child.
        self._locks: dict[int, threading.Lock] = {}

    def get(self) -> T:
        process = os.getpid()
        made = self._made
        if made is None or made[0] != process:
            with self._locks.setdefault(process, threading.Lock()):
                made = self._made
                if made is None or made[0] != process:
                    made = self._made = (process, self._make())
        return made[1]
