"""Purges that other machines are told of, through a cache of Django's that they share with this one.

Such a cache can neither list its keys nor append to a value, so each purge is a note under a number of its own: `add`
lets one writer alone have it, on every backend. The head is the number given last, or nearly: two who write at once may
leave the lower of theirs, so that readers look past it.
"""

import contextlib
import math
import re
import time
from collections.abc import Callable, Iterator, Mapping
from itertools import count, islice

from django.core.cache.backends.base import BaseCache

from thumbs.cache.purge.journal import Purge

_AT_ONCE = 16  # notes in one round trip
_GROUP = re.compile(r"[0-9A-Za-z_-]{1,64}|\*")  # what `purges` may write down


class NothingKept(RuntimeError):
    """The cache neither takes a note nor has another's in its place."""


class PurgeFeed:
    """The notes of one storage; each is kept for `keep` seconds, as long as an entry can live that was made before."""

    def __init__(
        self, open_cache: Callable[[], BaseCache], storage: str, *, keep: float, clock: Callable[[], float] = time.time
    ) -> None:
        self._open_cache = open_cache
        self._prefix = f"mage:{storage}:purge"
        self._keep = int(keep) + 60
        self._clock = clock

    def append(self, purge: Purge) -> None:
        """Tell the others. Raises `NothingKept`, and what the cache raises."""
        cache = self._open_cache()
        note = f"{purge.when!r} {purge.group}"
        for number in count(self._head(cache) + 1):
            if cache.add(self._name(number), note, timeout=self._keep):
                cache.set(self._prefix, number, timeout=None)
                return
            if cache.get(self._name(number)) is None:  # it was not that another one has it
                raise NothingKept

    def read(self, after: int | None) -> tuple[int | None, list[Purge]]:
        """The number of the last note, and the notes behind the number `after`: with None all that there are.

        Raises what the cache raises; whatever else may lie in the notes' place is passed over.
        """
        cache = self._open_cache()
        head = cache.get(self._prefix)
        if not isinstance(head, int):
            return after, []
        if after is not None and head < after and cache.get(self._name(after)) is None:
            after = None  # the cache has lost everything, and who wrote since then has a clock that is behind
        notes = dict(self._forwards(cache, head if after is None else after))
        if after is None:
            notes.update(self._backwards(cache, head, 0))
            return max([head, *notes]), _parse_all(notes)
        if head > after:
            notes.update(self._backwards(cache, head, after))
        # Where the head's note is not to be had, it may be the next time.
        return max([after, *notes]), _parse_all(notes)

    def _forwards(self, cache: BaseCache, after: int) -> Iterator[tuple[int, object]]:
        """Notes from behind `after` on, as far as there is no gap."""
        return self._run(cache, count(after + 1))

    def _backwards(self, cache: BaseCache, head: int, after: int) -> Iterator[tuple[int, object]]:
        """Notes from `head` back to behind `after`, as far as there is no gap: one is where they are too old."""
        return self._run(cache, iter(range(head, after, -1)))

    def _run(self, cache: BaseCache, numbers: Iterator[int]) -> Iterator[tuple[int, object]]:
        while batch := list(islice(numbers, _AT_ONCE)):
            found = cache.get_many([self._name(number) for number in batch])
            for number in batch:
                if self._name(number) not in found:
                    return
                yield number, found[self._name(number)]

    def _head(self, cache: BaseCache) -> int:
        # Where nothing was said yet, or all of it was lost: later than any number before, so that it is news to all.
        begin = int(self._clock() * 1000)
        cache.add(self._prefix, begin, timeout=None)
        head = cache.get(self._prefix)
        return head if isinstance(head, int) else begin

    def _name(self, number: int) -> str:
        return f"{self._prefix}:{number}"


def _parse_all(notes: Mapping[int, object]) -> list[Purge]:
    return [purge for note in notes.values() if (purge := _parse(note)) is not None]


def _parse(note: object) -> Purge | None:
    when, space, group = note.partition(" ") if isinstance(note, str) else ("", "", "")
    with contextlib.suppress(ValueError):
        if space and _GROUP.fullmatch(group) and math.isfinite(float(when)):
            return Purge(group, float(when))
    return None
