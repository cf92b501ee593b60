"""The open connections of a worker, and how many there may be."""

import resource
from typing import Protocol
from weakref import WeakSet

from thumbs.cache.filestore.hot_files import most_files

# Files of a process that are neither connections of clients nor hot.
_OTHER_FILES = 128


class Connection(Protocol):
    """What is asked of a connection."""

    def is_without_request(self) -> bool:
        """Whether no request is under way on it."""

    def idle_until(self) -> float:
        """The loop's time at which it is closed if no request comes."""

    def close(self) -> None:
        """Close it when everything that was written is sent."""

    def __hash__(self) -> int: ...


class Connections:
    """All open connections of a process."""

    def __init__(self) -> None:
        self._open: WeakSet[Connection] = WeakSet()

    def add(self, connection: Connection) -> None:
        self._open.add(connection)

    def close_idle(self) -> None:
        """Close all connections without a request under way."""
        for connection in self._idle():
            connection.close()

    def make_room(self, newest: Connection) -> None:
        """Close the connection that has been idle for the longest, as nginx does; without one, the newest."""
        idle = [connection for connection in self._idle() if connection is not newest]
        min(idle, key=lambda each: each.idle_until(), default=newest).close()

    def _idle(self) -> list[Connection]:
        return [connection for connection in list(self._open) if connection.is_without_request()]


def most_connections(configured: int) -> int:
    """The limit of connections: `configured`, or fewer where the process may not open so many files."""
    files = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    return (
        configured if files == resource.RLIM_INFINITY else max(1, min(configured, files - _OTHER_FILES - most_files()))
    )
