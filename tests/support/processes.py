"""What the kernel says of processes that descend from one that a test started."""

import contextlib
from pathlib import Path


def children(pid: int) -> set[int]:
    return {child for child, parent in _parents().items() if parent == pid}


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
    arbiters = {child: _command_line(child) for child in children(supervisor)}
    return {
        worker
        for arbiter, line in arbiters.items()
        if b"gunicorn" in line
        for worker in children(arbiter)
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


def _parents() -> dict[int, int]:
    """Of each process, its parent."""
    found: dict[int, int] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):  # it has ended meanwhile
            # proc(5): the name, in parentheses, may itself hold some; then the state, then the parent.
            found[int(stat.parent.name)] = int(stat.read_text().rpartition(")")[2].split()[1])
    return found
