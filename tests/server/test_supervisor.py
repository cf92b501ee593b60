"""The supervisor: signals are passed on, companions live as long as the server, and the exit status is the server's."""

import errno
import logging
import os
import signal
import subprocess
from collections.abc import Iterator
from functools import partial
from types import SimpleNamespace

import pytest

from tests.support.fake_processes import FakeProcess, FakeProcesses
from thumbs.server import supervisor
from thumbs.server.supervisor import Supervisor

_SIGNALS = ("SIGTERM", "SIGINT", "SIGQUIT", "SIGHUP", "SIGUSR1", "SIGUSR2", "SIGWINCH", "SIGTTIN", "SIGTTOU")
_STOPPING = (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT)
# What `subprocess.Popen` raises where no process can be made: fork fails, or what runs before the new program.
_NO_START = (
    BlockingIOError(errno.EAGAIN, os.strerror(errno.EAGAIN)),
    subprocess.SubprocessError("Exception occurred in preexec_fn."),
)


@pytest.fixture
def processes(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeProcesses]:
    """Fake children; the signals are real ones, which this process sends to itself."""
    fake = FakeProcesses()
    monkeypatch.setattr(supervisor, "subprocess", fake)
    monkeypatch.setattr(supervisor, "time", fake)
    before = {name: signal.getsignal(getattr(signal, name)) for name in _SIGNALS}
    yield fake
    for name, handler in before.items():
        signal.signal(getattr(signal, name), handler)


@pytest.fixture
def repeated(processes: FakeProcesses, monkeypatch: pytest.MonkeyPatch) -> list[tuple[float, int, int]]:
    """What is sent to whole process groups: when, to which group, which signal."""
    sent: list[tuple[float, int, int]] = []
    group = SimpleNamespace(killpg=lambda pid, number: sent.append((processes.now, pid, number)))
    monkeypatch.setattr(supervisor, "os", group)
    return sent


def server_of(processes: FakeProcesses) -> FakeProcess:
    (server,) = processes.of("server")
    return server


@pytest.mark.parametrize(("status", "shown"), [(0, 0), (3, 3), (255, 255), (-9, 137), (-15, 143)])
def test_the_exit_status_is_the_servers_as_a_shell_gives_it(processes: FakeProcesses, status: int, shown: int) -> None:
    processes.plan([None, lambda: server_of(processes).end(status)])
    assert Supervisor(["python", "server"]).run() == shown
    assert [process.command for process in processes.started] == [["python", "server"]]


def test_companions_end_after_the_server_and_each_child_has_a_process_group(processes: FakeProcesses) -> None:
    processes.plan([None, lambda: server_of(processes).end(0)])
    assert Supervisor(["server"], [["janitor"], ["other"]]).run() == 0
    assert processes.events == [
        *("server ended", "janitor terminated", "janitor ended", "other terminated", "other ended"),
    ]
    assert processes.groups == [0, 0, 0]


def test_a_companion_that_has_ended_is_not_terminated(processes: FakeProcesses) -> None:
    def end_both() -> None:
        processes.of("janitor")[0].end(1)
        server_of(processes).end(0)

    processes.plan([end_both])
    assert Supervisor(["server"], [["janitor"]]).run() == 0
    assert processes.events == ["janitor ended", "server ended"]


def test_companions_end_also_when_the_supervisor_fails(processes: FakeProcesses) -> None:
    def fail() -> None:
        raise RuntimeError("a fault of ours")

    processes.plan([None, fail])
    with pytest.raises(RuntimeError, match="a fault of ours"):
        Supervisor(["server"], [["janitor"]]).run()
    assert processes.events == ["janitor terminated", "janitor ended"]


def test_a_companion_that_ends_is_started_again_five_seconds_later(
    processes: FakeProcesses, caplog: pytest.LogCaptureFixture
) -> None:
    steps = [None, lambda: processes.of("janitor")[0].end(7), *[None] * 11, lambda: server_of(processes).end(0)]
    processes.plan(steps)
    with caplog.at_level(logging.WARNING, "thumbs"):
        Supervisor(["server"], [["python", "janitor"]]).run()
    assert [process.started for process in processes.of("janitor")] == [0.0, 6.0]
    assert [record.getMessage() for record in caplog.records] == ["janitor ended with status 7; it is started again"]
    assert len(processes.of("server")) == 1


@pytest.mark.parametrize("error", _NO_START, ids=["no process left", "nothing can be tied"])
def test_a_companion_that_cannot_be_started_is_tried_again_five_seconds_later(
    processes: FakeProcesses, caplog: pytest.LogCaptureFixture, error: Exception
) -> None:
    processes.refused["janitor"] = error
    processes.plan([None, processes.refused.clear, *[None] * 9, lambda: server_of(processes).end(0)])
    with caplog.at_level(logging.WARNING, "thumbs"):
        assert Supervisor(["server"], [["python", "janitor"]]).run() == 0
    assert [process.started for process in processes.of("janitor")] == [5.0]
    assert [record.getMessage() for record in caplog.records] == [
        f"janitor cannot be started ({error}); it is tried again"
    ]


