"""Installs a BPF program as the seccomp filter of every thread of this process."""

import ctypes
import errno

from thumbs.render.isolation.sandbox.bpf import Instruction, fail_with
from thumbs.render.isolation.sandbox.kernel import MissingLayer, forbid_new_privileges, syscall
from thumbs.render.isolation.sandbox.syscalls import Architecture, this_architecture

# <linux/seccomp.h>
_SET_MODE_FILTER = 1
_GET_ACTION_AVAIL = 2
_FLAG_TSYNC = 1


class _Program(ctypes.Structure):
    """A struct sock_fprog."""

    _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_char_p))


def architecture() -> Architecture:
    """The architecture that a filter is made for. Raises `MissingLayer` where there is none, or no seccomp(2)."""
    found = this_architecture()
    if found is None:
        raise MissingLayer("seccomp", "it is made for x86-64 and arm64 only")
    action = ctypes.c_uint32(fail_with(0))
    try:
        syscall(found.seccomp, _GET_ACTION_AVAIL, 0, ctypes.byref(action))
    except OSError as error:
        raise _refused(error) from error
    return found


def install(program: list[Instruction]) -> None:
    """Bind all threads of this process, and all later ones, for good. Raises `MissingLayer`.

    Without TSYNC, threads that libvips or Python has started before would stay free.
    """
    found = architecture()
    packed = b"".join(instruction.pack() for instruction in program)
    try:
        forbid_new_privileges()
        filters = ctypes.byref(_Program(len(program), packed))
        unbound = syscall(found.seccomp, _SET_MODE_FILTER, _FLAG_TSYNC, filters)
    except OSError as error:
        raise _refused(error) from error
    if unbound:
        raise MissingLayer("seccomp", f"the thread {unbound} has another filter")


def _refused(error: OSError) -> MissingLayer:
    name = errno.errorcode.get(error.errno or 0, "?")
    return MissingLayer("seccomp", f"the kernel or the container refuses it ({name})")
