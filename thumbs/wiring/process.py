"""The configuration and the thumbnailer of this process, each made at first use.

A fork must not inherit threads, connections or locks. The thumbnailer's modules are imported with it: a process that
only makes URLs needs neither its metrics nor its caches.
"""

import os
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from django.conf import settings

from thumbs.conf.loading import Configuration, load, may_have_dialects
from thumbs.request.dialects.routes import NO_ROUTES, Routes, routes_of
from thumbs.request.policy import StoragePolicy
from thumbs.wiring.overrides import settled
from thumbs.wiring.policies import policy

if TYPE_CHECKING:
    from thumbs.pipeline.thumbnailer import Thumbnailer
    from thumbs.wiring.rendering import Isolation, Rendering


@dataclass(eq=False)
class Current:
    """The configuration that this process works with until it is reset, and the policy of each storage, by name."""

    read: Configuration = field(repr=False)
    policies: Mapping[str, StoragePolicy] = field(repr=False)

    @property
    def routes(self) -> Routes:
        dialects = (conf.path for conf in self.read.dialects)
        return routes_of(dialects, (conf.name for conf in self.read.storages))

    @classmethod
    def of(cls, read: Configuration) -> "Current":
        """Looks at directories and makes storages: what is asked for later does not."""
        return cls(read, {conf.name: policy(conf, read) for conf in read.storages})


class _Process:
    """What was made at first use, and its lock. A forked child starts without it."""

    def __init__(self) -> None:
        self._forget()
        os.register_at_fork(after_in_child=self._forget)

    def _forget(self) -> None:
        self.stopping = False
        # Nothing is closed: after a fork it is the parent's, and its locks may be held.
        self._lock = threading.RLock()
        self._current: Current | None = None
        self._thumbnailer: Thumbnailer | None = None
        self._rendering: Rendering | None = None
        self._routes: Routes | None = None

    def reset(self, *, close: bool) -> None:
        with self._lock:
            thumbnailer, rendering = self._thumbnailer, self._rendering
            self._current = self._thumbnailer = self._rendering = self._routes = None
        if close and thumbnailer is not None:
            thumbnailer.close()
        if close and rendering is not None:
            rendering.close()

    @property
    def isolation(self) -> "Isolation | None":
        rendering = self._rendering
        return None if rendering is None else rendering.isolation

    def current(self) -> Current:
        made = self._current  # another thread may reset it at any time
        if made is None:
            with self._lock:
                made = self._current
                if made is None:
                    read = configuration()
                    read.require()
                    made = self._current = Current.of(read)
        return made

    def routes(self) -> Routes:
        made = self._routes
        if made is None:
            with self._lock:
                made = self._routes
                if made is None:
                    made = self._routes = self._routes_of_settings()
        return made

    def _routes_of_settings(self) -> Routes:
        """Without an error: every request of a site comes here, and the thumbnailer reports what is wrong."""
        if not may_have_dialects(getattr(settings, "THUMBS", {})):
            return NO_ROUTES
        try:
            return self.current().routes
        except Exception:  # the configuration may be wrong in any way
            return NO_ROUTES

    def thumbnailer(self) -> "Thumbnailer":
        made = self._thumbnailer
        if made is None:
            with self._lock:
                made = self._thumbnailer
                if made is None:
                    from thumbs.wiring.build import build, rendering_of  # noqa: PLC0415 - see above

                    read = self.current().read
                    rendering = rendering_of(read)
                    made = build(read, rendering)
                    self._rendering, self._thumbnailer = rendering, made
        return made


_process = _Process()


def current() -> Current:
    """This process's configuration, read at the first call. Raises `NotConfigured`."""
    return _process.current()


def thumbnailer() -> "Thumbnailer":
    """This process's thumbnailer, built at the first call. Raises `NotConfigured`."""
    return _process.thumbnailer()


def routes() -> Routes:
    """Where the URLs of other image servers begin, by this process's configuration. Raises nothing."""
    return _process.routes()


def isolation() -> "Isolation | None":
    """Where this process renders; None before its first thumbnailer."""
    return _process.isolation


def stop() -> None:
    """This process takes no new requests from now on."""
    _process.stopping = True


def is_stopping() -> bool:
    return _process.stopping


def reset(*, close: bool = False) -> None:
    """Drop this process's configuration and thumbnailer. The next call reads the settings as they are then.

    With `close`, requests that wait for the thumbnailer are refused, and its threads and child processes end as soon as
    they are idle. Otherwise it still answers where it is in use.
    """
    _process.reset(close=close)


def configuration() -> Configuration:
    """`settings.THUMBS` as it is now, with all of its problems, and with the cache layers that apply now."""
    return settled(load(getattr(settings, "THUMBS", {})))
