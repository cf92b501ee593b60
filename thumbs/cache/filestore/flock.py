"""Locks that end with their process: `flock` on an open descriptor, and every wait has a limit."""

import errno
import fcntl
import time

# A writer holds a shard for about the time of one write. A lock that is held for longer than this belongs to a stopped
# process or is on a disk that hangs: then the request is served without the cache.
LOCK_SECONDS = 10.0

# Seconds between two attempts.
_FIRST_PAUSE = 0.00005
_LONGEST_PAUSE = 0.01


def lock(fd: int, *, wait: float | None = None) -> None:
    """Lock the file open as `fd` against every other descriptor of it, also in this process.

    Raises TimeoutError (an OSError) after `wait` seconds, `LOCK_SECONDS` unless given; with `wait=0` at once.
    """
    deadline = time.monotonic() + (LOCK_SECONDS if wait is None else wait)
    pause = _FIRST_PAUSE
    while True:
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= deadline:
                raise TimeoutError(errno.ETIMEDOUT, "another process holds the cache's lock") from None
        else:
            return
        time.sleep(pause)
        pause = min(pause * 2, _LONGEST_PAUSE)


def unlock(fd: int) -> None:
    """Unlock `fd`. Closing it is not enough: a child that was forked meanwhile would keep the lock."""
    fcntl.flock(fd, fcntl.LOCK_UN)
