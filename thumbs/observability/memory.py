"""The anonymous memory of this server's workers and of their children, from Linux's /proc.

Anonymous memory is what a leak makes grow. Files that several processes map would count once for each.
"""

import os
import re
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

WORKER, RENDER = "worker", "render"
# prometheus-client's files of the gauges of a process that lives. The main process removes those of one that has ended.
_GAUGES = re.compile(r"gauge_live\w*?_(\d+)\.db")
_PROC = Path("/proc")


def memory(directory: str | None) -> dict[str, int]:
    """Bytes of all workers, and of their children, which render.

    The workers are the processes with files in `directory`; without one, this process. Without `RENDER` where
    the kernel hides the children, and empty where there is no /proc.
    """
    workers = workers_in(directory) or {os.getpid()}
    children = _descendants(workers) - workers
    used = _anonymous(workers)
    if not used:
        return {}
    rendering = _anonymous(children)
    # They are not dumpable, so a /proc with `hidepid` (ProtectProc= of systemd) does not show them.
    is_hidden = bool(children) and not rendering
    return {WORKER: used} if is_hidden else {WORKER: used, RENDER: rendering}


def workers_in(directory: str | None) -> set[int]:
    """The processes that have files of gauges in `directory`, which `PROMETHEUS_MULTIPROC_DIR` names."""
    if directory is None:
        return set()
    with suppress(OSError):
        return {int(found[1]) for path in Path(directory).iterdir() if (found := _GAUGES.fullmatch(path.name))}
    return set()


def _descendants(pids: Iterable[int]) -> set[int]:
    found: set[int] = set()
    waiting = list(pids)
    while waiting:
        for thread in _threads(waiting.pop()):
            with suppress(OSError):  # the thread has ended
                new = {int(pid) for pid in (thread / "children").read_text().split()} - found
                found |= new
                waiting.extend(new)
    return found


def _threads(pid: int) -> list[Path]:
    """Directories of the threads of `pid`: children belong to the thread that started them (proc_pid_task(5))."""
    with suppress(OSError):  # the process has ended; `Path.glob` would raise when it ends while it is read
        return list((_PROC / str(pid) / "task").iterdir())
    return []


def _anonymous(pids: Iterable[int]) -> int:
    """Bytes in pages that no file backs (proc_pid_statm(5): resident without shared)."""
    pages = 0
    for pid in pids:
        with suppress(OSError, IndexError, ValueError):
            fields = (_PROC / str(pid) / "statm").read_text().split()
            pages += max(0, int(fields[1]) - int(fields[2]))
    return pages * os.sysconf("SC_PAGE_SIZE")
