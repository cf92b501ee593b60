"""One round of the janitor: what is past its time, orphaned or over the cap goes, and the account is true again."""

from contextlib import suppress
from dataclasses import dataclass

from thumbs.cache.account import Account, Limits, Unweighed, Weight
from thumbs.cache.eviction import make_room
from thumbs.cache.listing import Entry
from thumbs.cache.record import CLOCK_SKEW
from thumbs.cache.tree import Tree

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
class Broom:
    """A sweep to be made at Unix time `now`: expired entries are kept for `grace` seconds past their time."""

    tree: Tree
    account: Account
    limits: Limits
    now: float
    grace: float = 0.0
    dry_run: bool = False

    def sweep(self) -> Sweep:
        """Sweep every shard, each held only while it is swept. Raises OSError as the disk does."""
        expired, orphans, busy, freed = 0, 0, 0, 0
        for number in self.tree.accountable():
            try:
                ended, left_over, size = self._sweep_shard(number)
            except FileNotFoundError:
                continue
            except TimeoutError:
                busy += 1
                continue
            expired, orphans, freed = expired + ended, orphans + left_over, freed + size
        evicted = self._evict()
        total = weigh(self.tree, self.account)
        if self.dry_run:
            total -= Weight(freed, expired)
            excess = self.limits.excess(total)
            total -= excess
            freed += excess.bytes
        return Sweep(total.entries, total.bytes, expired, orphans, evicted.entries, freed + evicted.bytes, busy)

    def _sweep_shard(self, number: int) -> tuple[int, int, int]:
        with self.tree.locked(number, create=True) as shard:
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

    def _evict(self) -> Weight:
        evicted = Weight()
        patience = _ROUNDS_WITHOUT_GAIN
        while not self.dry_run and patience:
            excess = self.limits.excess(weigh(self.tree, self.account))
            if not excess:
                break
            freed = make_room(self.tree, excess, now=self.now)
            patience = _ROUNDS_WITHOUT_GAIN if freed else patience - 1
            evicted += freed
        return evicted


def weigh_unweighed(tree: Tree, account: Account) -> None:
    """Count the shards that the account does not know: all of them when it is new or was lost."""
    existing = set(tree.existing())
    for number in account.unweighed():
        if number in existing:
            with suppress(FileNotFoundError), tree.locked(number) as shard:
                shard.list()
                continue
        account.put(number, Weight(), if_unknown=True)


def weigh(tree: Tree, account: Account) -> Weight:
    """The weight of all, counted where it is not known. Raises OSError as the disk does."""
    for _ in range(_RECOUNTS):
        try:
            return account.total()
        except Unweighed:
            weigh_unweighed(tree, account)
    raise TimeoutError("the cache directory is being deleted over and over")
