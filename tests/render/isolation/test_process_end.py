"""How a child ends, why it was lost, and what its parent then holds. Its process is a thread of this one."""

import os
import signal
import socket
import sys
from collections.abc import Iterator
from importlib.machinery import ModuleSpec

import pytest

from tests.support.thread_child import HELLO, Machine, ThreadProcess, machine
from tests.support.waiting import eventually
from thumbs.image.transforms import Transform
from thumbs.render.isolation import descriptors, process, wire
from thumbs.render.isolation.descriptors import high, high_descriptor
from thumbs.render.isolation.process import ChildLost, Command, Loss
from thumbs.render.isolation.wire import Call, Work
from thumbs.render.values import RenderLimits

WORK = Work(RenderLimits(seconds=10.0), Transform(format="webp"))
EXIT = 1 << 8  # a wait status


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch) -> Iterator[Machine]:
    made = machine(monkeypatch)
    yield made
    made.close()


def lost(site: Machine, *, status: int | None, seconds: float = 0.0, collected: bool = False) -> ChildLost:
    """The loss of a child that ends with `status`, a wait status, after `seconds` of a call of 10 s."""

    def program(own: ThreadProcess) -> None:
        wire.receive_call(own.channel)
        site.now += seconds
        own.status, own.kilobytes, own.is_collected = status, 3, collected

    child = site.ready(program)
    with pytest.raises(ChildLost) as caught:
        child.ask(Call.RENDER, WORK, b"")
    return caught.value


# ------------------------------------------------------------------------------------------------------- losses


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (signal.SIGALRM, Loss.TIMEOUT),
        (signal.SIGPROF, Loss.TIMEOUT),
        (signal.SIGKILL, Loss.KILLED),
        (signal.SIGSEGV, Loss.CRASH),
        (signal.SIGABRT, Loss.CRASH),
        (EXIT, Loss.CRASH),
        (0, Loss.CRASH),
    ],
)
def test_a_child_that_ended_by_itself_is_lost_by_its_status(site: Machine, status: int, expected: Loss) -> None:
    error = lost(site, status=int(status))
    assert error.loss is expected
    assert error.peak == 3 * 1024 + HELLO.address_space
    assert site.process.kills == 0
    assert site.process.returncode == os.waitstatus_to_exitcode(status)


@pytest.mark.parametrize(("seconds", "expected"), [(9.9, Loss.CRASH), (10.0, Loss.TIMEOUT), (10.3, Loss.TIMEOUT)])
def test_a_child_that_another_has_collected_is_lost_by_the_time(site: Machine, seconds: float, expected: Loss) -> None:
    error = lost(site, status=None, seconds=seconds, collected=True)
    assert error.loss is expected
    assert error.peak == HELLO.address_space
    assert site.process.returncode == 0


def test_a_lost_child_is_printed_with_its_loss_alone() -> None:
    assert str(ChildLost(Loss.CRASH, 7)) == "Loss.CRASH"


def test_a_crash_after_the_deadline_stays_a_crash(site: Machine) -> None:
    assert lost(site, status=int(signal.SIGSEGV), seconds=10.2).loss is Loss.CRASH


@pytest.mark.parametrize(
    ("seconds", "waited", "expected"),
    [
        (0.0, 2.0, Loss.CRASH),
        (8.0, 2.0, Loss.CRASH),
        (9.35, 1.0, Loss.CRASH),
        (10.0, 0.35, Loss.TIMEOUT),  # most often the kernel ends it, and is slow
        (10.34, 0.1, Loss.TIMEOUT),
    ],
)
def test_a_child_that_only_closed_its_channel_is_waited_for_and_then_killed(
    site: Machine, seconds: float, waited: float, expected: Loss
) -> None:
    error = lost(site, status=None, seconds=seconds)
    assert error.loss is expected
    assert site.process.kills == 1
    assert waited - 0.001 <= sum(site.sleeps) <= waited + 0.05


def test_the_parent_looks_for_the_end_at_growing_intervals(site: Machine) -> None:
    lost(site, status=None)
    assert site.sleeps[:8] == [0.0005, 0.001, 0.002, 0.004, 0.008, 0.016, 0.032, 0.05]
    assert set(site.sleeps[8:]) == {0.05}


def test_a_child_that_cannot_be_killed_is_given_up(site: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ThreadProcess, "kill", lambda own: own.close())
    error = lost(site, status=None)
    assert error.loss is Loss.CRASH
    assert error.peak == HELLO.address_space
    assert 12.0 <= sum(site.sleeps) <= 12.1
    assert site.process.returncode is None


# --------------------------------------------------------------------------------------------------- end, stray


def test_the_end_kills_collects_and_closes(site: Machine) -> None:
    child = site.ready()
    assert child.has_ended() is False
    assert site.sleeps == []
    child.end()
    assert site.process.kills == 1
    assert site.process.returncode == -9
    assert child._channel.fileno() == -1
    assert child.has_ended() is True


def test_a_child_that_was_killed_by_another_has_ended(site: Machine) -> None:
    child = site.ready()
    site.process.status = int(signal.SIGKILL)
    assert child.has_ended()
    assert site.process.returncode == -9
    assert site.sleeps == []


