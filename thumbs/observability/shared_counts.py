"""The counts of all processes that share a directory, which `PROMETHEUS_MULTIPROC_DIR` names.

prometheus-client gives each process files there, and deletes none but those of gauges. So each process that ever ended
would cost 20 KB, in memory where the directory is, and time at each scrape. Here, the counts of all that have ended are
in one file of each kind.
"""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from prometheus_client import CollectorRegistry, Metric
from prometheus_client.mmap_dict import MmapedDict
from prometheus_client.multiprocess import MultiProcessCollector

_ADDED_UP = ("counter", "histogram", "summary")
_LEAST_BYTES = 1 << 16  # as prometheus-client's own files
# How often, and after which pause, the lock is tried. A scrape takes milliseconds. Gunicorn's main process must not
# wait for one that hangs: it is the process that ends it.
_TRIES, _PAUSE_SECONDS = 20, 0.005


class SharedCounts(MultiProcessCollector):
    """Collects the sums over all processes, whether they live or have ended.

    `MultiProcessCollector.collect` fails while a process that starts has made its file and written nothing to it.
    """

    def __init__(self, registry: CollectorRegistry | None, path: str | None = None) -> None:
        """Without `path`, `PROMETHEUS_MULTIPROC_DIR` names it. Raises ValueError where there is no directory."""
        super().__init__(registry, path=path)  # type: ignore[no-untyped-call]

    def collect(self) -> Iterator[Metric]:
        with self._locked(fcntl.LOCK_SH):
            files = [str(path) for path in Path(self._path).glob("*.db") if _has_counts(path)]
            metrics = list(self.merge(files))  # type: ignore[no-untyped-call]
        yield from metrics

    def add_to_ended(self, pid: int) -> None:
        """Add the counts of `pid`, which has ended, to those of all that have, and delete its files.

        Raises OSError where that cannot be done now, such as on a full disk: files that are left are counted as before.
        """
        with self._locked(fcntl.LOCK_EX):
            for kind in _ADDED_UP:
                path = Path(self._path, f"{kind}_{pid}.db")
                if _has_counts(path):
                    _move_counts(path, path.with_name(f"{kind}_ended.db"))

    @contextmanager
    def _locked(self, kind: int) -> Iterator[None]:
        """Lock the directory: a scrape finds the counts of an ended process in one place, not in none or two."""
        descriptor = os.open(self._path, os.O_RDONLY | os.O_DIRECTORY)
        try:
            if kind == fcntl.LOCK_SH:
                fcntl.flock(descriptor, kind)
            else:
                _try_to_lock(descriptor, kind)
            try:
                yield
            finally:
                # Closing is not enough: a process that was forked meanwhile has a copy, which would keep the lock.
                fcntl.flock(descriptor, fcntl.LOCK_UN)
        finally:
            os.close(descriptor)


def _try_to_lock(descriptor: int, kind: int) -> None:
    """Raises BlockingIOError while others hold the lock for longer than a scrape takes."""
    for _ in range(_TRIES - 1):
        with suppress(BlockingIOError):
            fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
            return
        time.sleep(_PAUSE_SECONDS)
    fcntl.flock(descriptor, kind | fcntl.LOCK_NB)


def _move_counts(path: Path, ended: Path) -> None:
    sources = [each for each in (ended, path) if _has_counts(each)]
    new = ended.with_suffix(".new")
    try:
        # prometheus-client maps a file with holes into memory: on a full disk, writing there would end this process by
        # a signal. Without the holes, it is an error.
        with new.open("wb") as file:
            os.posix_fallocate(file.fileno(), 0, max(_LEAST_BYTES, *(each.stat().st_size for each in sources)))
        sums = MmapedDict(str(new))  # type: ignore[no-untyped-call]
        try:
            for each in sources:
                for key, value, *_ in MmapedDict.read_all_values_from_file(str(each)):  # type: ignore[no-untyped-call]
                    sums.write_value(key, sums.read_value(key)[0] + value, 0.0)  # type: ignore[no-untyped-call]
        finally:
            sums.close()  # type: ignore[no-untyped-call]
        # If this process is killed in between, these counts are there twice from then on. The other order would lose
        # them, and Prometheus takes each decrease for a restart: it would add the whole sum once more.
        new.replace(ended)
        path.unlink()
    finally:
        new.unlink(missing_ok=True)


def _has_counts(path: Path) -> bool:
    with suppress(OSError):  # there is none, or it is a gauge of a process that has just ended
        return path.stat().st_size > 0
    return False
