"""The child: does one call at a time for its parent, over a socket, until the parent is gone.

The order matters: files are locked before pyvips is imported, because Landlock binds the calling thread and those that
it starts; system calls are locked after everything has been loaded and every thread has started.
"""

import contextlib
import ctypes
import os
import resource
import select
import signal
import socket
import time
import traceback
from pathlib import Path
from typing import TYPE_CHECKING

from thumbs.errors import RenderFailed, SourceOverMemory, ThumbError
from thumbs.render.isolation import descriptions, lockdown, priority, signals, wire
from thumbs.render.isolation.wire import LANDLOCK, LAYER_BITS, SECCOMP, Answer, Call, Hello, Outcome, Setup, Work

if TYPE_CHECKING:
    from thumbs.render.renderer import Renderer

# The kernel ends the child this long after the deadline. libvips stops its own work at the deadline.
KERNEL_GRACE_SECONDS = 0.2
# It also ends a child that has spent this much CPU time for each second of its deadline and each thread of libvips:
# some decoders start a thread for each core. A little less than 2, as the end of a large process takes time too.
CPU_PER_SECOND = 1.9
_TRIM_AFTER_SECONDS = 1.0
_ALLOCATOR_FIELDS = "arena ordblks smblks hblks hblkhd usmblks fsmblks uordblks fordblks keepcost"
_PAGE = resource.getpagesize()
# What the samples may leave free with the allocator, in heaps that no large block fits in. glibc makes such a heap, of
# 64 MiB, where two threads allocate at once, which happens on a busy machine: up to 50 MB of it were free.
_LEFT_FREE = 64 * 1024 * 1024
_OUT_OF_MEMORY_FIRST = "500"  # of 1000: the kernel ends a child before the process that serves


def main(descriptor: int) -> None:
    """Serve the parent at the other end of the socket `descriptor`. Ends the process when the parent is gone."""
    for number in signals.LEFT_TO_PARENT:
        signal.signal(number, signal.SIG_IGN)
    for number in (signal.SIGALRM, signal.SIGPROF):
        signal.signal(number, signal.SIG_DFL)
    # The mask is that of the thread that started this process, which held these signals; some servers hold all.
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
    channel = socket.socket(fileno=descriptor)
    try:
        setup = wire.receive_setup(channel)
    except (EOFError, OSError):
        return
    _limit_privileges()
    hello = _lock_down(setup)
    with contextlib.suppress(EOFError, OSError):
        wire.send_hello(channel, hello)
        _Server(channel, setup).run()
    os._exit(0)  # nothing needs the interpreter's own end, which would use calls that are locked


