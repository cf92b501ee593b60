"""The priority of a child: below that of what serves hits."""

import contextlib
import ctypes
import os
from collections.abc import Iterable

from thumbs.render.isolation.sandbox.kernel import syscall
from thumbs.render.isolation.sandbox.syscalls import this_architecture

# How long a child computes before the scheduler looks at others of its priority. Since Linux 6.12, a process that is
# waked and has not used up its share takes the core at once from one with a longer slice than its own (about 3 ms by
# default). Else it waits for the end of that slice, which the kernel sees at its next tick: up to 4 ms.
SLICE_SECONDS = 0.02


class _Attributes(ctypes.Structure):
    """struct sched_attr, as it was first (sched_setattr(2))."""

    _fields_ = (
        ("size", ctypes.c_uint32),
        ("policy", ctypes.c_uint32),
        ("flags", ctypes.c_uint64),
        ("nice", ctypes.c_int32),
        ("priority", ctypes.c_uint32),
        ("runtime", ctypes.c_uint64),
        ("deadline", ctypes.c_uint64),
        ("period", ctypes.c_uint64),
    )


def lengthen_slice() -> None:
    """Lengthen the slice of the calling thread. Threads that it starts have the same.

    It is left as it is before Linux 6.12, where a sandbox refuses the call, and with another policy than the usual one.
    """
    with contextlib.suppress(OSError):
        _set_slice()


def lower(niceness: int, threads: Iterable[int]) -> None:
    """Add to the niceness of these threads, as far as a sandbox lets. One that has ended is left out."""
    for thread in threads:
        with contextlib.suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, thread, os.getpriority(os.PRIO_PROCESS, thread) + niceness)


def _set_slice() -> None:
    """Raises OSError."""
    architecture = this_architecture()
    if architecture is None or os.sched_getscheduler(0) != os.SCHED_OTHER:
        return  # the number of the call is not known, or the process has another policy
    attributes = _Attributes(ctypes.sizeof(_Attributes), os.SCHED_OTHER)
    attributes.nice = os.getpriority(os.PRIO_PROCESS, 0)
    attributes.runtime = int(SLICE_SECONDS * 1e9)
    syscall(architecture.sched_setattr, 0, ctypes.byref(attributes), 0)
