"""The processes of a running `run_thumb_server`, as the kernel lists them."""

from contextlib import suppress
from pathlib import Path


def master(supervisor: int) -> int | None:
    """gunicorn's main process; None while there is none."""
    return next((pid for pid in _children(supervisor) if b"gunicorn" in _command_line(pid)), None)


def janitor(supervisor: int) -> int | None:
    """The janitor beside the server; None while there is none."""
    return next((pid for pid in _children(supervisor) if b"run_cache_janitor" in _command_line(pid)), None)


def workers(supervisor: int) -> list[int]:
    """The workers: the copies that gunicorn's main process has made of itself."""
    parent = master(supervisor)
    if parent is None:
        return []
    line = _command_line(parent)
    return sorted(pid for pid in _children(parent) if _command_line(pid) == line)


def renderers(supervisor: int) -> list[int]:
    """The children of the workers, which render."""
    return sorted(child for worker in workers(supervisor) for child in _children(worker))


def family(supervisor: int) -> set[int]:
    """The supervisor and everything that descends from it."""
    found, waiting = {supervisor}, [supervisor]
    while waiting:
        more = set(_children(waiting.pop())) - found
        found |= more
        waiting += more
    return found


def lives(pid: int) -> bool:
    """Whether it runs: neither gone nor a zombie."""
    with suppress(OSError):
        return _stat(pid)[0] != "Z"
    return False


def _children(pid: int) -> list[int]:
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            with suppress(OSError):  # it has ended meanwhile
                state, parent = _stat(int(entry.name))[:2]
                if int(parent) == pid and state != "Z":
                    found.append(int(entry.name))
    return found


def _stat(pid: int) -> list[str]:
    """State, parent and so on (proc_pid_stat(5)): what follows the name, which may itself have parentheses."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()


def _command_line(pid: int) -> bytes:
    with suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    return b""
