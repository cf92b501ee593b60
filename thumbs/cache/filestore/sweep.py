"""One round of the janitor: what is past its time, orphaned or over the cap goes, and the account is true again."""

from contextlib import suppress
from dataclasses import dataclass

from thumbs.cache.filestore.entry_file import CLOCK_SKEW
from thumbs.cache.filestore.eviction import make_room
from thumbs.cache.filestore.ledger import Ledger, Limits, Uncounted, Usage
from thumbs.cache.filestore.listing import Entry
from thumbs.cache.filestore.shards import Shards

# A cache that others fill as fast as we empty it must not hold the janitor for ever.
_ROUNDS_WITHOUT_GAIN = 3
_RECOUNTS = 10


@dataclass(frozen=True, slots=True)
class Sweep:
    """What a sweep found and did; of a dry run, what it would have done.

    `entries` and `bytes` (of disk) are left. `expired`, `orphans` (temporaries of dead writers) and `evicted`
    (for the cap) are files removed, `freed` their bytes; a dry run cannot tell `evicted`. `busy` shards were
    held by others all the time and not looked at.
    """

    entries: int = 0
    bytes: int = 0
    expired: int = 0
    orphans: int = 0
    evicted: int = 0
    freed: int = 0
    busy: int = 0

    @property
    def removed(self) -> int:
        return self.expired + self.orphans + self.evicted


@dataclass(frozen=True, slots=True)
class Sweeper:
    """A sweep to be made at Unix time `now`: expired entries are kept for `grace` seconds past their time."""

    shards: Shards
    ledger: Ledger
    limits: Limits
    now: float
    grace: float = 0.0
    dry_run: bool = False

    def sweep(self) -> Sweep:
        """Sweep every shard, each held only while it is swept. Raises OSError as the disk does."""
        expired, orphans, busy, freed = 0, 0, 0, 0
        for number in self.shards.to_visit():
            try:
                ended, left_over, size = self._sweep_shard(number)
            except FileNotFoundError:
                continue
            except TimeoutError:
                busy += 1
                continue
            expired, orphans, freed = expired + ended, orphans + left_over, freed + size
        evicted = self._evict()
        total = measure(self.shards, self.ledger)
        if self.dry_run:
            total -= Usage(freed, expired)
            excess = self.limits.excess(total)
            total -= excess
            freed += excess.bytes
        return Sweep(total.entries, total.bytes, expired, orphans, evicted.entries, freed + evicted.bytes, busy)

    def _sweep_shard(self, number: int) -> tuple[int, int, int]:
        with self.shards.locked(number, create=True) as shard:
            listing = shard.list()
            ended = [entry for entry in listing.entries if self._is_over(entry)]
            size = sum(entry.bytes for entry in ended) + listing.orphan_bytes
            if not self.dry_run:
                for entry in ended:
                    shard.remove(entry.inner)
                shard.tidy(listing)
        return len(ended), len(listing.orphans), size

    def _is_over(self, entry: Entry) -> bool:
        if entry.used > (self.now + CLOCK_SKEW) * 1e9:
            return True
        return 0 < entry.expires <= (self.now - self.grace) * 1e9

    def _evict(self) -> Usage:
        evicted = Usage()
        patience = _ROUNDS_WITHOUT_GAIN
        while not self.dry_run and patience:
            excess = self.limits.excess(measure(self.shards, self.ledger))
            if not excess:
                break
            freed = make_room(self.shards, excess, now=self.now)
            patience = _ROUNDS_WITHOUT_GAIN if freed else patience - 1
            evicted += freed
        return evicted


def count_missing(shards: Shards, ledger: Ledger) -> None:
    """Count the shards that the account does not know: all of them when it is new or was lost."""
    for number in ledger.count_absent(shards.existing):
        # A shard that was removed meanwhile is absent at the next call.
        with suppress(FileNotFoundError), shards.locked(number) as shard:
            shard.list()


def measure(shards: Shards, ledger: Ledger) -> Usage:
    """The weight of all, counted where it is not known. Raises OSError as the disk does."""
    for _ in range(_RECOUNTS):
        try:
            return ledger.total()
        except Uncounted:
            count_missing(shards, ledger)
    raise TimeoutError("the cache directory is being deleted over and over")