def test_an_idle_child_that_is_silent_may_be_used(site: Machine) -> None:
    assert site.ready().stray() is None


def test_an_idle_child_that_says_something_is_not_to_be_used(site: Machine) -> None:
    child = site.ready(lambda own: (own.channel.send(b"x"), own.channel.recv(1)))
    eventually(lambda: child.stray() is not None)
    assert child.stray() is Loss.INVALID
    assert child.stray() is Loss.INVALID  # nothing was taken out of the channel


def test_an_idle_child_that_closed_its_channel_is_not_to_be_used(site: Machine) -> None:
    child = site.ready(lambda _: None)
    eventually(lambda: child.stray() is not None)
    assert child.stray() is Loss.KILLED


def test_a_channel_that_is_broken_is_that_of_a_killed_child(site: Machine) -> None:
    child = site.ready(lambda _: None)
    eventually(lambda: child.stray() is not None)

    class Broken:
        fileno = child._channel.fileno

        def recv(self, *_: int) -> bytes:
            raise ConnectionResetError

    whole, child._channel = child._channel, Broken()  # type: ignore[assignment]
    assert child.stray() is Loss.KILLED
    child._channel = whole


def test_what_a_child_says_before_it_was_listened_to_is_its_hello(site: Machine) -> None:
    def program(own: ThreadProcess) -> None:
        wire.send_hello(own.channel, HELLO)
        own.channel.recv(1)

    child = site.start(program)
    channel = child._channel.fileno()
    with socket.socket(fileno=os.dup(channel)) as same:
        same.settimeout(30)
        assert same.recv(1, socket.MSG_PEEK)
    assert child.stray() is None
    assert child.hello() == HELLO


# -------------------------------------------------------------------------------------------------------- close


def test_a_closed_child_holds_nothing_and_can_be_closed_again(site: Machine) -> None:
    child = site.ready()
    stderr = child._stderr
    assert child in process._open
    child.close()
    child.close()
    assert child not in process._open
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(stderr)


def test_a_closed_stderr_is_not_closed_twice(site: Machine) -> None:
    child = site.ready()
    child.close()
    assert child._stderr == -1


def test_a_copy_of_the_process_closes_all_channels(site: Machine) -> None:
    children = [site.ready(), site.ready()]
    process._close_in_copy()
    assert [child._channel.fileno() for child in children] == [-1, -1]
    assert not set(children) & set(process._open)


# --------------------------------------------------------------------------- descriptors of the standard streams


def test_a_descriptor_of_a_standard_stream_is_moved(monkeypatch: pytest.MonkeyPatch) -> None:
    mine, theirs = socket.socketpair()
    number = mine.fileno()
    monkeypatch.setattr(descriptors, "_LAST_STANDARD", number)
    moved = high(mine)
    with moved, theirs:
        assert moved.fileno() > number
        assert not moved.get_inheritable()
        assert mine.fileno() == -1
        theirs.send(b"x")
        assert moved.recv(1) == b"x"
        assert high(moved) is moved


def test_the_first_other_descriptor_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    read, write = os.pipe()
    monkeypatch.setattr(descriptors, "_LAST_STANDARD", read - 1)
    assert high_descriptor(read) == read
    monkeypatch.setattr(descriptors, "_LAST_STANDARD", read)
    kept = high_descriptor(read, close=False)
    os.fstat(read)
    moved = high_descriptor(read)
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(read)
    assert min(kept, moved) > read
    for each in (kept, moved, write):
        os.close(each)


def test_a_descriptor_is_moved_to_the_next_one_that_is_free(monkeypatch: pytest.MonkeyPatch) -> None:
    read, write = os.pipe()
    monkeypatch.setattr(descriptors, "_LAST_STANDARD", 700)
    moved = high_descriptor(read)
    assert moved == 701
    os.close(moved)
    os.close(write)


# ------------------------------------------------------------------------------------------------------ command


def test_a_child_imports_the_same_modules_from_absolute_directories(monkeypatch: pytest.MonkeyPatch) -> None:
    specs = {
        "thumbs": ModuleSpec("thumbs", None, origin="/own/thumbs/__init__.py"),
        "pyvips": ModuleSpec("pyvips", None, origin="/packages/pyvips/__init__.py"),
    }
    monkeypatch.setattr(sys, "path", ["/a", "b", "/a", "/packages"])
    monkeypatch.setattr(process, "find_spec", specs.get)
    found = Command.of_this_process("/python")
    assert found == Command("/python", ("/a", os.path.join(os.getcwd(), "b"), "/packages", "/own"))  # noqa: PTH109, PTH118


@pytest.mark.parametrize("spec", [None, ModuleSpec("thumbs", None)])
def test_a_module_without_a_file_adds_no_directory(monkeypatch: pytest.MonkeyPatch, spec: ModuleSpec | None) -> None:
    monkeypatch.setattr(sys, "path", ["/a"])
    monkeypatch.setattr(process, "find_spec", lambda _: spec)
    assert Command.of_this_process("/python").path == ("/a",)
