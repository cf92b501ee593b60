"""The allow-list, run on a machine of its own for both architectures: which calls with which arguments pass."""

import errno
import itertools
import os
import re
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.support.bpf_machine import ALLOWED, run
from tests.support.forbidden_calls import FORBIDDEN
from thumbs.render.isolation.sandbox.allowed import allowed_calls
from thumbs.render.isolation.sandbox.bpf import Call, Masked, compile_filter, fail_with
from thumbs.render.isolation.sandbox.syscalls import AARCH64, ARCHITECTURES, NUMBERS, X86_64, Architecture

BOTH = pytest.mark.parametrize("architecture", [X86_64, AARCH64], ids=lambda each: each.name)
AUDIT = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7, "i386": 0x40000003, "arm": 0x40000028, "aarch64 big": 0x800000B7}
AT_FDCWD = 0xFFFFFF9C
ADDRESS = 0x7F00_0000_1000
HIGH = 1 << 32  # bits that the kernel does not read of an int, or of a pointer that is not null

# What glibc and musl pass for a thread, fork and vfork, and the flags of namespaces.
THREAD, DETACHED_THREAD, FORK, VFORK = 0x3D0F00, 0x7D0F00, 0x1200011, 0x4111
NAMESPACES = (0x20000, 0x80, 0x2000000, 0x4000000, 0x8000000, 0x10000000, 0x20000000, 0x40000000)


class Filter:
    """A compiled allow-list."""

    def __init__(self, architecture: Architecture, *, fonts: bool = True, old_glibc: bool = False) -> None:
        calls = allowed_calls(fonts=fonts, fstat_is_newfstatat=old_glibc)
        self.program = b"".join(each.pack() for each in compile_filter(calls, architecture))
        self.architecture = architecture

    def __call__(self, name: str, arguments: Sequence[int] = ()) -> str | int:
        number = NUMBERS[name][list(ARCHITECTURES).index(self.architecture.name)]
        assert number is not None
        return self.numbered(number, arguments)

    def numbered(self, number: int, arguments: Sequence[int] = (), *, audit: int | None = None) -> str | int:
        return run(self.program, number, arguments, architecture=audit or AUDIT[self.architecture.name])


# ----------------------------------------------------------------------------------- whole tables


@BOTH
def test_a_number_passes_only_if_the_table_names_it(architecture: Architecture) -> None:
    numbers = {architecture.number(call.name) for call in allowed_calls(fonts=True, fstat_is_newfstatat=True)}
    allowed = Filter(architecture, old_glibc=True)
    every = itertools.product([[0] * 6, [0xFFFF_FFFF_FFFF_FFFF] * 6, [0, 0, 0x1000, 0x1000, 0, 0]], range(1024))
    passing = {number for arguments, number in every if allowed.numbered(number, arguments) in (ALLOWED, 0)}
    assert passing <= numbers
    assert {allowed.numbered(number) for number in range(1024) if number not in numbers} == {errno.EPERM}


@BOTH
@pytest.mark.parametrize("fonts", [True, False], ids=["fonts", "no fonts"])
def test_what_a_renderer_never_needs_is_refused(architecture: Architecture, fonts: bool) -> None:
    allowed = Filter(architecture, fonts=fonts)
    passed = [
        name
        for name, numbers in FORBIDDEN.items()
        for arguments in ([0] * 6, [AT_FDCWD, ADDRESS, ADDRESS, 0x1000, 0, 0], [0xFFFF_FFFF_FFFF_FFFF] * 6)
        if (number := numbers[list(ARCHITECTURES).index(architecture.name)]) is not None
        and allowed.numbered(number, arguments) != errno.EPERM
    ]
    assert passed == []


@BOTH
@pytest.mark.parametrize("audit", AUDIT)
def test_every_call_of_another_architecture_is_refused(architecture: Architecture, audit: str) -> None:
    if audit != architecture.name:
        allowed = Filter(architecture)
        assert {allowed.numbered(number, audit=AUDIT[audit]) for number in range(512)} == {errno.EPERM}


def test_every_call_of_x32_is_refused() -> None:
    allowed = Filter(X86_64)
    numbers = [base + number for base in (0x4000_0000, 0x8000_0000, 0xC000_0000) for number in range(1024)]
    assert {allowed.numbered(number) for number in [*numbers, 0xFFFF_FFFF]} == {errno.EPERM}


