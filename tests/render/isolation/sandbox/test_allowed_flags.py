"""The flags of allowed calls: none that reaches code of the kernel, or memory, that no render needs."""

import errno

import pytest

from tests.support.bpf_machine import ALLOWED, run
from thumbs.render.isolation.sandbox.allowed import allowed_calls
from thumbs.render.isolation.sandbox.bpf import compile_filter
from thumbs.render.isolation.sandbox.syscalls import AARCH64, X86_64, Architecture

ADDRESS = 0x7F00_0000_1000
NO_FILE = 0xFFFF_FFFF
READ, WRITE = 1, 2
SHARED, PRIVATE, SHARED_VALIDATE, DROPPABLE = 1, 2, 3, 8
FIXED, ANONYMOUS, GROWS_DOWN, NO_RESERVE, STACK, HUGE = 0x10, 0x20, 0x100, 0x4000, 0x20000, 0x40000
HIGH = 1 << 32


def answer(architecture: Architecture, name: str, arguments: list[int]) -> str | int:
    program = b"".join(each.pack() for each in compile_filter(allowed_calls(fonts=True), architecture))
    number = architecture.number(name)
    assert number is not None
    return run(program, number, arguments, architecture=architecture.audit)


def mapped(flags: int, *, protection: int = READ | WRITE) -> list[int]:
    return [0, 4096, protection, flags, NO_FILE if flags & ANONYMOUS else 3, 0]


@pytest.mark.parametrize("architecture", [X86_64, AARCH64], ids=lambda each: each.name)
@pytest.mark.parametrize(
    ("name", "arguments", "expected"),
    [
        # Memory of a thread, of malloc, and a file of fontconfig's.
        ("mmap", mapped(PRIVATE | ANONYMOUS | STACK), ALLOWED),
        ("mmap", mapped(PRIVATE | ANONYMOUS | NO_RESERVE | FIXED), ALLOWED),
        ("mmap", mapped(PRIVATE), ALLOWED),
        ("mmap", mapped(SHARED, protection=READ), ALLOWED),
        # RLIMIT_DATA does not count it: shared memory, stacks that grow, huge pages, memory that can be dropped.
        ("mmap", mapped(SHARED | ANONYMOUS), errno.EPERM),
        ("mmap", mapped(SHARED | ANONYMOUS | HIGH, protection=READ), errno.EPERM),
        ("mmap", mapped(SHARED_VALIDATE | ANONYMOUS), errno.EPERM),
        ("mmap", mapped(SHARED_VALIDATE), errno.EPERM),
        ("mmap", mapped(PRIVATE | ANONYMOUS | GROWS_DOWN), errno.EPERM),
        ("mmap", mapped(PRIVATE | ANONYMOUS | HUGE), errno.EPERM),
        ("mmap", mapped(DROPPABLE | ANONYMOUS), errno.EPERM),
        ("mmap", mapped(ANONYMOUS), errno.EPERM),
        # Urgent data of Unix sockets is code of the kernel with faults of its own (CVE-2025-38236).
        ("sendto", [3, ADDRESS, 10, 0, 0, 0], ALLOWED),
        ("sendto", [3, ADDRESS, 10, 1, 0, 0], errno.EPERM),  # MSG_OOB
        ("sendto", [3, ADDRESS, 10, 0x4001, 0, 0], errno.EPERM),
        ("sendto", [3, ADDRESS, 10, 0x4000000, 0, 0], errno.EPERM),  # MSG_ZEROCOPY
        ("recvfrom", [3, ADDRESS, 10, 0, 0, 0], ALLOWED),
        ("recvfrom", [3, ADDRESS, 10, 1, 0, 0], errno.EPERM),
        ("recvfrom", [3, ADDRESS, 10, 2, 0, 0], errno.EPERM),  # MSG_PEEK
        # A buffer that grows may move. It need not stay where it was, nor go to a given place.
        ("mremap", [ADDRESS, 4096, 8192, 1, 0], ALLOWED),
        ("mremap", [ADDRESS, 4096, 8192, 3, ADDRESS], errno.EPERM),
        ("mremap", [ADDRESS, 4096, 4096, 5, 0], errno.EPERM),
        # Locks as glibc, musl, GLib and Rust make them, of this process or shared, by either clock.
        *(("futex", [ADDRESS, which, 1], ALLOWED) for which in (0, 1, 3, 4, 5, 9, 10)),
        *(("futex", [ADDRESS, which | 128, 1], ALLOWED) for which in (0, 1, 3, 4, 5, 9, 10)),
        ("futex", [ADDRESS, 9 | 128 | 256, 1], ALLOWED),
        # Locks that inherit priorities had faults in the kernel (CVE-2014-3153, CVE-2021-3347).
        *(("futex", [ADDRESS, which, 1], errno.EPERM) for which in (2, 6, 7, 8, 11, 12, 13, 64)),
        *(("futex", [ADDRESS, which | 128, 1], errno.EPERM) for which in (6, 7, 8, 11, 12, 13)),
        # Advice for a process's own use, not that which takes pages from the machine.
        ("madvise", [ADDRESS, 4096, 4], ALLOWED),  # MADV_DONTNEED
        ("madvise", [ADDRESS, 4096, 8], ALLOWED),  # MADV_FREE
        ("madvise", [ADDRESS, 4096, 14], ALLOWED),  # MADV_HUGEPAGE
        ("madvise", [ADDRESS, 4096, 100], errno.EPERM),  # MADV_HWPOISON
        ("madvise", [ADDRESS, 4096, 101], errno.EPERM),  # MADV_SOFT_OFFLINE
    ],
)
def test_flags_decide(architecture: Architecture, name: str, arguments: list[int], expected: str | int) -> None:
    assert answer(architecture, name, arguments) == expected
