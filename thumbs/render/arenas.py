"""How glibc keeps freed memory, in a process that handles whole originals and pictures in many threads."""

import contextlib
import ctypes
from functools import cache

# <malloc.h>
_M_MMAP_THRESHOLD, _M_ARENA_MAX = -3, -8
_LARGE = 1024 * 1024


@cache
def limit() -> None:
    """Limit glibc to two arenas. With one for each thread, large buffers would fill all of them permanently."""
    _set(_M_ARENA_MAX, 2)


@cache
def return_large_blocks() -> None:
    """Let the system have each block of 1 MiB or more when it is freed.

    Otherwise glibc raises the limit to 32 MiB after the first large block, and keeps what many of them took at once.
    Not for a process that renders: it allocates such blocks all the time.
    """
    _set(_M_MMAP_THRESHOLD, _LARGE)


def _set(parameter: int, value: int) -> None:
    with contextlib.suppress(OSError, AttributeError):  # not glibc
        ctypes.CDLL(None).mallopt(parameter, value)
