"""What the kernel says of processes that descend from one that a test started."""

import contextlib
import os
from pathlib import Path


def children(pid: int) -> set[int]:
    return _children_of(pid, _parents())


def descendants(pid: int) -> dict[int, str]:
    """Every process that descends from `pid`, with its command line."""
    families: dict[int, list[int]] = {}
    for child, parent in _parents().items():
        families.setdefault(parent, []).append(child)
    found: dict[int, str] = {}
    waiting = [pid]
    while waiting:
        for child in families.get(waiting.pop(), []):
            with contextlib.suppress(OSError):
                found[child] = Path(f"/proc/{child}/cmdline").read_bytes().replace(b"\0", b" ").decode()
            waiting.append(child)
    return found


def workers_of(supervisor: int) -> set[int]:
    """Those that answer under a `run_thumb_server`: the copies that gunicorn's arbiter, a child of it, made of itself.

    The janitor beside it has children too for a moment, such as the one that imports pyvips for a check.
    """
    parents = _parents()
    arbiters = {child: _command_line(child) for child in _children_of(supervisor, parents)}
    return {
        worker
        for arbiter, line in arbiters.items()
        if b"gunicorn" in line
        for worker in _children_of(arbiter, parents)
        if _command_line(worker) == line
    }


def lives(pid: int) -> bool:
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return False


def cpu_ticks(pid: int) -> int:
    """How long a process has computed, in ticks of the kernel (proc_pid_stat(5): utime and stime)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])


def _command_line(pid: int) -> bytes:
    """Its arguments, each ended by a null byte; empty once it has ended."""
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    return b""


def _children_of(pid: int, parents: dict[int, int]) -> set[int]:
    return {child for child, parent in parents.items() if parent == pid}


def _parents() -> dict[int, int]:
    """Of each process, its parent.

    By the calls of the system: tests that wait ask every 20 ms, and `pathlib` takes three times as long.
    """
    found: dict[int, int] = {}
    for name in os.listdir("/proc"):  # noqa: PTH208
        if name.isdecimal():
            with contextlib.suppress(OSError):  # it has ended meanwhile
                # proc(5): the name, in parentheses, may itself hold some; then the state, then the parent.
                found[int(name)] = int(_read(f"/proc/{name}/stat").rpartition(b")")[2].split(None, 2)[1])
    return found


def _read(path: str) -> bytes:
    """A file of the kernel that fits a page."""
    file = os.open(path, os.O_RDONLY)
    try:
        return os.read(file, 4096)
    finally:
        os.close(file)
