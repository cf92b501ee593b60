"""Hits and stores are counted in this process, and added to the ledger once a second at most."""

import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import ClassVar

from thumbs.cache.filestore.ledger import Ledger
from thumbs.cache.filestore.stats import Stats

_FLUSH_SECONDS = 1.0


class HitCounter:
    """The counts that are not in the ledger yet. A caller adds one to `hits` or `stores`, then calls `flush`."""

    silent: ClassVar[bool] = False

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._flush_at = 0.0
        self.hits = 0
        self.stores = 0

    def flush(self) -> None:
        """Add the counts to the ledger, unless that was done within the last second. May wait for another process.

        Where the ledger cannot be written, they are kept for the next call.
        """
        if time.monotonic() < self._flush_at or not (self.hits or self.stores):
            return
        self._flush_at = time.monotonic() + _FLUSH_SECONDS
        hits, stores = self.hits, self.stores
        if self.silent:
            self.hits, self.stores = 0, 0
            return

        def add(stats: Stats) -> Stats:
            return stats._replace(hits=stats.hits + hits, stores=stats.stores + stores)

        with suppress(OSError):
            self._ledger.update_stats(add)
            # Not set to 0: other threads may have counted meanwhile.
            self.hits -= hits
            self.stores -= stores


@contextmanager
def uncounted() -> Iterator[None]:
    """Inside, this process counts nothing: its lookups are not requests of clients."""
    HitCounter.silent = True
    try:
        yield
    finally:
        HitCounter.silent = False
