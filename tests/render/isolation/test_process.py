"""A child process seen from its parent: how it starts, answers and ends. Its process is a thread of this one."""

import os
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.thread_child import COMMAND, HELLO, SETUP, Machine, ThreadProcess, machine, wait
from tests.support.waiting import WAIT_SECONDS
from thumbs.image.transforms import Transform
from thumbs.render.isolation import process, wire
from thumbs.render.isolation.process import Child, ChildLost, Loss
from thumbs.render.isolation.wire import Answer, Call, Outcome, Work
from thumbs.render.values import RenderLimits

WORK = Work(RenderLimits(seconds=10.0), Transform(format="webp"))
PICTURE = Answer(Outcome.PICTURE, "webp", 1.5, 0.5, b"picture")


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch) -> Iterator[Machine]:
    made = machine(monkeypatch)
    yield made
    made.close()


def descriptors() -> set[str]:
    return {path.name for path in Path("/proc/self/fd").iterdir()}


def is_open(descriptor: int) -> bool:
    try:
        os.fstat(descriptor)
    except OSError:
        return False
    return True


def answering(*answers: Answer, seconds: float = 0.0, site: Machine | None = None) -> object:
    def program(child: ThreadProcess) -> None:
        for answer in answers:
            wire.receive_call(child.channel)
            if site is not None:
                site.now += seconds
            wire.send_answer(child.channel, answer)
        child.channel.recv(1)

    return program


# -------------------------------------------------------------------------------------------------------- start


def test_a_child_gets_its_end_of_the_channel_and_its_setup(site: Machine) -> None:
    site.ready()
    descriptor = site.options["pass_fds"][0]  # type: ignore[index]
    assert site.command == COMMAND.line(descriptor)
    assert site.command[:3] == ["/python", "-I", "-S"]
    assert site.command[-3:] == [str(descriptor), "/one", "/two"]
    assert site.process.setup == SETUP
    assert site.options["stdin"] == site.options["stdout"] == subprocess.DEVNULL
    assert site.options["cwd"] == "/"


def test_a_new_child_has_done_nothing(site: Machine) -> None:
    child = site.start(lambda _: None)
    assert (child.calls, child.working, child.preempted, child.is_large) == (0, False, False, False)
    assert child.watermarks == set()
    assert child.pid == site.process.pid
    child.close()


