"""Which storages were asked for thumbnails lately, and which of them had to refuse."""

import time
from collections.abc import Callable

_SECONDS = 2.0


class Pressure:
    """The last times, by storage, in monotonic seconds. Hits are not counted: they need no queue."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._asked: dict[str, float] = {}
        self._refused: dict[str, float] = {}

    def ask(self, storage: str) -> None:
        """A thumbnail of `storage` is to be made."""
        self._asked[storage] = self._clock()

    def refuse(self, storage: str) -> None:
        """The queue of `storage` was full."""
        self._refused[storage] = self._clock()

    def overloaded(self, is_full: Callable[[str], bool]) -> list[str]:
        """The storages that were asked in the last two seconds, if the queue of each was full then or is; else none."""
        since = self._clock() - _SECONDS
        asked = [storage for storage, when in self._asked.items() if when >= since]
        refusing = [storage for storage in asked if self._refused.get(storage, since) > since or is_full(storage)]
        return refusing if len(refusing) == len(asked) else []
