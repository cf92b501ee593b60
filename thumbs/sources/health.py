"""Whether a storage can be reached, from background probes, and what an error of one original says of the storage.

A missing original is only believed where the storage has originals at all, and a denied one is a failure of the storage
where the probe is denied as well.
"""

import errno
import logging
import threading
import time
from collections.abc import Callable, Iterator
from enum import Enum
from typing import Protocol, TypeVar, TypeVarTuple, runtime_checkable

from thumbs.errors import (
    ServerExhausted,
    SourceDenied,
    SourceMissing,
    StorageDenied,
    StorageFailed,
    StorageTimeout,
)
from thumbs.sources.source import Probeable, Source

logger = logging.getLogger("thumbs")
A = TypeVarTuple("A")
T = TypeVar("T")

INTERVAL_SECONDS = 10.0  # between two probes; a read that succeeds counts as one
_SLOW_SECONDS = 3.0  # a probe that takes longer counts as failed until it ends
_FRESH_SECONDS = 5.0  # for which a probe decides about denied originals
_WAIT_SECONDS = 3.0  # for the probe that decides
_EXHAUSTED = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.ENOBUFS})


class State(Enum):
    """What is known of a storage. The values are public."""

    UNKNOWN = "unknown"
    REACHABLE = "reachable"
    DENIED = "denied"
    FAILED = "unreachable"


@runtime_checkable
class Emptiable(Protocol):
    """A source that can say whether it has no originals at all, as an unmounted directory."""

    def is_empty(self) -> bool:
        """Raises `StorageFailed` where it cannot be read."""


class EmptyRoot(Exception):
    """The cause of a failure: a storage without any original, whose caches have entries."""


