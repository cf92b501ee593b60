"""Renewals of stale entries: one that fails is not tried again for five seconds."""

from collections.abc import Callable
from concurrent.futures import Future
from functools import partial
from typing import Any

from thumbs.request.resolve import ThumbRequest

_PAUSE_SECONDS = 5.0
_MAX_PAUSED = 4096  # keys


class Renewals:
    """Starts renewals with `start`, which returns the future of a flight. `clock` gives Unix seconds.

    `failed` is called with each failure.
    """

    def __init__(
        self,
        start: Callable[[ThumbRequest], "Future[Any]"],
        failed: Callable[[ThumbRequest, BaseException], None],
        clock: Callable[[], float],
    ) -> None:
        self._start = start
        self._failed = failed
        self._clock = clock
        self._paused_until: dict[str, float] = {}

    def renew(self, thumb: ThumbRequest) -> None:
        """Renew the entry of `thumb` in the background. Requests that come meanwhile share one flight."""
        if self._clock() >= self._paused_until.get(thumb.key, 0.0):
            self._start(thumb).add_done_callback(partial(self._pause_if_failed, thumb))

    def _pause_if_failed(self, thumb: ThumbRequest, future: "Future[Any]") -> None:
        error = future.exception()
        if error is None:
            return
        if len(self._paused_until) >= _MAX_PAUSED:
            self._paused_until.clear()
        if self._paused_until.get(thumb.key, 0.0) <= self._clock():  # the first of several callbacks reports
            self._failed(thumb, error)
        self._paused_until[thumb.key] = self._clock() + _PAUSE_SECONDS
