"""Child processes in their own sessions: neither they nor their children outlive the block that started them."""

import ctypes
import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

LOOPBACK = "127.0.0.1"
_GRACE_SECONDS = 5.0
_PORT_SECONDS = 120.0  # a server is four starts, one after the other, on a machine that may be busy
_PR_SET_CHILD_SUBREAPER, _PR_GET_CHILD_SUBREAPER = 36, 37


class UnavailableError(Exception):
    """A server or program cannot be used; the message says why, in one line."""


@dataclass(frozen=True, slots=True)
class Child:
    """A running command and the file with its output."""

    process: subprocess.Popen[bytes]
    log: Path

    @property
    def ended(self) -> bool:
        """Whether it has ended. It is not reaped here: until then no other process gets its pid or session id."""
        return os.waitid(os.P_PID, self.process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None

    @property
    def last_line(self) -> str:
        lines = self.log.read_text(errors="replace").split("\n")
        return next((line.strip() for line in reversed(lines) if line.strip()), "it printed nothing")

    def await_end(self, seconds: float) -> int:
        """The exit status. Raises `UnavailableError` when the command takes longer than `seconds`."""
        end = time.monotonic() + seconds
        while not self.ended:
            if time.monotonic() > end:
                raise UnavailableError(f"{self.process.args!r} took longer than {seconds:.0f} s")
            time.sleep(0.02)
        return self.process.wait()

    def await_port(self, port: int) -> None:
        """Return when the port accepts connections. Raises `UnavailableError` if the command ends or takes too long."""
        end = time.monotonic() + _PORT_SECONDS
        while time.monotonic() < end:
            if self.ended:
                raise UnavailableError(f"it ended at once: {self.last_line}")
            with suppress(OSError), socket.create_connection((LOOPBACK, port), timeout=1):
                return
            time.sleep(0.05)
        raise UnavailableError(f"it does not listen after {_PORT_SECONDS:.0f} s: {self.last_line}")


@contextmanager
def running(
    command: Sequence[str | Path], *, log: Path, env: Mapping[str, str] | None = None, cwd: Path | None = None
) -> Iterator[Child]:
    """Run the command as the leader of a new session, which ends with the block.

    Raises `UnavailableError` when it cannot be started at all.
    """
    with _adopting_orphans(), log.open("wb") as sink:
        try:
            process = subprocess.Popen(
                [str(word) for word in command],
                stdin=subprocess.DEVNULL,
                stdout=sink,
                stderr=subprocess.STDOUT,
                env=env,
                cwd=cwd,
                start_new_session=True,
            )
        except OSError as error:
            raise UnavailableError(f"{command[0]} does not start: {error.strerror}") from None
        child = Child(process, log)
        try:
            yield child
        finally:
            _end(child)


def free_port() -> int:
    """A port that no process listens on now."""
    with socket.socket() as listener:
        listener.bind((LOOPBACK, 0))
        port: int = listener.getsockname()[1]
        return port


def _end(child: Child) -> None:
    process = child.process
    if process.returncode is not None:
        return  # already reaped: another process may have its pid
    try:
        os.killpg(process.pid, signal.SIGTERM)
        end = time.monotonic() + _GRACE_SECONDS
        while not child.ended and time.monotonic() < end:
            time.sleep(0.02)
    finally:
        # The grace period is over for all of the session. The leader is reaped last: until then its id is not reused.
        _end_session(process.pid)
        process.wait()


def _end_session(session: int) -> None:
    """Kill every process of a session, in any process group, and reap all but the leader."""
    end = time.monotonic() + _GRACE_SECONDS
    while time.monotonic() < end:
        members = _members(session)
        for member in members:
            with suppress(ProcessLookupError):
                os.kill(member, signal.SIGKILL)
        members.discard(session)
        if not members:
            return
        for member in members:
            with suppress(ChildProcessError):  # not our child yet: its parent is still ending
                os.waitpid(member, os.WNOHANG)
        time.sleep(0.005)


def _members(session: int) -> set[int]:
    members = set()
    for number in (int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdecimal()):
        with suppress(OSError):  # it has ended, or we may not see it
            if os.getsid(number) == session:
                members.add(number)
    return members


@contextmanager
def _adopting_orphans() -> Iterator[None]:
    """Within the block, orphaned descendants become our children, so that they can be reaped (prctl(2))."""
    libc, before = ctypes.CDLL(None), ctypes.c_int()
    libc.prctl(_PR_GET_CHILD_SUBREAPER, ctypes.byref(before), 0, 0, 0)
    libc.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    try:
        yield
    finally:
        libc.prctl(_PR_SET_CHILD_SUBREAPER, before.value, 0, 0, 0)
