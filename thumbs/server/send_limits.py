"""Limits for clients that take no bytes: such a connection is closed, and a process holds only so much for all of them.

The transport calls `pause_writing` when a client has not taken everything that was written, and `resume_writing` when
it has. Between the two, a connection is watched here. What a client has taken is read from the kernel's send queue as
well: that shrinks with every acknowledgment, while the kernel takes new bytes from a process only after a third of its
queue is free, which may be a megabyte. So a slow client is not mistaken for one that does not read.
"""

import asyncio
import fcntl
import logging
import socket
import struct
import termios
from collections import Counter
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from thumbs.wiring.sending import SendLimits

logger = logging.getLogger("thumbs")

# A larger answer is handed to the transport in pieces of this size, so that the transport holds no copy of it.
PIECE_BYTES = 256 * 1024
STALLED, UNSENT = "stalled", "unsent"  # why a connection was closed: its own time, or the limit of the process
_LOOKS = 8  # in `seconds`
_LONGEST_INTERVAL = 1.0
_LOG_SECONDS = 60.0
_RESET = struct.pack("ii", 1, 0)  # SO_LINGER: close with RST, and free the kernel's send queue at once


@dataclass(eq=False, slots=True)
class Unsent:
    """What one connection has not sent yet.

    `answer` is the one under way if it is larger than a piece: it stays in memory until its last piece is written.
    `left` is the number of bytes in the transport and in the kernel, `since` the loop's time of the last progress.
    """

    transport: Any
    answer: bytes = b""
    left: int = 0
    since: float = 0.0

    def look(self, now: float) -> None:
        """Note whether the client has taken bytes since the last look."""
        left = self.transport.get_write_buffer_size() + _in_kernel(self.transport)
        if left < self.left:
            self.since = now
        self.left = left


class UnsentAnswers:
    """All connections of this process whose clients have not taken everything."""

    def __init__(self, limits: SendLimits) -> None:
        self._limits = limits
        self._interval = min(limits.seconds / _LOOKS, _LONGEST_INTERVAL)
        # Over the limit of the process, a connection without progress for this long may be closed.
        self._stalled_seconds = limits.seconds / 4
        self._connections: dict[Unsent, None] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._log = _DropLog(limits)

    def watch(self, connection: Unsent) -> None:
        """Begin when the client has not taken everything."""
        loop = asyncio.get_running_loop()
        connection.look(loop.time())
        connection.since = loop.time()
        self._connections[connection] = None
        if self._timer is None:
            self._timer = loop.call_later(self._interval, self._look)

    def forget(self, connection: Unsent) -> None:
        """End when the client has taken everything, or has gone."""
        self._connections.pop(connection, None)

    def admit(self, size: int) -> bool:
        """Whether an answer of `size` bytes may be sent. Connections that make no progress are closed for it.

        An answer that is larger than the limit is admitted while at most half of the limit is held.
        """
        limit = self._limits.max_bytes
        if size <= PIECE_BYTES or self._make_room(size if size <= limit else limit // 2):
            return True
        self._limits.refused()
        return False

    def timed_out(self) -> None:
        """Count a connection that the kernel has closed, because its client took no bytes."""
        self._log.add(STALLED)

    def _look(self) -> None:
        self._timer = None
        loop = asyncio.get_running_loop()
        for connection in list(self._connections):
            connection.look(loop.time())
            if loop.time() - connection.since >= self._limits.seconds:
                self._drop(connection, STALLED)
        self._make_room(0)
        if self._connections:
            self._timer = loop.call_later(self._interval, self._look)

    def _make_room(self, size: int) -> bool:
        """Whether `size` bytes more are within the limit, after closing what makes no progress, longest first."""
        over = _held(self._connections) + size - self._limits.max_bytes
        if over <= 0:
            return True
        now = asyncio.get_running_loop().time()
        for connection in self._connections:
            connection.look(now)
        sharing = Counter(id(connection.answer) for connection in self._connections)
        for connection in sorted(self._connections, key=lambda each: each.since):
            if over <= 0 or now - connection.since < self._stalled_seconds:
                break
            over -= connection.transport.get_write_buffer_size()
            sharing[id(connection.answer)] -= 1
            if not sharing[id(connection.answer)]:
                over -= len(connection.answer)
            self._drop(connection, UNSENT)
        return over <= 0

    def _drop(self, connection: Unsent, reason: str) -> None:
        self.forget(connection)
        with suppress(OSError, AttributeError):
            connection.transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        connection.transport.abort()
        self._log.add(reason)


def _held(connections: Iterable[Unsent]) -> int:
    """The bytes in memory for `connections`. An answer to several of them is one object, and counts once."""
    answers, buffered = {}, 0
    for connection in connections:
        answers[id(connection.answer)] = len(connection.answer)
        buffered += connection.transport.get_write_buffer_size()
    return buffered + sum(answers.values())


def _in_kernel(transport: Any) -> int:
    """The bytes in the kernel's send queue that the peer has not acknowledged; 0 where the kernel does not say."""
    with suppress(OSError, AttributeError):
        found = fcntl.ioctl(transport.get_extra_info("socket").fileno(), termios.TIOCOUTQ, bytes(4))
        return int(struct.unpack("i", found)[0])
    return 0


@dataclass(slots=True)
class _DropLog:
    """Counts closed connections, and logs them in one line a minute at most."""

    limits: SendLimits
    _counts: Counter[str] = field(default_factory=Counter)
    _timer: asyncio.TimerHandle | None = None

    def add(self, reason: str) -> None:
        self.limits.dropped(reason)
        self._counts[reason] += 1
        if self._timer is None:
            self._write()

    def _write(self) -> None:
        self._timer = None
        if self._counts:
            logger.warning(
                "connections were closed because their clients took no bytes: %d for %g s, %d to keep unsent answers "
                "below %.4g MiB",
                self._counts[STALLED],
                self.limits.seconds,
                self._counts[UNSENT],
                self.limits.max_bytes / 1024 / 1024,
            )
            self._counts.clear()
            self._timer = asyncio.get_running_loop().call_later(_LOG_SECONDS, self._write)
