"""One connection to `ThumbsProtocol` in the test's own event loop, without a socket or a server."""

import asyncio
import sys
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from types import SimpleNamespace

from gunicorn.config import Config
from gunicorn.glogging import Logger

from thumbs.server.protocol import ThumbsProtocol


class Transport(asyncio.Transport):
    """Keeps what is written to it."""

    def __init__(self) -> None:
        super().__init__({"peername": ("127.0.0.1", 1), "sockname": ("127.0.0.1", 2)})
        self.written = b""

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.written += data

    def writelines(self, list_of_data: Iterable[bytes | bytearray | memoryview]) -> None:
        for data in list_of_data:
            self.write(data)

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        pass

    def get_write_buffer_size(self) -> int:
        return 0

    def close(self) -> None:
        pass

    def is_closing(self) -> bool:
        return False


@asynccontextmanager
async def connected(front: object, **settings: object) -> AsyncIterator[tuple[ThumbsProtocol, Transport]]:
    """A connection to a worker that serves `front`, with default settings except for `settings`."""
    config = Config()
    for name, value in settings.items():
        config.set(name, value)
    worker = SimpleNamespace(cfg=config, log=Logger(config), loop=asyncio.get_running_loop(), asgi=front)
    vars(worker).update(nr=0, nr_conns=0, alive=True, max_requests=sys.maxsize, state={})
    vars(worker).update(stopping=False, limit=sys.maxsize)
    protocol, transport = ThumbsProtocol(worker), Transport()
    protocol.connection_made(transport)
    yield protocol, transport
    protocol.connection_lost(None)


async def unreachable(*_: object) -> None:
    """The application behind a front that must answer every request itself."""
    raise AssertionError("the application was called")


async def until(condition: Callable[[], bool]) -> None:
    """Return as soon as `condition` holds; fail when it never does."""
    async with asyncio.timeout(30):
        while not condition():
            await asyncio.sleep(0)


def get(target: bytes, *fields: bytes, method: bytes = b"GET", version: bytes = b"HTTP/1.1") -> bytes:
    """The bytes of a request."""
    return b"\r\n".join((method + b" " + target + b" " + version, b"Host: localhost", *fields, b"", b""))
