"""The BPF programs of small allow-lists, instruction by instruction (<linux/seccomp.h>, <linux/bpf_common.h>)."""

import errno
import struct

import pytest

from thumbs.render.isolation.sandbox.bpf import ALLOW, REFUSE, Call, Instruction, Masked, compile_filter, fail_with
from thumbs.render.isolation.sandbox.syscalls import AARCH64, X86_64

LOAD, AND, EQUAL, AT_LEAST, RETURN = 0x20, 0x54, 0x15, 0x35, 0x06
NUMBER, ARCHITECTURE, ARGUMENTS = 0, 4, 16  # offsets in a struct seccomp_data
HEAD = [(LOAD, 0, 0, ARCHITECTURE), (EQUAL, 1, 0, 0xC000003E), (RETURN, 0, 0, REFUSE), (LOAD, 0, 0, NUMBER)]
X32 = [(AT_LEAST, 0, 1, 0x40000000), (RETURN, 0, 0, REFUSE)]
END = [(RETURN, 0, 0, REFUSE)]


def test_an_answer_is_an_action_and_an_errno() -> None:
    assert (fail_with(0), fail_with(38), REFUSE) == (0x50000, 0x50026, 0x50000 | errno.EPERM)


def test_an_instruction_has_eight_bytes() -> None:
    assert Instruction(0x15, 1, 2, 0xC000003E).pack() == struct.pack("=HBBI", 0x15, 1, 2, 0xC000003E)


def test_without_calls_all_are_refused_those_of_other_architectures_first() -> None:
    assert compile_filter([], X86_64) == [*HEAD, *X32, *END]


def test_an_architecture_without_another_abi_has_no_test_for_one() -> None:
    head = [HEAD[0], (EQUAL, 1, 0, 0xC00000B7), *HEAD[2:]]
    assert compile_filter([], AARCH64) == [*head, *END]


def test_a_call_without_conditions_gets_its_answer() -> None:
    rows = [(EQUAL, 0, 1, 0), (RETURN, 0, 0, ALLOW), (EQUAL, 0, 1, 1), (RETURN, 0, 0, fail_with(38))]
    assert compile_filter([Call("read"), Call("write", answer=fail_with(38))], X86_64) == [*HEAD, *X32, *rows, *END]


def test_a_call_that_an_architecture_lacks_is_left_out() -> None:
    assert compile_filter([Call("open")], AARCH64) == compile_filter([], AARCH64)


@pytest.mark.parametrize("index", [0, 2])
def test_conditions_are_tested_by_halves_and_without_a_match_the_call_is_refused(index: int) -> None:
    condition = Masked(index, 0x5_0000_0007, 0x4_0000_0002)
    at = ARGUMENTS + 8 * index
    rows = [
        (EQUAL, 0, 8, 10),
        *((LOAD, 0, 0, at), (AND, 0, 0, 7), (EQUAL, 0, 4, 2)),
        *((LOAD, 0, 0, at + 4), (AND, 0, 0, 5), (EQUAL, 0, 1, 4)),
        (RETURN, 0, 0, ALLOW),
        (RETURN, 0, 0, REFUSE),
    ]
    assert compile_filter([Call("mprotect", (condition,))], X86_64) == [*HEAD, *X32, *rows, *END]


def test_rows_of_a_name_are_alternatives_and_the_first_without_conditions_is_the_last() -> None:
    calls = [Call("mmap", (Masked(1, 1, 1),), fail_with(1)), Call("mmap"), Call("mmap", answer=fail_with(2))]
    rows = [
        (EQUAL, 0, 5, 9),
        *((LOAD, 0, 0, ARGUMENTS + 8), (AND, 0, 0, 1), (EQUAL, 0, 1, 1)),
        (RETURN, 0, 0, fail_with(1)),
        (RETURN, 0, 0, ALLOW),
    ]
    assert compile_filter(calls, X86_64) == [*HEAD, *X32, *rows, *END]
