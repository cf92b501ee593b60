"""Programs of Python that start as copies of a template process: they need not import Django and Mage anew.

That is most of what a server of a test costs. What a test says of the start itself (imports, memory, names of
processes) it says of a process that is started as users start it: with `subprocess`, or `fresh`.
"""

import atexit
import contextlib
import itertools
import json
import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.support.waiting import WAIT_SECONDS

_ROOT = Path(__file__).resolve().parents[2]
# Read by the interpreter, the linker or the allocator when a process starts: a copy is too late for them.
_OF_THE_START = ("PYTHON", "LC_", "LANG", "LD_", "MALLOC_", "GLIBC_")
# A copy takes note of the first; asyncio reads the second when a loop is made.
_NOT_ONLY_OF_THE_START = {"PYTHONPATH", "PYTHONASYNCIODEBUG"}
# Servers that share something must agree although their hashes differ: of two in a row, each is made from another one.
_TEMPLATES = 2


class Copy:
    """A process, with those methods of `subprocess.Popen` that the tests use."""

    def __init__(self, channel: socket.socket) -> None:
        """The template process sends two messages over `channel`: the number of the process, and its status."""
        self._channel = channel
        self._lock = threading.Lock()
        self.returncode: int | None = None
        self._wait_for_message(WAIT_SECONDS)
        self.pid = self._message()

    def __del__(self) -> None:
        self._channel.close()

    def poll(self) -> int | None:
        with contextlib.suppress(subprocess.TimeoutExpired):
            return self.wait(0)
        return None

    def wait(self, timeout: float | None = None) -> int:
        """The status when it has ended. Raises `subprocess.TimeoutExpired`."""
        while self.returncode is None:
            self._wait_for_message(timeout)
            with self._lock:  # several threads may wait
                if self.returncode is None:
                    self.returncode = self._message()
        return self.returncode

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    def _wait_for_message(self, timeout: float | None) -> None:
        # After the last one the channel is at its end, so that no thread waits for what another one has read.
        if not select.select([self._channel], [], [], timeout)[0]:
            raise subprocess.TimeoutExpired("a copy of the template process", timeout or 0.0)

    def _message(self) -> int:
        text = self._channel.recv(64)
        if not text:
            raise RuntimeError("the template process has ended")
        return int(text)


Process = subprocess.Popen[bytes] | Copy


class _Template:
    """The process that is copied, from its first use to the end of this one."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._control: socket.socket | None = None

    def copy(
        self, arguments: Sequence[str], environ: Mapping[str, str], directory: Path, outputs: Sequence[int]
    ) -> Copy:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        sys.audit("subprocess.Popen", sys.executable, list(arguments), str(directory), None)
        document = os.memfd_create("document")
        with theirs, os.fdopen(document, "w+b") as file:
            wanted = {"arguments": list(arguments), "environ": dict(environ), "directory": str(directory)}
            file.write(json.dumps(wanted).encode())
            file.seek(0)
            with self._lock:
                socket.send_fds(self._started(), [b"."], [theirs.fileno(), *outputs, document])
        return Copy(ours)

    def _started(self) -> socket.socket:
        if self._control is None:
            self._control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            kept = {name: text for name, text in os.environ.items() if name != "DJANGO_SETTINGS_MODULE"}
            with theirs:
                process = subprocess.Popen(
                    [sys.executable, "-m", "tests.support.template", str(theirs.fileno())],
                    cwd=_ROOT,
                    env=kept,
                    pass_fds=[theirs.fileno()],
                    stdin=subprocess.DEVNULL,
                )
            atexit.register(_end, self._control, process)
        return self._control


def _end(control: socket.socket, process: "subprocess.Popen[bytes]") -> None:
    control.close()
    process.wait(WAIT_SECONDS)


_templates = itertools.cycle([_Template() for _ in range(_TEMPLATES)])


def _of_the_start(environ: Mapping[str, str]) -> dict[str, str]:
    """The variables for which a copy is too late."""
    names = {name for name in environ if name.startswith(_OF_THE_START)} - _NOT_ONLY_OF_THE_START
    return {name: environ[name] for name in names}


_AS_TEMPLATE = _of_the_start(os.environ)


def started(
    arguments: Sequence[str],
    *,
    environ: Mapping[str, str],
    outputs: Sequence[int],
    directory: Path = _ROOT,
    fresh: bool = False,
) -> Process:
    """`python ARGUMENTS` in `directory`: `-m MODULE …`, `-c CODE …` or `FILE …`.

    `outputs` are the files of its standard output and errors, one for both or one for each. `fresh`: no copy.
    """
    if not fresh and _of_the_start(environ) == _AS_TEMPLATE:
        return next(_templates).copy(arguments, environ, directory, outputs)
    return subprocess.Popen(
        [sys.executable, *arguments], cwd=directory, env=environ, stdout=outputs[0], stderr=outputs[-1]
    )


def finished(
    arguments: Sequence[str], *, environ: Mapping[str, str], directory: Path = _ROOT, fresh: bool = False
) -> "subprocess.CompletedProcess[str]":
    """As `started`, with its status and what it has printed when it has ended."""
    with tempfile.TemporaryFile() as printed, tempfile.TemporaryFile() as errors:
        outputs = [printed.fileno(), errors.fileno()]
        process = started(arguments, environ=environ, outputs=outputs, directory=directory, fresh=fresh)
        try:
            status = process.wait(WAIT_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise
        texts = []
        for file in (printed, errors):
            file.seek(0)
            texts.append(file.read().decode())
    return subprocess.CompletedProcess([sys.executable, *arguments], status, *texts)