class StorageHealth:
    """The health of the storage `name`. It is asked from memory; probes run in threads of their own, one at a time.

    `probe_key` is the key of an original that probes read where listing is denied; without one, it is the last original
    that was read. `holds_entries` returns whether the caches of the storage have entries. `report` is called with
    whether the storage can be reached, when that changes.
    """

    def __init__(
        self,
        name: str,
        source: Source,
        *,
        probe_key: str | None = None,
        holds_entries: Callable[[], bool] = lambda: False,
        report: Callable[[bool], None] = lambda _: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._name = name
        self._source = source
        self._probe_key = probe_key
        self._holds_entries = holds_entries
        self._report = report
        self._clock = clock
        self._lock = threading.Lock()
        self._state = State.UNKNOWN
        self._known_at: float | None = None  # when the state was found by a probe or a read
        self._probed_at = float("-inf")
        self._probe: tuple[float, threading.Event] | None = None  # the one that runs, and when it began
        self._good_key: str | None = None
        self._reported: State | None = None

    @property
    def state(self) -> State:
        """What is known now. A probe that hangs counts as failed."""
        probe = self._probe
        if probe is not None and self._clock() - probe[0] > _SLOW_SECONDS:
            return State.FAILED
        return self._state

    def checked(self, call: Callable[[str, *A], T], path: str, *more: *A) -> T:
        """What `call` returns for `path` and `more`: a method of the source.

        Raises what it raises, but `StorageFailed` for a missing original of an empty storage whose caches have entries,
        `StorageDenied` for a denied one of a storage whose probe is denied, and `ServerExhausted` where this process is
        out of memory, descriptors or threads.
        """
        try:
            found = call(path, *more)
        except SourceDenied as error:
            if self._probed_state() is State.DENIED:
                raise StorageDenied from error
            raise
        except SourceMissing:
            self._require_originals()
            self._found(State.REACHABLE)
            raise
        except (StorageFailed, StorageTimeout, MemoryError) as error:
            if _is_exhausted(error):
                raise ServerExhausted from error
            self._known_at = None  # a probe is due
            raise
        self._good_key = path
        self._found(State.REACHABLE)
        return found

    def probe_if_due(self) -> None:
        """Start a probe, unless one runs, or the state is known for less than `INTERVAL_SECONDS`."""
        known = self._known_at
        if known is None or self._clock() - known >= INTERVAL_SECONDS:
            self._start_probe()
        self._tell()

    # ----------------------------------------------------------------------------------------- probes

    def _probed_state(self) -> State:
        """The state by a probe of the last seconds; one is started and waited for if there is none."""
        if self._clock() - self._probed_at < _FRESH_SECONDS:
            return self._state
        ended = self._start_probe()
        return self._state if ended is not None and ended.wait(_WAIT_SECONDS) else State.UNKNOWN

    def _start_probe(self) -> threading.Event | None:
        """The event of the probe that runs; None if no thread can be started."""
        with self._lock:
            if self._probe is not None:
                return self._probe[1]
            ended = threading.Event()
            self._probe = (self._clock(), ended)
        try:
            name = f"mage-probe-{self._name}"
            threading.Thread(target=self._run_probe, args=(ended,), name=name, daemon=True).start()
        except RuntimeError:
            self._probe = None
            return None
        return ended

    def _run_probe(self, ended: threading.Event) -> None:
        state = State.REACHABLE
        error: Exception | None = None
        try:
            self._require_reachable()
        except SourceDenied as denied:
            state, error = State.DENIED, denied
        except Exception as failure:  # a storage may raise anything
            state, error = State.FAILED, failure
        if not _is_exhausted(error):  # this says nothing of the storage
            self._probed_at = self._clock()
            self._found(state, error)
        self._probe = None
        ended.set()

    def _require_reachable(self) -> None:
        source = self._source
        try:
            if isinstance(source, Probeable):
                source.probe()
            else:
                source.ready()
        except SourceDenied:
            key = self._probe_key or self._good_key
            if key is None:
                raise
            try:
                source.version(key)
            except SourceDenied:
                raise
            except SourceMissing:
                pass  # the storage has answered
        self._require_originals()

    def _require_originals(self) -> None:
        source = self._source
        if isinstance(source, Emptiable) and source.is_empty() and self._holds_entries():
            raise StorageFailed from EmptyRoot("it is empty, but its caches have entries: is it mounted?")

    # ------------------------------------------------------------------------------------------ states

    def _found(self, state: State, error: BaseException | None = None) -> None:
        with self._lock:  # at once: another thread that saw only the new state would tell it without its cause
            self._known_at = self._clock()
            self._state = state
            change = self._change()
        self._tell_change(*change, error)

    def _tell(self) -> None:
        """Log and report a change that no call has found: a probe hangs, or does so no more."""
        if self.state is not self._reported:
            with self._lock:
                change = self._change()
            self._tell_change(*change)

    def _change(self) -> tuple[State | None, State]:
        """The state that was reported last, and the one to report now. With the lock held."""
        before, self._reported = self._reported, self.state
        return before, self._reported

    def _tell_change(self, before: State | None, state: State, error: BaseException | None = None) -> None:
        """Log and report it, unless nothing changed."""
        if before is state:
            return
        if state is State.FAILED:
            cause = "its probe hangs" if error is None else repr(error.__cause__ or error)
            logger.warning("storage %s cannot be reached: %s", self._name, cause)
        elif state is State.DENIED:
            logger.warning(
                "storage %s denies access, also to its probe: %r. Where only listing is not allowed, set probe_key",
                *(self._name, error and (error.__cause__ or error)),
            )
        elif state is State.REACHABLE and before in (State.FAILED, State.DENIED):
            logger.warning("storage %s can be reached again", self._name)
        if state is not State.UNKNOWN:
            self._report(state is State.REACHABLE)


def _is_exhausted(error: BaseException | None) -> bool:
    """Whether the process itself had no memory, descriptors or threads, as far as the causes of `error` say."""
    return any(
        isinstance(cause, MemoryError | ServerExhausted) or (isinstance(cause, OSError) and cause.errno in _EXHAUSTED)
        for cause in _causes(error)
    )


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or error.__context__
