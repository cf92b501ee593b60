"""Limits how many fetches of one host run at once: a host that hangs does not take the threads of a storage."""

import threading
import time
from collections import Counter, deque
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar, TypeVarTuple

from thumbs.errors import HostOverloaded
from thumbs.pipeline.ports import Storage, fetch_stage
from thumbs.pipeline.reporting.tracing import QUEUE
from thumbs.pipeline.steps import Step, Wait
from thumbs.request.resolve import ThumbRequest

A = TypeVarTuple("A")
T = TypeVar("T")


class Gate:
    """Places by host. A fetch that finds none free waits without a thread, for `max_seconds` at most.

    Of each host, `queue_length` fetches may wait.
    """

    def __init__(self, places: int, *, queue_length: int, max_seconds: float) -> None:
        self._places = places
        self._queue_length = queue_length
        self.max_seconds = max_seconds
        self._lock = threading.Lock()
        self._taken: Counter[str] = Counter()
        self._waiting: dict[str, deque[Future[None]]] = {}

    def enter(self, host: str) -> "Future[None]":
        """A future that is done when a place of `host` is the caller's. Raises `HostOverloaded` if too many wait."""
        place: Future[None] = Future()
        with self._lock:
            if self._taken[host] < self._places:
                self._taken[host] += 1
                place.set_result(None)
                return place
            waiting = self._waiting.setdefault(host, deque())
            if len(waiting) >= self._queue_length:
                raise HostOverloaded
            waiting.append(place)
        return place

    def leave(self, host: str) -> None:
        """Give the place to the fetch that has waited longest, or free it."""
        with self._lock:
            waiting = self._waiting.get(host)
            following = waiting.popleft() if waiting else None
            if not waiting:
                self._waiting.pop(host, None)
            if following is None:
                self._taken[host] -= 1
                if not self._taken[host]:
                    del self._taken[host]
        if following is not None:
            _give(following)  # without the lock: the job goes on in this thread


class _Given(threading.local):
    """The places that this thread gives away. The job that goes on with the first one may leave it at once."""

    def __init__(self) -> None:
        self.places: deque[Future[None]] = deque()


_given = _Given()


def _give(place: "Future[None]") -> None:
    """Let the job that waits for `place` go on: here, or in the call of this thread that lets another job go on.

    A job that has waited too long leaves its place at once. If each such call ran inside the one before it, many such
    jobs would exceed the limit of recursion, and the place would be lost.
    """
    _given.places.append(place)
    if len(_given.places) == 1:
        _go_on(_given.places)


def _go_on(places: "deque[Future[None]]") -> None:
    try:
        while places:
            places[0].set_result(None)
            places.popleft()
    finally:
        if places:  # after an error: the other places are given all the same
            places.popleft()
            _go_on(places)


async def fetch(storage: Storage, thumb: ThumbRequest, call: Callable[[str, *A], T], *more: *A) -> T:
    """What `call` of the storage's source returns for the original, run when a place of its host is free.

    Raises as `Storage.checked` does, and `HostOverloaded` where too many fetches of the host wait, or one for too long.
    """
    stage, gate = fetch_stage(thumb.storage), storage.gate
    if gate is None or storage.host_of is None:
        return await Step(stage, lambda: storage.checked(call, thumb.path, *more))
    host, began = storage.host_of(thumb.path), time.monotonic()
    await Wait(stage, gate.enter(host), QUEUE)
    try:
        if time.monotonic() - began > gate.max_seconds:
            raise HostOverloaded
        return await Step(stage, lambda: storage.checked(call, thumb.path, *more))
    finally:
        gate.leave(host)
