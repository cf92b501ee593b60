"""The supervisor: it runs as long as the server, passes signals on, and ends the companions with it."""

import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support.waiting import WAIT_SECONDS

# The server and a companion write their names, process ids and signals to a file, and exit at SIGTERM.
_SERVER = """
import os, signal, sys, time
def note(text):
    with open(sys.argv[1], "a") as file:
        file.write(text + chr(10))
def stop(number, frame):
    note(f"server got {signal.Signals(number).name}")
    sys.exit(int(sys.argv[2]))
signal.signal(signal.SIGTERM, stop)
signal.signal(signal.SIGHUP, lambda number, frame: note("server got SIGHUP"))
note(f"server {os.getpid()}")
while True:
    time.sleep(0.05)
"""
# This one ignores its first SIGTERM, as a server does that is still loading.
_DEAF_AT_FIRST = _SERVER.replace(
    "def stop(number, frame):",
    """
received = []
def stop(number, frame):
    received.append(number)
    if len(received) == 1:
        return""",
)
_COMPANION = """
import os, signal, sys, time
def note(text):
    with open(sys.argv[1], "a") as file:
        file.write(text + chr(10))
def stop(number, frame):
    note(f"companion got {signal.Signals(number).name}")
    if sys.argv[2] != "stubborn":
        sys.exit(0)
signal.signal(signal.SIGTERM, stop)
note(f"companion {os.getpid()}")
while True:
    time.sleep(0.05)
"""
# This one has a worker that ends before its own children, which then have the process as their parent that adopts.
_LEAVES_ORPHANS = _SERVER.replace(
    "while True:",
    """
worker = os.fork()
if not worker:
    worker = os.getpid()
    for _ in range(3):
        if not os.fork():
            while os.getppid() == worker:
                time.sleep(0.01)
            note(f"orphan {os.getpid()}")
            note(f"parent {os.getppid()}")
            os._exit(1)
    os._exit(0)
os.waitpid(worker, 0)
while True:""",
)
_SUPERVISOR = """
import ctypes, sys
from thumbs.server import supervisor
ctypes.CDLL(None).prctl(36, 1, 0, 0, 0)  # PR_SET_CHILD_SUBREAPER: it adopts, as the first process of a container
supervisor._RESTART_SECONDS = 0.1
supervisor._GRACE_SECONDS = 0.5
supervisor._POLL_SECONDS = 0.1
server, companion, notes, status, manner, checked = sys.argv[1:]
companions = [[sys.executable, "-c", companion, notes, manner]] if manner else []
note = f"import os; open({notes!r}, 'a').write(f'checked {{os.getpid()}}' + chr(10))"
check = [sys.executable, "-c", f"{note}; {checked}"]
if checked == "missing":
    check = [notes + "-of-no-program"]
sys.exit(supervisor.supervise([sys.executable, "-c", server, notes, status], companions, check, False, None))
"""


class Supervised:
    """A supervisor in a process of its own, with what its children wrote."""

    def __init__(
        self, notes: Path, *, server: str = _SERVER, status: int = 0, companion: str = "docile", checked: str = "pass"
    ) -> None:
        self._notes = notes
        arguments = [server, _COMPANION, str(notes), str(status), companion, checked]
        command = [sys.executable, "-c", _SUPERVISOR, *arguments]
        self.process = subprocess.Popen(command, start_new_session=True, stderr=subprocess.PIPE)

    @property
    def notes(self) -> list[str]:
        return self._notes.read_text().splitlines() if self._notes.exists() else []

    def pids(self, name: str) -> list[int]:
        found = (line.split() for line in self.notes)
        return [int(words[1]) for words in found if words[0] == name and words[1].isdigit()]

    def wait_for(self, holds: Callable[[], bool]) -> None:
        end = time.monotonic() + WAIT_SECONDS
        while not holds():
            assert time.monotonic() < end, f"the condition did not hold; the notes are {self.notes}"
            time.sleep(0.02)

    def wait_until_up(self) -> None:
        self.wait_for(lambda: bool(self.pids("server") and self.pids("companion")))

    def line(self) -> str:
        """The next line of its log, which is waited for."""
        assert self.process.stderr is not None
        ready, _, _ = select.select([self.process.stderr], [], [], WAIT_SECONDS)
        assert ready, "it logged nothing"
        return self.process.stderr.readline().decode()

    def end(self) -> int:
        return self.process.wait(WAIT_SECONDS)

    def clean_up(self) -> None:
        for pid in (self.process.pid, *self.pids("server"), *self.pids("companion"), *self.pids("checked")):
            if alive(pid) and _is_ours(pid):
                os.kill(pid, signal.SIGKILL)
        self.process.wait()
        assert self.process.stderr is not None
        self.process.stderr.close()


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def _is_ours(pid: int) -> bool:
    try:
        return sys.executable.encode() in Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False


