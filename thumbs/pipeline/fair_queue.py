"""Weighted fair queueing of render places over storages, by the seconds that renders take. No threads, no clock.

The cost of a render is known only when it ends. So a storage has a virtual time: the seconds that its renders have held
places, and those that run have held them so far, divided by its weight. A free place goes to the waiting storage with
the lowest one. A storage that begins to wait starts from the virtual time of the others: being idle gives no credit.
After A. Demers et al., "Analysis and Simulation of a Fair Queueing Algorithm", 1989, and P. Goyal et al., "Start-Time
Fair Queueing", 1997.

The express place is one more place, for work that would else wait until slow renders end. It is open while all places
are held, for

* a storage without a running render, if it is the next one, or if all places are held by renders older than
  `OLD_SECONDS`;
* any storage, if all places are held by such renders, and there is only one storage or the place can be recalled.
"""

from collections import deque
from collections.abc import Iterable, Mapping
from typing import Generic, TypeVar

T = TypeVar("T")
OLD_SECONDS = 2.0


class Running(Generic[T]):
    """A piece of work that holds a place since `started`. `thread` is for the executor."""

    __slots__ = ("flow", "lent", "recalled", "started", "thread", "work")

    def __init__(self, flow: "_Flow[T]", work: T, started: float) -> None:
        self.flow = flow
        self.work = work
        self.started = started
        self.lent = flow.running > 0  # matters for the express place only
        self.recalled = False
        self.thread: int | None = None


class _Flow(Generic[T]):
    """One storage: its queue, and its service so far."""

    __slots__ = ("returned", "running", "served", "starts", "waiting", "weight")

    def __init__(self, weight: float) -> None:
        self.weight = weight
        self.waiting: deque[T] = deque()
        self.returned: deque[T] = deque()  # put back, so known to be slow; before `waiting`
        self.running = 0
        self.starts = 0.0  # the sum of the start times of what runs
        self.served = 0.0

    def virtual(self, now: float) -> float:
        return self.served + (self.running * now - self.starts) / self.weight

    @property
    def waits(self) -> int:
        return len(self.waiting) + len(self.returned)


