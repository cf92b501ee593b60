"""A look at a cache directory from outside: nothing is locked, written or made, so that anybody who can read it may."""

import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from thumbs.cache.account import FIXED_BYTES, notes_of
from thumbs.cache.directory import ACCOUNT, recognise
from thumbs.cache.listing import Listing, list_shard
from thumbs.cache.notes import Notes
from thumbs.cache.place import SHARD_NAME

_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC | os.O_NOFOLLOW


@dataclass(slots=True)
class Survey:
    """`bytes` of disk, directories included; `expired` of the `entries` wait for the janitor.

    `oldest` and `newest` are the Unix seconds at which an entry was last used or written; None where there is none.
    """

    notes: Notes
    entries: int = 0
    bytes: int = 0
    expired: int = 0
    oldest: float | None = None
    newest: float | None = None

    def add(self, listing: Listing, own_bytes: int, now: float) -> None:
        self.entries += len(listing.entries)
        self.bytes += listing.weight.bytes + own_bytes
        self.expired += sum(0 < entry.expires <= now * 1e9 for entry in listing.entries)
        used = [entry.used / 1e9 for entry in listing.entries]
        if used:
            self.oldest = min(*used, self.oldest or used[0])
            self.newest = max(*used, self.newest or used[0])


def survey(
    root: Path, *, now: float, passing: Callable[[Iterable[Path]], Iterable[Path]] = lambda shards: shards
) -> Survey:
    """Look at every entry under `root`; it may not be there yet. The shards go through `passing` one by one.

    Raises ForeignDirectory for a directory that is not ours, OSError for one that cannot be read.
    """
    try:
        directory = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except FileNotFoundError:
        return Survey(Notes())
    try:
        recognise(root, directory)
    finally:
        os.close(directory)
    found = Survey(notes_of(str(root / ACCOUNT)), bytes=FIXED_BYTES)
    for shard in passing(sorted(path for path in root.iterdir() if SHARD_NAME.fullmatch(path.name))):
        try:
            fd = os.open(shard, _DIRECTORY)
        except FileNotFoundError:
            continue  # it was emptied, and removed with its last entry
        try:
            found.add(list_shard(fd, int(shard.name, 16)), os.fstat(fd).st_blocks * 512, now)
        finally:
            os.close(fd)
    return found
