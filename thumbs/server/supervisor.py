"""Keeps a server running with its companions: passes signals on, starts a companion that ended again."""

import contextlib
import logging
import os
import signal
import subprocess
import time
from collections.abc import Sequence
from types import FrameType

logger = logging.getLogger("thumbs")

# What gunicorn's arbiter understands: stop, reload, reopen logs, more or fewer workers.
_PASSED_ON = ("SIGTERM", "SIGINT", "SIGQUIT", "SIGHUP", "SIGUSR1", "SIGUSR2", "SIGWINCH", "SIGTTIN", "SIGTTOU")
_STOPPING = {signal.SIGTERM, signal.SIGINT, signal.SIGQUIT}
_LOOK_SECONDS = 0.5
_INSIST_SECONDS = 2.0
_AGAIN_SECONDS = 5.0
_GRACE_SECONDS = 10.0


class Supervisor:
    """`server` is the command whose life this is; `companions` are commands that live as long.

    Before a reload (SIGHUP) `check` is run. Where it ends with another status than 0, the server goes on as it is: with
    a configuration that is wrong now, its new workers would not start, and it would end.
    """

    def __init__(
        self, server: Sequence[str], companions: Sequence[Sequence[str]] = (), *, check: Sequence[str] = ()
    ) -> None:
        self._command = list(server)
        self._check = list(check)
        self._reload_wanted = False
        self._companions = [_Companion(list(command)) for command in companions]
        self._server: subprocess.Popen[bytes] | None = None
        self._stop_signal: int | None = None
        self._insist_at = 0.0

    def run(self) -> int:
        """Returns the server's exit status when it has ended, and every companion with it."""
        for name in _PASSED_ON:
            signal.signal(getattr(signal, name), self._pass_on)
        # A group of its own: a terminal's Ctrl-C reaches us alone, and we pass it on.
        self._server = subprocess.Popen(self._command, process_group=0)  # noqa: S603 - our own command
        try:
            while self._server.poll() is None:
                if self._stop_signal is None:
                    for companion in self._companions:
                        companion.keep_running()
                    self._reload_if_wanted(self._server)
                else:
                    self._insist(self._server.pid, self._stop_signal)
                with contextlib.suppress(subprocess.TimeoutExpired):
                    self._server.wait(_LOOK_SECONDS)
        finally:
            for companion in self._companions:
                companion.stop()
        status = self._server.returncode
        if self._stop_signal is not None and status == -self._stop_signal:
            return 0  # told to stop once more when it was all but gone
        return 128 - status if status < 0 else status

    def _pass_on(self, number: int, _: FrameType | None) -> None:
        if number in _STOPPING:
            self._stop_signal = number
            self._insist_at = time.monotonic() + _INSIST_SECONDS
        if number == signal.SIGHUP:
            self._reload_wanted = True
        elif self._server is not None and self._server.poll() is None:
            self._server.send_signal(number)

    def _reload_if_wanted(self, server: "subprocess.Popen[bytes]") -> None:
        if not self._reload_wanted:
            return
        self._reload_wanted = False
        if self._check and subprocess.run(self._check, check=False).returncode:  # noqa: S603 - our own command
            logger.error("the configuration has errors: nothing is reloaded, the server goes on as it was")
        else:
            server.send_signal(signal.SIGHUP)

    def _insist(self, group: int, number: int) -> None:
        """Say it again to the server and all of its workers: one that was still loading has missed it (uvloop's do)."""
        if time.monotonic() < self._insist_at:
            return
        self._insist_at = time.monotonic() + _INSIST_SECONDS
        with contextlib.suppress(ProcessLookupError):
            os.killpg(group, number)


class _Companion:
    def __init__(self, command: list[str]) -> None:
        self._command = command
        self._process: subprocess.Popen[bytes] | None = None
        self._not_before = 0.0

    def keep_running(self) -> None:
        if self._process is not None and self._process.poll() is not None:
            logger.warning("%s ended with status %d; it is started again", self._command[-1], self._process.returncode)
            self._process, self._not_before = None, time.monotonic() + _AGAIN_SECONDS
        if self._process is None and time.monotonic() >= self._not_before:
            self._process = subprocess.Popen(self._command, process_group=0)  # noqa: S603 - our own command

    def stop(self) -> None:
        if self._process is None or self._process.poll() is not None:
            return
        self._process.terminate()
        try:
            self._process.wait(_GRACE_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
