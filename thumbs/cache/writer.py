"""An entry is stored when it fits; until it does, room is made a little at a time, and not without an end."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from thumbs.cache import record
from thumbs.cache.account import Account, Limits, Unweighed, Weight
from thumbs.cache.eviction import make_room
from thumbs.cache.place import Place
from thumbs.cache.reader import Reader
from thumbs.cache.record import Found
from thumbs.cache.shard import least_bytes
from thumbs.cache.sweep import weigh_unweighed
from thumbs.cache.tree import Tree

# Who finds no room in so many rounds does not empty the cache alone.
_ROUNDS = 32
# Somebody may delete the directory while we write in it. We make it again so often, then it is the disk's error.
_DELETIONS = 5

# What to store, and until when, given the fresh entry that is there if it was asked for; None to leave it.
Change = Callable[[Found | None], tuple[bytes, float | None] | None]


@dataclass(frozen=True, slots=True)
class Writer:
    """Stores in `tree`, within `limits`, what a change makes of what is there."""

    tree: Tree
    account: Account
    limits: Limits
    reader: Reader
    clock: Callable[[], float]

    def store(self, place: Place, change: Change, *, look: bool) -> bool:
        """Make `change` with no other writer between; `look` tells it the fresh entry that is there.

        False when it wanted nothing, or when it does not fit: then nothing is left at `place`. Raises OSError as
        the disk does, and leaves nothing either.
        """
        deletions = 0
        for _ in range(_ROUNDS):
            try:
                done = self._store_or_make_room(place, change, look)
            except FileNotFoundError:
                self.tree.forget()
                deletions += 1
                if deletions > _DELETIONS:
                    raise
            else:
                if done is not None:
                    return done
        with suppress(FileNotFoundError), self.tree.locked(place.shard) as shard:
            shard.remove(place.inner)
        return False

    def _store_or_make_room(self, place: Place, change: Change, look: bool) -> bool | None:
        self.tree.ensure_ours()
        try:
            outcome = self._store(place, change, look)
        except Unweighed:
            weigh_unweighed(self.tree, self.account)
            return None
        if isinstance(outcome, bool):
            return outcome
        make_room(self.tree, outcome, now=self.clock())
        return None

    def _store(self, place: Place, change: Change, look: bool) -> bool | Weight:
        now = self.clock()
        with self.tree.locked(place.shard, create=True) as shard:
            wanted = change(self.reader.fresh(place, now=now) if look else None)
            if wanted is None:
                return False
            payload, expires = wanted
            if len(payload) > record.LARGEST_PAYLOAD or self.limits.excess(least_bytes(place, len(payload))):
                shard.remove(place.inner)
                return False
            try:
                head = record.header(payload, created=now, digest=place.digest)
                times = int(now * 1e9), record.nanoseconds(expires)
                return shard.write(place, (head, payload), times=times, limits=self.limits) or True
            except OSError:
                shard.remove(place.inner)
                raise
