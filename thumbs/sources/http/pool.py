"""The connections of one process to all origins: kept ones are used again, and a dead host fails at once."""

import ssl
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from thumbs.errors import StorageFailed, StorageTimeout
from thumbs.sources.http.faults import Fault
from thumbs.sources.http.lookup import Lookup
from thumbs.sources.http.settings import HttpSettings
from thumbs.sources.http.url import Origin
from thumbs.sources.http.wire import Wire, connect
from thumbs.sources.per_process import PerProcess
from thumbs.sources.reading import Deadline, Interrupted

_FAILURES, _WITHIN_SECONDS, _OPEN_SECONDS = 3, 10.0, 5.0
_MAX_HOSTS = 4096  # clients may choose the hosts


class Pool:
    """Hands out connections by origin, at most `max_conns_per_host` at a time for each.

    `make_context` is called once, for the first connection that has TLS: reading all authorities takes 20 ms.
    """

    def __init__(self, settings: HttpSettings, lookup: Lookup, make_context: Callable[[], ssl.SSLContext]) -> None:
        self._settings = settings
        self.lookup = lookup
        self._context = PerProcess(make_context)
        self._changed = threading.Condition()
        self._in_use: Counter[Origin] = Counter()
        self._idle: list[tuple[Origin, Wire]] = []  # the one that was used last is the last
        self._failed = _Failures()

    @contextmanager
    def place(self, origin: Origin, deadline: Deadline) -> Iterator[None]:
        """A place for one connection. Waits for it, raises `StorageTimeout` at the deadline."""
        with self._changed:
            if not self._changed.wait_for(
                lambda: self._in_use[origin] < self._settings.max_conns_per_host, deadline.left()
            ):
                raise StorageTimeout
            self._in_use[origin] += 1
        try:
            yield
        finally:
            with self._changed:
                self._in_use[origin] -= 1
                if not self._in_use[origin]:
                    del self._in_use[origin]
                self._changed.notify_all()

    def take(self, origin: Origin, deadline: Deadline, *, fresh: bool = False) -> Wire:
        """A connection to `origin`: a kept one, or, with `fresh` or without a kept one, a new one.

        Raises `SourceDenied`, `StorageFailed` and `StorageTimeout`.
        """
        while not fresh and (kept := self._kept(origin)) is not None:
            if kept.is_quiet:
                kept.deadline = deadline
                return kept
            kept.close()
        self._failed.require(origin)
        own = deadline.within(self._settings.connect_timeout_sec)
        candidates = self.lookup.candidates(origin, deadline)
        try:
            context = self._context.get() if origin.scheme == "https" else None
            wire = connect(origin, candidates, context, deadline=own)
        except (Interrupted, StorageTimeout):
            self._failed.count(origin)
            raise
        self._failed.forget(origin)
        wire.deadline = deadline
        return wire

    def give(self, origin: Origin, wire: Wire) -> None:
        """Keep a connection whose response was read to its end."""
        wire.reused = True
        wire.idle_since = time.monotonic()
        with self._changed:
            self._idle.append((origin, wire))
            surplus = self._idle[: max(0, len(self._idle) - self._settings.max_idle_conns)]
            del self._idle[: len(surplus)]
        for _, old in surplus:
            old.close()

    def close(self) -> None:
        """Close the kept connections."""
        with self._changed:
            idle, self._idle = self._idle, []
        for _, wire in idle:
            wire.close()
        self.lookup.close()

    def _kept(self, origin: Origin) -> Wire | None:
        """The kept connection that was used last; those that are too old or idle for too long are closed."""
        now = time.monotonic()
        old: list[Wire] = []
        found: Wire | None = None
        with self._changed:
            idle, self._idle = self._idle, []
            for other, wire in reversed(idle):
                if not self._is_young(wire, now):
                    old.append(wire)
                elif found is None and other == origin:
                    found = wire
                else:
                    self._idle.append((other, wire))
            self._idle.reverse()
        for wire in old:
            wire.close()
        return found

    def _is_young(self, wire: Wire, now: float) -> bool:
        limits = self._settings
        return now - wire.idle_since < limits.idle_conn_timeout_sec and now - wire.born < limits.max_conn_age_sec


class _Failures:
    """Circuit breaker for hosts: after three failures to connect within 10 s, all fail at once for 5 s."""

    def __init__(self) -> None:
        self._recent: dict[Origin, list[float]] = {}
        self._open_until: dict[Origin, float] = {}

    def require(self, origin: Origin) -> None:
        """Raise `StorageFailed` while `origin` fails at once."""
        if time.monotonic() < self._open_until.get(origin, 0.0):
            raise StorageFailed from Fault("three connections failed, so that none is opened for a few seconds")

    def count(self, origin: Origin) -> None:
        now = time.monotonic()
        if len(self._recent) >= _MAX_HOSTS or len(self._open_until) >= _MAX_HOSTS:
            self._recent.clear()
            self._open_until.clear()
        recent = [moment for moment in self._recent.get(origin, ()) if now - moment < _WITHIN_SECONDS] + [now]
        if len(recent) >= _FAILURES:
            self._open_until[origin] = now + _OPEN_SECONDS
            recent = []
        self._recent[origin] = recent

    def forget(self, origin: Origin) -> None:
        self._recent.pop(origin, None)
        self._open_until.pop(origin, None)
