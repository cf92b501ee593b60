"""One round of the janitor: removes expired entries, orphans and what is over the cap, and corrects the ledger."""

from contextlib import suppress
from dataclasses import dataclass

from thumbs.cache.filestore.entry_file import CLOCK_SKEW
from thumbs.cache.filestore.eviction import make_room
from thumbs.cache.filestore.ledger import Ledger, Limits, Uncounted, Usage
from thumbs.cache.filestore.listing import Entry
from thumbs.cache.filestore.shards import Shards

# Eviction ends after this many rounds in a row that freed nothing: other processes may hold the other shards.
_ROUNDS_WITHOUT_GAIN = 3
# Counting ends after this many attempts, each undone by another process that deleted the ledger.
_RECOUNTS = 10


@dataclass(frozen=True, slots=True)
class Sweep:
    """The result of a sweep. That of a dry run is what a sweep would have left and removed.

    `entries` and `bytes` (of disk) are left. `expired`, `orphans` (temporary files of killed writers) and `evicted`
    (for the cap) count removed files, `freed` their bytes. A dry run does not know `evicted`.
    """

    entries: int = 0
    bytes: int = 0
    expired: int = 0
    orphans: int = 0
    evicted: int = 0
    freed: int = 0

    @property
    def removed(self) -> int:
        return self.expired + self.orphans + self.evicted


@dataclass(frozen=True, slots=True)
class Sweeper:
    """Makes a sweep at `now`, Unix seconds."""

    shards: Shards
    ledger: Ledger
    limits: Limits
    now: float
    dry_run: bool = False

    def sweep(self) -> Sweep:
        """Sweep every shard, each held only while it is swept. Raises OSError if the disk fails.

        A shard that another process holds all the time is left for the next sweep.
        """
        expired, orphans, freed = 0, 0, 0
        for number in self.shards.to_visit():
            try:
                counts = self._sweep_shard(number)
            except (FileNotFoundError, TimeoutError):
                continue
            expired, orphans, freed = expired + counts[0], orphans + counts[1], freed + counts[2]
        evicted = self._evict()
        total = measure(self.shards, self.ledger)
        if self.dry_run:
            total -= Usage(freed, expired)
            excess = self.limits.excess(total)
            total -= excess
            freed += excess.bytes
        return Sweep(total.entries, total.bytes, expired, orphans, evicted.entries, freed + evicted.bytes)

    def _sweep_shard(self, number: int) -> tuple[int, int, int]:
        """How many entries have expired, how many files are orphans, and the bytes of both."""
        with self.shards.locked(number, create=True) as shard:
            listing = shard.list()
            expired = [entry for entry in listing.entries if self._has_expired(entry)]
            size = sum(entry.bytes for entry in expired) + listing.orphan_bytes
            if not self.dry_run:
                for entry in expired:
                    shard.remove(entry.inner)
                shard.tidy(listing)
        return len(expired), len(listing.orphans), size

    def _has_expired(self, entry: Entry) -> bool:
        # An entry used in the future dates from a wrong clock.
        if entry.used > (self.now + CLOCK_SKEW) * 1e9:
            return True
        return 0 < entry.expires <= self.now * 1e9

    def _evict(self) -> Usage:
        evicted = Usage()
        rounds = _ROUNDS_WITHOUT_GAIN
        while not self.dry_run and rounds:
            excess = self.limits.excess(measure(self.shards, self.ledger))
            if not excess:
                break
            freed = make_room(self.shards, excess, now=self.now)
            rounds = _ROUNDS_WITHOUT_GAIN if freed else rounds - 1
            evicted += freed
        return evicted


def count_missing(shards: Shards, ledger: Ledger) -> None:
    """Count the shards that are unknown to the ledger: all of them when it is new or was lost."""
    for number in ledger.count_absent(shards.existing):
        # A shard that was removed meanwhile is absent at the next call.
        with suppress(FileNotFoundError), shards.locked(number) as shard:
            shard.list()


def measure(shards: Shards, ledger: Ledger) -> Usage:
    """The usage of the whole directory. Counts shards that were never counted. Raises OSError if the disk fails."""
    for _ in range(_RECOUNTS):
        try:
            return ledger.total()
        except Uncounted:
            count_missing(shards, ledger)
    raise TimeoutError("the cache directory is being deleted over and over")
