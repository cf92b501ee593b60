"""Landlock: this thread and the threads that it starts may read the given files, and do nothing else to files."""

import contextlib
import errno
import os
import stat
import struct
import threading
from collections.abc import Iterable
from pathlib import Path

from thumbs.render.isolation.sandbox.kernel import MissingLayer, forbid_new_privileges, syscall

# The same numbers on every architecture.
_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
# <linux/landlock.h>
_QUERY_ABI = 1
_RULE_PATH_BENEATH = 1
_READ_FILE = 1 << 2
_READ_DIR = 1 << 3
# How many rights to files an ABI knows, from bit 0 on. ABI 2 added moves between directories, ABI 3 truncating, ABI 5
# ioctl on devices.
_FILE_RIGHTS = ((5, 16), (3, 15), (2, 14), (1, 13))
# TCP: bind and connect.
_NET_ABI, _NET_RIGHTS = 4, 0b11
# What leaves the sandbox: connections to abstract Unix sockets, signals.
_SCOPE_ABI, _SCOPES = 6, 0b11
_NOT_THERE = (errno.ENOENT, errno.ENOTDIR, errno.EACCES, errno.ELOOP)


def abi() -> int:
    """The version of Landlock in this kernel, from 1. Raises `MissingLayer`."""
    try:
        return syscall(_CREATE_RULESET, None, 0, _QUERY_ABI)
    except OSError as error:
        raise _refused(error) from error


def restrict(readable: Iterable[Path]) -> None:
    """Allow reading of `readable` only: files, and everything below directories. What is not there is left out.

    A second call can only take away. Everything that the ABI of this kernel knows is refused: all other rights to
    files, TCP, abstract Unix sockets and signals to processes outside. Raises `MissingLayer`, and RuntimeError when
    there are other threads, because those would stay free.
    """
    version = abi()
    if threads() != 1:
        raise RuntimeError("Landlock binds the calling thread only: call it before other threads start.")
    rights = next((1 << count) - 1 for least, count in _FILE_RIGHTS if version >= least)
    # An older kernel takes the shorter structure that it knows.
    attributes = [rights]
    if version >= _NET_ABI:
        attributes.append(_NET_RIGHTS)
    if version >= _SCOPE_ABI:
        attributes.append(_SCOPES)
    packed = struct.pack(f"={len(attributes)}Q", *attributes)
    try:
        ruleset = syscall(_CREATE_RULESET, packed, len(packed), 0)
        try:
            for path in readable:
                _allow(ruleset, path)
            forbid_new_privileges()
            syscall(_RESTRICT_SELF, ruleset, 0)
        finally:
            os.close(ruleset)
    except OSError as error:
        raise _refused(error) from error


def threads() -> int:
    """The number of threads of this process, including those that Python does not know."""
    with contextlib.suppress(OSError):
        return len(list(Path("/proc/self/task").iterdir()))
    return threading.active_count()


def _allow(ruleset: int, path: Path) -> None:
    try:
        opened = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError as error:
        if error.errno in _NOT_THERE:
            return
        raise
    try:
        rights = _READ_FILE | _READ_DIR if stat.S_ISDIR(os.fstat(opened).st_mode) else _READ_FILE
        syscall(_ADD_RULE, ruleset, _RULE_PATH_BENEATH, struct.pack("=Qi", rights, opened), 0)
    finally:
        os.close(opened)


def _refused(error: OSError) -> MissingLayer:
    name = errno.errorcode.get(error.errno or 0, "?")
    return MissingLayer("landlock", f"the kernel or the container refuses it ({name})")
