"""Whether children can be started: after one that could not, the next try comes a second later."""

import logging
import time

logger = logging.getLogger("thumbs")
_RETRY_SECONDS = 1.0


class Unavailable:
    """Since when no child can be started, on the monotonic clock; None while they can."""

    def __init__(self) -> None:
        self.since: float | None = None
        self._retry_at = 0.0

    @property
    def pauses(self) -> bool:
        """Whether it is too early for the next try."""
        return time.monotonic() < self._retry_at

    def failed(self, sentence: str, *, others: bool) -> None:
        """A child could not be started. It is logged once until one could. `others`: other children take calls."""
        self._retry_at = time.monotonic() + _RETRY_SECONDS
        if self.since is None:
            logger.error("%s", sentence)
            self.since = None if others else time.monotonic()
