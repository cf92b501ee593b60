"""The janitor: sweeps the disk caches again and again, oftener when there is much to do. One works, the others wait."""

import logging
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack

from thumbs.cache.filestore.store import FileStore, Sweep

logger = logging.getLogger("thumbs.janitor")

INTERVAL_SECONDS = 30.0
_SHORTEST_SECONDS = 2.0
_IDLE_FACTOR = 10.0  # an idle cache is looked at ten times more rarely, at most
_MUCH = 1000  # entries removed in one sweep


class Janitor:
    """Sweeps `stores`, by storage name. `interval` is the usual number of seconds between two sweeps."""

    def __init__(
        self,
        stores: Mapping[str, FileStore],
        *,
        interval: float = INTERVAL_SECONDS,
        dry_run: bool = False,
        told: Callable[[str], None] = logger.info,
    ) -> None:
        self._stores = stores
        self._interval = interval
        self._dry_run = dry_run
        self._told = told
        self._held: set[str] = set()
        self._waits_for: set[str] = set()

    def once(self) -> bool:
        """Sweep every store that no other janitor works on; False when one of them failed."""
        with ExitStack() as locks:
            good = True
            for name in self._stores:
                good = self._sweep(name, locks) is not None and good
            return good

    def run(self, stop: threading.Event) -> None:
        """Sweep until `stop` is set. A store that fails is tried again; what another janitor holds is waited for."""
        with ExitStack() as locks:
            pause = self._interval
            while not stop.is_set():
                sweeps = [self._sweep(name, locks) for name in self._stores]
                pause = self._next_pause(pause, sum(sweep.removed for sweep in sweeps if sweep is not None))
                stop.wait(pause)

    def _next_pause(self, pause: float, removed: int) -> float:
        if removed >= _MUCH:
            return max(_SHORTEST_SECONDS, min(pause, self._interval) / 2)
        if removed or self._waits_for - self._held:
            return self._interval
        return min(pause * 1.5, self._interval * _IDLE_FACTOR)

    def _sweep(self, name: str, locks: ExitStack) -> Sweep | None:
        store = self._stores[name]
        try:
            if name not in self._held and not self._hold(name, locks):
                self._wait_for(name)
                return Sweep()
            began = time.monotonic()
            sweep = store.sweep(dry_run=self._dry_run)
        except (OSError, ValueError) as error:
            logger.warning("the cache of storage %s cannot be swept: %s", name, error)
            return None
        self._report(name, sweep, time.monotonic() - began)
        return sweep

    def _hold(self, name: str, locks: ExitStack) -> bool:
        with ExitStack() as attempt:
            if not attempt.enter_context(self._stores[name].try_lock_janitor()):
                return False
            locks.push(attempt.pop_all())
        self._held.add(name)
        return True

    def _wait_for(self, name: str) -> None:
        if name not in self._waits_for:
            self._waits_for.add(name)
            self._told(f"{name}: another janitor works here; this one waits")

    def _report(self, name: str, sweep: Sweep, seconds: float) -> None:
        would = "would remove" if self._dry_run else "removed"
        self._told(
            f"{name}: {sweep.entries} entries, {_megabytes(sweep.bytes)}; {would} {sweep.expired} expired, "
            f"{sweep.evicted} over the cap, {sweep.orphans} orphans ({_megabytes(sweep.freed)}) in {seconds:.2f} s"
        )


def _megabytes(count: int) -> str:
    return f"{count / 1024 / 1024:.1f} MiB"
