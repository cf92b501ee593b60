"""Reads the statistics of a cache directory without locking or writing, so that read access is enough."""

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
    """What a cache directory holds. `bytes` are of disk, directories included; `expired` counts expired entries.

    `oldest` and `newest` are the first and the last of the entries' last uses, in Unix seconds; None without entries.
    """

    stats: Stats
    entries: int = 0
    bytes: int = 0
    expired: int = 0
    oldest: float | None = None
    newest: float | None = None

    def add(self, listing: Listing, own_bytes: int, now: float) -> None:
        """Add a shard; `own_bytes` are those of its directory."""
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
    """Inspect every entry under `root`, which need not exist. `passing` wraps the shards, to show progress.

    Raises ForeignDirectory for the directory of another program, OSError for one that cannot be read.
    """
    try:
        directory = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except FileNotFoundError:
        return Inspection(Stats())
    try:
        recognize(root, directory)
    finally:
        os.close(directory)
    inspection = Inspection(stats_of(str(root / LEDGER)), bytes=FIXED_BYTES)
    for shard in passing(sorted(path for path in root.iterdir() if SHARD_NAME.fullmatch(path.name))):
        try:
            fd = os.open(shard, _DIRECTORY)
        except FileNotFoundError:
            continue  # removed meanwhile, with its last entry
        try:
            inspection.add(list_shard(fd, int(shard.name, 16)), os.fstat(fd).st_blocks * 512, now)
        finally:
            os.close(fd)
    return inspection
