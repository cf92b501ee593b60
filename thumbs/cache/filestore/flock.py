"""Locks that die with their process: `flock` on an open descriptor, and no wait without an end."""

import errno
import fcntl
import time

# A writer holds a shard for about the time of one write. Whoever cannot have it for this long has met a
# stopped process or a disk that hangs, and does without the cache.
LOCK_SECONDS = 10.0

_FIRST_PAUSE = 0.00005
_LONGEST_PAUSE = 0.01


def lock(fd: int, *, wait: float = LOCK_SECONDS, shared: bool = False) -> None:
    """Lock `fd` against every other open of the same file, in this process too.

    Raises TimeoutError (an OSError) after `wait` seconds; with `wait=0` at once.
    """
    kind = fcntl.LOCK_SH if shared else fcntl.LOCK_EX
    deadline = time.monotonic() + wait
    pause = _FIRST_PAUSE
    while True:
        try:
            fcntl.flock(fd, kind | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= deadline:
                raise TimeoutError(errno.ETIMEDOUT, "another process holds the cache's lock") from None
        else:
            return
        time.sleep(pause)
        pause = min(pause * 2, _LONGEST_PAUSE)


def unlock(fd: int) -> None:
    """Unlock `fd` by name: closing it would leave the lock to a child forked meanwhile."""
    fcntl.flock(fd, fcntl.LOCK_UN)
