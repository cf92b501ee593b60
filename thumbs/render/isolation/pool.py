"""The children of a process: one for each place, and one that is warm while the express place may need it.

Imports no pyvips.
"""

import contextlib
import logging
import threading
import time
from collections.abc import Callable
from math import inf

from thumbs.errors import (
    Preempted,
    RendererUnavailable,
    RenderFailed,
    RenderTimeout,
    SourceBroken,
    SourceOverMemory,
    ThumbError,
)
from thumbs.render import arenas
from thumbs.render.isolation.answers import is_answer
from thumbs.render.isolation.memory import DOUBTFUL, is_large, judged, machine_is_short
from thumbs.render.isolation.process import Child, ChildLost, Command, Loss
from thumbs.render.isolation.starts import Unavailable
from thumbs.render.isolation.wire import Answer, Call, Outcome, Setup, Work

logger = logging.getLogger("thumbs")
# What `count` is called with: a child was started, could not be, or was ended on purpose; or it was lost (`Loss`), or
# the machine lacked memory.
EVENTS = ("started", "failed", "retired", "timeout", "killed", "crash", "invalid", "memory")
MAX_CALLS = 4000  # of one child: what a decoder leaks, or a child that was taken over, does not stay
_CROWDED_SECONDS = 60.0  # after a render was slow, and after the express place was used
_LAST_CALLS = 20  # of `MAX_CALLS`, during which its successor is started


