"""Servers that render in children, and what is known of those from outside."""

import contextlib
import json
import time
from collections.abc import Iterable, Mapping
from pathlib import Path

from tests.support.commands import local_storage
from tests.support.processes import cpu_ticks, descendants
from tests.support.servers import Server, fetch

_PROGRAM = "thumbs.render.isolation.child"


def document(originals: Path, tmp_path: Path, **more: object) -> dict[str, object]:
    """One unsigned storage without a cache: each request is a render."""
    return {"storages": [local_storage("photos", originals)], "run_dir": str(tmp_path / "run"), **more}


def render_children(pid: int) -> set[int]:
    """The children that render, of a server and of its workers."""
    return {child for child, command in descendants(pid).items() if _PROGRAM in command}


def layers(server: Server) -> Mapping[str, bool]:
    """What a standalone server says of its isolation."""
    found: Mapping[str, bool] = json.loads(fetch(f"http://127.0.0.1:{server.port}/ready").body)["isolation"]
    return found


def is_locked_down(pid: int) -> bool:
    """Whether a seccomp filter binds every thread of a process (proc_pid_status(5))."""
    return all("Seccomp:\t2" in status.read_text() for status in Path(f"/proc/{pid}/task").glob("*/status"))


def pss(pids: set[int]) -> int:
    """The memory of processes in bytes, what they share divided among them (proc_pid_smaps(5))."""
    total = 0
    for pid in pids:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
        total += sum(int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:"))
    return total


def pss_of_family(pid: int, *, rest_seconds: float = 0.0) -> float:
    """The memory of a process and all that descend from it, in bytes, after a rest in which children trim theirs.

    Infinite where one of them ended meanwhile.
    """
    time.sleep(rest_seconds)
    with contextlib.suppress(OSError):
        return pss({pid, *descendants(pid)})
    return float("inf")


def at_work(pids: Iterable[int], *, seconds: float = 0.5) -> set[int]:
    """Those of the processes that compute while one looks."""
    before = dict(_ticks(pids))
    time.sleep(seconds)
    return {pid for pid, ticks in _ticks(before) if ticks > before[pid]}


def _ticks(pids: Iterable[int]) -> list[tuple[int, int]]:
    found = []
    for pid in pids:
        with contextlib.suppress(OSError):
            found.append((pid, cpu_ticks(pid)))
    return found
