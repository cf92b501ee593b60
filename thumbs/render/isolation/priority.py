"""The priority of a child: below that of what serves hits."""

import contextlib
import ctypes
import os

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


def lower(niceness: int) -> None:
    """Add to the niceness of the calling thread, and lengthen its slice. Threads that it starts have the same.

    What the kernel or a sandbox refuses is left as it is; before Linux 6.12 slices cannot be set.
    """
    with contextlib.suppress(OSError):
        os.nice(niceness)
    with contextlib.suppress(OSError):
        _lengthen_slice()


def _lengthen_slice() -> None:
    """Raises OSError."""
    architecture = this_architecture()
    if architecture is None or os.sched_getscheduler(0) != os.SCHED_OTHER:
        return  # the number of the call is not known, or the process has another policy
    attributes = _Attributes(ctypes.sizeof(_Attributes), os.SCHED_OTHER)
    attributes.nice = os.getpriority(os.PRIO_PROCESS, 0)
    attributes.runtime = int(SLICE_SECONDS * 1e9)
    syscall(architecture.sched_setattr, 0, ctypes.byref(attributes), 0)