@pytest.fixture
def supervise(tmp_path: Path) -> Iterator[Callable[..., Supervised]]:
    started: list[Supervised] = []

    def start(**fields: object) -> Supervised:
        started.append(Supervised(tmp_path / f"notes-{len(started)}", **fields))  # type: ignore[arg-type]
        return started[-1]

    yield start
    for supervised in started:
        supervised.clean_up()


def test_sigterm_stops_the_server_and_then_its_companions(supervise: Callable[..., Supervised]) -> None:
    supervised = supervise()
    supervised.wait_until_up()
    supervised.process.send_signal(signal.SIGTERM)
    assert supervised.end() == 0
    signals = [line for line in supervised.notes if " got " in line]
    assert signals[0] == "server got SIGTERM"
    assert signals[-1] == "companion got SIGTERM"
    assert not any(map(alive, supervised.pids("server") + supervised.pids("companion")))


def test_a_server_that_missed_its_signal_gets_it_again(supervise: Callable[..., Supervised]) -> None:
    supervised = supervise(server=_DEAF_AT_FIRST)
    supervised.wait_until_up()
    supervised.process.send_signal(signal.SIGTERM)
    assert supervised.end() == 0
    assert "server got SIGTERM" in supervised.notes


@pytest.mark.parametrize("status", [0, 3])
def test_the_exit_status_is_the_servers(supervise: Callable[..., Supervised], status: int) -> None:
    supervised = supervise(status=status)
    supervised.wait_until_up()
    supervised.process.send_signal(signal.SIGTERM)
    assert supervised.end() == status


def test_the_exit_status_for_a_killed_server_is_that_of_a_shell(supervise: Callable[..., Supervised]) -> None:
    supervised = supervise()
    supervised.wait_until_up()
    os.kill(supervised.pids("server")[0], signal.SIGKILL)
    assert supervised.end() == 128 + signal.SIGKILL
    assert not any(map(alive, supervised.pids("companion")))


def test_a_server_that_ends_by_itself_takes_its_companions_along(supervise: Callable[..., Supervised]) -> None:
    brief = "import sys, time; time.sleep(1); sys.exit(int(sys.argv[2]))"
    supervised = supervise(server=brief, status=5)
    assert supervised.end() == 5
    assert not any(map(alive, supervised.pids("companion")))


def test_a_signal_to_reload_is_passed_on_and_stops_nothing(supervise: Callable[..., Supervised]) -> None:
    supervised = supervise()
    supervised.wait_until_up()
    supervised.process.send_signal(signal.SIGHUP)
    supervised.wait_for(lambda: "server got SIGHUP" in supervised.notes)
    assert supervised.process.poll() is None
    assert alive(supervised.pids("companion")[0])
    (check,) = supervised.pids("checked")
    assert supervised.notes.index(f"checked {check}") < supervised.notes.index("server got SIGHUP")


