"""Connections of urllib3 on which all waits end by one deadline.

urllib3's own timeout bounds each receive separately: a server that sends a byte a second is never timed out.
"""

import http.client
import io
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, cast

from urllib3 import HTTPConnectionPool, HTTPResponse, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.util.connection import create_connection

from thumbs.errors import StorageTimeout
from thumbs.sources.reading import Deadline, Interrupted

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

_DEADLINE: ContextVar[Deadline] = ContextVar("deadline")


class Stale(Interrupted):
    """A connection that was kept idle broke before its response."""


@contextmanager
def bounded(deadline: Deadline) -> Iterator[None]:
    """All waits of this thread on these connections end by `deadline`. Raises `StorageTimeout`."""
    outer = _DEADLINE.set(deadline)
    try:
        yield
    except TimeoutError as error:
        raise StorageTimeout from error
    finally:
        _DEADLINE.reset(outer)


def seconds_left() -> float:
    """The seconds until the deadline of this thread. Raises `StorageTimeout` when it has passed."""
    return _DEADLINE.get().left()


class _Received(io.RawIOBase):
    """The bytes received on a socket, plain or TLS. Each receive ends by the deadline that is then in force."""

    def __init__(self, wire: socket.socket, file: io.RawIOBase) -> None:
        self._wire = wire
        self._file = file

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "WriteableBuffer") -> int | None:
        self._wire.settimeout(seconds_left())
        try:
            length = self._file.readinto(buffer)
        except TimeoutError as error:
            raise StorageTimeout from error
        # The TLS handshake after a proxy's response uses this timeout.
        self._wire.settimeout(seconds_left())
        return length

    def close(self) -> None:
        self._file.close()
        super().close()


class _TimedResponse(http.client.HTTPResponse):
    def __init__(self, sock: socket.socket, debuglevel: int = 0, method: str | None = None, url: str | None = None):
        super().__init__(sock, debuglevel, method, url)
        self.fp = io.BufferedReader(_Received(sock, self.fp.detach()))


class PlainConnection(HTTPConnection):
    """`timeout` bounds a whole connect, and then the wait for all headers of a response."""

    response_class = _TimedResponse
    # The time of the last response on the monotonic clock; 0 before the first one since the connect.
    answered = 0.0

    def connect(self) -> None:
        self.answered = 0.0
        with bounded(_DEADLINE.get().within(self.timeout or 0)):
            super().connect()

    def getresponse(self) -> HTTPResponse:  # type: ignore[override]  # urllib3's is not http.client's either
        try:
            with bounded(_DEADLINE.get().within(self.timeout or 0)):
                response = super().getresponse()
        except (OSError, http.client.HTTPException) as error:
            if self.answered:
                raise Stale from error
            raise
        self.answered = time.monotonic()
        return response

    def _new_conn(self) -> socket.socket:
        """Try the addresses in turn. Each has its share of the time, so that all are tried if one hangs.

        The system's resolver looks up the name. It cannot be interrupted, and has timeouts of its own.
        """
        addresses = socket.getaddrinfo(self._dns_host, self.port, type=socket.SOCK_STREAM)
        while True:
            share = seconds_left() / len(addresses)
            address = cast(tuple[str, int], addresses.pop(0)[4][:2])
            try:
                wire = create_connection(address, share, socket_options=self.socket_options)
            except OSError:
                if not addresses:
                    raise
            else:
                try:
                    wire.settimeout(seconds_left())
                except StorageTimeout:  # just now: nothing else would close it
                    wire.close()
                    raise
                return wire


class SecureConnection(PlainConnection, HTTPSConnection):
    """The same over TLS, and through a proxy's tunnel."""


class PlainPool(HTTPConnectionPool):
    ConnectionCls = PlainConnection


class SecurePool(HTTPSConnectionPool):
    ConnectionCls = SecureConnection
