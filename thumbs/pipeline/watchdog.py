"""The watchdog replaces a process with a render that does not end, as no thread inside a library can be stopped.

The worker stops in the usual way, after the requests under way; gunicorn starts another one in its place.
"""

import logging
import os
import signal
import sys
import threading
import time
import weakref
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol

logger = logging.getLogger("thumbs")
_EVERY_SECONDS = 1.0
_GRACE_SECONDS = 300.0  # more than a server takes to stop: gunicorn has its own limit


def replace_process(seconds: float) -> None:
    """End this process if it is a worker of gunicorn's. No other process is restarted, so there it is only logged."""
    if "gunicorn.arbiter" not in sys.modules:
        logger.error("a render has not ended after %.0f s, and occupies one of the threads permanently", seconds)
        return
    logger.error("a render has not ended after %.0f s: this worker stops, and gunicorn starts another", seconds)
    os.kill(os.getpid(), signal.SIGTERM)
    end = time.monotonic() + _GRACE_SECONDS
    while time.monotonic() < end and not _is_exiting():
        time.sleep(_EVERY_SECONDS / 2)
    logging.shutdown()
    os._exit(1)  # the interpreter would wait for the thread that does not end


def _is_exiting() -> bool:
    """Whether the interpreter waits for its threads: from then on, no pool accepts work."""
    pool = ThreadPoolExecutor(1)
    try:
        pool.submit(int)
    except RuntimeError as error:
        return "shutdown" in str(error)  # the other reason is that no thread can be started
    finally:
        pool.shutdown()
    return False


class Watched(Protocol):
    """An executor: for how many seconds its oldest running piece of work has run."""

    @property
    def longest(self) -> float: ...


class Watchdog:
    """Calls `act` once, with the seconds that a piece of work has run for, when they exceed `seconds`."""

    def __init__(self, seconds: float, act: Callable[[float], None] = replace_process) -> None:
        self._seconds = seconds
        self._act = act
        self._stopped = threading.Event()

    def watch(self, executor: Watched) -> None:
        """Look at `executor` every second, in a thread that ends with it. Returns at once."""
        arguments = (weakref.ref(executor), self._seconds, self._act, self._stopped)
        threading.Thread(target=_watch, args=arguments, name="mage-watchdog", daemon=True).start()

    def stop(self) -> None:
        """End the thread."""
        self._stopped.set()


def _watch(
    reference: "weakref.ref[Watched]", seconds: float, act: Callable[[float], None], stopped: threading.Event
) -> None:
    while not stopped.is_set() and (executor := reference()) is not None:
        longest = executor.longest
        del executor  # else this thread would keep it, and never end
        if longest > seconds:
            act(longest)
            return
        stopped.wait(_EVERY_SECONDS)
