"""Room is made by removing what was used longest ago, of a random sample: the cost does not grow with the cache."""

import random
from collections import defaultdict
from contextlib import suppress

from thumbs.cache.filestore.ledger import Usage
from thumbs.cache.filestore.listing import Entry
from thumbs.cache.filestore.shards import Shards

# With 16 of 128 taken, the victims are on average in the oldest sixteenth of the whole cache.
_SAMPLE = 128
_BATCH = 8  # at least an eighth of a sample goes at once, so that most stores need not make room at all
_BATCH_OF_ALL = 16  # a sixteenth where the sample is the whole cache
_MOST = 4  # at most a quarter of a sample: the rest may be well used

_LOCK_WAIT = 1.0


def make_room(shards: Shards, need: Usage, *, now: float) -> Usage:
    """Remove entries for about `need`, or less when one round cannot; return what that freed."""
    sample, complete = _sample(shards)
    moment = int(now * 1e9)
    sample.sort(key=lambda entry: -1 if 0 < entry.expires <= moment else entry.used)
    victims: dict[int, list[Entry]] = defaultdict(list)
    hoped = Usage()
    least = len(sample) // (_BATCH_OF_ALL if complete else _BATCH)
    most = len(sample) if complete else max(1, len(sample) // _MOST)
    for count, entry in enumerate(sample[:most]):
        if count >= least and hoped.bytes >= need.bytes and hoped.entries >= need.entries:
            break
        victims[entry.shard].append(entry)
        hoped += Usage(entry.bytes, 1)
    freed = Usage()
    for number, entries in victims.items():
        with suppress(FileNotFoundError, TimeoutError):
            freed += _remove_unused(shards, number, entries)
    return freed


def _sample(shards: Shards) -> tuple[list[Entry], bool]:
    sample: list[Entry] = []
    complete = True
    numbers = shards.to_visit()
    random.shuffle(numbers)
    for number in numbers:
        if len(sample) >= _SAMPLE:
            return sample, False
        try:
            with shards.locked(number, create=True, wait=0) as shard:
                listing = shard.list(_SAMPLE)
                if listing.orphans or listing.empty:
                    shard.tidy(listing)
        except FileNotFoundError:
            continue
        except TimeoutError:
            complete = False
            continue
        sample += listing.entries
        complete = complete and listing.complete
    return sample, complete


def _remove_unused(shards: Shards, number: int, entries: list[Entry]) -> Usage:
    freed = Usage()
    with shards.locked(number, wait=_LOCK_WAIT) as shard:
        for entry in entries:
            with suppress(FileNotFoundError):
                if shard.status(entry.inner).st_atime_ns == entry.used:
                    freed += shard.remove(entry.inner)
    return freed
