"""Translates a list of allowed system calls into a BPF program for seccomp."""

import errno
import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import NamedTuple

from thumbs.render.isolation.sandbox.syscalls import Architecture

# <linux/seccomp.h>: the upper half of an answer is the action, the lower half its errno.
ALLOW = 0x7FFF0000
_ERRNO = 0x00050000
# struct seccomp_data
_NUMBER = 0
_ARCHITECTURE = 4
_ARGUMENTS = 16
# <linux/bpf_common.h>
_LOAD = 0x20  # LD | W | ABS
_AND = 0x54  # ALU | AND | K
_JUMP_IF_EQUAL = 0x15
_JUMP_IF_AT_LEAST = 0x35
_RETURN = 0x06
_LOW = 0xFFFFFFFF


def fail_with(code: int) -> int:
    """The answer that makes a call fail with that errno; 0 makes it succeed without being made."""
    return _ERRNO | code


REFUSE = fail_with(errno.EPERM)


@dataclass(frozen=True, slots=True)
class Masked:
    """A condition on the argument at `index`, from 0: its bits in `mask` are `value`."""

    index: int
    mask: int
    value: int


@dataclass(frozen=True, slots=True)
class Call:
    """A row of an allow-list: the call `name` gets `answer` when all conditions hold.

    Several rows of the same name, which must be neighbors, are alternatives.
    """

    name: str
    conditions: tuple[Masked, ...] = ()
    answer: int = ALLOW


class Instruction(NamedTuple):
    """A struct sock_filter. `yes` and `no` are how many instructions a jump skips."""

    code: int
    yes: int
    no: int
    value: int

    def pack(self) -> bytes:
        return struct.pack("=HBBI", *self)


def compile_filter(calls: Iterable[Call], architecture: Architecture) -> list[Instruction]:
    """The program for `architecture`: every call without a row gets EPERM, as does every call of another ABI."""
    program = [
        _load(_ARCHITECTURE),
        Instruction(_JUMP_IF_EQUAL, 1, 0, architecture.audit),
        _return(REFUSE),
        _load(_NUMBER),
    ]
    if architecture.first_foreign is not None:
        program += (Instruction(_JUMP_IF_AT_LEAST, 0, 1, architecture.first_foreign), _return(REFUSE))
    for name, rows in groupby(calls, key=lambda row: row.name):
        number = architecture.number(name)
        if number is not None:
            answers = list(_answers(rows))
            program += (Instruction(_JUMP_IF_EQUAL, 0, len(answers), number), *answers)
    return [*program, _return(REFUSE)]


def _answers(rows: Iterable[Call]) -> Iterator[Instruction]:
    """The instructions for one call: the answer of the first row whose conditions hold, or EPERM."""
    for row in rows:
        tests = [test for condition in row.conditions for test in _tests(condition)]
        # Each test is a load, a mask and a jump that skips what is left of this row.
        for done, (load, mask, jump) in enumerate(tests, 1):
            yield from (load, mask, jump._replace(no=3 * (len(tests) - done) + 1))
        yield _return(row.answer)
        if not tests:
            return
    yield _return(REFUSE)


def _tests(condition: Masked) -> Iterator[tuple[Instruction, Instruction, Instruction]]:
    """BPF has registers of 32 bits: an argument is tested by halves, low one first (both architectures are little)."""
    for half in range(2):
        mask, value = (number >> (32 * half) & _LOW for number in (condition.mask, condition.value))
        if mask:
            load = _load(_ARGUMENTS + 8 * condition.index + 4 * half)
            yield load, Instruction(_AND, 0, 0, mask), Instruction(_JUMP_IF_EQUAL, 0, 0, value)


def _load(offset: int) -> Instruction:
    return Instruction(_LOAD, 0, 0, offset)


def _return(answer: int) -> Instruction:
    return Instruction(_RETURN, 0, 0, answer)
