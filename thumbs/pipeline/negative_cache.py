"""What has just failed for a reason of the source's own, so that a broken link does not cost a read a view."""

import time
from collections.abc import Callable

from thumbs.errors import ThumbError

SECONDS = 5.0
_MOST = 4096


class NegativeCache:
    """Errors by key, each for `SECONDS`. `clock` gives Unix seconds."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._found: dict[str, tuple[float, type[ThumbError], str]] = {}

    def remember(self, key: str, error: ThumbError) -> None:
        # Not the error itself: it would keep the frames that it came through, and what they hold.
        if len(self._found) >= _MOST:
            self._found.clear()
        self._found[key] = (self._clock(), type(error), error.detail)

    def find(self, key: str) -> tuple[float, ThumbError] | None:
        """When what failed lately did, and with what error."""
        found = self._found.get(key)
        if found is None:
            return None
        when, kind, detail = found
        if not 0 <= self._clock() - when < SECONDS:
            self._found.pop(key, None)
            return None
        return when, kind(detail)
