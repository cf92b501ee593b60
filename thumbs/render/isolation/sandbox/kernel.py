"""System calls that the standard library does not offer, and the error for a kernel that lacks one."""

import ctypes
import errno
import os
import sys
from typing import Literal

LayerName = Literal["landlock", "seccomp"]
LAYER_NAMES: tuple[LayerName, ...] = ("landlock", "seccomp")

_libc = ctypes.CDLL(None, use_errno=True)
_libc.syscall.restype = ctypes.c_long

# <linux/prctl.h>
_PR_SET_DUMPABLE = 4
_PR_SET_NO_NEW_PRIVS = 38


class MissingLayer(RuntimeError):
    """A layer of the isolation that this kernel, container or processor does not offer. Its text names the layer."""

    def __init__(self, layer: LayerName, reason: str) -> None:
        super().__init__(f"The isolation layer {layer} is missing: {reason}.")
        self.layer = layer


def syscall(number: int, *arguments: object) -> int:
    """What the system call returns; each argument is an int, None or a ctypes pointer. Raises OSError."""
    if sys.platform != "linux":  # there the numbers mean something else
        raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))
    words = (ctypes.c_long(each) if isinstance(each, int) else each for each in arguments)
    result: int = _libc.syscall(ctypes.c_long(number), *words)
    if result == -1:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))
    return result


def forbid_new_privileges() -> None:
    """Both layers need it of a process without privileges (landlock(7), seccomp(2)). Raises OSError."""
    _prctl(_PR_SET_NO_NEW_PRIVS, 1)


def forbid_dumps() -> None:
    """No core file with pictures, and no other process of the same user may trace this one. Raises OSError."""
    _prctl(_PR_SET_DUMPABLE, 0)


def _prctl(option: int, value: int) -> None:
    if _libc.prctl(option, ctypes.c_ulong(value), *[ctypes.c_ulong(0)] * 3):
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))
