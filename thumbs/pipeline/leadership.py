"""One of all processes makes what they share; the others look again and again whether it is there."""

from collections.abc import Callable
from functools import partial

from thumbs.cache.entry import Entry
from thumbs.cache.layers import Found, LockResult
from thumbs.pipeline.executor import Job
from thumbs.pipeline.ports import LOOKUP, WAIT, Storage
from thumbs.pipeline.timer import Timer

# Seconds between two looks.
_SHORTEST_PAUSE, _LONGEST_PAUSE = 0.02, 0.2


def make_once(storage: Storage, key: str, make: Callable[[Entry | None], Job[Found]], timer: Timer) -> Job[Found]:
    """What another has put under `key` meanwhile, or else what `make` makes while nobody else does.

    `make` is given the entry whose time is over, where there is one. Who has waited for half as long as a request does
    makes it as well: whoever holds the claim may be stuck.
    """
    if not storage.layers.shared:
        return (yield from make(None))
    waited = 0.0
    while True:
        result: LockResult = yield LOOKUP, partial(storage.layers.lock_or_get, key)
        if result.found is not None:
            return result.found
        if result.lock is not None or waited >= storage.seconds / 2:
            break
        pause = min(_LONGEST_PAUSE, max(_SHORTEST_PAUSE, waited / 4))
        yield WAIT, timer.after(pause)
        waited += pause
    try:
        return (yield from make(result.expired))
    finally:
        if result.lock is not None:
            result.lock.release()