@BOTH
def test_a_program_fits_into_the_kernels_limits(architecture: Architecture) -> None:
    program = compile_filter(allowed_calls(fonts=True, fstat_is_newfstatat=True), architecture)
    assert len(program) < 4096  # BPF_MAXINSNS
    ends = [at + 1 + max(each.yes, each.no) for at, each in enumerate(program)]
    assert max(ends) <= len(program)
    assert all(0 <= jump < 256 for each in program for jump in (each.yes, each.no))


# -------------------------------------------------------------------------------------- arguments


@BOTH
@pytest.mark.parametrize(
    ("name", "arguments", "expected"),
    [
        ("openat", [AT_FDCWD, ADDRESS, os.O_RDONLY], ALLOWED),
        ("openat", [AT_FDCWD, ADDRESS, os.O_RDONLY | os.O_CLOEXEC | HIGH], ALLOWED),
        ("mmap", [0, 4096, 0x1, 0x2, 3, 0], ALLOWED),
        ("mmap", [0, 4096, 0x3, 0x22, 0xFFFFFFFF, 0], ALLOWED),
        ("mmap", [0, 4096, 0x5, 0x2, 3, 0], errno.EPERM),
        ("mmap", [0, 4096, 0x7 | HIGH, 0x22, 0xFFFFFFFF, 0], errno.EPERM),
        ("mprotect", [ADDRESS, 4096, 0x3], ALLOWED),
        ("mprotect", [ADDRESS, 4096, 0x4], errno.EPERM),
        ("mprotect", [ADDRESS, 4096, 0x5 | HIGH], errno.EPERM),
        ("clone", [THREAD], ALLOWED),
        ("clone", [DETACHED_THREAD], ALLOWED),
        ("clone", [FORK], errno.EPERM),
        ("clone", [VFORK], errno.EPERM),
        ("clone", [0x11], errno.EPERM),
        ("clone", [0x100], errno.EPERM),
        ("clone", [THREAD | 0x2000], errno.EPERM),  # CLONE_PTRACE
        ("clone", [THREAD | 0x1000], errno.EPERM),  # CLONE_PIDFD
        ("clone", [THREAD | 0x11], errno.EPERM),  # a signal at its end
        ("clone3", [ADDRESS, 88], errno.ENOSYS),
        ("prctl", [15, ADDRESS], ALLOWED),  # PR_SET_NAME
        ("prctl", [1, 9], errno.EPERM),  # PR_SET_PDEATHSIG
        ("prctl", [4, 1], errno.EPERM),  # PR_SET_DUMPABLE
        ("prctl", [22, 2], errno.EPERM),  # PR_SET_SECCOMP
        ("prctl", [59, 1], errno.EPERM),  # PR_SET_SYSCALL_USER_DISPATCH
        ("sendto", [3, ADDRESS, 10, 0x4000, 0, 0], ALLOWED),
        ("sendto", [3, ADDRESS, 10, 0, ADDRESS, 16], errno.EPERM),
        ("sendto", [3, ADDRESS, 10, 0, HIGH, 16], errno.EPERM),
        ("sendto", [3, ADDRESS, 10, 0, 1, 16], errno.EPERM),
        ("setitimer", [0, ADDRESS, 0], ALLOWED),
        ("recvfrom", [3, ADDRESS, 10, 0, 0, 0], ALLOWED),
        ("faccessat", [AT_FDCWD, ADDRESS, 4], 0),  # succeeds without being made
        ("faccessat2", [AT_FDCWD, ADDRESS, 4, 0], 0),
    ],
)
def test_arguments_decide(architecture: Architecture, name: str, arguments: list[int], expected: str | int) -> None:
    assert Filter(architecture)(name, arguments) == expected


_OPEN_FLAGS = ("O_WRONLY", "O_RDWR", "O_CREAT", "O_TRUNC", "O_APPEND", "O_TMPFILE", "O_PATH", "O_DIRECTORY", "O_EXCL")


@BOTH
@pytest.mark.parametrize("bit", [each for each in range(32) if 1 << each not in (os.O_CLOEXEC, os.O_NOCTTY)])
def test_files_open_with_no_other_flag(architecture: Architecture, bit: int) -> None:
    assert Filter(architecture)("openat", [AT_FDCWD, ADDRESS, 1 << bit]) == errno.EPERM
    assert Filter(architecture)("openat", [AT_FDCWD, ADDRESS, 1 << bit | os.O_CLOEXEC]) == errno.EPERM


