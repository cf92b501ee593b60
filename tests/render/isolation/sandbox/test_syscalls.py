"""The architectures that have a table of system calls, and how this process's one is found."""

import os
import sys
from types import SimpleNamespace

import pytest

from thumbs.render.isolation.sandbox.syscalls import AARCH64, X86_64, Architecture, this_architecture


@pytest.mark.parametrize(("machine", "expected"), [("x86_64", X86_64), ("aarch64", AARCH64), ("riscv64", None)])
def test_the_architecture_is_that_of_the_machine(
    monkeypatch: pytest.MonkeyPatch, machine: str, expected: Architecture | None
) -> None:
    monkeypatch.setattr(os, "uname", lambda: SimpleNamespace(machine=machine))
    assert this_architecture() is expected


@pytest.mark.parametrize(("name", "value"), [("maxsize", 2**31 - 1), ("maxsize", 2**32), ("byteorder", "big")])
def test_a_process_of_32_bits_or_another_byte_order_has_no_table(
    monkeypatch: pytest.MonkeyPatch, name: str, value: object
) -> None:
    monkeypatch.setattr(os, "uname", lambda: SimpleNamespace(machine="x86_64"))
    monkeypatch.setattr(sys, name, value)
    assert this_architecture() is None


def test_every_wider_process_has_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "uname", lambda: SimpleNamespace(machine="x86_64"))
    monkeypatch.setattr(sys, "maxsize", 2**32 + 1)
    assert this_architecture() is X86_64


def test_each_architecture_has_its_own_numbers() -> None:
    assert (X86_64.number("read"), AARCH64.number("read")) == (0, 63)
    assert (X86_64.number("open"), AARCH64.number("open")) == (2, None)


def test_an_unknown_call_is_an_error() -> None:
    with pytest.raises(KeyError):
        X86_64.number("no_such_call")
