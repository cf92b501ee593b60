"""An entry is stored when it fits; until it does, room is made a little at a time, and not without an end."""

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

# Who finds no room in so many rounds does not empty the cache alone.
_ROUNDS = 32
# Somebody may delete the directory while we write in it. We make it again so often, then it is the disk's error.
_DELETIONS = 5

# What to store, and until when, given the fresh entry that is there if it was asked for; None to leave it.
Change = Callable[[Found | None], tuple[bytes, float | None] | None]


@dataclass(frozen=True, slots=True)
class Writer:
    """Stores in `tree`, within `limits`, what a change makes of what is there."""

    shards: Shards
    ledger: Ledger
    limits: Limits
    reader: Reader
    clock: Callable[[], float]

    def store(self, path: EntryPath, change: Change, *, look: bool) -> bool:
        """Make `change` with no other writer between; `look` tells it the fresh entry that is there.

        False when it wanted nothing, or when it does not fit: then nothing is left at `place`. Raises OSError as
        the disk does, and leaves nothing either.
        """
        deletions = 0
        for _ in range(_ROUNDS):
            try:
                done = self._store_or_make_room(path, change, look)
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

    def _store_or_make_room(self, path: EntryPath, change: Change, look: bool) -> bool | None:
        self.shards.ensure_ours()
        try:
            outcome = self._store(path, change, look)
        except Uncounted:
            count_missing(self.shards, self.ledger)
            return None
        if isinstance(outcome, bool):
            return outcome
        make_room(self.shards, outcome, now=self.clock())
        return None

    def _store(self, path: EntryPath, change: Change, look: bool) -> bool | Usage:
        now = self.clock()
        with self.shards.locked(path.shard, create=True) as shard:
            wanted = change(self.reader.fresh(path, now=now) if look else None)
            if wanted is None:
                return False
            payload, expires = wanted
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
