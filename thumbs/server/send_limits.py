"""Limits for clients that take no bytes: such a connection is closed, and a process holds only so much for all of them.

What a client has taken is read from the kernel: it counts the bytes that were acknowledged. It takes new bytes from a
process only after a third of its send queue is free, which may be a megabyte, so by those alone a slow client could not
be told from one that does not read. TCP_USER_TIMEOUT is no help: it closes slow clients with a small window as well.
"""

import asyncio
import fcntl
import socket
import struct
import termios
from collections import Counter
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from thumbs.server.drops import STALLED, UNSENT, Drops
from thumbs.wiring.sending import SendLimits

# A larger answer counts as a whole until its end, and is handed in pieces of this size to a transport that copies.
PIECE_BYTES = 256 * 1024
_LOOKS = 8  # in `seconds`
_LONGEST_INTERVAL = 5.0
_BYTES_ACKED = 120  # where tcpi_bytes_acked is in Linux's struct tcp_info
_RESET = struct.pack("ii", 1, 0)  # SO_LINGER: close with RST, and free the kernel's send queue at once


@dataclass(eq=False, slots=True)
class Unsent:
    """What one connection has not sent yet.

    `answer` is the one under way if it is larger than a piece: it stays in memory until its end is written.
    `since` is the loop's time of the last progress, `progress` what the kernel said of it then.
    """

    transport: Any
    answer: bytes = b""
    is_waiting: bool = False
    since: float = 0.0
    progress: int = 0

    def does_transport_copy(self) -> bool:
        """Whether the transport copies what it cannot send at once, as asyncio's does. That of uvloop refers to it."""
        return not type(self.transport).__module__.startswith("uvloop.")

    def buffered(self) -> int:
        """The bytes that the transport holds beside `answer`."""
        size: int = self.transport.get_write_buffer_size()
        return size if self.does_transport_copy() else max(0, size - len(self.answer))

    def look(self, now: float) -> None:
        """Note whether there is something to take, and whether the client has taken bytes since the last look."""
        buffered, queued = self.transport.get_write_buffer_size(), _in_kernel(self.transport)
        taken = _acknowledged(self.transport) if buffered or queued else None
        # Without a count of what was taken, a queue that other bytes fill again looks like one that does not move.
        if not buffered and taken is None:
            self.is_waiting = False
            return
        progress = -buffered - queued if taken is None else taken
        if not self.is_waiting or progress > self.progress:
            self.is_waiting, self.since = True, now
        self.progress = progress


class UnsentAnswers:
    """All open connections of this process. Those that are held have bytes in the process which wait for the client."""

    def __init__(self, limits: SendLimits) -> None:
        self._limits = limits
        self._interval = min(limits.seconds / _LOOKS, _LONGEST_INTERVAL)
        # Over the limit of the process, a connection without progress for this long may be closed.
        self._stalled_seconds = limits.seconds / 4
        self._open: set[Unsent] = set()
        self._held: set[Unsent] = set()
        self._timer: asyncio.TimerHandle | None = None
        self.drops = Drops(limits.dropped)

    def add(self, connection: Unsent) -> None:
        """Watch `connection` from now on."""
        self._open.add(connection)
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(self._interval, self._look)

    def remove(self, connection: Unsent) -> None:
        """Watch `connection` no longer: it is lost."""
        self._open.discard(connection)
        self._held.discard(connection)

    def hold(self, connection: Unsent) -> None:
        """The client has not taken everything that was written: the process holds the rest."""
        connection.look(asyncio.get_running_loop().time())
        self._held.add(connection)

    def release(self, connection: Unsent) -> None:
        """The transport is empty: the client took so much that the kernel has room for the rest."""
        connection.is_waiting = False
        self._held.discard(connection)

    def admit(self, size: int) -> bool:
        """Whether an answer of `size` bytes may be sent. Connections that make no progress are closed for it.

        An answer that is larger than the limit is admitted while at most half of the limit is held.
        """
        limit = self._limits.max_bytes
        if size <= PIECE_BYTES or self._make_room(size if size <= limit else limit // 2):
            return True
        self._limits.refused()
        return False

    def _look(self) -> None:
        now = asyncio.get_running_loop().time()
        for connection in list(self._open):
            connection.look(now)
            if connection.is_waiting and now - connection.since >= self._limits.seconds:
                self._drop(connection, STALLED)
        self._make_room(0)
        self._timer = asyncio.get_running_loop().call_later(self._interval, self._look) if self._open else None

    def _make_room(self, size: int) -> bool:
        """Whether `size` bytes more are within the limit, after closing what makes no progress, longest first."""
        over = _bytes(self._held) + size - self._limits.max_bytes
        if over <= 0:
            return True
        now = asyncio.get_running_loop().time()
        for connection in self._held:
            connection.look(now)
        sharing = Counter(id(connection.answer) for connection in self._held)
        for connection in sorted(self._held, key=lambda each: each.since):
            if over <= 0 or now - connection.since < self._stalled_seconds:
                break
            over -= connection.buffered()
            sharing[id(connection.answer)] -= 1
            if not sharing[id(connection.answer)]:
                over -= len(connection.answer)
            self._drop(connection, UNSENT)
        return over <= 0

    def _drop(self, connection: Unsent, reason: str) -> None:
        self.remove(connection)
        with suppress(OSError, AttributeError):
            connection.transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        connection.transport.abort()
        self.drops.add(reason)


def _bytes(connections: Iterable[Unsent]) -> int:
    """The bytes in memory for `connections`. An answer to several of them is one object, and counts once."""
    answers, buffered = {}, 0
    for connection in connections:
        answers[id(connection.answer)] = len(connection.answer)
        buffered += connection.buffered()
    return buffered + sum(answers.values())


def _in_kernel(transport: Any) -> int:
    """The bytes in the kernel's send queue that the peer has not acknowledged; 0 where the kernel does not say."""
    with suppress(OSError, AttributeError):
        found = fcntl.ioctl(transport.get_extra_info("socket").fileno(), termios.TIOCOUTQ, bytes(4))
        return int(struct.unpack("i", found)[0])
    return 0


def _acknowledged(transport: Any) -> int | None:
    """The bytes that the peer has acknowledged since the connection began; None where the kernel does not say."""
    with suppress(OSError, AttributeError, struct.error):
        found = transport.get_extra_info("socket").getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 128)
        return int(struct.unpack_from("Q", found, _BYTES_ACKED)[0])
    return None
