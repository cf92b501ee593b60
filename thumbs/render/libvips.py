"""libvips as every process of ours wants it: small, single-threaded per render, and deaf to unwanted formats."""

import contextlib
import ctypes
import logging
import threading
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import pyvips

from thumbs.errors import RenderTimeout, ThumbError
from thumbs.image.formats import FORMATS

_M_ARENA_MAX = -8  # <malloc.h>
FAILURES = (pyvips.Error, UnicodeDecodeError)
_ROUND_SECONDS = 0.1
_IDLE_ROUNDS = 50
_started = threading.Lock()
_done: set[str] = set()


def start(inputs: Iterable[str], *, concurrency: int = 1) -> None:
    """Set libvips up in this process: once, and never before `fork` (its threads do not survive one).

    Only the loaders of `inputs` stay usable. `concurrency` is the number of threads per render. glibc gives every
    thread an arena of its own, which libvips' buffers would fill for good; two are enough.
    """
    with _started:
        if _done:
            return
        pyvips.error._to_string = _text  # noqa: SLF001 - there is no other place to put it right
        with contextlib.suppress(OSError, AttributeError):  # another libc has other arenas
            ctypes.CDLL(None).mallopt(_M_ARENA_MAX, 2)
        pyvips.block_untrusted_set(True)
        pyvips.operation_block_set("VipsForeignLoad", True)
        for name in inputs:
            pyvips.operation_block_set(FORMATS[name].loader, False)
        # It would tell a dozen steps of every render, and every bad tile of a broken picture.
        logging.getLogger("pyvips").setLevel(logging.ERROR)
        # Every render is of another buffer: an operation cache would only hold on to memory.
        pyvips.cache_set_max(0)
        pyvips.concurrency_set(concurrency)
        _done.add("started")


def _text(raw: object) -> str:
    """What libvips says of an error, whatever bytes of the file it quotes.

    pyvips takes it for UTF-8, and fails before it has cleared the message: every later call would fail by it as well.
    """
    if raw == pyvips.ffi.NULL:
        return "NULL"
    said = pyvips.ffi.string(raw)
    return said.decode("utf-8", "replace") if isinstance(said, bytes) else str(said)


@dataclass(slots=True)
class _Watched:
    image: pyvips.Image
    end: float
    stopped: bool = False


class _Watchdog:
    """Stops the evaluation of images that take too long, from one thread for all of them."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._watched: dict[int, _Watched] = {}
        self._thread: threading.Thread | None = None
        self._asleep = False

    @contextlib.contextmanager
    def watch(self, image: pyvips.Image, seconds: float) -> Iterator[_Watched]:
        """Gives what tells afterwards whether it was stopped: libvips' own message may be another thread's."""
        watched = _Watched(image, time.monotonic() + seconds)
        with self._changed:
            self._watched[id(image)] = watched
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="mage-render-watchdog", daemon=True)
                self._thread.start()
            if self._asleep:
                self._changed.notify()
        try:
            yield watched
        finally:
            with self._changed:
                self._watched.pop(id(image), None)

    def _run(self) -> None:
        idle_rounds = 0
        while True:
            with self._changed:
                # Renders follow one another: who went to sleep after each would have to be woken for each.
                idle_rounds = 0 if self._watched else idle_rounds + 1
                self._asleep = idle_rounds > _IDLE_ROUNDS
                self._changed.wait(None if self._asleep else _ROUND_SECONDS)
                now = time.monotonic()
                watched: _Watched | None
                for watched in self._watched.values():
                    if watched.end <= now:
                        watched.stopped = True
                        watched.image.set_kill(True)
                watched = None  # it would be kept, and all that it is made of, until the next one


_watchdog = _Watchdog()


class Deadline:
    """The end of one render. What libvips evaluates within `watch` is stopped there.

    A decoder or an encoder that has the whole picture in its hands is not: it ends its own work first.
    """

    def __init__(self, seconds: float) -> None:
        self._end = time.monotonic() + seconds

    @contextlib.contextmanager
    def watch(self, image: pyvips.Image, otherwise: type[ThumbError]) -> Iterator[None]:
        """Raises `RenderTimeout` when `image` was stopped in time, `otherwise` for any other error of libvips."""
        left = self._end - time.monotonic()
        if left <= 0:
            raise RenderTimeout
        with _watchdog.watch(image, left) as watched:
            try:
                yield
            except FAILURES as error:
                raise (RenderTimeout if watched.stopped else otherwise) from error
