"""One connection to an origin: each wait ends by the deadline, and what is received is counted against the picture."""

import io
import select
import socket
import ssl
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, TypeVar

from thumbs.errors import StorageFailed, StorageTimeout
from thumbs.sources.http.lookup import Candidate
from thumbs.sources.http.networks import address_of
from thumbs.sources.http.url import Origin
from thumbs.sources.reading import Deadline, Interrupted

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

A = TypeVar("A")
T = TypeVar("T")

_RECEIVE = 1 << 16
# Bytes that may frame a response: its headers, and the sizes, extensions and trailers of chunks.
_MOST_FRAMING = 128 * 1024
_LONGEST_LINE = 16 * 1024
# Lines and receives of a response: each costs the same CPU time, however few bytes it has.
_MOST_STEPS, _BYTES_PER_STEP = 1 << 16, 256


class Wire:
    """A connected socket. Set `deadline` before each use; every method raises `StorageTimeout` when it has passed.

    `reused`: it has carried a response before. `payload` is the number of bytes of the picture so far in this response:
    more than 128 KiB and twice that is no picture any more (chunks of one byte, trailers without end), `Interrupted`.
    So are more than 65,536 lines and receives and one for each 256 bytes (small chunks, packets of one byte).
    """

    def __init__(self, sock: socket.socket, deadline: Deadline) -> None:
        self._socket = sock
        self._buffer, self._at = b"", 0  # what is before `_at` has been given out
        self.born = self.idle_since = time.monotonic()
        self.deadline = deadline
        self.reused = False
        self.received = self.payload = self._steps = 0

    def send(self, data: bytes) -> None:
        """Send a request; the next response begins."""
        self.received = self.payload = self._steps = 0
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
        return self._give(self._at + most)

    def read(self, size: int) -> bytes:
        """`size` bytes of the picture, in one piece that is never copied; fewer at the end of the connection."""
        # With a buffer of one byte, it reads nothing ahead.
        return io.BufferedReader(_Rest(self), 1).read(size)

    def read_into(self, view: memoryview) -> int:
        """Fill the beginning of `view` with bytes of the picture; 0 at the end of the connection."""
        if self._buffer:
            data = self._give(self._at + len(view))
            view[: len(data)] = data
            size = len(data)
        else:
            size = self._received(self._socket.recv_into, view)
            self.received += size
        self.payload += size
        return size

    def lines(self) -> bytes:
        """Lines up to an empty one, with it. Nothing where they are not received yet, longer than 16 KiB or not plain.

        Plain lines end with CRLF, and have no other carriage return.
        """
        if self._buffer.startswith(b"\r\n", self._at):  # else an empty line of the body would be found
            return self._give(self._at + 2)
        end = self._buffer.find(b"\r\n\r\n", self._at, self._at + _LONGEST_LINE) + 4
        if end < 4:
            return b""
        block = self._buffer[self._at : end]
        count = block.count(b"\r\n")
        if block.count(b"\n") != count or block.count(b"\r") != count:
            return b""
        self._step(count)
        return self._give(end)

    def readline(self, limit: int = -1) -> bytes:
        """A line with its end, or `limit` bytes; shorter at the end of the connection.

        Raises `Interrupted` for a line of more than 16 KiB.
        """
        self._step()
        most = _LONGEST_LINE if limit < 0 else min(limit, _LONGEST_LINE)
        while True:
            end = self._buffer.find(b"\n", self._at, self._at + most) + 1
            if end or len(self._buffer) - self._at >= most:
                break
            before = self._buffer[self._at :]
            self._fill(_RECEIVE)
            if not self._buffer:
                return before
            self._buffer = before + self._buffer
        if not end and most == _LONGEST_LINE:
            raise Interrupted
        return self._give(end or self._at + most)

    def _give(self, end: int) -> bytes:
        """The bytes before `end`. An empty buffer is dropped: an idle connection keeps nothing of a picture."""
        data = self._buffer[self._at : end]
        self._at += len(data)
        if self._at == len(self._buffer):
            self._buffer, self._at = b"", 0
        return data

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

    def _step(self, count: int = 1) -> None:
        self._steps += count
        if self._steps > _MOST_STEPS + self.payload // _BYTES_PER_STEP:
            raise Interrupted

    def _fill(self, most: int) -> None:
        self._buffer, self._at = self._received(self._socket.recv, max(most, _RECEIVE)), 0
        self.received += len(self._buffer)
        if self.received - len(self._buffer) > _MOST_FRAMING + 2 * self.payload:
            raise Interrupted

    def _received(self, receive: Callable[[A], T], argument: A) -> T:
        """What a method of the socket returns by the deadline."""
        self._step()
        try:
            self._socket.settimeout(self.deadline.left())
            return receive(argument)
        except TimeoutError as error:
            raise StorageTimeout from error
        except (OSError, ValueError) as error:  # also a TLS connection that ends without its proper end
            raise Interrupted from error


class _Rest(io.RawIOBase):
    """What a connection still brings, as `io.BufferedReader` wants it."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "WriteableBuffer") -> int:
        return self._wire.read_into(memoryview(buffer))


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
