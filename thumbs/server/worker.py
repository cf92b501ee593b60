"""A gunicorn worker that answers hits as soon as their bytes arrive, and all else as gunicorn's asgi worker does.

It uses private names of gunicorn 27, which `pyproject.toml` requires. If one is missing, it serves as gunicorn's asgi
worker does, and the log says so. `tests/system/test_worker.py` compares the two, conversation by conversation.
"""

import asyncio
import gc
import mmap
import os
import signal
import sys
from collections.abc import Callable
from functools import cache, partial
from typing import TYPE_CHECKING, Any, ClassVar

import gunicorn
from gunicorn.arbiter import Arbiter
from gunicorn.errors import AppImportError
from gunicorn.workers import gasgi

from thumbs.observability import redaction
from thumbs.server import gauges
from thumbs.server.drops import UNANSWERED
from thumbs.server.json_logger import JsonLogger

if TYPE_CHECKING:
    from thumbs.wiring.sending import SendLimits

_STOPS = (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT)


class ThumbsWorker(gasgi.ASGIWorker):  # type: ignore[misc]  # gunicorn has no types
    """`gunicorn --worker-class thumbs.server.worker.ThumbsWorker`, for an application wrapped in `ThumbsASGI`."""

    _missing: ClassVar[list[str] | None] = None  # names of gunicorn's; None until the first worker is made

    @classmethod
    def setup(cls) -> None:
        """Gunicorn calls it before it forks. From then on no secret is logged, whatever the site configures."""
        redaction.install()

    def __init__(self, *arguments: Any, **options: Any) -> None:
        """Runs in gunicorn's main process, before the fork: the warning is logged once, not once a worker."""
        super().__init__(*arguments, **options)
        self._stopped = mmap.mmap(-1, 1)  # shared with the main process: 1 when this worker has ended as it should
        # When True, each answer whose head is written then ends its connection. `alive` stays True until no connection
        # waits for a request: as soon as it is False, gunicorn closes also those whose last answer did not say so.
        self.stopping = False
        self._is_draining = False
        self.limit = self.max_requests
        _mark_dead_workers(self)
        if ThumbsWorker._missing is None:
            ThumbsWorker._missing = _missing_names(self)
            if self._missing:
                self.log.warning(
                    "gunicorn %s lacks %s: its own asgi worker serves, and hits cost more",
                    gunicorn.__version__,
                    ", ".join(self._missing),
                )
            _share_what_is_loaded()
        if not self._missing:
            _hold_stops(self)

    def init_process(self) -> None:
        if not self._missing:
            from thumbs.server import protocol  # noqa: PLC0415 - it does not import where a class is missing

            protocol.install()
            self.max_requests = sys.maxsize  # the connections count up to `limit`; gunicorn would end all of them
        try:
            super().init_process()
        except Exception as error:
            if not isinstance(self.log, JsonLogger):
                raise
            # Gunicorn would log it and then print it once more, in lines that are no JSON.
            self.log.exception("Exception in worker process")
            sys.exit(Arbiter.APP_LOAD_ERROR if isinstance(error, AppImportError) else Arbiter.WORKER_BOOT_ERROR)

    def init_signals(self) -> None:
        """Note signals to stop until the loop runs: uvloop drops what comes before. Until here they were held.

        Gunicorn would wait for this worker until the end of the graceful time, and then kill it.
        """
        super().init_signals()
        if self._missing:
            return
        noted: list[int] = []
        for number in _STOPS:
            signal.signal(number, lambda number, _frame: noted.append(number))
        self.loop.call_soon(self._handle_signals, noted)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _STOPS)

    def _handle_signals(self, noted: list[int]) -> None:
        """Runs in the loop."""
        signal.pthread_sigmask(signal.SIG_BLOCK, _STOPS)  # gunicorn resets all handlers before it sets its own
        super().init_signals()
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _STOPS)
        for number in noted:
            signal.raise_signal(number)

    def load_wsgi(self) -> None:
        """Runs in the worker: the limits are read anew at each reload."""
        super().load_wsgi()
        if not self._missing:
            from thumbs.server import protocol  # noqa: PLC0415 - as above

            protocol.limit_sending(_send_limits())

    def handle_exit_signal(self) -> None:
        _stop()
        self.stopping = True
        if self._missing:
            super().handle_exit_signal()

    def handle_quit_signal(self) -> None:
        _stop()
        self.stopping = True
        super().handle_quit_signal()

    def notify(self) -> None:
        """Gunicorn's main loop calls it every second. That loop ends at a cancellation as it does without `alive`."""
        super().notify()
        if self.stopping and not self._is_draining and not self._missing:
            raise asyncio.CancelledError

    async def _shutdown(self) -> None:
        _stop()
        self.stopping = self._is_draining = True
        # Gunicorn waits for all connections, and a client may keep an idle one open. At the end of the graceful time
        # the worker would be killed, with the requests under way.
        if not self._missing:
            from thumbs.server import draining, protocol  # noqa: PLC0415 - as above

            await draining.drain(self, protocol.connections)
        self.alive = False
        await super()._shutdown()
        if not self._missing:
            unanswered = protocol.connections.unanswered()
            if unanswered:
                protocol.ThumbsProtocol.answers.drops.add(UNANSWERED, unanswered)
        self._stopped[0] = 1

    def has_stopped(self) -> bool:
        """Whether it has ended because it was told to, by a signal or `--max-requests`. For the main process."""
        return self._stopped[0] == 1


