"""Stands for `subprocess`, `signal.signal` and the clock of a supervisor: its children live in this process."""

import os
import subprocess
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import IO

Step = Callable[[], object]


class FakeProcess:
    """A child that records the signals sent to it, and ends when a test says so."""

    def __init__(self, processes: "FakeProcesses", command: Sequence[str], started: float) -> None:
        self._processes = processes
        self.command, self.started = list(command), started
        self.pid = 1000 + len(processes.started)
        self.returncode: int | None = None
        self.signals: list[int] = []
        self.obeys = True

    def poll(self) -> int | None:
        return self.returncode

    def end(self, status: int) -> None:
        self.returncode = status
        self._processes.events.append(f"{self.command[-1]} ended")

    def send_signal(self, number: int) -> None:
        self.signals.append(number)

    def terminate(self) -> None:
        self._processes.events.append(f"{self.command[-1]} terminated")
        if self.obeys:
            self.end(0)

    def kill(self) -> None:
        self.end(-9)

    def wait(self, timeout: float | None = None) -> int:
        """The next step of the test happens while the supervisor waits for a child."""
        if self.returncode is None:
            assert timeout is not None, "a supervisor would wait for ever"
            self._processes.now += timeout
            self._processes.step()
        if self.returncode is None:
            raise subprocess.TimeoutExpired(self.command, timeout or 0)
        return self.returncode


class FakeProcesses:
    """`steps` happen one by one, each after a wait of the supervisor. None is a wait in which nothing happens."""

    TimeoutExpired = subprocess.TimeoutExpired

    def __init__(self) -> None:
        self.now = 0.0
        self.started: list[FakeProcess] = []
        self.groups: list[int | None] = []
        self.check_status: int | None = 0  # of a command that ends with `check`; None is one that goes on
        self.printed = ""
        self.events: list[str] = []
        self.refused: dict[str, Exception] = {}  # by the last word of a command: why it cannot be started
        self.steps: Iterator[Step | None] = iter(())

    def plan(self, steps: Iterable[Step | None]) -> None:
        self.steps = iter(steps)

    def step(self) -> None:
        action = next(self.steps)  # StopIteration: the supervisor waits longer than the test foresaw
        if action is not None:
            action()

    def of(self, name: str) -> list[FakeProcess]:
        """The children whose command ends with `name`, in the order in which they were started."""
        return [process for process in self.started if process.command[-1] == name]

    def Popen(  # noqa: N802
        self,
        command: Sequence[str],
        *,
        stdout: IO[bytes] | None,
        stderr: IO[bytes] | None,
        process_group: int | None = None,
        preexec_fn: object = None,
    ) -> FakeProcess:
        assert preexec_fn is not None, "it would go on when the supervisor is killed"
        if command[-1] in self.refused:
            raise self.refused[command[-1]]
        self.groups.append(process_group)
        self.started.append(FakeProcess(self, command, self.now))
        if command[-1] == "check":
            self.started[-1].returncode = self.check_status
            for file, text in ((stdout, "well\n"), (stderr, self.printed)):
                if file is not None:
                    os.write(file.fileno(), text.encode())
        return self.started[-1]

    def monotonic(self) -> float:
        return self.now
