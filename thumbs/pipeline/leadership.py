"""One of all processes, the leader, makes what they share. The others look into the layers until it is there."""

import time
from collections.abc import Callable

from thumbs.cache.entry import Entry
from thumbs.cache.layers import Found, LockResult
from thumbs.pipeline.ports import LOOKUP, WAIT, Storage
from thumbs.pipeline.reporting.tracing import LOCK, Span
from thumbs.pipeline.steps import Job, Step, Wait
from thumbs.pipeline.timer import Timer

# Seconds between two lookups, which grow with the time waited.
_SHORTEST_PAUSE, _LONGEST_PAUSE = 0.02, 0.2


async def make_once(
    storage: Storage,
    key: str,
    make: Callable[[Entry | None], Job[Found]],
    timer: Timer,
    *,
    span: Span | None = None,
) -> Found:
    """The entry for `key` that another process or machine has made, or else what `make` returns under the key lock.

    With the lock, `make` gets the expired entry, if a layer still has one. Without the lock it gets None. It is called
    without where no layer is shared, and after half of the time that a request may wait: the leader may be stuck. The
    time until then is one child of `span`, not one for each lookup.
    """
    if not storage.layers.shared:
        return await make(None)
    waited, began = 0.0, time.perf_counter()
    while True:
        result: LockResult = await Step(LOOKUP, storage.layers.lock_or_get, key).named("")
        if result.found is not None or result.lock is not None or waited >= storage.seconds / 2:
            break
        pause = min(_LONGEST_PAUSE, max(_SHORTEST_PAUSE, waited / 4))
        await Wait(WAIT, timer.after(pause))
        waited += pause
    if span is not None:
        span.add(LOCK, began)
    if result.found is not None:
        return result.found
    try:
        return await make(result.expired)
    finally:
        if result.lock is not None:
            result.lock.release()