def _share_what_is_loaded() -> None:
    """Keep the garbage collector of the workers away from what the main process has loaded.

    It writes into each object that it looks at, and each worker would get its own copy of all of them. For the same
    reason it is done once: a later collection of the main process would write into what the first workers share.
    """
    gc.collect()
    gc.freeze()


def _stop() -> None:
    """`/ready` says so from now on."""
    from thumbs.wiring.process import stop  # noqa: PLC0415 - as above

    stop()


def _mark_dead_workers(worker: Any) -> None:
    """Let gunicorn's main process call `_mark_dead` for each worker that ends, beside a hook of the configuration."""
    hook = worker.cfg.child_exit
    if getattr(hook, "func", None) is not _mark_dead:
        worker.cfg.set("child_exit", partial(_mark_dead, hook))


def _hold_stops(worker: Any) -> None:
    """Let gunicorn's main process hold signals to stop while it forks, beside a hook of the configuration.

    A new worker would handle them as the main process does, whose copy it is: they would be queued and never looked at.
    """
    hook = worker.cfg.pre_fork
    if getattr(hook, "func", None) is not _before_fork:
        worker.cfg.set("pre_fork", partial(_before_fork, hook))
        _let_stops_through_after_forks()


@cache
def _let_stops_through_after_forks() -> None:
    """Once in a process. A worker does so itself, when it has handlers of its own."""
    os.register_at_fork(after_in_parent=partial(signal.pthread_sigmask, signal.SIG_UNBLOCK, _STOPS))


def _before_fork(before: Callable[[Any, Any], None], arbiter: Any, worker: Any) -> None:
    before(arbiter, worker)
    signal.pthread_sigmask(signal.SIG_BLOCK, _STOPS)


def _mark_dead(before: Callable[[Any, Any], None], arbiter: Any, worker: Any) -> None:
    gauges.forget(worker.pid)
    gauges.count_exit(stopped=worker.has_stopped())
    before(arbiter, worker)


def _send_limits() -> "SendLimits":
    from thumbs.wiring.sending import SendLimits, send_limits  # noqa: PLC0415 - only a worker needs Django

    try:
        return send_limits()
    except Exception:  # an application without Django's settings, or with wrong ones, which it reports itself
        return SendLimits()


def _missing_names(worker: ThumbsWorker) -> list[str]:
    try:
        from thumbs.server import protocol  # noqa: PLC0415 - as above
    except ImportError as error:
        return [f"a name ({error})"]
    return protocol.missing_names(worker)
