"""One child process, seen from its parent. Imports no pyvips."""

import contextlib
import math
import os
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto
from importlib.util import find_spec
from pathlib import Path
from weakref import WeakSet

from thumbs.render.isolation import wire
from thumbs.render.isolation.descriptors import high, high_descriptor
from thumbs.render.isolation.signals import held
from thumbs.render.isolation.wire import Answer, Call, Hello, Setup, Work

# The kernel ends a child at its deadline (`child.KERNEL_GRACE_SECONDS`); the parent does so this long after it.
PARENT_GRACE_SECONDS = 0.35
SLOW_SECONDS = 0.25  # a render that takes longer is slow
_START_SECONDS = 30.0  # it takes 0.5 s on an idle machine
_END_SECONDS = 10.0
_CRASH_SECONDS = 2.0  # from the end of the channel to the end of the process, which may free much memory
_LATE_CRASH_SECONDS = 0.1  # the same at the deadline
_STDERR_BYTES = 1024  # of one job
# Of an original on its way: in one piece, so that neither process waits for the other in between. The kernel grants no
# more than `net.core.wmem_max`.
_SEND_BYTES = 1024 * 1024
_BOOT = (
    "import sys; d = int(sys.argv[1]); sys.path[:] = sys.argv[2:]; "
    "from thumbs.render.isolation.child import main; main(d)"
)
# What a child may know of the environment: where libraries and fonts are, and how text is encoded. No secrets.
_VARIABLES = ("PATH", "LD_LIBRARY_PATH", "LD_PRELOAD", "LANG", "LC_ALL", "LC_CTYPE", "HOME", "TZ", "TMPDIR")
_PREFIXES = ("FONTCONFIG_", "XDG_", "VIPS_", "G_", "MALLOC_", "LIBVIPS_")
# libvips writes decoded pictures above this size to a file, by default above 100 MB. A child may write none, and
# `Setup.memory` bounds what it holds.
_NO_TEMPORARY_FILES = {"VIPS_DISC_THRESHOLD": "1000g"}
# numpy's libraries start threads at import, which Landlock would not bind.
_NO_THREADS = dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"), "1")


class Loss(Enum):
    """Why a child gave no answer."""

    TIMEOUT = auto()  # it was ended at its deadline, or had spent its CPU time
    KILLED = auto()  # the kernel or an operator killed it
    CRASH = auto()
    INVALID = auto()  # what it sent was not an answer


class ChildLost(Exception):
    """The child gave no answer and has ended. `peak` is its largest address space in bytes, about."""

    def __init__(self, loss: Loss, peak: int) -> None:
        super().__init__(loss)
        self.loss = loss
        self.peak = peak


@dataclass(frozen=True, slots=True)
class Command:
    """How children are started: the interpreter and the directories that modules are imported from."""

    python: str
    path: tuple[str, ...]

    @classmethod
    def of_this_process(cls, python: str) -> "Command":
        """The same modules as here. Without `site`, the packages of a child may need directories of their own."""
        path = [os.path.abspath(entry) for entry in sys.path]  # noqa: PTH100 - `resolve` would follow links
        for name in ("thumbs", "pyvips"):
            spec = find_spec(name)
            if spec is not None and spec.origin is not None:
                path.append(str(Path(spec.origin).parent.parent))
        return cls(python, tuple(dict.fromkeys(path)))

    def line(self, descriptor: int) -> list[str]:
        return [self.python, "-I", "-S", "-c", _BOOT, str(descriptor), *self.path]


