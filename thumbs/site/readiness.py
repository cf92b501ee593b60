"""Whether this process should be sent requests: storages within reach, room in the queues."""

import logging
import threading
import time
from concurrent.futures import Future, wait
from dataclasses import dataclass, field

from thumbs.pipeline.ports import Storage
from thumbs.pipeline.thumbnailer import Thumbnailer
from thumbs.wiring.process import thumbnailer

logger = logging.getLogger("thumbs")
_KNOWN_SECONDS = 5.0
_PATIENCE_SECONDS = 3.0


@dataclass(frozen=True, slots=True)
class Readiness:
    """`reasons` name storages and queues; what exactly is wrong with them is in the log."""

    reasons: tuple[str, ...]
    until: float = field(default_factory=lambda: time.monotonic() + _KNOWN_SECONDS)

    @property
    def ready(self) -> bool:
        return not self.reasons

    @property
    def status(self) -> int:
        return 200 if self.ready else 503


class _Watch:
    """Asks each storage in a thread of its own, and never a second time while the first answer is still awaited."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._last: Readiness | None = None
        self._probes: dict[str, Future[None]] = {}

    def readiness(self, thumbs: Thumbnailer) -> Readiness:
        with self._lock:
            if self._last is None or self._last.until <= time.monotonic():
                self._last = self._look(thumbs)
            return self._last

    def _look(self, thumbs: Thumbnailer) -> Readiness:
        for name, storage in thumbs.storages.items():
            if name not in self._probes or self._probes[name].done():
                self._probes[name] = _probe(name, storage)
        done, _ = wait(self._probes.values(), timeout=_PATIENCE_SECONDS)
        # Not through the stages: a full queue is a reason of its own, not a storage out of reach.
        reasons = [f"the {name} queue is full" for name, executor in thumbs.executors.items() if executor.full]
        reasons += [
            f"storage {name} cannot be reached"
            for name, probe in self._probes.items()
            if probe not in done or probe.exception() is not None
        ]
        return Readiness(tuple(reasons))


def _probe(name: str, storage: Storage) -> "Future[None]":
    answer: Future[None] = Future()

    def ask() -> None:
        try:
            storage.source.ready()
        except Exception as error:
            logger.warning("storage %s cannot be reached: %r", name, error.__cause__ or error)
            answer.set_exception(error)
        else:
            answer.set_result(None)

    threading.Thread(target=ask, name=f"mage-ready-{name}", daemon=True).start()
    return answer


_watch = _Watch()


def readiness() -> Readiness:
    """Blocks for a few seconds at most; asked again within five, it tells what it found before."""
    return _watch.readiness(thumbnailer())
