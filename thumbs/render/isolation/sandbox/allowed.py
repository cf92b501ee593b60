"""The allow-list: every system call that a locked-down child may make, each with the reason.

What is not here fails with EPERM: no program, process, socket, signal, directory, path, device, or memory that is both
data and code. `tests/system/test_isolation_renders.py` renders every format with it.
"""

import errno

from thumbs.render.isolation.sandbox.bpf import Call, Masked, fail_with

# Constants of <linux/…>, equal on both architectures.
_PROT_EXEC = 0x4
_PR_SET_NAME = 15
_O_CLOEXEC, _O_NOCTTY = 0o2000000, 0o400
_AT_EMPTY_PATH = 0x1000
_LOW = 0xFFFFFFFF  # of an int the kernel reads the low half only
_WHOLE = 0xFFFFFFFFFFFFFFFF
# The flags of pthread_create in glibc and musl: CLONE_VM, FS, FILES, SIGHAND, THREAD, SYSVSEM, SETTLS, PARENT_SETTID,
# CHILD_CLEARTID. musl adds CLONE_DETACHED, which means nothing.
_THREAD = 0x3D0F00
_CLONE_DETACHED = 0x400000
# Read-only means: no other bit than these two.
_READ_ONLY = _LOW & ~(_O_CLOEXEC | _O_NOCTTY)
_NO_CODE = (Masked(2, _PROT_EXEC, 0),)
# Of mmap. RLIMIT_DATA counts private memory only: not what is shared, grows down, or is made of huge pages.
_MAP_TYPE, _MAP_SHARED, _MAP_PRIVATE = 0xF, 0x1, 0x2
_MAP_ANONYMOUS, _UNCOUNTED = 0x20, 0x40100
_PRIVATE = Masked(3, _MAP_TYPE | _UNCOUNTED, _MAP_PRIVATE)
_SHARED_FILE = Masked(3, _MAP_TYPE | _UNCOUNTED | _MAP_ANONYMOUS, _MAP_SHARED)
_MSG_NOSIGNAL = 0x4000
_NO_FLAGS = Masked(3, _LOW & ~_MSG_NOSIGNAL, 0)  # above all no urgent data (MSG_OOB: CVE-2025-38236)
# FUTEX_WAIT, WAKE, WAIT_BITSET, WAKE_BITSET, REQUEUE, CMP_REQUEUE, WAKE_OP, the most frequent first, of this process or
# shared, by either clock. None that inherits priorities, which glibc makes for few mutexes.
_FUTEX_FLAGS = 0x180
_LOCKS = tuple(Masked(1, _LOW & ~_FUTEX_FLAGS, which) for which in (0, 1, 9, 10, 3, 4, 5))
_MAY_MOVE = Masked(3, _LOW & ~0x1, 0)
_OWN_ADVICE = Masked(2, _LOW & ~0x1F, 0)  # MADV_HWPOISON and MADV_SOFT_OFFLINE take pages from the machine

# The most frequent first.
_ALWAYS: tuple[Call, ...] = (
    *(Call("futex", (which,)) for which in _LOCKS),  # of libvips, Python, glibc
    # The socket to the parent: what arrives and leaves is read and written, or received and sent.
    Call("read"),
    Call("write"),
    Call("readv"),
    Call("writev"),
    Call("recvfrom", (_NO_FLAGS,)),
    Call("sendto", (_NO_FLAGS, Masked(4, _WHOLE, 0))),  # without an address
    Call("shutdown"),
    Call("poll"),  # a read with a time limit: Python's sockets, select.poll and select.select
    Call("ppoll"),
    Call("select"),
    Call("pselect6"),
    Call("close"),
    Call("fstat"),  # the size of a font, and Python's open files; no path
    # Memory, never executable. After the warm-up nothing needs new code: libvips 8.18 uses Highway, compiled in, in
    # place of orc; cffi makes its closures at import; and PCRE2 works without JIT where it gets no such memory.
    Call("mmap", (*_NO_CODE, _PRIVATE)),
    Call("mmap", (*_NO_CODE, _SHARED_FILE)),  # caches of fontconfig
    Call("mprotect", _NO_CODE),
    Call("munmap"),
    Call("mremap", (_MAY_MOVE,)),
    Call("madvise", (_OWN_ADVICE,)),
    Call("brk"),
    # Threads: libvips starts some for a render, and lets them go when they idle.
    Call("clone", (Masked(0, _LOW & ~_CLONE_DETACHED, _THREAD),)),
    Call("clone3", answer=fail_with(errno.ENOSYS)),  # its flags are in memory; glibc then calls clone
    Call("set_robust_list"),  # glibc, in each new thread
    Call("rseq"),  # the same
    Call("sigaltstack"),  # the same, in threads of Rust (librsvg)
    Call("prctl", (Masked(0, _LOW, _PR_SET_NAME),)),  # glib names its threads
    Call("sched_yield"),
    Call("sched_getaffinity"),  # how many threads an encoder or libvips starts
    Call("sysinfo"),  # the same in musl, and glibc's qsort
    Call("gettid"),
    Call("getpid"),
    Call("getppid"),  # whether the parent lives
    Call("exit"),
    Call("exit_group"),
    # Time. On most machines the vDSO answers without a call.
    Call("clock_gettime"),
    Call("clock_getres"),
    Call("gettimeofday"),
    Call("time"),
    Call("clock_nanosleep"),
    Call("nanosleep"),
    Call("setitimer"),  # the deadline of a render, and its CPU time
    Call("getitimer"),
    Call("getrusage"),  # what a render cost
    Call("rt_sigaction"),  # the handler of the deadline; Python resets handlers when it ends
    Call("rt_sigprocmask"),  # pthread_create and abort. The parent kills a child that blocks its deadline.
    Call("rt_sigreturn"),
    Call("restart_syscall"),  # the kernel's own way to go on after a signal
    Call("getrandom"),  # glib, Rust's hash tables
)
# Text in SVG: fonts are opened when a letter first needs them.
_FONTS: tuple[Call, ...] = (
    Call("openat", (Masked(2, _READ_ONLY, 0),)),
    Call("open", (Masked(1, _READ_ONLY, 0),)),  # musl
    # fontconfig leaves a font out when it may not read it. Here the call succeeds for every path, so that it says
    # nothing, and Landlock decides when the font is opened.
    Call("access", answer=fail_with(0)),
    Call("faccessat", answer=fail_with(0)),
    Call("faccessat2", answer=fail_with(0)),
)
# A filter cannot see whether the path is empty: with this row, the metadata of any path can be read.
_STAT_OF_OPEN_FILES = (Call("newfstatat", (Masked(3, _LOW, _AT_EMPTY_PATH),)),)


def allowed_calls(*, fonts: bool, fstat_is_newfstatat: bool = False) -> tuple[Call, ...]:
    """The allow-list. With `fonts`, files may be opened for reading; which ones is up to Landlock.

    `fstat_is_newfstatat`: libvips' libraries call the fstat of glibc 2.33 to 2.38, which is newfstatat with an empty
    path. Without it they could not map a font, and text would vanish.
    """
    if not fonts:
        return _ALWAYS
    return _ALWAYS + _FONTS + (_STAT_OF_OPEN_FILES if fstat_is_newfstatat else ())