class Child:
    """A child process. One thread uses it at a time."""

    def __init__(self, command: Command, setup: Setup) -> None:
        """Start it and return at once. Raises `OSError`."""
        self.calls = 0
        self.working = False  # on a call
        self.preempted = False
        self.is_large = False  # has added so much memory that a failure may come from that
        self.watermarks: set[str] = set()
        self._hello: Hello | None = None
        self._ended: tuple[int, int] | None = None
        mine, theirs = socket.socketpair()
        mine.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _SEND_BYTES)
        self._channel = high(mine)
        theirs = high(theirs)
        self._stderr, write = (high_descriptor(each) for each in os.pipe())
        try:
            # A child that writes more than the pipe holds must not wait for a reader.
            os.set_blocking(write, False)
            os.set_blocking(self._stderr, False)
            with held():
                self._process = subprocess.Popen(  # noqa: S603 - our own command
                    command.line(theirs.fileno()),
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    stderr=write,
                    pass_fds=[theirs.fileno()],
                    env=_environment(),
                    cwd="/",
                )
            _open.add(self)
            self._channel.settimeout(_START_SECONDS)
            wire.send_setup(self._channel, setup)
        except BaseException:
            self.close()
            raise
        finally:
            theirs.close()
            os.close(write)

    @property
    def pid(self) -> int:
        return self._process.pid

    def hello(self) -> Hello:
        """Wait until the child is ready. Raises `ChildLost`."""
        if self._hello is None:
            try:
                self._hello = wire.receive_hello(self._channel, time.monotonic() + _START_SECONDS)
            except TimeoutError:
                raise self._lost(Loss.TIMEOUT) from None
            except (OSError, EOFError):
                raise self._lost(None) from None
            except wire.Invalid:
                raise self._lost(Loss.INVALID) from None
        return self._hello

    def ask(self, call: Call, work: Work, data: bytes, slow: Callable[[], None] = lambda: None) -> Answer:
        """The answer to a call. Raises `ChildLost` at the latest 0.5 s after the deadline; then the child has ended.

        `slow` is called if there is no answer after `SLOW_SECONDS`.
        """
        began = time.monotonic()
        end = began + work.limits.seconds + PARENT_GRACE_SECONDS
        self.calls += 1
        self.working = True
        try:
            wire.send_call(self._channel, call, work, data, end)
            if not self._has_sent(SLOW_SECONDS):
                slow()
            answer = wire.receive_answer(self._channel, end, wire.largest_body(call, work))
            spent = time.monotonic() - began  # more cannot be true, and would falsify the metrics
            return answer._replace(seconds=min(answer.seconds, spent), encode_seconds=min(answer.encode_seconds, spent))
        except TimeoutError:
            raise self._lost(Loss.TIMEOUT) from None
        except (OSError, EOFError):
            raise self._lost(None, end) from None
        except wire.Invalid:
            raise self._lost(Loss.INVALID) from None
        finally:
            self.working = False

    def grown(self, peak: int) -> int:
        """How many bytes all calls so far have added, when `peak` is the largest address space."""
        return peak - self._hello.address_space if self._hello is not None else 0

    def peak_address_space(self) -> int:
        """The largest address space so far, in bytes; 0 where that cannot be read (proc_pid_status(5))."""
        with contextlib.suppress(OSError, ValueError, StopIteration):
            lines = Path(f"/proc/{self.pid}/status").read_text().splitlines()
            return int(next(line for line in lines if line.startswith("VmPeak:")).split()[1]) * 1024
        return 0

    def stderr(self) -> str:
        """The first of what the child has written since the last call; the rest is dropped."""
        try:
            return os.read(self._stderr, 65_536)[:_STDERR_BYTES].decode("utf-8", "backslashreplace")
        except (OSError, ValueError):
            return ""

    def preempt(self) -> bool:
        """Kill the child while another thread waits for its answer. False if none does."""
        if self.working:
            self.preempted = True
            self._process.kill()
        return self.preempted

    def end(self) -> None:
        """Kill the child, and wait until it is gone."""
        self._process.kill()
        self._reap(_END_SECONDS)
        self.close()

    def has_ended(self) -> bool:
        """Whether the child is gone now."""
        return self._reap(0) is not None

    def stray(self) -> Loss | None:
        """Why an idle child is not to be used: it answered no call, or has closed its channel. None if it may be."""
        if self._hello is None or not self._has_sent(0):
            return None
        try:
            return Loss.INVALID if self._channel.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT) else Loss.KILLED
        except OSError:
            return Loss.KILLED

    def _has_sent(self, seconds: float) -> bool:
        """Whether there is something to receive, or the channel is closed, within `seconds`."""
        (poll := select.poll()).register(self._channel, select.POLLIN)
        return bool(poll.poll(seconds * 1000))

    def close(self) -> None:
        """Close what this process holds of the child, which then ends. A forked copy of this process does so too."""
        _open.discard(self)
        self._channel.close()
        if self._stderr >= 0:
            os.close(self._stderr)
            self._stderr = -1

    def _lost(self, loss: Loss | None, end: float = math.inf) -> ChildLost:
        """End the child. None as `loss`: it has ended by itself, and its status says why.

        A child that only closed its channel is waited for until `end` on the monotonic clock, and a little longer.
        Past its deadline it is most often one that the kernel ends, which a busy machine does not do at once.
        """
        is_late = time.monotonic() >= end - PARENT_GRACE_SECONDS
        left = min(_CRASH_SECONDS, max(_LATE_CRASH_SECONDS, end - time.monotonic()))
        ended = self._reap(left) if loss is None else None
        if ended is None:
            self._process.kill()
            _, peak = self._reap(_END_SECONDS) or (0, 0)
            loss = loss or (Loss.TIMEOUT if is_late else Loss.CRASH)
        else:
            status, peak = ended
            causes = {-signal.SIGALRM: Loss.TIMEOUT, -signal.SIGPROF: Loss.TIMEOUT, -signal.SIGKILL: Loss.KILLED}
            # A server that collects all children leaves no status. Then a loss after the deadline is a timeout.
            loss = Loss.TIMEOUT if is_late and status == 0 else causes.get(status, Loss.CRASH)
        if self._hello is not None:
            peak += self._hello.address_space  # `peak` is resident memory, most of which was allocated since
        return ChildLost(loss, peak)

    def _reap(self, seconds: float) -> tuple[int, int] | None:
        """Wait until the child has ended, at most `seconds`: its exit status (a negative signal), its peak in bytes."""
        end, pause = time.monotonic() + seconds, 0.00025
        while self._ended is None:
            try:
                pid, status, usage = os.wait4(self.pid, os.WNOHANG)
            except ChildProcessError:  # a server that waits for all of its children has collected it
                self._ended = (0, 0)
                break
            if pid:
                self._ended = (os.waitstatus_to_exitcode(status), usage.ru_maxrss * 1024)
            elif time.monotonic() >= end:
                return None
            else:
                time.sleep(pause := min(0.05, 2 * pause))
        self._process.returncode = self._ended[0]
        return self._ended


_open: "WeakSet[Child]" = WeakSet()


def _close_in_copy() -> None:
    """A forked copy must not keep the channels open: a child ends when its parent is gone."""
    for child in list(_open):
        child.close()


os.register_at_fork(after_in_child=_close_in_copy)


def _environment() -> dict[str, str]:
    known = {name: value for name, value in os.environ.items() if name in _VARIABLES or name.startswith(_PREFIXES)}
    return known | _NO_TEMPORARY_FILES | _NO_THREADS
