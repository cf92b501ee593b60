"""Children that render have a lower priority than what serves hits."""

import ctypes
import os
import platform
import struct
from pathlib import Path

from tests.support.pictures import encoded, scene
from tests.support.render_children import Counted, command
from thumbs.image.transforms import Transform
from thumbs.render.isolation.renderer import IsolatedRenderer
from thumbs.render.values import RenderLimits

# sched_getattr(2) of <asm/unistd_64.h> and <asm-generic/unistd.h>, and its struct: size, policy, flags, nice, priority,
# runtime, deadline, period.
CALL = {"x86_64": 315, "aarch64": 275}[os.uname().machine]
ATTRIBUTES = struct.Struct("=IIQiIQQQ")
NO_WATERMARKS: dict[str, bytes] = {}
KNOWS_SLICES = tuple(map(int, platform.release().split(".")[:2])) >= (6, 12)


def niceness_and_slice(thread: int) -> tuple[int, int]:
    """Of a thread, the slice in nanoseconds, as the kernel knows them."""
    found = ctypes.create_string_buffer(ATTRIBUTES.size)
    assert ctypes.CDLL(None).syscall(CALL, thread, found, ATTRIBUTES.size, 0) == 0
    _, policy, _, niceness, _, runtime, *_ = ATTRIBUTES.unpack(found.raw)
    assert policy == os.SCHED_OTHER
    return niceness, runtime


def test_every_thread_of_a_child_is_nice_and_has_a_long_slice() -> None:
    counted = Counted(command())
    renderer = IsolatedRenderer(counted.pool, RenderLimits(seconds=30), NO_WATERMARKS.__getitem__)
    try:
        renderer(encoded(scene(900, 600), "JPEG"), Transform(40, 30, "webp", 80), fallback=None)
        (child, *_) = (each for each in counted.pool.idle if each.calls)
        threads = [int(task.name) for task in Path(f"/proc/{child.pid}/task").iterdir()]
        expected = (min(os.getpriority(os.PRIO_PROCESS, 0) + 10, 19), 20_000_000 if KNOWS_SLICES else 0)
        assert len(threads) > 1, "threads of libvips, which inherit both"
        assert {niceness_and_slice(thread) for thread in threads} == {expected}
    finally:
        counted.pool.close()
