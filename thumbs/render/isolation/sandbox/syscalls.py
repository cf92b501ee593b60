"""The numbers of system calls on each architecture, one row each."""

import os
import sys
from dataclasses import dataclass

_ARCHITECTURES = ("x86_64", "aarch64")
# The numbers of <asm/unistd_64.h> for x86-64 and of <asm-generic/unistd.h> for arm64. None: the architecture has no
# such call, and its C library makes a newer one.
NUMBERS: dict[str, tuple[int | None, int | None]] = {
    "access": (21, None),
    "brk": (12, 214),
    "clock_getres": (229, 114),
    "clock_gettime": (228, 113),
    "clock_nanosleep": (230, 115),
    "clone": (56, 220),
    "clone3": (435, 435),
    "close": (3, 57),
    "exit": (60, 93),
    "exit_group": (231, 94),
    "faccessat": (269, 48),
    "faccessat2": (439, 439),
    "fstat": (5, 80),
    "futex": (202, 98),
    "getitimer": (36, 102),
    "getpid": (39, 172),
    "getppid": (110, 173),
    "getrandom": (318, 278),
    "getrusage": (98, 165),
    "gettid": (186, 178),
    "gettimeofday": (96, 169),
    "madvise": (28, 233),
    "mmap": (9, 222),
    "mprotect": (10, 226),
    "mremap": (25, 216),
    "munmap": (11, 215),
    "nanosleep": (35, 101),
    "newfstatat": (262, 79),
    "open": (2, None),
    "openat": (257, 56),
    "poll": (7, None),
    "ppoll": (271, 73),
    "prctl": (157, 167),
    "pselect6": (270, 72),
    "read": (0, 63),
    "readv": (19, 65),
    "recvfrom": (45, 207),
    "restart_syscall": (219, 128),
    "rseq": (334, 293),
    "rt_sigaction": (13, 134),
    "rt_sigprocmask": (14, 135),
    "rt_sigreturn": (15, 139),
    "sched_getaffinity": (204, 123),
    "sched_yield": (24, 124),
    "select": (23, None),
    "sendto": (44, 206),
    "set_robust_list": (273, 99),
    "setitimer": (38, 103),
    "shutdown": (48, 210),
    "sigaltstack": (131, 132),
    "sysinfo": (99, 179),
    "time": (201, None),
    "write": (1, 64),
    "writev": (20, 66),
}


@dataclass(frozen=True, slots=True)
class Architecture:
    """A processor architecture.

    `audit` is its number in <linux/audit.h>. Calls from `first_foreign` on are those of another ABI of the same
    architecture (x32). `seccomp` and `sched_setattr` are the numbers of those calls.
    """

    name: str
    audit: int
    seccomp: int
    sched_setattr: int
    first_foreign: int | None = None

    def number(self, name: str) -> int | None:
        """The number of the system call; None where this architecture has none. Raises KeyError for unknown names."""
        return NUMBERS[name][_ARCHITECTURES.index(self.name)]


X86_64 = Architecture("x86_64", audit=0xC000003E, seccomp=317, sched_setattr=314, first_foreign=0x40000000)
AARCH64 = Architecture("aarch64", audit=0xC00000B7, seccomp=277, sched_setattr=274)
ARCHITECTURES = {each.name: each for each in (X86_64, AARCH64)}


def this_architecture() -> Architecture | None:
    """The architecture of this process; None for one without a table, as for a 32-bit process."""
    return ARCHITECTURES.get(os.uname().machine) if sys.maxsize > 2**32 and sys.byteorder == "little" else None