@pytest.mark.parametrize("flag", _OPEN_FLAGS)
def test_the_older_open_is_read_only_too(flag: str) -> None:
    assert Filter(X86_64)("open", [ADDRESS, os.O_CLOEXEC]) == ALLOWED
    assert Filter(X86_64)("open", [ADDRESS, getattr(os, flag)]) == errno.EPERM


@BOTH
@pytest.mark.parametrize("flag", NAMESPACES, ids=hex)
def test_a_thread_gets_no_namespace(architecture: Architecture, flag: int) -> None:
    assert Filter(architecture)("clone", [THREAD | flag]) == errno.EPERM


@BOTH
@pytest.mark.parametrize("name", ["openat", "faccessat", "faccessat2", "newfstatat"])
def test_without_fonts_no_file_is_opened(architecture: Architecture, name: str) -> None:
    assert Filter(architecture, fonts=False, old_glibc=True)(name, [AT_FDCWD, ADDRESS, 0, 0x1000]) == errno.EPERM


@BOTH
def test_only_old_libraries_may_ask_for_metadata_by_an_empty_path(architecture: Architecture) -> None:
    assert Filter(architecture)("newfstatat", [3, ADDRESS, ADDRESS, 0x1000]) == errno.EPERM
    old = Filter(architecture, old_glibc=True)
    assert old("newfstatat", [3, ADDRESS, ADDRESS, 0x1000]) == ALLOWED
    for flags in (0, 0x100, 0x1100, 0x1800):
        assert old("newfstatat", [AT_FDCWD, ADDRESS, ADDRESS, flags]) == errno.EPERM


# ---------------------------------------------------------------------------------- the compiler


@BOTH
def test_rows_of_one_call_are_alternatives(architecture: Architecture) -> None:
    rows = (
        Call("prctl", (Masked(0, 0xFF, 1), Masked(1, 0xFFFF_FFFF_0000_0000, 7 << 32))),
        Call("prctl", (Masked(0, 0xFF, 2),), answer=fail_with(errno.ENOSYS)),
        Call("read"),
    )
    program = b"".join(each.pack() for each in compile_filter(rows, architecture))
    number, audit = architecture.number("prctl"), AUDIT[architecture.name]
    assert number is not None
    found = {
        arguments: run(program, number, arguments, architecture=audit)
        for arguments in ((1, 7 << 32), (0x101, 7 << 32 | 5), (1, 7), (2, 0), (3, 7 << 32))
    }
    assert list(found.values()) == [ALLOWED, ALLOWED, errno.EPERM, errno.ENOSYS, errno.EPERM]


# ------------------------------------------------------------------------------------- the numbers

_HEADERS = {
    "x86_64": (Path("/usr/include/x86_64-linux-gnu/asm/unistd_64.h"), Path("/usr/include/asm/unistd_64.h")),
    "aarch64": (Path("/usr/include/asm-generic/unistd.h"),),
}
_DEFINED = re.compile(r"^#define __NR(3264)?_(\w+)\s+(\d+)", re.MULTILINE)
# asm-generic names these by their 32-bit sisters (`#define __NR_newfstatat __NR3264_fstatat`).
_GENERIC_NAMES = {"fstatat": "newfstatat"}


@BOTH
def test_the_numbers_are_those_of_the_kernels_headers(architecture: Architecture) -> None:
    header = next((path for path in _HEADERS[architecture.name] if path.exists()), None)
    if header is None:
        pytest.skip("without the headers of linux-libc-dev")
    defined = {
        _GENERIC_NAMES.get(name, name) if wide else name: int(number)
        for wide, name, number in _DEFINED.findall(header.read_text())
    }
    if architecture is AARCH64:  # asm-generic has calls that arm64 does not define
        for absent in ("renameat", "getrlimit", "setrlimit"):
            defined.pop(absent, None)
    assert {name: architecture.number(name) for name in NUMBERS} == {name: defined.get(name) for name in NUMBERS}
    others = {name: rows[list(ARCHITECTURES).index(architecture.name)] for name, rows in FORBIDDEN.items()}
    assert others == {name: defined.get(name) for name in others}


def test_every_call_of_the_list_has_a_number_on_each_architecture_or_is_declared_absent() -> None:
    names = {call.name for call in allowed_calls(fonts=True, fstat_is_newfstatat=True)}
    assert names == set(NUMBERS)
    absent = {name for name, numbers in NUMBERS.items() if None in numbers}
    assert absent == {"access", "open", "poll", "select", "time"}
    for column in range(2):
        numbers = [row[column] for row in NUMBERS.values() if row[column] is not None]
        assert len(numbers) == len(set(numbers))
