"""An origin on loopback that answers each target with bytes of the test's choice, right or wrong."""

import socket
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

from tests.support.waiting import WAIT_SECONDS
from thumbs.sources.http.lookup import Row
from thumbs.sources.http.settings import HttpSettings
from thumbs.sources.http.source import HttpSource

MAX_BYTES = 1 << 20
LOOPBACK = ("127.0.0.0/8",)
_made: list[HttpSource] = []


@dataclass(frozen=True)
class Received:
    """A request as the origin got it. Names of fields are in lower case; of several lines, the last counts."""

    target: str
    fields: Mapping[str, str]
    connection: int

    @classmethod
    def of(cls, head: bytes, connection: int) -> "Received":
        line, *lines = head.decode("latin-1").split("\r\n")
        fields = {name.lower(): value.strip() for name, _, value in (each.partition(":") for each in lines)}
        return cls(line.split(" ")[1], fields, connection)


# Writes to the connection. Returns whether the connection stays open.
Behavior = Callable[[socket.socket, Received], bool]


def response(body: bytes = b"", status: str = "200 OK", **fields: str) -> bytes:
    """A response with a length. Underscores in names of fields stand for hyphens."""
    lines = [f"HTTP/1.1 {status}", *(f"{name.replace('_', '-')}: {value}" for name, value in fields.items())]
    return "\r\n".join([*lines, f"Content-Length: {len(body)}", "", ""]).encode("latin-1") + body


def redirect(location: str, status: str = "302 Found") -> bytes:
    return response(b"elsewhere", status, Location=location)


@dataclass
class Origin:
    """The server. `answers` maps targets to a whole response, or to what writes one. Other targets are 404."""

    port: int
    answers: dict[str, bytes | Behavior] = field(default_factory=dict)
    requests: list[Received] = field(default_factory=list)
    connections: int = 0

    @property
    def targets(self) -> list[str]:
        return [request.target for request in self.requests]

    def answer(self, connection: socket.socket, request: Received) -> bool:
        found = self.answers.get(request.target, response(b"none", "404 Not Found"))
        if isinstance(found, bytes):
            connection.sendall(found)
            return True
        return found(connection, request)


def _serve(origin: Origin, connection: socket.socket, number: int) -> None:
    """Answer requests until the client or a behavior ends the connection."""
    buffer = b""
    while True:
        while b"\r\n\r\n" not in buffer:
            more = connection.recv(1 << 16)
            if not more:
                return
            buffer += more
        head, _, buffer = buffer.partition(b"\r\n\r\n")
        request = Received.of(head, number)
        origin.requests.append(request)
        if not origin.answer(connection, request):
            return


@contextmanager
def running_origin(context: ssl.SSLContext | None = None, host: str = "127.0.0.1") -> Iterator[Origin]:
    """An origin on a free port, with TLS if there is a context."""
    listener = socket.create_server((host, 0))
    origin = Origin(listener.getsockname()[1])
    opened: list[socket.socket] = []

    def serve(raw: socket.socket, number: int) -> None:
        connection = raw
        with suppress(OSError, ValueError, IndexError):
            if context is not None:
                connection = context.wrap_socket(raw, server_side=True)
                opened.append(connection)
            _serve(origin, connection, number)
            if isinstance(connection, ssl.SSLSocket):
                connection.unwrap()  # the end of TLS is announced by a message of its own
        connection.close()

    def accept() -> None:
        with suppress(OSError):
            while True:
                raw, _ = listener.accept()
                raw.settimeout(WAIT_SECONDS)
                origin.connections += 1
                opened.append(raw)
                threading.Thread(target=serve, args=(raw, origin.connections), daemon=True).start()

    thread = threading.Thread(target=accept, daemon=True)
    thread.start()
    try:
        yield origin
    finally:
        with suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        for each in opened:
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()
        thread.join(WAIT_SECONDS)


class Names:
    """A resolver of the test: addresses by name, which may change with each look-up."""

    def __init__(self, **addresses: str | list[str]) -> None:
        self.addresses: dict[str, list[list[str]]] = {}
        self.asked: list[str] = []
        for name, found in addresses.items():
            self.set(name.replace("_", "."), [found] if isinstance(found, str) else found)

    def set(self, name: str, *answers: list[str]) -> None:
        """The answers to look-ups of `name`, one after the other; the last one stays."""
        self.addresses[name] = list(answers)

    def __call__(self, host: str, port: int) -> list[Row]:
        self.asked.append(host)
        with suppress(OSError):
            socket.inet_aton(host)
            return socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        answers = self.addresses.get(host)
        if answers is None:
            raise socket.gaierror(socket.EAI_NONAME, "no such name")
        found = answers.pop(0) if len(answers) > 1 else answers[0]
        return [
            (socket.AF_INET6, socket.SOCK_STREAM, 6, "", (address, port, 0, 0))
            if ":" in address
            else (socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))
            for address in found
        ]


def source_of(settings: HttpSettings, names: Names | None = None, *, deadline: float = WAIT_SECONDS) -> HttpSource:
    """A source that may read from loopback if the settings say so. `close_sources` closes it."""
    source = HttpSource(settings, max_bytes=MAX_BYTES, deadline=deadline, resolve=names or Names())
    _made.append(source)
    return source


def close_sources() -> None:
    """Close the connections of all sources that `source_of` has made."""
    while _made:
        _made.pop().close()
