"""Hits and stores, counted in this process for nothing and told to the account of all processes now and then."""

import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import ClassVar

from thumbs.cache.filestore.ledger import Ledger
from thumbs.cache.filestore.stats import Stats

_SETTLE_SECONDS = 1.0


class HitCounter:
    """What the account does not know yet. Whoever counts adds one to `hits` or `stores`."""

    silent: ClassVar[bool] = False

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._settle_at = 0.0
        self.hits = 0
        self.stores = 0

    def flush(self) -> None:
        """Tell the account, once a second at most; where it cannot be written, later. May wait for another process."""
        if time.monotonic() < self._settle_at or not (self.hits or self.stores):
            return
        self._settle_at = time.monotonic() + _SETTLE_SECONDS
        hits, stores = self.hits, self.stores
        if self.silent:
            self.hits, self.stores = 0, 0
            return

        def add(stats: Stats) -> Stats:
            return stats._replace(hits=stats.hits + hits, stores=stats.stores + stores)

        with suppress(OSError):
            self._ledger.update_stats(add)
            # Not set to 0: others have gone on counting.
            self.hits -= hits
            self.stores -= stores


@contextmanager
def uncounted() -> Iterator[None]:
    """What this process does inside is not counted: nobody has asked for it."""
    HitCounter.silent = True
    try:
        yield
    finally:
        HitCounter.silent = False