class FairQueue(Generic[T]):
    """The queues of all storages, and which work holds one of `places` places, or the express place.

    `weights` has all storages. Times are seconds of one monotonic clock. Methods return the work that starts to hold a
    place by the call. At any time, work waits only if all places are held.
    """

    def __init__(self, weights: Mapping[str, float], *, places: int, queue_length: int, can_recall: bool) -> None:
        self._flows: dict[str, _Flow[T]] = {name: _Flow(weight) for name, weight in weights.items()}
        self._places = places
        self._queue_length = queue_length
        self._can_recall = can_recall
        self._lends = can_recall or len(weights) == 1
        self._waiting: dict[_Flow[T], None] = {}
        self._running: dict[Running[T], None] = {}  # in the order of their start
        self._express: Running[T] | None = None  # the last to start, while one more runs than there are places
        self._most_served = 0.0

    # ------------------------------------------------------------------------------------ questions

    def full(self, name: str, now: float) -> bool:
        """Whether work of this storage would have to wait, and its queue has no room."""
        flow = self._flows[name]
        if len(self._running) < self._places or flow.waits < self._queue_length:
            return False
        if flow.waits or len(self._running) > self._places:
            return True
        return not self._may_take_express(flow, self._virtual_for(flow, now), now)

    def busy(self, name: str) -> bool:
        """Whether this storage has work that runs or waits."""
        flow = self._flows[name]
        return flow.running > 0 or flow.waits > 0

    @property
    def oldest(self) -> float | None:
        """The start time of what has run for longest; None if nothing runs."""
        return next((running.started for running in self._running), None)

    # -------------------------------------------------------------------------------------- changes

    def add(self, name: str, work: T, now: float) -> list[Running[T]]:
        """Add work of a storage, also if its queue is full: ask `full` before."""
        flow = self._flows[name]
        if not flow.waits:
            flow.served += max(0.0, self._virtual_for(flow, now) - flow.virtual(now))
            if len(self._running) < self._places:
                return [self._start(flow, work, now)]
            self._waiting[flow] = None
        flow.waiting.append(work)
        return self.start_next(now)

    def end(self, running: Running[T], now: float) -> list[Running[T]]:
        """Take back the place of work that has ended, and charge its storage."""
        self._leave(running, now)
        return self.start_next(now)

    def put_back(self, running: Running[T], now: float) -> list[Running[T]]:
        """As `end`, but the work waits again, first in the queue of its storage and never for the express place."""
        self._leave(running, now)
        running.flow.returned.append(running.work)
        self._waiting[running.flow] = None
        return self.start_next(now)

    def start_next(self, now: float) -> list[Running[T]]:
        """Start what may start now."""
        started: list[Running[T]] = []
        while self._waiting and len(self._running) <= self._places:
            regular = len(self._running) < self._places
            flow = self._next(self._waiting, now) if regular else self._next_express(now)
            if flow is None:
                break
            work = (flow.returned if regular and flow.returned else flow.waiting).popleft()
            if not flow.waits:
                del self._waiting[flow]
            started.append(self._start(flow, work, now))
        return started

    def recall(self, now: float) -> Running[T] | None:
        """The work in the express place, if that is to be ended and put back. Its `recalled` is set by the caller.

        That is so if other work waits that is not known to be slow, and it is old; or if it was lent the place, and a
        storage without a running render waits.
        """
        holder = self._express
        if holder is None or holder.recalled or not self._can_recall:
            return None
        fresh = [flow for flow in self._waiting if flow.waiting]
        old = now - holder.started >= OLD_SECONDS
        wanted = bool(fresh) if old else holder.lent and any(not flow.running for flow in fresh)
        return holder if wanted else None

    def next_change(self, now: float) -> float | None:
        """The time at which `start_next` or `recall` has something to do, if nothing else happens before."""
        if not any(flow.waiting and (self._lends or not flow.running) for flow in self._waiting):
            return None
        if self._express is None:
            change = self._youngest + OLD_SECONDS
        elif self._can_recall and not self._express.recalled:
            change = self._express.started + OLD_SECONDS
        else:
            return None
        return change if change > now else None

    def clear(self) -> None:
        """Drop all that waits."""
        for flow in self._waiting:
            flow.waiting.clear()
            flow.returned.clear()
        self._waiting.clear()

    # ------------------------------------------------------------------------------------ decisions

    def _start(self, flow: _Flow[T], work: T, now: float) -> Running[T]:
        running = Running(flow, work, now)
        flow.running += 1
        flow.starts += now
        self._running[running] = None
        if len(self._running) > self._places:
            self._express = running
        return running

    def _leave(self, running: Running[T], now: float) -> None:
        flow = running.flow
        del self._running[running]
        self._express = None  # whichever ends, no more work runs than there are places
        flow.served += (now - running.started) / flow.weight
        flow.running -= 1
        flow.starts = flow.starts - running.started if flow.running else 0.0
        self._most_served = max(self._most_served, flow.served)

    def _virtual_for(self, flow: _Flow[T], now: float) -> float:
        """The virtual time of a flow that begins to wait: at least the lowest one of its competitors."""
        others: Iterable[_Flow[T]] = self._waiting or {running.flow: None for running in self._running}
        lowest = min((other.virtual(now) for other in others if other is not flow), default=None)
        if lowest is None:
            lowest = flow.served if flow.running else self._most_served
        return max(lowest, flow.virtual(now))

    def _next(self, flows: Iterable[_Flow[T]], now: float) -> _Flow[T]:
        return min(flows, key=lambda flow: (flow.virtual(now), flow.running))

    def _next_express(self, now: float) -> _Flow[T] | None:
        """The flow that may take the express place, of those with work that is not known to be slow."""
        fresh = [flow for flow in self._waiting if flow.waiting]
        if not fresh:
            return None
        idle = [flow for flow in fresh if not flow.running]
        flow = self._next(idle or fresh, now)
        return flow if self._may_take_express(flow, flow.virtual(now), now) else None

    def _may_take_express(self, flow: _Flow[T], virtual: float, now: float) -> bool:
        if now - self._youngest >= OLD_SECONDS:
            return self._lends or not flow.running
        return not flow.running and all(
            (virtual, 0) <= (other.virtual(now), other.running) for other in self._waiting if other is not flow
        )

    @property
    def _youngest(self) -> float:
        return next(reversed(self._running)).started
