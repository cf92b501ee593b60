"""What other machines purge, followed by this process for as long as it uses the layers."""

import contextlib
import threading
import time
import weakref
from collections.abc import Callable, Sequence

from thumbs.cache.purge.journal import Purge

EVERY_SECONDS = 2.0  # with a slow round trip and a busy machine, a purge is known on all of them within five


class PurgeFollower:
    """Reads a bulletin every two seconds, in a thread that ends when nobody has this any more.

    `read` gives what is new behind a number, as a bulletin does, or None when that fails; `learn` takes it.
    """

    def __init__(
        self,
        read: Callable[[int | None], tuple[int | None, Sequence[Purge]] | None],
        merge: Callable[[Sequence[Purge]], None],
    ) -> None:
        self._read = read
        self._learn = merge
        self._after: int | None = None
        self._lock = threading.Lock()
        self._started = False

    def start(self) -> None:
        """At the first use in a process, and not before: a fork would leave the thread behind. Returns at once."""
        if self._started:
            return
        with self._lock:
            if not self._started:
                thread = threading.Thread(target=_run, args=(weakref.ref(self),), name="mage-purges", daemon=True)
                with contextlib.suppress(RuntimeError):  # no thread is to be had: the next use tries again
                    thread.start()
                    self._started = True

    def poll_once(self) -> None:
        """One reading."""
        found = self._read(self._after)
        if found is not None:
            self._after, told = found
            if told:
                self._learn(told)


def _run(reference: "weakref.ref[PurgeFollower]") -> None:
    while (following := reference()) is not None:
        following.poll_once()
        del following  # or it would live until the next reading
        time.sleep(EVERY_SECONDS)
