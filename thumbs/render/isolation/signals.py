"""The signals to a group of processes that a child leaves to its parent, which finishes its requests first."""

import contextlib
import signal
from collections.abc import Iterator

LEFT_TO_PARENT = (
    signal.SIGINT,
    signal.SIGTERM,
    signal.SIGHUP,
    signal.SIGUSR1,
    signal.SIGUSR2,
    signal.SIGTTIN,
    signal.SIGTTOU,
)


@contextlib.contextmanager
def held() -> Iterator[None]:
    """Hold these signals in this thread, and in a process that it starts meanwhile, until that ignores them.

    A new process would end at most of them: it has the mask of the thread that starts it, but none of its handlers.
    """
    before = signal.pthread_sigmask(signal.SIG_BLOCK, LEFT_TO_PARENT)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
