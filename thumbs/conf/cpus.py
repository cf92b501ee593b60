"""How many cores this process may use: the affinity mask, and the CPU quota of a container."""

import os
from pathlib import Path

_CGROUP_QUOTA = Path("/sys/fs/cgroup/cpu.max")  # cgroup v2: "quota period" in microseconds, or "max period"


def usable_cores() -> int:
    """The cores of the affinity mask, or of the container's CPU quota where that is lower; at least 1."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    try:
        quota, _, period = _CGROUP_QUOTA.read_text().partition(" ")
        if quota != "max":
            cores = min(cores, -(-int(quota) // int(period)))
    except (OSError, ValueError, ZeroDivisionError):
        pass  # no cgroup v2: the mask alone counts
    return max(1, cores)
