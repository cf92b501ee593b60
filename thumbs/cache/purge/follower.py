"""Follows a feed: a thread polls it, usually every two seconds, for as long as its follower is referenced."""

import contextlib
import threading
import time
import weakref
from collections.abc import Callable, Sequence

from thumbs.cache.purge.journal import Purge

EVERY_SECONDS = 2.0  # with a slow round trip and a busy machine, a purge reaches all machines within five
_SPARE_SECONDS = 1.0  # a poll takes a while, and its thread may be late


class PurgeFollower:
    """Passes what is new in a feed to `merge`. Constructing starts nothing.

    `read_since` is that of a feed, or returns None when reading fails: then the same offset is read again.
    """

    def __init__(
        self,
        read_since: Callable[[int | None], tuple[int | None, Sequence[Purge]] | None],
        merge: Callable[[Sequence[Purge]], None],
        *,
        every: float | None = None,
    ) -> None:
        """`every` is the seconds between two polls, `EVERY_SECONDS` by default."""
        self._read_since = read_since
        self._merge = merge
        self._every = every
        self._read_at = float("-inf")
        self.due = float("-inf")
        self._offset: int | None = None
        self._lock = threading.Lock()
        self._started = False

    def start(self) -> None:
        """Start the thread unless it runs. Returns at once. A forked child lacks the thread: call this after a fork."""
        if self._started:
            return
        with self._lock:
            if not self._started:
                thread = threading.Thread(target=_run, args=(weakref.ref(self),), name="mage-purges", daemon=True)
                with contextlib.suppress(RuntimeError):  # no thread can be started now: the next call tries again
                    thread.start()
                    self._started = True

    @property
    def is_current(self) -> bool:
        """Whether the feed has been read within the interval of its polls."""
        return time.monotonic() < self._read_at + self._interval + _SPARE_SECONDS

    def poll_once(self) -> None:
        """Read the feed once. It is due again after its interval, or sooner if that failed."""
        began = time.monotonic()
        found = self._read_since(self._offset)
        if found is not None:
            self._offset, purges = found
            if purges:
                self._merge(purges)
            self._read_at = began
        self.due = began + (self._interval if found is not None else min(self._interval, EVERY_SECONDS))

    @property
    def _interval(self) -> float:
        return EVERY_SECONDS if self._every is None else self._every


def _run(reference: "weakref.ref[PurgeFollower]") -> None:
    while (follower := reference()) is not None:
        if time.monotonic() >= follower.due:
            follower.poll_once()
        pause = min(EVERY_SECONDS, max(0.0, follower.due - time.monotonic()))
        del follower  # a reference would keep it alive during the sleep
        time.sleep(pause)
