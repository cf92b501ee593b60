"""Makes room: of a random sample, removes the entries used longest ago. The cost does not grow with the cache."""

import random
from collections import defaultdict
from contextlib import suppress

from thumbs.cache.filestore.ledger import Usage
from thumbs.cache.filestore.listing import Entry
from thumbs.cache.filestore.shards import Shards

# The oldest 16 of 128 random entries belong, on average, to the oldest sixteenth of the whole cache.
_SAMPLE = 128
_LEAST = 8  # one round removes at least 1/8 of the sample, so that most stores need not make room
_LEAST_OF_ALL = 16  # at least 1/16 when the sample is the whole cache
_MOST = 4  # at most 1/4 of a real sample: the rest may be in frequent use

_LOCK_WAIT = 1.0  # seconds; a shard that is held for longer keeps its entries


def make_room(shards: Shards, need: Usage, *, now: float) -> Usage:
    """Remove entries that take about `need`, or less where one round is not enough; return what that freed.

    `now` is Unix seconds: expired entries are removed first.
    """
    sample, complete = _sample(shards)
    moment = int(now * 1e9)
    sample.sort(key=lambda entry: -1 if 0 < entry.expires <= moment else entry.used)
    victims: dict[int, list[Entry]] = defaultdict(list)
    expected = Usage()
    least = len(sample) // (_LEAST_OF_ALL if complete else _LEAST)
    most = len(sample) if complete else max(1, len(sample) // _MOST)
    for count, entry in enumerate(sample[:most]):
        if count >= least and expected.bytes >= need.bytes and expected.entries >= need.entries:
            break
        victims[entry.shard].append(entry)
        expected += Usage(entry.bytes, 1)
    freed = Usage()
    for number, entries in victims.items():
        with suppress(FileNotFoundError, TimeoutError):
            freed += _remove_unused(shards, number, entries)
    return freed


def _sample(shards: Shards) -> tuple[list[Entry], bool]:
    """Entries of random shards, and whether they are all entries of the cache."""
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
    """Remove those of `entries` that were not used since they were listed."""
    freed = Usage()
    with shards.locked(number, wait=_LOCK_WAIT) as shard:
        for entry in entries:
            with suppress(FileNotFoundError):
                if shard.status(entry.inner).st_atime_ns == entry.used:
                    freed += shard.remove(entry.inner)
    return freed
