"""Counts connections that the server closes to protect itself, and logs them in one line a minute at most."""

import asyncio
import logging
from collections import Counter
from collections.abc import Callable

logger = logging.getLogger("thumbs")

STALLED, UNSENT, CROWDED, UNANSWERED = "stalled", "unsent", "crowded", "unanswered"
_WHY = {
    STALLED: "because the client took no bytes for limits.send_seconds",
    UNSENT: "to hold no more unsent answers than limits.unsent_mb",
    CROWDED: "to keep no more connections than worker_connections",
    UNANSWERED: "because the worker ended before their requests were answered",
}
_LOG_SECONDS = 60.0


class Drops:
    """`count` is called with the reason for each connection."""

    def __init__(self, count: Callable[[str], None]) -> None:
        self._count = count
        self._unlogged: Counter[str] = Counter()
        self._timer: asyncio.TimerHandle | None = None

    def add(self, reason: str, count: int = 1) -> None:
        """`count` connections were closed for `reason`, one of the constants above."""
        for _ in range(count):
            self._count(reason)
        self._unlogged[reason] += count
        if self._timer is None:
            self._log()

    def _log(self) -> None:
        self._timer = None
        if self._unlogged:
            counts = ", ".join(f"{count} {_WHY[reason]}" for reason, count in sorted(self._unlogged.items()))
            logger.warning("connections were closed: %s", counts)
            self._unlogged.clear()
            self._timer = asyncio.get_running_loop().call_later(_LOG_SECONDS, self._log)
