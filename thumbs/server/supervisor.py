"""Runs a server with its companions: passes signals on to the server, and restarts a companion that ends."""

import contextlib
import json
import logging
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterable, Sequence
from types import FrameType
from typing import IO

from thumbs.server.lifeline import lifeline

logger = logging.getLogger("thumbs")

# The signals of gunicorn's main process: stop, reload, reopen logs, more or fewer workers.
_PASSED_ON = ("SIGTERM", "SIGINT", "SIGQUIT", "SIGHUP", "SIGUSR1", "SIGUSR2", "SIGWINCH", "SIGTTIN", "SIGTTOU")
_STOPPING = {signal.SIGTERM, signal.SIGINT, signal.SIGQUIT}
_POLL_SECONDS = 0.5
_REPEAT_SECONDS = 2.0
_RESTART_SECONDS = 5.0
_GRACE_SECONDS = 10.0
_CHECK_SECONDS = 60.0  # it takes a few; one that hangs, such as in a network file system, is killed
# What prevents a start: no memory, no process, no descriptor left, or a program that is missing.
_NO_START = (OSError, subprocess.SubprocessError)
_NOT_RELOADED = "nothing is reloaded, the server goes on as it was"


def supervise(
    server: Sequence[str],
    companions: Sequence[Sequence[str]],
    check: Sequence[str],
    logs_check: bool,
    directory: str | None,
) -> int:
    """As `Supervisor.run`, in a process that has no other children. `directory` of the server is deleted at the end."""
    try:
        return Supervisor(server, companions, check=check, logs_check=logs_check, adopts=True).run()
    finally:
        if directory is not None:
            shutil.rmtree(directory, ignore_errors=True)


class Supervisor:
    """`server` and `companions` are commands. The companions are stopped when the server has ended.

    If this process is killed, the kernel stops them all: `run` is called in the main thread.

    Before a reload (SIGHUP), the command `check` is run. If its status is not 0, nothing is reloaded: with a wrong
    configuration no new worker would start, and the server would end. With `logs_check`, what it prints is logged.
    If another SIGHUP comes while it runs, it runs again, and only that run decides.

    With `adopts`, the kernel may give this process the orphans of the server, as it does the first process of
    a container: all children that have ended and are not the supervisor's own are cleared away.
    """

    def __init__(
        self,
        server: Sequence[str],
        companions: Sequence[Sequence[str]] = (),
        *,
        check: Sequence[str] = (),
        logs_check: bool = False,
        adopts: bool = False,
    ) -> None:
        self._command = list(server)
        self._check = _Check(list(check), logs=logs_check)
        self._adopts = adopts
        self._reload_wanted = False
        self._companions = [_Companion(list(command)) for command in companions]
        self._server: subprocess.Popen[bytes] | None = None
        self._stop_signal: int | None = None
        self._repeat_at = 0.0

    def run(self) -> int:
        """Run until the server and all companions have ended. Returns the server's exit status."""
        for name in _PASSED_ON:
            signal.signal(getattr(signal, name), self._pass_on)
        self._server = _start(self._command)
        try:
            while self._server.poll() is None:
                if self._stop_signal is None:
                    for companion in self._companions:
                        companion.keep_running()
                    self._reload_if_wanted(self._server)
                else:
                    self._check.stop()
                    self._repeat_signal(self._server.pid, self._stop_signal)
                if self._adopts:
                    _clear_away_orphans(
                        [self._server, self._check.process, *(each.process for each in self._companions)]
                    )
                with contextlib.suppress(subprocess.TimeoutExpired):
                    self._server.wait(_POLL_SECONDS)
        finally:
            self._check.stop()
            for companion in self._companions:
                companion.stop()
        status = self._server.returncode
        if self._stop_signal is not None and status == -self._stop_signal:
            return 0  # the repeated signal came while it ended
        return 128 - status if status < 0 else status

    def _pass_on(self, number: int, _: FrameType | None) -> None:
        if number in _STOPPING:
            self._stop_signal = number
            self._repeat_at = time.monotonic() + _REPEAT_SECONDS
        if number == signal.SIGHUP:
            self._reload_wanted = True
        elif self._server is not None and self._server.poll() is None:
            self._server.send_signal(number)

    def _reload_if_wanted(self, server: "subprocess.Popen[bytes]") -> None:
        passed = self._check.has_passed()
        if self._reload_wanted and not self._check.is_running:
            self._reload_wanted = False
            passed = self._check.start()  # also if one has just passed: the configuration may have changed since
        if passed:
            server.send_signal(signal.SIGHUP)

    def _repeat_signal(self, group: int, number: int) -> None:
        """Send the signal again, to the server and its workers: a worker that was still loading may miss the first."""
        if time.monotonic() < self._repeat_at:
            return
        self._repeat_at = time.monotonic() + _REPEAT_SECONDS
        with contextlib.suppress(ProcessLookupError):
            os.killpg(group, number)


