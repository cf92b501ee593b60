"""The process of a `Child`, played by a thread of this process that speaks at the other end of its channel."""

import contextlib
import os
import signal
import socket
import subprocess
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import SimpleNamespace

import pytest

from thumbs.image.encoding import Encoding
from thumbs.render.isolation import process, wire
from thumbs.render.isolation.process import Child, Command
from thumbs.render.isolation.wire import Hello, Setup

HELLO = Hello(3, 5000)
COMMAND = Command("/python", ("/one", "/two"))
SETUP = Setup(frozenset({"jpeg"}), 1, Encoding(), 1000, frozenset())
Program = Callable[["ThreadProcess"], object]


class ThreadProcess:
    """Stands for a `Popen`. `channel` and `stderr` are the child's ends; both close when the program returns."""

    pid = 2**22 + 1  # above every process of Linux

    def __init__(self, program: Program, channel: int, stderr: int) -> None:
        self.channel = socket.socket(fileno=os.dup(channel))
        self.stderr = os.dup(stderr)
        self.stderr_blocks = os.get_blocking(stderr)
        self.returncode: int | None = None
        self.status: int | None = None  # as wait4(2) gives it; None while it runs
        self.kilobytes = 0
        self.is_collected = False
        self.kills = 0
        self.setup: Setup | None = None
        self.thread = threading.Thread(target=self._run, args=(program,))

    def _run(self, program: Program) -> None:
        try:
            self.setup = wire.receive_setup(self.channel)
            program(self)
        except (EOFError, OSError):
            pass
        finally:
            self.close()

    def close(self) -> None:
        if self.stderr >= 0:
            os.close(self.stderr)
        self.stderr = -1
        self.channel.close()

    def kill(self) -> None:
        self.kills += 1
        if self.status is None:
            self.status = signal.SIGKILL
        with contextlib.suppress(OSError):  # it has returned
            self.channel.shutdown(socket.SHUT_RDWR)


def wait(child: ThreadProcess) -> None:
    """A program that answers nothing, and reads until its parent is gone or kills it."""
    while child.channel.recv(65_536):
        pass


@dataclass
class Machine:
    """Starts such children. `now` is the monotonic clock, which moves when the parent sleeps."""

    now: float = 1000.0
    sleeps: list[float] = field(default_factory=list)
    started: list[ThreadProcess] = field(default_factory=list)
    children: list[Child] = field(default_factory=list)
    options: dict[str, object] = field(default_factory=dict)
    mask: set[int] = field(default_factory=set)  # the signals that were held when the last child was started
    command: Sequence[str] = ()
    program: Program = lambda _: None
    refusal: BaseException | None = None

    def Popen(  # noqa: N802
        self, command: Sequence[str], *, pass_fds: Sequence[int], stderr: int, env: Mapping[str, str], **options: object
    ) -> ThreadProcess:
        self.command = command
        self.mask = {int(number) for number in signal.pthread_sigmask(signal.SIG_BLOCK, ())}
        self.options = {**options, "pass_fds": list(pass_fds), "env": dict(env), "stderr": stderr}
        if self.refusal is not None:
            raise self.refusal
        (channel,) = pass_fds
        self.started.append(ThreadProcess(self.program, channel, stderr))
        self.started[-1].thread.start()
        return self.started[-1]

    def wait4(self, pid: int, options: int) -> tuple[int, int, object]:
        child = self.started[-1]
        assert (pid, options) == (child.pid, os.WNOHANG)
        if child.is_collected:
            raise ChildProcessError
        if child.status is None:
            return 0, 0, None
        return pid, child.status, SimpleNamespace(ru_maxrss=child.kilobytes)

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.sleeps.append(seconds)
        self.now += seconds

    def start(self, program: Program) -> Child:
        """A child whose process runs `program`, once it has read its setup."""
        self.program = program
        self.children.append(Child(COMMAND, SETUP))
        return self.children[-1]

    def ready(self, program: Program = wait) -> Child:
        """A child that has said that it is ready, and then runs `program`: by default it waits for its end."""

        def greet(child: ThreadProcess) -> None:
            wire.send_hello(child.channel, HELLO)
            program(child)

        child = self.start(greet)
        assert child.hello() == HELLO
        return child

    @property
    def process(self) -> ThreadProcess:
        return self.started[-1]

    def close(self) -> None:
        for child in self.started:
            child.kill()
            child.thread.join(30)
            assert not child.thread.is_alive()
        for each in self.children:
            each.close()


def machine(monkeypatch: pytest.MonkeyPatch) -> Machine:
    """Children that are made from here on are threads. Call its `close` at the end."""
    made = Machine()
    monkeypatch.setattr(process, "subprocess", SimpleNamespace(Popen=made.Popen, DEVNULL=subprocess.DEVNULL))
    monkeypatch.setattr(os, "wait4", made.wait4)
    clock = SimpleNamespace(monotonic=made.monotonic, sleep=made.sleep)
    for module in (process, wire):
        monkeypatch.setattr(module, "time", clock)
    return made
