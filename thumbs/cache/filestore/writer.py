"""Stores an entry. While it does not fit, room is made a little at a time, in a limited number of rounds."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from thumbs.cache.filestore import entry_file
from thumbs.cache.filestore.entry_file import Found
from thumbs.cache.filestore.eviction import make_room
from thumbs.cache.filestore.ledger import Ledger, Limits, Uncounted, Usage
from thumbs.cache.filestore.paths import EntryPath
from thumbs.cache.filestore.reader import Reader
from thumbs.cache.filestore.shard import least_bytes
from thumbs.cache.filestore.shards import Shards
from thumbs.cache.filestore.sweep import count_missing

# After this many rounds an entry is not stored: other processes may fill the room that each round makes.
_ROUNDS = 32
# How often one write makes a deleted directory again before it raises the error.
_DELETIONS = 5

# Takes the fresh entry of the key, or None. Returns the payload to store and its expiry, or None to store nothing.
Change = Callable[[Found | None], tuple[bytes, float | None] | None]


@dataclass(frozen=True, slots=True)
class Writer:
    """Stores in `shards`, within `limits`, what a change makes of the present entry."""

    shards: Shards
    ledger: Ledger
    limits: Limits
    reader: Reader
    clock: Callable[[], float]

    def store(self, path: EntryPath, change: Change, *, with_entry: bool) -> bool:
        """Store what `change` returns while no other process can write. It gets None, or the fresh entry `with_entry`.

        False when `change` returns None, and when its payload does not fit: then nothing is left at `path`. Raises
        OSError if the disk fails, and leaves nothing then either.
        """
        deletions = 0
        for _ in range(_ROUNDS):
            try:
                done = self._store_or_make_room(path, change, with_entry)
            except FileNotFoundError:
                self.shards.reset()
                deletions += 1
                if deletions > _DELETIONS:
                    raise
            else:
                if done is not None:
                    return done
        with suppress(FileNotFoundError), self.shards.locked(path.shard) as shard:
            shard.remove(path.inner)
        return False

    def _store_or_make_room(self, path: EntryPath, change: Change, with_entry: bool) -> bool | None:
        """The result of `store`; None where it has to be tried again."""
        self.shards.ensure_prepared()
        try:
            outcome = self._store(path, change, with_entry)
        except Uncounted:
            count_missing(self.shards, self.ledger)
            return None
        if isinstance(outcome, bool):
            return outcome
        make_room(self.shards, outcome, now=self.clock())
        return None

    def _store(self, path: EntryPath, change: Change, with_entry: bool) -> bool | Usage:
        """The result of `store`, or the room that is missing."""
        now = self.clock()
        with self.shards.locked(path.shard, create=True) as shard:
            changed = change(self.reader.fresh(path, now=now) if with_entry else None)
            if changed is None:
                return False
            payload, expires = changed
            if len(payload) > entry_file.LARGEST_PAYLOAD or self.limits.excess(least_bytes(path, len(payload))):
                shard.remove(path.inner)
                return False
            try:
                head = entry_file.header(payload, created=now, digest=path.digest)
                times = int(now * 1e9), entry_file.nanoseconds(expires)
                return shard.write(path, (head, payload), times=times, limits=self.limits) or True
            except OSError:
                shard.remove(path.inner)
                raise
