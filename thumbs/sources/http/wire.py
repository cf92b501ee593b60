"""One connection to an origin: each wait ends by the deadline, and what is received is counted against the picture."""

import select
import socket
import ssl
import time
from collections.abc import Sequence

from thumbs.errors import StorageFailed, StorageTimeout
from thumbs.sources.http.lookup import Candidate
from thumbs.sources.http.networks import address_of
from thumbs.sources.http.url import Origin
from thumbs.sources.reading import Deadline, Interrupted

_RECEIVE = 1 << 16
# Bytes that may frame a response: its headers, and the sizes, extensions and trailers of chunks.
_MOST_FRAMING = 128 * 1024
_LONGEST_LINE = 16 * 1024


class Wire:
    """A connected socket. Set `deadline` before each use; every method raises `StorageTimeout` when it has passed.

    `reused`: it has carried a response before. `payload` is the number of bytes of the picture so far in this response:
    more than 128 KiB and twice that is no picture any more (chunks of one byte, trailers without end), `Interrupted`.
    """

    def __init__(self, sock: socket.socket, deadline: Deadline) -> None:
        self._socket = sock
        self._buffer = b""
        self.born = self.idle_since = time.monotonic()
        self.deadline = deadline
        self.reused = False
        self.received = self.payload = 0

    def send(self, data: bytes) -> None:
        """Send a request; the next response begins."""
        self.received = self.payload = 0
        try:
            self._socket.settimeout(self.deadline.left())
            self._socket.sendall(data)
        except TimeoutError as error:
            raise StorageTimeout from error
        except (OSError, ValueError) as error:
            raise Interrupted from error

    def receive(self, most: int) -> bytes:
        """At least one byte and at most `most`; none at the end of the connection."""
        if not self._buffer:
            self._fill(most)
        data, self._buffer = self._buffer[:most], self._buffer[most:]
        return data

    def readline(self, limit: int = -1) -> bytes:
        """A line with its end, or `limit` bytes; shorter at the end of the connection.

        Raises `Interrupted` for a line of more than 16 KiB.
        """
        most = _LONGEST_LINE if limit < 0 else min(limit, _LONGEST_LINE)
        while (end := self._buffer.find(b"\n", 0, most) + 1) == 0 and len(self._buffer) < most:
            before, self._buffer = self._buffer, b""
            self._fill(_RECEIVE)
            if not self._buffer:
                return before
            self._buffer = before + self._buffer
        if not end and most == _LONGEST_LINE:
            raise Interrupted
        end = end or most
        line, self._buffer = self._buffer[:end], self._buffer[end:]
        return line

    @property
    def is_quiet(self) -> bool:
        """Whether an idle connection is open and has nothing to read: an answer to no request would be the next one."""
        if self._buffer or self._socket.fileno() < 0:
            return False
        poll = select.poll()
        poll.register(self._socket, select.POLLIN | select.POLLHUP | select.POLLERR)
        pending = isinstance(self._socket, ssl.SSLSocket) and self._socket.pending()
        return not pending and not poll.poll(0)

    def close(self) -> None:
        self._socket.close()

    def _fill(self, most: int) -> None:
        try:
            self._socket.settimeout(self.deadline.left())
            self._buffer = self._socket.recv(max(most, _RECEIVE))
        except TimeoutError as error:
            raise StorageTimeout from error
        except (OSError, ValueError) as error:  # also a TLS connection that ends without its proper end
            raise Interrupted from error
        self.received += len(self._buffer)
        if self.received - len(self._buffer) > _MOST_FRAMING + 2 * self.payload:
            raise Interrupted


def connect(
    origin: Origin, candidates: Sequence[Candidate], context: ssl.SSLContext | None, *, deadline: Deadline
) -> Wire:
    """A connection to the first of `candidates` that accepts one, each with its share of the time.

    With `context`, TLS by the name of the origin. Raises `Interrupted` and `StorageTimeout`.
    """
    failure: StorageFailed | StorageTimeout = Interrupted()
    for number, candidate in enumerate(candidates):
        own = deadline.within(deadline.left() / (len(candidates) - number))
        try:
            return Wire(_connected(origin, candidate, context, own), own)
        except TimeoutError as error:
            failure = StorageTimeout()
            failure.__cause__ = error
        except (StorageFailed, StorageTimeout) as error:
            failure = error
        except OSError as error:
            failure = Interrupted()
            failure.__cause__ = error
    raise failure


def _connected(
    origin: Origin, candidate: Candidate, context: ssl.SSLContext | None, deadline: Deadline
) -> socket.socket:
    sock = socket.socket(candidate.family, socket.SOCK_STREAM)
    try:
        sock.settimeout(deadline.left())
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.connect(candidate.sockaddr)
        if address_of(sock.getpeername()[0]) != address_of(candidate.sockaddr[0]):
            raise Interrupted
        if context is None:
            return sock
        sock.settimeout(deadline.left())
        return context.wrap_socket(sock, server_hostname=origin.host, suppress_ragged_eofs=False)
    except BaseException:
        sock.close()
        raise
