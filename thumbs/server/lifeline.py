"""Ties a child process to its parent: the kernel sends it SIGTERM when the parent ends, however it ends."""

import ctypes
import os
import signal
from collections.abc import Callable

_PR_SET_PDEATHSIG = 1  # prctl(2)


def lifeline() -> Callable[[], None]:
    """A `preexec_fn` for `subprocess.Popen`, to be made and used in the main thread of the parent.

    The kernel's signal comes when the thread ends that made the child, so another thread will not do.
    """
    libc = ctypes.CDLL(None)  # loaded before the fork
    parent = os.getpid()

    def tie() -> None:
        libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
        if os.getppid() != parent:  # it has ended just before
            os._exit(1)

    return tie
