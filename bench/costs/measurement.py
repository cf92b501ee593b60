"""What one request costs: the CPU time and the memory of the child that renders it, also when the child is killed."""

import contextlib
import os
import resource
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path

import pyvips

from bench.costs.recipes import WATERMARK, Recipe
from thumbs.errors import ThumbError
from thumbs.image.encoding import Encoding
from thumbs.image.formats import FORMATS
from thumbs.image.limits import RENDER_MEMORY_BYTES, RENDER_SECONDS
from thumbs.image.transforms import Transform
from thumbs.render.isolation import lockdown
from thumbs.render.isolation.pool import ChildPool
from thumbs.render.isolation.process import Child, Command
from thumbs.render.isolation.renderer import IsolatedRenderer
from thumbs.render.isolation.wire import LAYER_BITS, Setup
from thumbs.render.values import RenderLimits
from thumbs.request.resolve import ThumbRequest

_TICK = os.sysconf("SC_CLK_TCK")
_EVERY_SECONDS = 0.02
_RESET_PEAK = "5"  # proc(5), clear_refs


@dataclass(frozen=True, slots=True)
class Cost:
    """What a request took: seconds of CPU time in all threads, MiB beyond what the child had before, seconds in all.

    `status` is that of the answer.
    """

    recipe: Recipe
    status: int
    cpu: float
    mib: float
    seconds: float


@dataclass(frozen=True, slots=True)
class _Patient(Command):
    """The real child with a deadline `times` as long, and the same limit on CPU time."""

    times: float = 1.0

    def line(self, descriptor: int) -> list[str]:
        boot = (
            f"import sys; sys.path[:] = {list(self.path)!r}; from thumbs.render.isolation import child; "
            f"child.CPU_PER_SECOND /= {self.times!r}; child.main({descriptor})"
        )
        return [self.python, "-I", "-S", "-c", boot]


class Meter:
    """Renders in children with the default limits, one at a time.

    `seconds` is the deadline: on a busy machine, a longer one shows what the others would cost. The limit on CPU time
    is always that of the default deadline.
    """

    def __init__(self, seconds: float) -> None:
        layers = frozenset(LAYER_BITS) - set(lockdown.missing())
        self._setup = Setup(frozenset(FORMATS), 1, Encoding(), RENDER_MEMORY_BYTES, layers)
        path = Command.of_this_process(sys.executable).path
        self._command = _Patient(sys.executable, path, seconds / RENDER_SECONDS)
        mark = pyvips.Image.black(600, 400, bands=4).linear(1, [200, 30, 30, 128])
        mark = mark.cast("uchar").copy(interpretation="srgb").write_to_buffer(".png")
        self._watermarks = {WATERMARK: bytes(mark)}
        self._limits = RenderLimits(seconds=seconds)
        self._pool = ChildPool(self._command, self._setup)

    def close(self) -> None:
        self._pool.close()

    def cost(self, recipe: Recipe, data: bytes, *, fresh: bool = False) -> Cost | None:
        """What a request costs, in a `fresh` child or in one that has rendered others.

        None for a request that is refused before anything is rendered.
        """
        thumb = recipe.resolved()
        if thumb is None:
            return None
        if fresh:
            self._pool.close()
        child = self._ready()
        watch = _Peak(child.pid)
        before, began = _cpu(child.pid) + _reaped(), time.monotonic()
        with watch:
            status = self._status(thumb, data, proxied=recipe.proxied)
        seconds = time.monotonic() - began
        # A child that has been killed counts among those that were reaped, with all that it ever spent.
        cpu = (0.0 if child.has_ended() else _cpu(child.pid)) + _reaped() - before
        return Cost(recipe, status, cpu, watch.growth / 1024, seconds)

    def _ready(self) -> Child:
        """The child that renders next: the pool takes its last one."""
        if not self._pool.idle:
            self._render(IsolatedRenderer(self._pool, self._limits, self._watermarks.__getitem__))
        child = self._pool.idle[-1]
        child.hello()
        return child

    def _render(self, renderer: IsolatedRenderer) -> None:
        """A small render, which starts children: one for it, and a spare one."""
        small = pyvips.Image.black(8, 8).write_to_buffer(".png")
        renderer(bytes(small), Transform(4, 4, "png"), fallback=None)

    def _status(self, thumb: ThumbRequest, data: bytes, *, proxied: bool) -> int:
        renderer = IsolatedRenderer(self._pool, self._limits, self._watermarks.__getitem__)
        try:
            packed = renderer.make_proxy(data) if proxied else b""
            made = renderer.render_proxy(packed, thumb.transform, fallback=thumb.fallback) if packed else None
            if made is None:
                renderer(data, thumb.transform, fallback=thumb.fallback)
        except ThumbError as error:
            return error.status
        return 200


class _Peak:
    """Watches the largest resident size of a process. `growth` is in KiB; pages of files do not count."""

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.growth = 0

    def __enter__(self) -> None:
        with contextlib.suppress(OSError):
            Path(f"/proc/{self._pid}/clear_refs").write_text(_RESET_PEAK)
        self._before = _status(self._pid).get("VmRSS", 0)
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()
        self._read()

    def _run(self) -> None:
        while not self._stop.wait(_EVERY_SECONDS):
            self._read()

    def _read(self) -> None:
        peak = _status(self._pid).get("VmHWM", 0)
        self.growth = max(self.growth, peak - self._before)


def _status(pid: int) -> dict[str, int]:
    """Sizes of a process in KiB (proc_pid_status(5)); empty when it has ended."""
    with contextlib.suppress(OSError):
        rows = (line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines())
        return {name: int(value.split()[0]) for name, value in rows if name.startswith("Vm")}
    return {}


def _cpu(pid: int) -> float:
    """Seconds of CPU time that a process has spent (proc_pid_stat(5))."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICK


def _reaped() -> float:
    """Seconds of CPU time that ended children have spent."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime
