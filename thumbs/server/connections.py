"""The open connections of a worker, and how many there may be."""

import fcntl
import resource
import struct
import termios
from contextlib import suppress
from operator import itemgetter
from typing import Any, Protocol
from weakref import WeakSet

from thumbs.cache.filestore.hot_files import most_files

_OTHER_FILES = 128  # files of a process that are neither connections of clients nor hot
_FEW_FILES = 4 * _OTHER_FILES
REFUSALS = 64  # connections over the limit that may wait for their 503


class Connection(Protocol):
    """What is asked of a connection."""

    def is_without_request(self) -> bool:
        """Whether no request is under way on it."""

    def rank(self) -> int | None:
        """How well it can be closed for another one, the lowest first; None if not at all."""

    def is_closed(self) -> bool:
        """Whether it is closed, or will be when everything that was written is sent."""

    def idle_until(self) -> float:
        """The loop's time at which it is closed if no request comes."""

    def close(self) -> None:
        """Close it when everything that was written is sent."""

    def unread(self) -> int:
        """The bytes that have arrived and were not read yet."""

    def __hash__(self) -> int: ...


class Connections:
    """All open connections of a process."""

    def __init__(self) -> None:
        self._open: WeakSet[Connection] = WeakSet()
        self._accepted: WeakSet[Connection] = WeakSet()

    def accept(self, connection: Connection) -> None:
        """Note a connection that is not open yet, as its TLS handshake takes time."""
        self._accepted.add(connection)

    def add(self, connection: Connection) -> None:
        """Note that a connection is open."""
        self._accepted.discard(connection)
        self._open.add(connection)

    def has_idle(self) -> bool:
        """Whether a connection has no request under way, or is not open yet."""
        return bool(self._accepted) or bool(self._idle())

    def close_idle(self) -> None:
        """Close all connections without a request under way, but those whose next one has arrived."""
        for connection in self._idle():
            if not connection.unread():
                connection.close()

    def unanswered(self) -> int:
        """How many open connections have a request under way, or one that has arrived and was not read."""
        waiting = [each for each in list(self._open) if not each.is_closed()]
        return sum(1 for each in waiting if not each.is_without_request() or each.unread())

    def make_room(self, newest: Connection) -> bool:
        """Close the connection that has been idle for the longest, as nginx does. False if none can be closed."""
        idle = [
            (rank, each.idle_until(), each)
            for each in self._idle()
            if each is not newest and not each.unread() and (rank := each.rank()) is not None
        ]
        if idle:
            min(idle, key=itemgetter(0, 1))[2].close()
        return bool(idle)

    def _idle(self) -> list[Connection]:
        return [connection for connection in list(self._open) if connection.is_without_request()]


def most_connections(configured: int) -> tuple[int, int]:
    """The limit of connections, `configured` or fewer where the process may not open so many files; and of refusals.

    Where a file cannot be opened, a connection that the kernel has accepted is closed without an answer.
    """
    files = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    if files == resource.RLIM_INFINITY:
        return configured, REFUSALS
    if files < _FEW_FILES:
        return max(1, min(configured, files // 4)), min(REFUSALS, files // 4)
    return min(configured, files - _OTHER_FILES - most_files()), REFUSALS


def unread_bytes(transport: Any) -> int:
    """The bytes in the kernel's receive queue of a connection; 0 where it does not say."""
    with suppress(OSError, AttributeError):
        found = fcntl.ioctl(transport.get_extra_info("socket").fileno(), termios.FIONREAD, bytes(4))
        return int(struct.unpack("i", found)[0])
    return 0
