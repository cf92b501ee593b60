"""The thumbnailer of this process, built at first use: a fork must not inherit threads, connections or locks."""

import os
import threading

from django.conf import settings

from thumbs.conf.loading import Configuration, load
from thumbs.pipeline.thumbnailer import Thumbnailer
from thumbs.wiring.build import build, rendering_of
from thumbs.wiring.rendering import Isolation


class _Process:
    """The thumbnailer and its lock. A forked child starts without them."""

    def __init__(self) -> None:
        self.reset()
        os.register_at_fork(after_in_child=self.reset)

    def reset(self) -> None:
        self._lock = threading.Lock()
        self._thumbnailer: Thumbnailer | None = None
        self.url_prefix: str | None = None
        self.isolation: Isolation | None = None

    def thumbnailer(self) -> Thumbnailer:
        if self._thumbnailer is None:
            with self._lock:
                if self._thumbnailer is None:
                    read = configuration()
                    rendering = rendering_of(read)
                    self._thumbnailer = build(read, rendering)
                    self.isolation = rendering.isolation
                    self.url_prefix = read.document.url_prefix
        return self._thumbnailer


_process = _Process()


def thumbnailer() -> Thumbnailer:
    """This process's thumbnailer, built at the first call. Raises `NotConfigured`."""
    return _process.thumbnailer()


def url_prefix() -> str | None:
    """What the configuration puts before `{storage}/thumbs/…` in URLs; None leaves it to Django's URLconf."""
    _process.thumbnailer()
    return _process.url_prefix


def isolation() -> Isolation | None:
    """Where this process renders; None before its first thumbnailer."""
    return _process.isolation


def reset() -> None:
    """Drop this process's thumbnailer. The next call builds a new one from the settings as they are then."""
    _process.reset()


def configuration() -> Configuration:
    """`settings.THUMBS` as it is now, with all of its problems."""
    return load(getattr(settings, "THUMBS", {}))
