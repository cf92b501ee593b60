"""Child processes in sessions of their own: whatever happens, neither they nor their children outlive their block."""

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
_PR_SET_CHILD_SUBREAPER, _PR_GET_CHILD_SUBREAPER = 36, 37


class UnavailableError(Exception):
    """A party cannot take part; the message says why, in a line."""


@dataclass(frozen=True, slots=True)
class Child:
    """A running command, and the file that takes what it prints."""

    process: subprocess.Popen[bytes]
    log: Path

    @property
    def ended(self) -> bool:
        """Asked without reaping: until it is reaped its number, and so its session's, is nobody else's."""
        return os.waitid(os.P_PID, self.process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None

    @property
    def last_words(self) -> str:
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

    def await_port(self, port: int, seconds: float = 30.0) -> None:
        """Return when something listens. Raises `UnavailableError` when the command ends or takes too long."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if self.ended:
                raise UnavailableError(f"it ended at once: {self.last_words}")
            with suppress(OSError), socket.create_connection((LOOPBACK, port), timeout=1):
                return
            time.sleep(0.05)
        raise UnavailableError(f"it does not listen after {seconds:.0f} s: {self.last_words}")


@contextmanager
def running(
    command: Sequence[str | Path], *, log: Path, env: Mapping[str, str] | None = None, cwd: Path | None = None
) -> Iterator[Child]:
    """The command as the leader of a new session, which is ended with the block.

    Raises `UnavailableError` when it cannot be started at all.
    """
    with _orphans_are_ours(), log.open("wb") as sink:
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
    """A port that nobody listens on at this moment."""
    with socket.socket() as listener:
        listener.bind((LOOPBACK, 0))
        port: int = listener.getsockname()[1]
        return port


def _end(child: Child) -> None:
    process = child.process
    if process.returncode is not None:
        return  # it was waited for, and its number may be another's by now
    try:
        os.killpg(process.pid, signal.SIGTERM)
        end = time.monotonic() + _GRACE_SECONDS
        while not child.ended and time.monotonic() < end:
            time.sleep(0.02)
    finally:
        # The leader is gone or has had its time, and so have the others. Until it is reaped its session is its own.
        _end_session(process.pid)
        process.wait()


def _end_session(session: int) -> None:
    """Kill and reap all of a session but its leader, whatever groups they are in; the leader is only killed."""
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
            with suppress(ChildProcessError):  # its parent, which is ending too, has not left it to us yet
                os.waitpid(member, os.WNOHANG)
        time.sleep(0.005)


def _members(session: int) -> set[int]:
    members = set()
    for number in (int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdecimal()):
        with suppress(OSError):  # it has ended meanwhile, or is hidden from us
            if os.getsid(number) == session:
                members.add(number)
    return members


@contextmanager
def _orphans_are_ours() -> Iterator[None]:
    """Within the block, children whose parent ends become ours, so that they can be waited for too (prctl(2))."""
    libc, before = ctypes.CDLL(None), ctypes.c_int()
    libc.prctl(_PR_GET_CHILD_SUBREAPER, ctypes.byref(before), 0, 0, 0)
    libc.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    try:
        yield
    finally:
        libc.prctl(_PR_SET_CHILD_SUBREAPER, before.value, 0, 0, 0)
