"""One of all processes makes what they share; the others look again and again whether it is there."""

from collections.abc import Callable

from thumbs.cache.entry import Entry
from thumbs.cache.layers import Found, LockResult
from thumbs.pipeline.ports import LOOKUP, WAIT, Storage
from thumbs.pipeline.steps import Job, Step, Wait
from thumbs.pipeline.timer import Timer

# Seconds between two looks.
_SHORTEST_PAUSE, _LONGEST_PAUSE = 0.02, 0.2


async def make_once(storage: Storage, key: str, make: Callable[[Entry | None], Job[Found]], timer: Timer) -> Found:
    """What another has put under `key` meanwhile, or else what `make` makes while nobody else does.

    `make` is given the entry whose time is over, where there is one. Who has waited for half as long as a request does
    makes it as well: whoever holds the claim may be stuck.
    """
    if not storage.layers.shared:
        return await make(None)
    waited = 0.0
    while True:
        result: LockResult = await Step(LOOKUP, storage.layers.lock_or_get, key)
        if result.found is not None:
            return result.found
        if result.lock is not None or waited >= storage.seconds / 2:
            break
        pause = min(_LONGEST_PAUSE, max(_SHORTEST_PAUSE, waited / 4))
        await Wait(WAIT, timer.after(pause))
        waited += pause
    try:
        return await make(result.expired)
    finally:
        if result.lock is not None:
            result.lock.release()
