"""Negative cache: remembers originals that are missing, broken or too slow, mostly for five seconds (RFC 2308)."""

import time
from collections.abc import Callable

from thumbs.errors import ThumbError

SECONDS = 5.0
_MAX_KEYS = 4096


class NegativeCache:
    """Errors by key, each for `SECONDS`, or for what it says itself. `clock` gives Unix seconds."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._found: dict[str, tuple[float, float, float, type[ThumbError], str]] = {}

    def remember(self, key: str, error: ThumbError, *, asked: float | None = None) -> None:
        """Keep the type and the detail of `error`: the object would keep its traceback, and that an original.

        `asked` is when the attempt began, in Unix seconds, by default now: a purge after that ends what is remembered.
        """
        if len(self._found) >= _MAX_KEYS:
            self._found.clear()
        now = self._clock()
        seconds = error.remembered or SECONDS
        self._found[key] = (now, seconds, now if asked is None else asked, type(error), error.detail)

    def find(self, key: str) -> tuple[float, ThumbError] | None:
        """When the last attempt began, in Unix seconds, and an error like its own; None if there is none."""
        found = self._found.get(key)
        if found is None:
            return None
        when, seconds, asked, kind, detail = found
        if not 0 <= self._clock() - when < seconds:
            self._found.pop(key, None)
            return None
        return asked, kind(detail)
