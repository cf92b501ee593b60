"""Whether this process can take requests: all storages can be reached, and no queue is full."""

import logging
import threading
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, wait
from dataclasses import dataclass, field

from thumbs.pipeline.executor import Executor
from thumbs.pipeline.ports import RENDER, Storage, render_stage
from thumbs.pipeline.thumbnailer import Thumbnailer
from thumbs.wiring.process import isolation, thumbnailer

logger = logging.getLogger("thumbs")
_RESULT_SECONDS = 5.0  # how long a result is reused
_CHILD_SECONDS = 5.0  # for which no render process can be started
_PROBE_SECONDS = 3.0  # how long a call waits for the probes


@dataclass(frozen=True, slots=True)
class Readiness:
    """`reasons` is public and names storages and queues only; the log has the errors."""

    reasons: tuple[str, ...]
    until: float = field(default_factory=lambda: time.monotonic() + _RESULT_SECONDS)

    @property
    def ready(self) -> bool:
        return not self.reasons

    @property
    def status(self) -> int:
        return 200 if self.ready else 503


class _Prober:
    """Probes each storage in a thread of its own, one at a time, so that hanging threads do not pile up."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._last: Readiness | None = None
        self._probes: dict[str, Future[None]] = {}

    def forget(self) -> None:
        with self._lock:
            self._last, self._probes = None, {}

    def readiness(self, thumbs: Thumbnailer) -> Readiness:
        with self._lock:
            if self._last is None or self._last.until <= time.monotonic():
                self._last = self._probe_all(thumbs)
            return self._last

    def _probe_all(self, thumbs: Thumbnailer) -> Readiness:
        for name, storage in thumbs.storages.items():
            if name not in self._probes or self._probes[name].done():
                self._probes[name] = _probe(name, storage)
        done, _ = wait(self._probes.values(), timeout=_PROBE_SECONDS)
        # Probes do not use the executors: a full queue must not look like a storage that cannot be reached.
        reasons = [f"the {name} queue is full" for name in _full_queues(thumbs.executors)]
        reasons += [
            f"storage {name} cannot be reached"
            for name, probe in self._probes.items()
            if probe not in done or probe.exception() is not None
        ]
        isolated = isolation()
        if isolated is not None and isolated.unavailable_seconds > _CHILD_SECONDS:
            reasons.append("no render process can be started")
        return Readiness(tuple(reasons))


def _full_queues(executors: Mapping[str, Executor]) -> Iterator[str]:
    """The names of full queues. That of renders counts when it is full for all storages that render now."""
    rendering = {name: executor for name, executor in executors.items() if name.startswith(render_stage(""))}
    busy = [executor for executor in rendering.values() if executor.busy]
    if busy and all(executor.full for executor in busy):
        yield RENDER
    for name, executor in executors.items():
        if name not in rendering and executor.full:
            yield name


def _probe(name: str, storage: Storage) -> "Future[None]":
    result: Future[None] = Future()

    def run() -> None:
        try:
            storage.source.ready()
        except Exception as error:
            logger.warning("storage %s cannot be reached: %r", name, error.__cause__ or error)
            result.set_exception(error)
        else:
            result.set_result(None)

    threading.Thread(target=run, name=f"mage-ready-{name}", daemon=True).start()
    return result


_prober = _Prober()


def forget() -> None:
    """Forget the last result: the next call probes the storages that there are then."""
    _prober.forget()


def readiness() -> Readiness:
    """The readiness of this process: found within three seconds, and reused for five."""
    return _prober.readiness(thumbnailer())