class ChildPool:
    """Runs calls in children. `places` + 1 threads may call `run` at once.

    `count` is called with each of `EVENTS`. `wanted` are the layers of the sandbox, as bits, without which nothing is
    rendered.
    """

    def __init__(
        self,
        command: Command,
        setup: Setup,
        *,
        places: int = 1,
        wanted: int = 0,
        count: Callable[[str], None] = lambda _: None,
    ) -> None:
        arenas.limit()
        arenas.return_large_blocks()
        self._command = command
        self._setup = setup
        self._places = places
        self._slow_at = self._crowded_at = -inf  # when a render was slow, and the express place in use (monotonic)
        self._wanted = wanted
        self._count = count
        self._lock = threading.Lock()
        self.idle: list[Child] = []
        self._busy: dict[int, Child | None] = {}  # by the thread that waits for it; None: it is about to start one
        self._starting_spare = False
        self._closed = False
        self.layers: int | None = None  # of the last child that was ready; None before the first
        self.unavailable = Unavailable()

    def run(self, call: Call, work: Work, data: bytes, watermark: tuple[str, bytes] | None = None) -> Answer:
        """The answer to `call`. `watermark` is the name and the file of one that the call needs.

        Raises the subclass of `ThumbError` that the child names, `RenderTimeout` at the deadline, `SourceBroken` where
        the decoder crashed, `RenderFailed` where the answer was none, and `RendererUnavailable` where the machine
        lacks memory or processes.
        """
        end = time.monotonic() + work.limits.seconds
        child = self._take()
        is_new = child.calls == 0
        try:
            return self._run_in(child, call, work, data, watermark)
        except DOUBTFUL:
            if is_new or not child.is_large:
                raise
        # Whether a picture can be rendered must not depend on those before it.
        return self._run_in(self._take(new=True), call, work.until(end), data, watermark)

    def _run_in(self, child: Child, call: Call, work: Work, data: bytes, watermark: tuple[str, bytes] | None) -> Answer:
        """The answer of this child, which is released. Raises as `run` does."""
        keep = False
        try:
            if watermark is not None and watermark[0] not in child.watermarks:
                work = self._send_watermark(child, work, *watermark)
            answer = child.ask(call, work, data, self._slow)
            if not is_answer(call, work, answer):
                raise self._error(child, Loss.INVALID)
            failure = answer.failure()
            if isinstance(failure, DOUBTFUL):
                failure = self._judged(child, failure, child.peak_address_space())
                if isinstance(failure, RendererUnavailable):
                    self._count("memory")
                    raise failure
            keep = not (isinstance(failure, SourceOverMemory) or child.is_large) and child.calls < MAX_CALLS
            if not keep:
                self._count("retired")
        except ChildLost as lost:
            if child.preempted:
                raise Preempted from None
            raise self._error(child, lost.loss, lost.peak) from None
        finally:
            self._release(child, keep=keep)
        if failure is not None:
            raise failure
        return answer

    def preempt(self, thread: int) -> bool:
        """End the render that this thread waits for, which then raises `Preempted`. False if there is none."""
        child = self._busy.get(thread)
        return child is not None and child.preempt()

    def retry(self) -> None:
        """Try again where no child could be started: else only the next render would, and may never be asked for.

        Returns when the child is ready, or could not be started.
        """
        if self.unavailable.since is None or self._closed:
            return
        with contextlib.suppress(RendererUnavailable, OSError, MemoryError):  # the next call tries again
            self._release(self._take(), keep=True)

    def close(self) -> None:
        """End all children that are idle, and from now on each child after its call."""
        with self._lock:
            self._closed = True
            children, self.idle = self.idle, []
        for child in children:
            child.end()

    def _send_watermark(self, child: Child, work: Work, name: str, data: bytes) -> Work:
        """Give a watermark to a child. Returns `work` with the time that is left for it."""
        end = time.monotonic() + work.limits.seconds
        answer = child.ask(Call.WATERMARK, Work(work.limits, name=name), data)
        if answer.outcome != Outcome.BYTES:  # without it, every later render with it would fail
            raise self._error(child, Loss.INVALID)
        child.watermarks.add(name)
        return work.until(end)

    def _take(self, *, new: bool = False) -> Child:
        """A child that is ready, with `new` one that has had no call. Raises `RendererUnavailable`."""
        child = None
        try:
            child = self._idle_child(new=new) or self._start()
            self._busy[threading.get_ident()] = child
            self._keep_spare()
            self.layers = child.hello().layers
        except ChildLost as lost:
            said = child.stderr().strip() if child is not None else ""
            self._release(child, keep=False)
            self._failed(f"a render process ended before it was ready ({lost.loss.name.lower()}): {said[-500:]}")
            raise RendererUnavailable from None
        except BaseException:
            self._release(child, keep=False)
            raise
        if self._wanted & ~self.layers:
            self._release(child, keep=False)
            self._failed("a render process could not set up its sandbox, and `isolation` requires it")
            raise RendererUnavailable
        self.unavailable.since = None
        return child

    def _idle_child(self, *, new: bool) -> Child | None:
        """An idle child that has not been killed meanwhile: the last one used, so that the others can rest.

        It is busy at once. Where there is none, the thread counts as one that has a child: it starts one.
        """
        while True:
            with self._lock:
                child = next((each for each in reversed(self.idle) if not (new and each.calls)), None)
                self._busy[threading.get_ident()] = child
                if child is None:
                    return None
                self.idle.remove(child)
            loss = Loss.KILLED if child.has_ended() else child.stray()
            if loss is None:
                return child
            self._count(loss.name.lower())
            child.end()

    def _start(self, *, others: bool = False) -> Child:
        if self.unavailable.pauses:
            raise RendererUnavailable
        try:
            child = Child(self._command, self._setup)
        except (OSError, MemoryError, RuntimeError) as error:  # RuntimeError: this process is ending
            sentence = f"a render process cannot be started: {getattr(error, 'strerror', None) or error}"
            self._failed(sentence, others=others)
            raise RendererUnavailable from None
        self._count("started")
        return child

    def _keep_spare(self) -> None:
        """Start a child where none is idle, so that the next call need not wait for it, unless all are busy."""
        with self._lock:
            if self._closed or self.idle or self._starting_spare or len(self._busy) >= self._most():
                return
            self._starting_spare = True
            others = any(self._busy.values())
        child = None
        try:
            with contextlib.suppress(RendererUnavailable):
                child = self._start(others=others)
        finally:
            with self._lock:
                self._starting_spare = False
                kept = child is not None and self._keep_idle(child, at=0)
        if child is not None and not kept:
            self._retire(child)

    def _keep_idle(self, child: Child, *, at: int) -> bool:
        """Put `child` among the idle ones, unless there are enough: calls that came meanwhile started their own."""
        enough = self._closed or len(self.idle) + len(self._busy) >= self._most()
        if not enough:
            self.idle.insert(at, child)
        return not enough

    def _most(self) -> int:
        """How many children there may be. With the lock held.

        There is one for each place, and a further one that is warm: for the only place, or while renders are slow,
        since the express place may be needed; and as the successor of each that has nearly done its calls. The express
        place takes the warm one, so while that place is in use, and for a while longer, the only place has one more.
        """
        now = time.monotonic()
        if len(self._busy) > self._places:
            self._slow_at = self._crowded_at = now
        is_only = self._places == 1
        warm = is_only or now - self._slow_at < _CROWDED_SECONDS
        more = is_only and now - self._crowded_at < _CROWDED_SECONDS
        leaving = sum(child.calls > MAX_CALLS - _LAST_CALLS for child in (*self.idle, *self._busy.values()) if child)
        return self._places + warm + more + (0 if warm else leaving)

    def _slow(self) -> None:
        """A render has taken so long that work of other storages may need the express place: keep a child warm."""
        with self._lock:
            self._slow_at = time.monotonic()
        self._keep_spare()

    def _retire(self, child: Child) -> None:
        self._count("retired")
        child.end()

    def _release(self, child: Child | None, *, keep: bool) -> None:
        """End the call of this thread, whose child is kept or ended; None: it could not be started."""
        kept = False
        try:
            if child is not None:
                said = child.stderr()
                if said:
                    logger.debug("a render process wrote: %r", said)
                keep = keep and not child.preempted
                if not keep:
                    child.end()
        finally:
            with self._lock:
                del self._busy[threading.get_ident()]
                kept = child is not None and keep and self._keep_idle(child, at=len(self.idle))
        if child is None:
            return
        if not keep:
            self._keep_spare()
        elif not kept:
            self._retire(child)

    def _judged(self, child: Child, failure: ThumbError, peak: int) -> ThumbError:
        """What a doubtful failure is. `peak` is the largest address space that the child had, in bytes."""
        if machine_is_short(peak):
            return RendererUnavailable()
        grown = child.grown(peak)
        child.is_large = is_large(grown, self._setup.memory)
        return judged(failure, grown, self._setup.memory)

    def _error(self, child: Child, loss: Loss, peak: int = 0) -> ThumbError:
        """What a request gets whose child gave no answer. `peak` is the address space that it had, in bytes."""
        self._count(loss.name.lower())
        match loss:
            case Loss.TIMEOUT:
                return RenderTimeout()
            case Loss.KILLED:
                return RendererUnavailable()
            case Loss.CRASH:
                child.is_large = True  # it may have been: GLib ends a process that cannot allocate
                return RendererUnavailable() if machine_is_short(peak) else SourceBroken()
            case Loss.INVALID:
                logger.error("a render process gave an answer that is none to its call, and was ended")
                return RenderFailed()

    def _failed(self, sentence: str, *, others: bool = False) -> None:
        self._count("failed")
        self.unavailable.failed(sentence, others=others)
