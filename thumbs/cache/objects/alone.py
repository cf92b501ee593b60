"""The object layer of machines that share no other cache: its feed of purges and its leases are objects, too."""

import time
import uuid
from collections.abc import Callable

from thumbs.cache.objects.bounded_store import BoundedStore
from thumbs.cache.objects.layer import Lifetimes, ObjectLayer, is_kept
from thumbs.cache.objects.names import Names, moment_in
from thumbs.cache.purge.journal import CLOCK_SKEW, Purge
from thumbs.sources.object_store import NotConditional

# How long other machines wait when the one that makes a thumbnail has crashed.
_LEASE_SECONDS = 10.0
# Between two requests for a lease that another machine has: the entry itself is looked for meanwhile.
_ASK_SECONDS = 1.0
_REMEMBERED = 1024
# A listing is not on the way of a request.
_LISTING_SECONDS = 5.0
# A message may appear this long after its time, by the clock of its writer: clocks differ, and writes take a while.
_LATE_SECONDS = 2 * CLOCK_SKEW


class SharingObjectLayer(ObjectLayer):
    """An object layer with a feed and leases.

    A lease is an object that only one machine can write (`If-None-Match: *`). Where a store has no such writes, there
    are none, and machines may make the same thumbnail at the same time.
    """

    def __init__(
        self, store: BoundedStore, names: Names, times: Lifetimes, *, clock: Callable[[], float] = time.time
    ) -> None:
        super().__init__(store, names, times, clock=clock)
        self._read_messages: set[str] = set()
        self._has_leases = True
        self._leased: set[str] = set()
        self._refusals: dict[str, _Refusal] = {}

    # ------------------------------------------------------------------------------------------ feed

    @property
    def poll_seconds(self) -> float:
        return self._times.poll

    @property
    def _late_seconds(self) -> float:
        return CLOCK_SKEW + self._times.poll

    def append_purge(self, purge: Purge) -> None:
        self.within_patience(lambda seconds: self._store.put(self._names.message(purge), b"-", seconds))

    def read_purges_since(self, offset: int | None) -> tuple[int | None, list[Purge]]:
        """The purges that were not read before. An offset is the time of the last reading, in Unix seconds."""
        now = self._clock()
        start = now - self._times.keep - CLOCK_SKEW if offset is None else offset - _LATE_SECONDS
        after, messages = self._names.feed_at(start), list[str]()
        while page := self._store.page(self._names.feed, after, _LISTING_SECONDS):
            messages += page
            after = page[-1]
        new = [message for message in messages if message not in self._read_messages]
        self._read_messages = set(messages)
        return int(now), [purge for message in new if (purge := self._names.purge_in(message)) is not None]

    # ---------------------------------------------------------------------------------------- leases

    def lease(self, key: str) -> bool:
        """False only while another machine has it. True where there are no leases."""
        if not self._has_leases or not is_kept(key):
            return True
        refusal = self._refusals.get(key)
        if refusal is not None and time.monotonic() < refusal.ask_at:
            return False
        try:
            if not self._is_leased(key, refusal):
                return False
        except NotConditional:
            self._has_leases = False
            return True
        self._refusals.pop(key, None)
        self._leased.add(key)
        return True

    def end_lease(self, key: str) -> None:
        if key in self._leased:
            self._leased.discard(key)
            self._store.delete([self._names.lease(key)], self._times.timeout)

    def _is_leased(self, key: str, refusal: "_Refusal | None") -> bool:
        name, seconds = self._names.lease(key), self._times.timeout
        lease = f"{self._clock()!r} {uuid.uuid4().hex}".encode()
        if self._store.put_new(name, lease, seconds):
            return True
        holder = self._store.get(name, seconds)
        now = time.monotonic()
        if holder is not None:
            if refusal is None or refusal.holder != holder:
                refusal = _Refusal(holder, now)
            # By the holder's clock, or by ours since the lease was first seen.
            age = abs(self._clock() - moment_in(holder))
            if age < _LEASE_SECONDS + CLOCK_SKEW and now < refusal.since + _LEASE_SECONDS:
                self._refuse(key, refusal, now)
                return False
        self._store.put(name, lease, seconds)  # two machines may both do so: then both make the thumbnail
        return True

    def _refuse(self, key: str, refusal: "_Refusal", now: float) -> None:
        if len(self._refusals) >= _REMEMBERED:
            self._refusals.clear()
        refusal.ask_at = now + _ASK_SECONDS
        self._refusals[key] = refusal


class _Refusal:
    """A lease that another machine has. Times are monotonic seconds."""

    def __init__(self, holder: bytes, since: float) -> None:
        self.holder = holder
        self.since = since
        self.ask_at = since