def test_nothing_is_reloaded_when_the_check_fails(supervise: Callable[..., Supervised]) -> None:
    supervised = supervise(checked="raise SystemExit(1)")
    supervised.wait_until_up()
    supervised.process.send_signal(signal.SIGHUP)
    assert "the configuration has errors" in supervised.line()
    supervised.process.send_signal(signal.SIGTERM)
    assert supervised.end() == 0
    assert "server got SIGHUP" not in supervised.notes


def test_a_stop_does_not_wait_for_a_check_that_hangs(supervise: Callable[..., Supervised]) -> None:
    supervised = supervise(checked=f"import time; time.sleep({10 * WAIT_SECONDS})")
    supervised.wait_until_up()
    supervised.process.send_signal(signal.SIGHUP)
    supervised.wait_for(lambda: bool(supervised.pids("checked")))
    supervised.process.send_signal(signal.SIGTERM)
    assert supervised.end() == 0
    assert not any(map(alive, supervised.pids("checked")))
    assert "server got SIGHUP" not in supervised.notes


def test_a_check_that_cannot_be_started_reloads_nothing_and_stops_nothing(
    supervise: Callable[..., Supervised],
) -> None:
    supervised = supervise(checked="missing")
    supervised.wait_until_up()
    supervised.process.send_signal(signal.SIGHUP)
    assert "cannot be started" in supervised.line()
    supervised.process.send_signal(signal.SIGTERM)
    assert supervised.end() == 0
    assert [line for line in supervised.notes if line.startswith("server got")] == ["server got SIGTERM"]


def test_a_companion_that_ended_is_started_again(supervise: Callable[..., Supervised]) -> None:
    supervised = supervise()
    supervised.wait_until_up()
    first = supervised.pids("companion")[0]
    os.kill(first, signal.SIGKILL)
    supervised.wait_for(lambda: len(supervised.pids("companion")) == 2)
    assert supervised.process.poll() is None
    assert supervised.pids("server") == [pid for pid in supervised.pids("server") if alive(pid)]


def test_orphans_of_the_server_that_end_leave_no_zombies_and_its_own_children_keep_their_status(
    supervise: Callable[..., Supervised],
) -> None:
    supervised = supervise(server=_LEAVES_ORPHANS, status=3)
    supervised.wait_until_up()
    supervised.wait_for(lambda: len(supervised.pids("parent")) == 3)
    assert set(supervised.pids("parent")) == {supervised.process.pid}
    supervised.wait_for(lambda: not any(map(alive, supervised.pids("orphan"))))
    os.kill(supervised.pids("companion")[0], signal.SIGKILL)
    assert "ended with status -9" in supervised.line()
    supervised.wait_for(lambda: len(supervised.pids("companion")) == 2)
    supervised.process.send_signal(signal.SIGTERM)
    assert supervised.end() == 3


def test_a_companion_that_does_not_obey_is_killed(supervise: Callable[..., Supervised]) -> None:
    supervised = supervise(companion="stubborn")
    supervised.wait_until_up()
    supervised.process.send_signal(signal.SIGTERM)
    assert supervised.end() == 0
    assert "companion got SIGTERM" in supervised.notes
    assert not any(map(alive, supervised.pids("companion")))


def test_a_server_needs_no_companion(supervise: Callable[..., Supervised]) -> None:
    supervised = supervise(companion="")
    supervised.wait_for(lambda: bool(supervised.pids("server")))
    supervised.process.send_signal(signal.SIGTERM)
    assert supervised.end() == 0


def test_a_signal_that_comes_before_the_server_is_up_stops_it_all_the_same(
    supervise: Callable[..., Supervised],
) -> None:
    slow = "import time; time.sleep(0.5)\n" + _SERVER
    supervised = supervise(server=slow)
    supervised.wait_for(lambda: bool(supervised.pids("companion")))
    supervised.process.send_signal(signal.SIGTERM)
    assert supervised.end() in (0, 128 + signal.SIGTERM)
    assert not any(map(alive, supervised.pids("companion")))