def test_a_companion_that_does_not_obey_is_killed(processes: FakeProcesses) -> None:
    def disobey() -> None:
        processes.of("janitor")[0].obeys = False
        server_of(processes).end(0)

    processes.plan([None, disobey, None])
    began = 1.0
    Supervisor(["server"], [["janitor"]]).run()
    assert processes.of("janitor")[0].returncode == -9
    assert processes.now - began == 10.0  # the grace


@pytest.mark.parametrize("number", _STOPPING, ids=[number.name for number in _STOPPING])
def test_a_signal_to_stop_reaches_the_server_and_companions_are_not_started_again(
    processes: FakeProcesses, number: signal.Signals
) -> None:
    def stop() -> None:
        processes.of("janitor")[0].end(0)
        signal.raise_signal(number)

    processes.plan([stop, None, lambda: server_of(processes).end(0)])
    assert Supervisor(["server"], [["janitor"]]).run() == 0
    assert server_of(processes).signals == [number]
    assert len(processes.of("janitor")) == 1


@pytest.mark.parametrize("number", _STOPPING, ids=[number.name for number in _STOPPING])
def test_a_server_that_its_signal_killed_has_stopped_well(processes: FakeProcesses, number: signal.Signals) -> None:
    processes.plan([lambda: signal.raise_signal(number), lambda: server_of(processes).end(-number)])
    assert Supervisor(["server"]).run() == 0


def test_a_signal_to_stop_is_repeated_to_the_whole_group_every_two_seconds(
    processes: FakeProcesses, repeated: list[tuple[float, int, int]]
) -> None:
    steps = [None, lambda: signal.raise_signal(signal.SIGTERM), *[None] * 9, lambda: server_of(processes).end(0)]
    processes.plan(steps)
    Supervisor(["server"]).run()
    pid = server_of(processes).pid
    assert repeated == [(3.0, pid, signal.SIGTERM), (5.0, pid, signal.SIGTERM)]
    assert server_of(processes).signals == [signal.SIGTERM]


