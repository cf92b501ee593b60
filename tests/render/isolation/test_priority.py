"""How a child asks for its priority. What the kernel makes of it: `tests/system/test_render_children.py`."""

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
    monkeypatch.setattr(os, "nice", lambda by: made.append(("nice", by)))
    monkeypatch.setattr(os, "getpriority", lambda *of: {(os.PRIO_PROCESS, 0): 12}[of])
    monkeypatch.setattr(os, "sched_getscheduler", lambda _: os.SCHED_OTHER)
    return made


@pytest.mark.parametrize(("architecture", "number"), [(X86_64, 314), (AARCH64, 274)])
def test_the_slice_is_twenty_milliseconds_and_the_niceness_stays(
    monkeypatch: pytest.MonkeyPatch, calls: list[tuple[object, ...]], architecture: Architecture, number: int
) -> None:
    monkeypatch.setattr(priority, "this_architecture", lambda: architecture)
    priority.lower(10)
    assert calls == [("nice", 10), (number, 0, (ATTRIBUTES.size, os.SCHED_OTHER, 0, 12, 0, 20_000_000, 0, 0), 0)]


def test_another_policy_is_left_as_it_is(monkeypatch: pytest.MonkeyPatch, calls: list[tuple[object, ...]]) -> None:
    monkeypatch.setattr(os, "sched_getscheduler", lambda _: os.SCHED_IDLE)
    priority.lower(10)
    assert calls == [("nice", 10)]


def test_an_architecture_without_a_table_has_its_niceness(
    monkeypatch: pytest.MonkeyPatch, calls: list[tuple[object, ...]]
) -> None:
    monkeypatch.setattr(priority, "this_architecture", lambda: None)
    priority.lower(10)
    assert calls == [("nice", 10)]


@pytest.mark.parametrize("name", ["nice", "getpriority", "sched_getscheduler", "syscall"])
def test_what_a_sandbox_refuses_is_no_error(
    monkeypatch: pytest.MonkeyPatch, calls: list[tuple[object, ...]], name: str
) -> None:
    def refuse(*_: object) -> int:
        raise PermissionError

    monkeypatch.setattr(priority if name == "syscall" else os, name, refuse)
    priority.lower(10)
    assert [call[0] for call in calls if call[0] == "nice"] == ["nice"] * (name != "nice")
