"""Clients that ask for pictures and read little of the answers, or nothing."""

import random
import re
import select
import socket
import ssl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from PIL import Image

from tests.support.pictures import encoded
from tests.support.processes import children
from tests.support.servers import Server
from tests.support.waiting import WAIT_SECONDS

_CLOSED = select.POLLRDHUP | select.POLLHUP | select.POLLERR
_RECEIVE_BUFFER = 4096  # so that the server learns of every few bytes that are read
_WIDTH, _HEIGHT = 1900, 1250  # as PNG 7 MB: more than the kernel takes for a client that does not read
# What a storage must offer for the paths of `large`.
FORMATS = ("jpeg", "png", "original")


def draw_noise(directory: Path) -> Path:
    """A directory with `noise.jpg`, which is as large as its pixels, and so are its thumbnails."""
    directory.mkdir()
    # Every sample is a random number, so that no filter of PNG and no compression makes it smaller.
    samples = random.Random(7).randbytes(_WIDTH * _HEIGHT * 3)
    (directory / "noise.jpg").write_bytes(encoded(Image.frombytes("RGB", (_WIDTH, _HEIGHT), samples), "PNG"))
    return directory


TINY = "local/thumbs/40x30/noise.jpg"


def large(number: int = 0, *, storage: str = "local") -> str:
    """The path of a picture of 7 MB, another one for each number. It is not rendered, which would take a second."""
    return f"{storage}/thumbs/x/filters:format(original);version({number})/noise.jpg"


class UnreadingClient:
    """One connection, which reads nothing by itself."""

    def __init__(self, address: "tuple[str, int] | str", *, tls: bool = False) -> None:
        self._socket = socket.socket(socket.AF_UNIX if isinstance(address, str) else socket.AF_INET)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _RECEIVE_BUFFER)
        self._socket.settimeout(WAIT_SECONDS)
        self._socket.connect(address)
        if not isinstance(address, str):
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if tls:
            context = ssl.create_default_context()
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
            self._socket = context.wrap_socket(self._socket)

    def ask(self, path: str, *, version: str = "HTTP/1.1", times: int = 1) -> None:
        self.send(f"GET /{path} {version}\r\nHost: localhost\r\n\r\n".encode() * times)

    def send(self, data: bytes) -> None:
        self._socket.sendall(data)

    def is_closed(self) -> bool:
        """Whether the server has closed the connection. It is known without reading."""
        poll = select.poll()
        poll.register(self._socket, _CLOSED)
        return bool(poll.poll(0))

    def read(self, count: int) -> bytes:
        """Some bytes, at most `count`; none when the connection is closed."""
        return self._socket.recv(count)

    def read_slowly(self, *, seconds: float, count: int, pause: float) -> bytes:
        """What comes while `count` bytes at most are read after each pause."""
        received, end = b"", time.monotonic() + seconds
        while True:
            received += self.read(count)
            time.sleep(pause)
            if time.monotonic() >= end:
                return received

    def read_answer(self, begun: bytes = b"") -> tuple[int, bytes, bytes]:
        """Status, head and body of the next answer, of which `begun` is read already."""
        received = begun
        while b"\r\n\r\n" not in received:
            received += (data := self.read(65536))
            assert data, "the connection was closed within an answer"
        head, _, body = received.partition(b"\r\n\r\n")
        (length,) = re.findall(rb"(?i)\r\ncontent-length: (\d+)", head)
        parts = [body]
        missing = int(length) - len(body)
        while missing > 0:
            parts.append(data := self.read(min(missing, 1 << 20)))
            assert data, "the connection was closed within an answer"
            missing -= len(data)
        return int(head.split(b" ")[1]), head, b"".join(parts)

    def close(self) -> None:
        self._socket.close()


@contextmanager
def unreading(server: Server, count: int) -> Iterator[list[UnreadingClient]]:
    """`count` clients, closed when left."""
    clients = [UnreadingClient(("127.0.0.1", server.port)) for _ in range(count)]
    try:
        yield clients
    finally:
        for client in clients:
            client.close()


def memory_of_workers(server: Server) -> int:
    """The proportional set size of all workers of `server`, a gunicorn, in bytes."""
    return sum(_pss(worker) for worker in children(server.process.pid))


def _pss(pid: int) -> int:
    text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    (kilobytes,) = re.findall(r"^Pss: +(\d+) kB$", text, re.MULTILINE)
    return int(kilobytes) * 1024