def test_a_group_that_is_gone_already_is_no_error(processes: FakeProcesses, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []

    def gone(pid: int, _: int) -> None:
        asked.append(pid)
        raise ProcessLookupError

    monkeypatch.setattr(supervisor, "os", SimpleNamespace(killpg=gone))
    steps = [lambda: signal.raise_signal(signal.SIGTERM), *[None] * 4, lambda: server_of(processes).end(0)]
    processes.plan(steps)
    assert Supervisor(["server"]).run() == 0
    assert asked == [server_of(processes).pid]


def test_the_other_signals_of_gunicorn_are_passed_on_and_stop_nothing(processes: FakeProcesses) -> None:
    passed = [getattr(signal, name) for name in _SIGNALS[4:]]

    def send() -> None:
        for number in passed:
            signal.raise_signal(number)

    processes.plan([send, None, lambda: server_of(processes).end(-signal.SIGTERM)])
    assert Supervisor(["server"], [["janitor"]]).run() == 143  # no signal to stop came: it was killed
    assert server_of(processes).signals == passed


def test_nothing_is_sent_to_a_server_that_has_ended(processes: FakeProcesses) -> None:
    def end() -> None:
        server_of(processes).end(4)
        signal.raise_signal(signal.SIGUSR1)

    processes.plan([end])
    assert Supervisor(["server"]).run() == 4
    assert server_of(processes).signals == []


@pytest.mark.parametrize("check", [[], ["check"]], ids=["no check", "check"])
def test_a_reload_is_passed_on_once_after_the_check(processes: FakeProcesses, check: list[str]) -> None:
    def reload() -> None:
        signal.raise_signal(signal.SIGHUP)
        assert server_of(processes).signals == []  # the check comes first

    processes.plan([reload, None, None, lambda: server_of(processes).end(0)])
    assert Supervisor(["server"], check=check).run() == 0
    assert server_of(processes).signals == [signal.SIGHUP]
    assert len(processes.of("check")) == len(check)


def test_nothing_is_reloaded_when_the_check_fails(processes: FakeProcesses, caplog: pytest.LogCaptureFixture) -> None:
    processes.check_status = 1
    processes.plan([lambda: signal.raise_signal(signal.SIGHUP), None, lambda: server_of(processes).end(0)])
    with caplog.at_level(logging.ERROR, "thumbs"):
        assert Supervisor(["server"], check=["check"]).run() == 0
    assert server_of(processes).signals == []
    assert len(processes.of("check")) == 1
    assert [record.getMessage() for record in caplog.records] == [
        "the configuration has errors: nothing is reloaded, the server goes on as it was",
    ]


def test_a_check_that_does_not_end_is_killed_after_a_minute_and_companions_are_kept_running_meanwhile(
    processes: FakeProcesses, caplog: pytest.LogCaptureFixture
) -> None:
    def reload() -> None:
        signal.raise_signal(signal.SIGHUP)
        processes.of("janitor")[0].end(7)

    processes.check_status, processes.printed = None, "asks a storage\n"
    processes.plan([reload, *[None] * 121, lambda: server_of(processes).end(0)])
    with caplog.at_level(logging.ERROR, "thumbs"):
        assert Supervisor(["server"], [["janitor"]], check=["check"], logs_check=True).run() == 0
    (check,) = processes.of("check")
    assert (check.started, check.returncode) == (0.5, -9)
    assert server_of(processes).signals == []
    assert [process.started for process in processes.of("janitor")] == [0.0, 5.5]
    assert [record.getMessage() for record in caplog.records] == [
        "asks a storage",
        "the check of the configuration took over 60 s: nothing is reloaded, the server goes on as it was",
    ]


def test_a_reload_asked_for_during_the_check_waits_for_a_check_of_its_own(processes: FakeProcesses) -> None:
    def end_the_first() -> None:
        assert len(processes.of("check")) == 1  # one at a time
        processes.of("check")[0].end(0)

    def end_the_second() -> None:
        assert server_of(processes).signals == []  # the first has not seen what has changed since
        processes.of("check")[1].end(0)

    processes.check_status = None
    reload = partial(signal.raise_signal, signal.SIGHUP)
    steps = [reload, None, reload, reload, None, end_the_first, None, end_the_second, None]
    processes.plan([*steps, lambda: server_of(processes).end(0)])
    assert Supervisor(["server"], check=["check"]).run() == 0
    assert len(processes.of("check")) == 2
    assert server_of(processes).signals == [signal.SIGHUP]


@pytest.mark.parametrize("ends", [True, False], ids=["stopped", "ended by itself"])
def test_a_check_that_runs_is_killed_when_the_server_stops(processes: FakeProcesses, ends: bool) -> None:
    def stop() -> None:
        if ends:
            signal.raise_signal(signal.SIGTERM)
        else:
            server_of(processes).end(0)

    processes.check_status = None
    processes.plan([lambda: signal.raise_signal(signal.SIGHUP), None, stop, lambda: server_of(processes).end(0)])
    assert Supervisor(["server"], [["janitor"]], check=["check"]).run() == 0
    expected = ["check ended", "server ended"] if ends else ["server ended", "check ended"]
    assert processes.events == [*expected, "janitor terminated", "janitor ended"]


@pytest.mark.parametrize("error", _NO_START, ids=["no process left", "nothing can be tied"])
def test_nothing_is_reloaded_when_the_check_cannot_be_started(
    processes: FakeProcesses, caplog: pytest.LogCaptureFixture, error: Exception
) -> None:
    processes.refused["check"] = error
    processes.plan([lambda: signal.raise_signal(signal.SIGHUP), None, lambda: server_of(processes).end(0)])
    with caplog.at_level(logging.ERROR, "thumbs"):
        assert Supervisor(["server"], check=["check"]).run() == 0
    assert server_of(processes).signals == []
    (record,) = caplog.records
    assert record.getMessage() == (
        f"the check of the configuration cannot be started ({error}): nothing is reloaded, the server goes on as it was"
    )


@pytest.mark.parametrize(("status", "level"), [(0, "WARNING"), (1, "ERROR")])
def test_what_the_check_prints_is_logged_where_the_log_is_to_have_all(
    processes: FakeProcesses, caplog: pytest.LogCaptureFixture, status: int, level: str
) -> None:
    processes.check_status = status
    processes.printed = '?: wrong\n\tHINT: mend it\n\n{"level": "CRITICAL", "message": "odd"}\n{}\nthe end\n'
    processes.plan([lambda: signal.raise_signal(signal.SIGHUP), None, lambda: server_of(processes).end(0)])
    with caplog.at_level(logging.INFO, "thumbs"):
        assert Supervisor(["server"], check=["check"], logs_check=True).run() == 0
    assert server_of(processes).signals == ([] if status else [signal.SIGHUP])
    assert [(record.levelname, record.getMessage()) for record in caplog.records][:5] == [
        ("INFO", "well"),
        (level, "?: wrong\n\tHINT: mend it"),
        ("CRITICAL", "odd"),
        (level, "{}"),
        (level, "the end"),
    ]
