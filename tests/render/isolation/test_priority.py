"""How a child asks for its priority. What the kernel makes of it: `tests/system/test_child_priority.py`."""

import ctypes
import os
import struct

import pytest

from thumbs.render.isolation import priority
from thumbs.render.isolation.sandbox.syscalls import AARCH64, X86_64, Architecture

# struct sched_attr of sched_setattr(2): size, policy, flags, nice, priority, runtime, deadline, period.
ATTRIBUTES = struct.Struct("=IIQiIQQQ")


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[tuple[object, ...]]:
    """The calls that are made of a kernel that does nothing."""
    made: list[tuple[object, ...]] = []

    def syscall(number: int, pid: int, attributes: object, flags: int) -> int:
        raw = ctypes.cast(attributes, ctypes.POINTER(ctypes.c_char * ATTRIBUTES.size)).contents.raw  # type: ignore[arg-type]
        made.append((number, pid, ATTRIBUTES.unpack(raw), flags))
        return 0

    monkeypatch.setattr(priority, "syscall", syscall)
    monkeypatch.setattr(os, "setpriority", lambda *given: made.append(given))
    monkeypatch.setattr(os, "getpriority", lambda which, thread: {(os.PRIO_PROCESS, 0): 12}.get((which, thread), 3))
    monkeypatch.setattr(os, "sched_getscheduler", lambda _: os.SCHED_OTHER)
    return made


@pytest.mark.parametrize(("architecture", "number"), [(X86_64, 314), (AARCH64, 274)])
def test_the_slice_is_twenty_milliseconds_and_the_niceness_stays(
    monkeypatch: pytest.MonkeyPatch, calls: list[tuple[object, ...]], architecture: Architecture, number: int
) -> None:
    monkeypatch.setattr(priority, "this_architecture", lambda: architecture)
    priority.lengthen_slice()
    assert calls == [(number, 0, (ATTRIBUTES.size, os.SCHED_OTHER, 0, 12, 0, 20_000_000, 0, 0), 0)]


def test_another_policy_is_left_as_it_is(monkeypatch: pytest.MonkeyPatch, calls: list[tuple[object, ...]]) -> None:
    monkeypatch.setattr(os, "sched_getscheduler", lambda _: os.SCHED_IDLE)
    priority.lengthen_slice()
    assert calls == []


def test_an_architecture_without_a_table_has_the_usual_slice(
    monkeypatch: pytest.MonkeyPatch, calls: list[tuple[object, ...]]
) -> None:
    monkeypatch.setattr(priority, "this_architecture", lambda: None)
    priority.lengthen_slice()
    assert calls == []


def test_each_thread_is_nicer_by_that_much(calls: list[tuple[object, ...]]) -> None:
    priority.lower(10, [41, 43])
    assert calls == [(os.PRIO_PROCESS, 41, 13), (os.PRIO_PROCESS, 43, 13)]


def test_a_thread_that_has_ended_is_left_out(monkeypatch: pytest.MonkeyPatch, calls: list[tuple[object, ...]]) -> None:
    def niceness(_: int, thread: int) -> int:
        if thread == 42:
            raise ProcessLookupError
        return 3

    monkeypatch.setattr(os, "getpriority", niceness)
    priority.lower(10, [41, 42, 43])
    assert [thread for _, thread, _ in calls] == [41, 43]


@pytest.mark.parametrize("name", ["setpriority", "getpriority", "sched_getscheduler", "syscall"])
def test_what_a_sandbox_refuses_is_no_error(
    monkeypatch: pytest.MonkeyPatch, calls: list[tuple[object, ...]], name: str
) -> None:
    def refuse(*_: object) -> int:
        raise PermissionError

    monkeypatch.setattr(priority if name == "syscall" else os, name, refuse)
    priority.lengthen_slice()
    priority.lower(10, [41])
    assert [call for call in calls if call[0] == os.PRIO_PROCESS] == [(os.PRIO_PROCESS, 41, 13)] * (
        name not in {"setpriority", "getpriority"}
    )
