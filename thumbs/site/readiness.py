"""Whether this process takes requests, and what is known of all that it depends on. It is answered from memory.

A storage or a cache that fails makes no process unready: all others would fail with it, and hits are still served.
"""

import threading
import time
import weakref
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from thumbs.conf import installation
from thumbs.pipeline.executor import Executor
from thumbs.pipeline.ports import RENDER, Storage, fetch_stage, render_stage
from thumbs.pipeline.thumbnailer import Thumbnailer
from thumbs.wiring.process import is_stopping, isolation, thumbnailer

_CHILD_SECONDS = 5.0  # for which no render process can be started
_LOOK_SECONDS = 1.0  # between two looks for probes that are due


@dataclass(frozen=True, slots=True)
class Readiness:
    """Why the process takes no requests, and details for operators. Both name storages, layers and queues only.

    `storages` has the state of each, by the last probe; `caches` whether each layer of each works.
    """

    reasons: tuple[str, ...]
    storages: Mapping[str, str] = field(default_factory=dict)
    caches: Mapping[str, Mapping[str, bool]] = field(default_factory=dict)

    @property
    def ready(self) -> bool:
        return not self.reasons

    @property
    def status(self) -> int:
        return 200 if self.ready else 503


class _Prober:
    """Lets storages be probed in the background, from the first question on, and render processes be started again."""

    def __init__(self, stopping: Callable[[], bool] = is_stopping) -> None:
        self._stopping = stopping
        self._lock = threading.Lock()
        self._watched: weakref.ref[Thumbnailer] | None = None

    def forget(self) -> None:
        with self._lock:
            self._watched = None

    def readiness(self, thumbs: Thumbnailer) -> Readiness:
        self.watch(thumbs)
        storages = {name: each.health.state.value for name, each in thumbs.storages.items() if each.health is not None}
        caches = {name: each.layers.working for name, each in thumbs.storages.items() if each.layers.names}
        return Readiness(tuple(self._reasons(thumbs)), storages, caches)

    def watch(self, thumbs: Thumbnailer) -> None:
        """Probe the storages of `thumbs` from now on, in a thread that ends with it."""
        with self._lock:
            if self._watched is not None and self._watched() is thumbs:
                return
            reference = self._watched = weakref.ref(thumbs)
        try:
            threading.Thread(target=self._run, args=(reference,), name="mage-probes", daemon=True).start()
        except RuntimeError:  # no thread can be started: the next call tries again
            self.forget()

    def _run(self, reference: "weakref.ref[Thumbnailer]") -> None:
        try:
            while (thumbs := reference()) is not None and self._watched is reference:
                probe_all(thumbs.storages)
                del thumbs  # else this thread would keep it
                isolated = isolation()
                if isolated is not None:  # a process that is not ready gets no request whose render would try again
                    isolated.retry()
                installation.libvips()  # is found by a process of its own, once
                time.sleep(_LOOK_SECONDS)
        finally:
            with self._lock:
                # After an error, such as a lack of memory, the next question starts another thread.
                if self._watched is reference:
                    self._watched = None

    def _reasons(self, thumbs: Thumbnailer) -> Iterator[str]:
        if self._stopping():
            yield "the process stops"
        for name in thumbs.pressure.overloaded(lambda storage: bool(_full_stage(thumbs.executors, storage))):
            stage = _full_stage(thumbs.executors, name) or RENDER
            yield f"the {stage.partition(':')[0]} queue of storage {name} is full"
        isolated = isolation()
        if isolated is not None and isolated.unavailable_seconds > _CHILD_SECONDS:
            yield "no render process can be started"


def probe_all(storages: Mapping[str, Storage]) -> None:
    """Start the probes that are due. Returns at once."""
    for storage in storages.values():
        if storage.health is not None:
            storage.health.probe_if_due()


def _full_stage(executors: Mapping[str, Executor], storage: str) -> str | None:
    """The stage of this storage whose queue is full now, if any."""
    for stage in (render_stage(storage), fetch_stage(storage)):
        executor = executors.get(stage)
        if executor is not None and executor.full:
            return stage
    return None


_prober = _Prober()


def forget() -> None:
    """Forget the storages: the next call probes those that there are then."""
    _prober.forget()


def readiness() -> Readiness:
    """The readiness of this process, from memory. Storages are probed in the background from the first call on."""
    return _prober.readiness(thumbnailer())


def watch() -> None:
    """Let storages be probed in the background, for metrics."""
    _prober.watch(thumbnailer())
