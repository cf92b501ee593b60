"""Sets libvips up once per process: little memory, the configured formats only. Stops renders at their deadline."""

import contextlib
import logging
import threading
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import pyvips

from thumbs.errors import RenderTimeout, ThumbError
from thumbs.image.formats import FORMATS
from thumbs.render import arenas
from thumbs.render.completeness.libjpeg import VipsLog

VIPS_ERRORS = (pyvips.Error, UnicodeDecodeError)
_ROUND_SECONDS = 0.1
_IDLE_ROUNDS = 50
_starting = threading.Lock()
_started: list[bool] = []


def start(inputs: Iterable[str], *, concurrency: int = 1) -> None:
    """Set libvips up in this process; later calls do nothing. Never call it before `fork`: a child lacks the threads.

    `inputs` are names of formats: all other loaders are blocked. `concurrency` is the number of threads per render.
    glibc is limited to two arenas: with one per thread, each would keep the memory of freed buffers.
    """
    with _starting:
        if _started:
            return
        pyvips.error._to_string = _error_text  # noqa: SLF001 - pyvips has no other hook
        arenas.limit()
        pyvips.block_untrusted_set(True)
        pyvips.operation_block_set("VipsForeignLoad", True)
        for loader in filter(None, (FORMATS[name].loader for name in inputs)):
            pyvips.operation_block_set(loader, False)
        logging.getLogger("pyvips").setLevel(logging.ERROR)  # it logs a dozen lines per render
        pyvips.logger = VipsLog()
        # Every render reads another buffer: libvips' operation cache would never hit, and would hold memory.
        pyvips.cache_set_max(0)
        pyvips.concurrency_set(concurrency)
        _started.append(True)


def _error_text(raw: object) -> str:
    """libvips' error message as text, even where it quotes bytes of the file.

    pyvips decodes it as UTF-8 and raises before it has cleared libvips' error buffer. Every later call would then fail
    too.
    """
    if raw == pyvips.ffi.NULL:
        return "NULL"
    message = pyvips.ffi.string(raw)
    return message.decode("utf-8", "replace") if isinstance(message, bytes) else str(message)


@dataclass(slots=True)
class _Watched:
    image: pyvips.Image
    end: float
    stopped: bool = False


class _Watchdog:
    """Stops the evaluation of images at their deadlines, with one thread for all of them."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._watched: dict[int, _Watched] = {}
        self._thread: threading.Thread | None = None
        self._asleep = False

    @contextlib.contextmanager
    def watch(self, image: pyvips.Image, seconds: float) -> Iterator[_Watched]:
        """Yields a record. `stopped` says why evaluation failed: all threads share libvips' error buffer."""
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
                # Sleep only after several idle rounds: waking the thread for every render would cost more.
                idle_rounds = 0 if self._watched else idle_rounds + 1
                self._asleep = idle_rounds > _IDLE_ROUNDS
                self._changed.wait(None if self._asleep else _ROUND_SECONDS)
                now = time.monotonic()
                watched: _Watched | None
                for watched in self._watched.values():
                    if watched.end <= now:
                        watched.stopped = True
                        watched.image.set_kill(True)
                watched = None  # the local name would keep the image in memory until the next round


_watchdog = _Watchdog()


class Deadline:
    """The end of one render, `seconds` from now. Evaluation within `watch` is stopped at it.

    Codecs that process a whole picture in one call cannot be interrupted: they finish first.
    """

    def __init__(self, seconds: float) -> None:
        self._end = time.monotonic() + seconds

    @contextlib.contextmanager
    def watch(self, image: pyvips.Image, otherwise: type[ThumbError]) -> Iterator[None]:
        """Raises `RenderTimeout` when `image` was stopped at the deadline, `otherwise` for any other libvips error."""
        left = self._end - time.monotonic()
        if left <= 0:
            raise RenderTimeout
        with _watchdog.watch(image, left) as watched:
            try:
                yield
            except VIPS_ERRORS as error:
                raise (RenderTimeout if watched.stopped else otherwise) from error
