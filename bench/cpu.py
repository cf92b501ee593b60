"""The CPU time of a server: of its process and of all that descend from it (proc_pid_stat(5))."""

import os
from contextlib import suppress
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")
# Behind the name of the command, which ends at the last parenthesis: utime, stime, cutime, cstime.
_TIMES = slice(11, 15)


def family(pid: int) -> list[int]:
    """The process, and all that descend from it."""
    found = [pid]
    for each in found:
        with suppress(OSError):  # it has ended
            for task in Path(f"/proc/{each}/task").iterdir():
                found += map(int, (task / "children").read_text().split())
    return found


def cpu_seconds(pid: int) -> float:
    """The CPU time until now; of descendants that have ended, what their parents have waited for."""
    return sum(map(_ticks, family(pid))) / _TICKS


def _ticks(pid: int) -> int:
    with suppress(OSError):
        stat = Path(f"/proc/{pid}/stat").read_text(errors="replace")
        return sum(map(int, stat.rpartition(")")[2].split()[_TIMES]))
    return 0