def test_the_environment_has_no_secrets(site: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        monkeypatch.delenv(name)
    given = {"PATH": "/bin", "HOME": "/home", "G_MESSAGES_DEBUG": "all", "VIPS_WARNING": "1"}
    for name, value in {**given, "AWS_SECRET_ACCESS_KEY": "s", "SECRET_KEY": "s", "VIPS_DISC_THRESHOLD": "1m"}.items():
        monkeypatch.setenv(name, value)
    site.ready()
    no_threads = dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    assert site.options["env"] == {**given, "VIPS_DISC_THRESHOLD": "1000g", **no_threads}


def test_the_parent_keeps_none_of_the_childs_ends(site: Machine) -> None:
    closed: list[int] = []
    child = site.start(wait)
    closed += [site.options["pass_fds"][0], site.options["stderr"]]  # type: ignore[index, list-item]
    assert not any(map(is_open, closed))
    child.close()


def test_neither_end_of_stderr_blocks(site: Machine) -> None:
    child = site.ready()
    assert not site.process.stderr_blocks
    assert not os.get_blocking(child._stderr)
    assert child.stderr() == ""


def test_a_process_that_cannot_be_started_leaves_nothing_open(site: Machine) -> None:
    site.refusal = OSError(11, "busy")
    before = descriptors()
    with pytest.raises(OSError, match="busy"):
        Child(COMMAND, SETUP)
    assert descriptors() == before


def test_a_setup_that_cannot_be_sent_closes_the_child(site: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise TimeoutError

    monkeypatch.setattr(wire, "send_setup", fail)
    with pytest.raises(TimeoutError):
        site.start(lambda _: None)
    site.close()
    assert not process._open


def test_the_setup_is_sent_with_a_time_limit(site: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    limits: list[float | None] = []
    monkeypatch.setattr(wire, "send_setup", lambda channel, _: limits.append(channel.gettimeout()))
    site.start(lambda _: None).close()
    assert limits == [30.0]


# -------------------------------------------------------------------------------------------------------- hello


def test_a_child_says_once_that_it_is_ready(site: Machine) -> None:
    child = site.ready()
    assert child.hello() is child.hello()
    assert child.hello() == HELLO


def test_a_child_has_time_to_start(site: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    ends: list[float] = []

    def receive(_: object, end: float) -> object:
        ends.append(end)
        return HELLO

    monkeypatch.setattr(wire, "receive_hello", receive)
    child = site.start(wait)
    child.hello()
    assert ends == [1030.0]
    child.end()


@pytest.mark.parametrize(("error", "loss"), [(TimeoutError, Loss.TIMEOUT), (wire.Invalid, Loss.INVALID)])
def test_a_child_that_says_nothing_or_something_else_is_killed(
    site: Machine, monkeypatch: pytest.MonkeyPatch, error: type[Exception], loss: Loss
) -> None:
    def fail(*_: object) -> None:
        raise error

    monkeypatch.setattr(wire, "receive_hello", fail)
    child = site.start(wait)
    with pytest.raises(ChildLost) as caught:
        child.hello()
    assert caught.value.loss is loss
    assert site.process.kills == 1
    assert site.sleeps == []


def test_a_child_that_ends_before_it_is_ready_is_lost_by_its_status(site: Machine) -> None:
    def program(own: ThreadProcess) -> None:
        own.status, own.kilobytes = 1 << 8, 7

    child = site.start(program)
    with pytest.raises(ChildLost) as caught:
        child.hello()
    assert (caught.value.loss, caught.value.peak) == (Loss.CRASH, 7 * 1024)
    assert site.process.kills == 0
    child.close()


# --------------------------------------------------------------------------------------------------------- ask


def test_a_call_is_sent_and_its_answer_returned(site: Machine) -> None:
    got: list[object] = []
    seen: list[bool] = []

    def program(own: ThreadProcess) -> None:
        got.append(wire.receive_call(own.channel))
        seen.append(child.working)
        site.now += 2.0
        wire.send_answer(own.channel, PICTURE)
        own.channel.recv(1)

    child = site.ready(program)
    assert child.ask(Call.RENDER, WORK, b"original") == PICTURE
    assert got == [(Call.RENDER, WORK, b"original")]
    assert seen == [True]
    assert (child.calls, child.working) == (1, False)


@pytest.mark.parametrize(
    ("said", "expected"), [((1.5, 0.5), (1.5, 0.5)), ((5.0, 0.5), (2.0, 0.5)), ((1e300, 1e300), (2.0, 2.0))]
)
def test_an_answer_takes_no_longer_than_the_parent_waited(
    site: Machine, said: tuple[float, float], expected: tuple[float, float]
) -> None:
    answer = PICTURE._replace(seconds=said[0], encode_seconds=said[1])
    child = site.ready(answering(answer, seconds=2.0, site=site))  # type: ignore[arg-type]
    found = child.ask(Call.RENDER, WORK, b"")
    assert (found.seconds, found.encode_seconds) == expected


def test_each_call_is_counted(site: Machine) -> None:
    child = site.ready(answering(PICTURE, PICTURE))  # type: ignore[arg-type]
    for calls in (1, 2):
        child.ask(Call.RENDER, WORK, b"")
        assert child.calls == calls


def test_a_call_ends_a_little_after_its_deadline(site: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    ends: list[float] = []
    largest = wire.largest_body(Call.RENDER, WORK)

    def send(*given: object) -> None:
        ends.append(given[4])  # type: ignore[arg-type]

    def receive(_: object, end: float, most: int) -> Answer:
        ends.append(end)
        assert most == largest
        return PICTURE

    monkeypatch.setattr(wire, "send_call", send)
    monkeypatch.setattr(wire, "receive_answer", receive)
    site.ready().ask(Call.RENDER, WORK, b"")
    assert ends == [pytest.approx(1010.35)] * 2


@pytest.mark.parametrize(("error", "loss"), [(TimeoutError, Loss.TIMEOUT), (wire.Invalid, Loss.INVALID)])
def test_a_child_that_does_not_answer_or_answers_otherwise_is_killed(
    site: Machine, monkeypatch: pytest.MonkeyPatch, error: type[Exception], loss: Loss
) -> None:
    def fail(*_: object) -> None:
        raise error

    child = site.ready()
    monkeypatch.setattr(wire, "receive_answer", fail)
    with pytest.raises(ChildLost) as caught:
        child.ask(Call.RENDER, WORK, b"")
    assert caught.value.loss is loss
    assert caught.value.peak == HELLO.address_space
    assert site.process.kills == 1
    assert site.process.returncode == -9
    assert not child.working
    assert site.sleeps == []


def test_a_body_that_is_too_long_is_no_answer(site: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wire, "largest_body", lambda *_: 6)
    child = site.ready(answering(PICTURE))  # type: ignore[arg-type]
    with pytest.raises(ChildLost) as caught:
        child.ask(Call.RENDER, WORK, b"")
    assert caught.value.loss is Loss.INVALID


# ------------------------------------------------------------------------------------------------------ preempt


def test_a_child_is_preempted_while_it_works(site: Machine) -> None:
    found: list[bool] = []

    def program(own: ThreadProcess) -> None:
        wire.receive_call(own.channel)
        found.append(child.preempt())

    child = site.ready(program)
    with pytest.raises(ChildLost) as caught:
        child.ask(Call.RENDER, WORK, b"")
    site.process.thread.join(WAIT_SECONDS)
    assert found == [True]
    assert child.preempted
    assert caught.value.loss is Loss.KILLED


def test_an_idle_child_is_not_preempted(site: Machine) -> None:
    child = site.ready()
    assert child.preempt() is False
    assert not child.preempted
    assert site.process.kills == 0


# ------------------------------------------------------------------------------------------------------- stderr


def test_the_first_of_what_a_child_writes_is_read_once(site: Machine) -> None:
    child = site.ready()
    os.write(site.process.stderr, b"\xffwarning" + b"x" * 2000)
    assert child.stderr() == "\\xffwarning" + "x" * (1024 - 8)
    assert child.stderr() == ""
    child.close()
    assert child.stderr() == ""


# ------------------------------------------------------------------------------------------------------- memory


def test_what_a_child_has_added_is_above_what_it_had_when_it_was_ready(site: Machine) -> None:
    child = site.start(lambda own: wire.send_hello(own.channel, HELLO))
    assert child.grown(7000) == 0
    child.hello()
    assert child.grown(7000) == 2000
    child.close()


def test_the_largest_address_space_is_that_of_the_process(site: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    def peak() -> int:
        lines = Path("/proc/self/status").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("VmPeak")) * 1024

    child = site.ready()
    assert child.peak_address_space() == 0  # there is no such process
    monkeypatch.setattr(ThreadProcess, "pid", os.getpid())
    before = peak()
    assert before <= child.peak_address_space() <= peak()


@pytest.mark.parametrize("text", ["", "Name: x\n", "VmPeak: many kB\n"])
def test_an_address_space_that_cannot_be_read_is_zero(
    site: Machine, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    child = site.ready()
    monkeypatch.setattr(Path, "read_text", lambda _: text)
    assert child.peak_address_space() == 0


@pytest.mark.parametrize(("seconds", "is_slow"), [(0.0, False), (0.4, True)])
def test_a_call_without_an_answer_after_a_quarter_of_a_second_is_slow(
    site: Machine, monkeypatch: pytest.MonkeyPatch, seconds: float, is_slow: bool
) -> None:
    monkeypatch.setattr(process, "SLOW_SECONDS", 0.25 if is_slow else WAIT_SECONDS)
    said = threading.Event()

    def program(own: ThreadProcess) -> None:
        wire.receive_call(own.channel)
        assert said.wait(WAIT_SECONDS if is_slow else 0) is is_slow
        wire.send_answer(own.channel, PICTURE)
        own.channel.recv(1)

    assert site.ready(program).ask(Call.RENDER, WORK, b"", said.set).body == PICTURE.body
    assert said.is_set() is is_slow
