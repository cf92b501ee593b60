"""The janitor: sweeps the disk caches, more often when there is more to remove. One janitor works, others wait."""

import logging
import signal
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack

from thumbs.cache.filestore.store import FileStore, Sweep

logger = logging.getLogger("thumbs.janitor")

INTERVAL_SECONDS = 30.0
_SHORTEST_SECONDS = 2.0
_IDLE_FACTOR = 10.0  # an idle cache is swept ten times less often, at most
_BUSY_REMOVALS = 1000  # entries removed in one sweep


def sweep_until_signal(stores: Mapping[str, FileStore], interval: float) -> int:
    """Sweep `stores` until SIGTERM or SIGINT. Returns the status of the process. Call it in the main thread."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    Janitor(stores, interval=interval).run(stop)
    return 0


class Janitor:
    """Sweeps `stores`, by storage name. `interval` is the usual time between two sweeps, in seconds.

    `report` is called with each line about a sweep.
    """

    def __init__(
        self,
        stores: Mapping[str, FileStore],
        *,
        interval: float = INTERVAL_SECONDS,
        dry_run: bool = False,
        report: Callable[[str], None] = logger.info,
    ) -> None:
        self._stores = stores
        self._interval = interval
        self._dry_run = dry_run
        self._print = report
        self._locked: set[str] = set()
        self._waiting_for: set[str] = set()

    def once(self) -> bool:
        """Sweep every store that no other janitor has locked. Returns False if one of them failed."""
        with ExitStack() as locks:
            sweeps = [self._sweep(name, locks) for name in self._stores]
            return None not in sweeps

    def run(self, stop: threading.Event) -> None:
        """Sweep until `stop` is set. A store that fails or that another janitor has locked is tried again."""
        with ExitStack() as locks:
            pause = self._interval
            while not stop.is_set():
                sweeps = [self._sweep(name, locks) for name in self._stores]
                pause = self._next_pause(pause, sum(sweep.removed for sweep in sweeps if sweep is not None))
                stop.wait(pause)

    def _next_pause(self, pause: float, removed: int) -> float:
        if removed >= _BUSY_REMOVALS:
            return max(_SHORTEST_SECONDS, min(pause, self._interval) / 2)
        if removed or self._waiting_for - self._locked:
            return self._interval
        return min(pause * 1.5, self._interval * _IDLE_FACTOR)

    def _sweep(self, name: str, locks: ExitStack) -> Sweep | None:
        store = self._stores[name]
        try:
            if name not in self._locked and not self._lock(name, locks):
                self._wait_for(name)
                return Sweep()
            began = time.monotonic()
            sweep = store.sweep(dry_run=self._dry_run)
        except (OSError, ValueError) as error:
            logger.warning("the cache of storage %s cannot be swept: %s", name, error)
            return None
        self._report(name, sweep, time.monotonic() - began)
        return sweep

    def _lock(self, name: str, locks: ExitStack) -> bool:
        with ExitStack() as lock:
            if not lock.enter_context(self._stores[name].try_lock_janitor()):
                return False
            locks.push(lock.pop_all())
        self._locked.add(name)
        return True

    def _wait_for(self, name: str) -> None:
        if name not in self._waiting_for:
            self._waiting_for.add(name)
            self._print(f"{name}: another janitor works here; this one waits")

    def _report(self, name: str, sweep: Sweep, seconds: float) -> None:
        would = "would remove" if self._dry_run else "removed"
        self._print(
            f"{name}: {sweep.entries} entries, {_megabytes(sweep.bytes)}; {would} {sweep.expired} expired, "
            f"{sweep.evicted} over the cap, {sweep.orphans} orphans ({_megabytes(sweep.freed)}) in {seconds:.2f} s"
        )


def _megabytes(count: int) -> str:
    return f"{count / 1024 / 1024:.1f} MiB"
