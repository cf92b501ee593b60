"""A look at a cache directory from outside: nothing is locked, written or made, so that anybody who can read it may."""

import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from thumbs.cache.filestore.directory import LEDGER, recognize
from thumbs.cache.filestore.ledger import FIXED_BYTES, stats_of
from thumbs.cache.filestore.listing import Listing, list_shard
from thumbs.cache.filestore.paths import SHARD_NAME
from thumbs.cache.filestore.stats import Stats

_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC | os.O_NOFOLLOW


@dataclass(slots=True)
class Inspection:
    """`bytes` of disk, directories included; `expired` of the `entries` wait for the janitor.

    `oldest` and `newest` are the Unix seconds at which an entry was last used or written; None where there is none.
    """

    stats: Stats
    entries: int = 0
    bytes: int = 0
    expired: int = 0
    oldest: float | None = None
    newest: float | None = None

    def add(self, listing: Listing, own_bytes: int, now: float) -> None:
        self.entries += len(listing.entries)
        self.bytes += listing.usage.bytes + own_bytes
        self.expired += sum(0 < entry.expires <= now * 1e9 for entry in listing.entries)
        used = [entry.used / 1e9 for entry in listing.entries]
        if used:
            self.oldest = min(*used, self.oldest or used[0])
            self.newest = max(*used, self.newest or used[0])


def inspect_cache(
    root: Path, *, now: float, passing: Callable[[Iterable[Path]], Iterable[Path]] = lambda shards: shards
) -> Inspection:
    """Look at every entry under `root`; it may not be there yet. The shards go through `passing` one by one.

    Raises ForeignDirectory for a directory that is not ours, OSError for one that cannot be read.
    """
    try:
        directory = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except FileNotFoundError:
        return Inspection(Stats())
    try:
        recognize(root, directory)
    finally:
        os.close(directory)
    found = Inspection(stats_of(str(root / LEDGER)), bytes=FIXED_BYTES)
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
