"""Hits and stores, counted in this process for nothing and told to the account of all processes now and then."""

import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import ClassVar

from thumbs.cache.account import Account
from thumbs.cache.notes import Notes

_SETTLE_SECONDS = 1.0


class Tally:
    """What the account does not know yet. Whoever counts adds one to `hits` or `stores`."""

    silent: ClassVar[bool] = False

    def __init__(self, account: Account) -> None:
        self._account = account
        self._settle_at = 0.0
        self.hits = 0
        self.stores = 0

    def settle(self) -> None:
        """Tell the account, once a second at most; where it cannot be written, later. May wait for another process."""
        if time.monotonic() < self._settle_at or not (self.hits or self.stores):
            return
        self._settle_at = time.monotonic() + _SETTLE_SECONDS
        hits, stores = self.hits, self.stores
        if self.silent:
            self.hits, self.stores = 0, 0
            return

        def add(notes: Notes) -> Notes:
            return notes._replace(hits=notes.hits + hits, stores=notes.stores + stores)

        with suppress(OSError):
            self._account.note(add)
            # Not set to 0: others have gone on counting.
            self.hits -= hits
            self.stores -= stores


@contextmanager
def uncounted() -> Iterator[None]:
    """What this process does inside is not counted: nobody has asked for it."""
    Tally.silent = True
    try:
        yield
    finally:
        Tally.silent = False