class _Server:
    """Answers calls. `_files` are the watermarks that the parent has sent."""

    def __init__(self, channel: socket.socket, setup: Setup) -> None:
        self._channel = channel
        self._setup = setup
        self._files: dict[str, bytes] = {}
        self._renderer: Renderer | None = None
        self._trim = getattr(ctypes.CDLL(None), "malloc_trim", lambda _: None)  # glibc only

    def renderer(self) -> "Renderer":
        """Loads libvips at the first call."""
        if self._renderer is None:
            from thumbs.render.renderer import Renderer  # noqa: PLC0415 - after the lock-down of files
            from thumbs.render.watermarks import Watermarks  # noqa: PLC0415

            setup = self._setup
            watermarks = Watermarks(self._files.__getitem__, setup.inputs)
            self._renderer = Renderer(setup.inputs, setup.concurrency, setup.encoding, watermarks)
        return self._renderer

    def run(self) -> None:
        idle = select.poll()
        idle.register(self._channel, select.POLLIN)
        while True:
            if not idle.poll(_TRIM_AFTER_SECONDS * 1000):
                self._trim(0)
                idle.poll()
            call, work, data = wire.receive_call(self._channel)
            signal.setitimer(signal.ITIMER_REAL, work.limits.seconds + KERNEL_GRACE_SECONDS)
            signal.setitimer(signal.ITIMER_PROF, work.limits.seconds * CPU_PER_SECOND * self._setup.concurrency)
            answer = self._answer(call, work, data)
            del work, data
            wire.send_answer(self._channel, answer)
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.setitimer(signal.ITIMER_PROF, 0)

    def _answer(self, call: Call, work: Work, data: bytes) -> Answer:
        began = time.perf_counter()
        try:
            outcome, name, encode_seconds, body = self._do(call, work, data)
        except MemoryError:
            return wire.failed(SourceOverMemory(), time.perf_counter() - began)
        except ThumbError as error:
            return wire.failed(error, time.perf_counter() - began)
        except Exception:
            _log_traceback()
            return wire.failed(RenderFailed(), time.perf_counter() - began)
        return Answer(outcome, name, max(time.perf_counter() - began, encode_seconds), encode_seconds, body)

    def _do(self, call: Call, work: Work, data: bytes) -> tuple[Outcome, str, float, bytes]:
        renderer = self.renderer()
        if call is Call.WATERMARK:
            self._files[work.name] = data
            return Outcome.BYTES, "", 0.0, b""
        if call is Call.MAKE_PROXY:
            return Outcome.BYTES, "", 0.0, renderer.make_proxy(data, work.limits)
        if call is Call.CHECK:
            renderer.check(data, work.limits)
            return Outcome.BYTES, "", 0.0, b""
        if work.transform is None:
            raise RenderFailed
        if call is Call.DESCRIBE:
            described = renderer.describe(data, work.transform, work.limits)
            return Outcome.BYTES, "", 0.0, descriptions.pack(described)
        if call is Call.RENDER:
            picture = renderer.render(data, work.transform, work.limits, fallback=work.fallback)
        else:
            small = renderer.render_proxy(data, work.transform, work.limits, fallback=work.fallback)
            if small is None:
                return Outcome.TOO_SMALL, "", 0.0, b""
            picture = small
        outcome = Outcome.PART if picture.truncated else Outcome.PICTURE
        return outcome, picture.format, picture.encode_seconds, picture.body


def _limit_privileges() -> None:
    """Lengthen the slice, write no core file, and be the first that the kernel ends when memory is short."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    priority.lengthen_slice()
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text(_OUT_OF_MEMORY_FIRST)


def _lock_down(setup: Setup) -> Hello:
    """Load everything, lower the priority, limit the memory, and set up the layers of the sandbox in `setup`."""
    sizes = os.open("/proc/self/statm", os.O_RDONLY | os.O_CLOEXEC)
    threads = os.open("/proc/self/task", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    if LANDLOCK in setup.layers:
        lockdown.restrict_files(setup.inputs)
    lockdown.import_renderer({*setup.inputs, *setup.outputs})
    if LANDLOCK in setup.layers:
        lockdown.restrict_to_fonts(setup.inputs)
    lockdown.warm_up(setup.inputs, setup.concurrency, setup.outputs)
    # Only now: with other work on all cores, a child that is nice from its start would not be ready in time.
    priority.lower(setup.niceness, map(int, os.listdir(threads)))  # noqa: PTH208 - of a descriptor
    os.close(threads)
    # proc_pid_statm(5): the address space, and data with stacks. What libraries hold now is no render's, but what the
    # allocator has ready is, beyond what the samples may leave: else the same picture would fit in some children only.
    address_space, *_, data, _ = (int(pages) * _PAGE for pages in os.read(sizes, 256).split())
    os.close(sizes)
    limit = data - max(0, _free_bytes() - _LEFT_FREE) + setup.memory
    resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))
    if SECCOMP in setup.layers:
        lockdown.restrict_calls(setup.inputs)
    return Hello(sum(LAYER_BITS[name] for name in setup.layers), address_space)


class _AllocatorState(ctypes.Structure):
    """struct mallinfo2 of <malloc.h>."""

    _fields_ = tuple((name, ctypes.c_size_t) for name in _ALLOCATOR_FIELDS.split())


def _free_bytes() -> int:
    """What the allocator can hand out without asking the kernel; 0 where it is not that of glibc 2.33 or later."""
    state = getattr(ctypes.CDLL(None), "mallinfo2", None)
    if state is None:
        return 0
    state.restype = _AllocatorState
    return int(state().fordblks)


def _log_traceback() -> None:
    """Write the traceback to stderr, which the parent logs at DEBUG."""
    with contextlib.suppress(OSError):
        traceback.print_exc(limit=-3)