def _start(
    command: list[str], stdout: IO[bytes] | None = None, stderr: IO[bytes] | None = None
) -> "subprocess.Popen[bytes]":
    """In a process group of its own: a terminal sends Ctrl-C to this process only, which passes it on."""
    # This process has only one thread, so code between fork and exec is safe.
    return subprocess.Popen(  # noqa: S603 - our own command
        command,
        stdout=stdout,
        stderr=stderr,
        process_group=0,
        preexec_fn=lifeline(),  # noqa: PLW1509 - as above
    )


def _clear_away_orphans(own: Iterable["subprocess.Popen[bytes] | None"]) -> None:
    """Take the status of each child that has ended, as it stays a zombie until then: but never of those in `own`."""
    # One of our own that has ended must be polled first: it would be found again and again, and hide the others.
    running = {process.pid for process in own if process is not None and process.poll() is None}
    with contextlib.suppress(ChildProcessError):  # no child is left
        while ended := os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT):
            if ended.si_pid in running:  # it has ended just now
                break
            os.waitpid(ended.si_pid, 0)


def _records(printed: str) -> list[str]:
    """What a command has printed, in texts for one record each: an unindented line, with the indented ones below it."""
    found: list[str] = []
    for line in filter(str.strip, printed.splitlines()):
        if found and line[0].isspace():
            found[-1] += f"\n{line}"
        else:
            found.append(line)
    return found


def _log(text: str, level: int) -> None:
    """Log a text at `level`, or as its own level says where it is a line of the log already."""
    with contextlib.suppress(ValueError):
        line = json.loads(text)
        if isinstance(line, dict) and "message" in line:
            level = logging.getLevelNamesMapping().get(str(line.get("level")), level)
            text = str(line["message"])
    logger.log(level, "%s", text)


class _Check:
    """The command that decides on a reload. It runs beside the server: a stop does not wait for it."""

    def __init__(self, command: list[str], *, logs: bool) -> None:
        self._command = command
        self._logs = logs
        self.process: subprocess.Popen[bytes] | None = None
        self._printed: list[IO[bytes]] = []
        self._ends_by = 0.0

    @property
    def is_running(self) -> bool:
        """Until `has_passed` has found that it has ended."""
        return self.process is not None

    def start(self) -> bool:
        """Whether it has passed already: there is nothing to check without a command."""
        if not self._command:
            return True
        try:
            # Files in memory: a pipe that is read only at the end would be full, and /tmp may be.
            if self._logs:
                self._printed = [os.fdopen(os.memfd_create("check"), "r+b") for _ in range(2)]
            self.process = _start(self._command, *self._printed)
        except _NO_START as error:
            logger.error("the check of the configuration cannot be started (%s): %s", error, _NOT_RELOADED)
            self.stop()
        self._ends_by = time.monotonic() + _CHECK_SECONDS
        return False

    def has_passed(self) -> bool:
        """Whether a run has ended since the last call, and well. If not well, the log says that nothing is reloaded."""
        if self.process is None:
            return False
        status = self.process.poll()
        if status is None and time.monotonic() < self._ends_by:
            return False
        self._log_printed(logging.WARNING if status == 0 else logging.ERROR)
        self.stop()
        if status is None:
            logger.error("the check of the configuration took over %d s: %s", _CHECK_SECONDS, _NOT_RELOADED)
        elif status:
            logger.error("the configuration has errors: %s", _NOT_RELOADED)
        return status == 0

    def stop(self) -> None:
        """Kill it if it still runs."""
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            with contextlib.suppress(subprocess.TimeoutExpired):  # the kernel may hold it in a call
                self.process.wait(_GRACE_SECONDS)
        for file in self._printed:
            file.close()
        self.process, self._printed = None, []

    def _log_printed(self, errors: int) -> None:
        for file, level in zip(self._printed, (logging.INFO, errors), strict=False):
            file.seek(0)
            for text in _records(file.read().decode(errors="replace")):
                _log(text, level)


class _Companion:
    def __init__(self, command: list[str]) -> None:
        self._command = command
        self.process: subprocess.Popen[bytes] | None = None
        self._not_before = 0.0

    def keep_running(self) -> None:
        if self.process is not None and self.process.poll() is not None:
            logger.warning("%s ended with status %d; it is started again", self._command[-1], self.process.returncode)
            self.process, self._not_before = None, time.monotonic() + _RESTART_SECONDS
        if self.process is None and time.monotonic() >= self._not_before:
            try:
                self.process = _start(self._command)
            except _NO_START as error:
                logger.error("%s cannot be started (%s); it is tried again", self._command[-1], error)
                self._not_before = time.monotonic() + _RESTART_SECONDS

    def stop(self) -> None:
        if self.process is None or self.process.poll() is not None:
            return
        self.process.terminate()
        try:
            self.process.wait(_GRACE_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
