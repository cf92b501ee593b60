"""The feed: purges that machines append to, and read from, a Django cache that they share.

Such a cache can neither list its keys nor append to a value. So each message has a key with an offset of its own, and
`add` lets only one writer have an offset, on every backend. The head is the last offset, or close to it: when two
machines append at once, the one with the lower offset may set it last. So readers look past it. Where a cache
reads from replicas, they may have neither the head nor the messages of the last moments.
"""

import contextlib
import math
import re
import time
from collections.abc import Callable, Iterator, Mapping
from itertools import count, islice

from django.core.cache.backends.base import BaseCache

from thumbs.cache.purge.journal import Purge

_BATCH = 16  # messages in one round trip
_UNSEEN = 16  # offsets in a row that a cache refuses though it has no message there: more than replicas may be behind
_GROUP = re.compile(r"[0-9A-Za-z_-]{1,64}|\*")  # what the journal can hold


class NothingKept(RuntimeError):
    """The cache kept a message at none of `_UNSEEN` offsets, and has no other there."""


class PurgeFeed:
    """The purges of one storage. Each is kept for `keep` seconds: as long as an entry that was made before can live."""

    def __init__(
        self, open_cache: Callable[[], BaseCache], storage: str, *, keep: float, clock: Callable[[], float] = time.time
    ) -> None:
        self._open_cache = open_cache
        self._prefix = f"mage:{storage}:purge"
        self._keep = int(keep) + 60
        self._clock = clock

    def append(self, purge: Purge) -> None:
        """Append a purge for other machines to read. Raises NothingKept, and what the cache raises."""
        cache = self._open_cache()
        message = f"{purge.when!r} {purge.group}"
        unseen = 0
        for offset in count(self._head(cache) + 1):
            if cache.add(self._key(offset), message, timeout=self._keep):
                cache.set(self._prefix, offset, timeout=None)
                return
            unseen = unseen + 1 if cache.get(self._key(offset)) is None else 0
            if unseen == _UNSEEN:
                raise NothingKept

    def read_since(self, offset: int | None) -> tuple[int | None, list[Purge]]:
        """The last offset, and the purges after `offset`; with None, all that are there.

        Anything else under a message's key is skipped. Raises what the cache raises.
        """
        cache = self._open_cache()
        head = cache.get(self._prefix)
        if not isinstance(head, int):
            return offset, []
        if offset is not None and head < offset and cache.get(self._key(offset)) is None:
            offset = None  # the cache was flushed and restarted below our offset: read from the start
        messages = dict(self._forwards(cache, head if offset is None else offset))
        if offset is None:
            messages.update(self._backwards(cache, head, 0))
            return max([head, *messages]), _parse_all(messages)
        if head > offset:
            messages.update(self._backwards(cache, head, offset))
        # Not the head itself: its message may be missing now and there at the next reading.
        return max([offset, *messages]), _parse_all(messages)

    def _forwards(self, cache: BaseCache, offset: int) -> Iterator[tuple[int, object]]:
        """The messages after `offset`, up to the first gap."""
        return self._until_gap(cache, count(offset + 1))

    def _backwards(self, cache: BaseCache, head: int, offset: int) -> Iterator[tuple[int, object]]:
        """The messages from `head` down to `offset`, without it, up to the first gap: older ones have expired."""
        return self._until_gap(cache, iter(range(head, offset, -1)))

    def _until_gap(self, cache: BaseCache, offsets: Iterator[int]) -> Iterator[tuple[int, object]]:
        while batch := list(islice(offsets, _BATCH)):
            found = cache.get_many([self._key(offset) for offset in batch])
            for offset in batch:
                if self._key(offset) not in found:
                    return
                yield offset, found[self._key(offset)]

    def _head(self, cache: BaseCache) -> int:
        # A new or flushed feed starts at the time: that is above every earlier offset, so that all readers see it.
        start = int(self._clock() * 1000)
        cache.add(self._prefix, start, timeout=None)
        head = cache.get(self._prefix)
        return head if isinstance(head, int) else start

    def _key(self, offset: int) -> str:
        return f"{self._prefix}:{offset}"


def _parse_all(messages: Mapping[int, object]) -> list[Purge]:
    return [purge for message in messages.values() if (purge := _parse(message)) is not None]


def _parse(message: object) -> Purge | None:
    when, space, group = message.partition(" ") if isinstance(message, str) else ("", "", "")
    with contextlib.suppress(ValueError):
        if space and _GROUP.fullmatch(group) and math.isfinite(float(when)):
            return Purge(group, float(when))
    return None
