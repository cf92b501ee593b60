"""A small object store on a loopback socket that misbehaves as the names in its bucket say.

`/bucket/drip/cat.jpg` is sent a byte at a time, and so is all of a bucket called `drip`; `/bucket/cat.jpg` is as it
should be. Nothing outlives the `with` block.
"""

import contextlib
import http.client
import socket
import ssl
import threading
from collections.abc import Callable
from typing import BinaryIO, Self

from tests.support.faults import FAULTS, Exchange, explained, good
from tests.support.waiting import WAIT_SECONDS


class MisbehavingStore:
    """`url` is the endpoint; `body` what a good object holds; `connections`, `targets` and `sent` are what came so far.

    `sent` are the bodies of the requests that have one. `answered` counts the requests for which the store has sent all
    that it will.
    """

    def __init__(self, *, body: bytes = bytes(range(256)) * 80, tls: ssl.SSLContext | None = None) -> None:
        self.body = body
        self.connections = 0
        self.answered = 0
        self.targets: list[str] = []
        self.sent: list[bytes] = []
        self._tls = tls
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._wires: set[socket.socket] = set()
        self._threads: list[threading.Thread] = []
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=256)
        self.port: int = self._listener.getsockname()[1]
        self.url = f"{'https' if tls else 'http'}://127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        self._start(self._accept)
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        with self._lock:
            wires = list(self._wires)
        for wire in wires:
            with contextlib.suppress(OSError):
                wire.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(WAIT_SECONDS)

    def open_connections(self) -> int:
        with self._lock:
            return len(self._wires)

    def _start(self, target: Callable[..., None], *arguments: object) -> None:
        thread = threading.Thread(target=target, args=arguments, daemon=True, name="misbehaving")
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while not self._stop.is_set():
            try:
                wire, _ = self._listener.accept()
            except OSError:
                return
            wire.settimeout(WAIT_SECONDS)
            wire.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with self._lock:
                self.connections += 1
                self._wires.add(wire)
            self._start(self._serve, wire)

    def _serve(self, wire: socket.socket) -> None:
        served = wire
        try:
            if self._tls:
                served = self._tls.wrap_socket(wire, server_side=True)
                with self._lock:
                    self._wires.discard(wire)
                    self._wires.add(served)
            with served.makefile("rb") as requests:
                while self._answer(served, requests):
                    pass
        except OSError:
            pass
        finally:
            with self._lock:
                self._wires.discard(served)
            served.close()

    def _answer(self, wire: socket.socket, requests: BinaryIO) -> bool:
        line = requests.readline()
        headers = http.client.parse_headers(requests)
        if not line:
            return False
        method, target, _ = line.decode("latin-1").split(" ", 2)
        length = int(headers.get("Content-Length", "0"))
        sent = requests.read(length)
        if len(sent) < length:
            return False
        with self._lock:
            self.targets.append(target)
            if length:
                self.sent.append(sent)
            ordinal = self.targets.count(target)
        segments = target.partition("?")[0].split("/")[1:3]
        fault = next((FAULTS[segment] for segment in segments if segment in FAULTS), good)
        if method == "CONNECT":
            fault = explained("405 Method Not Allowed", "MethodNotAllowed")
        goes_on = fault(Exchange(wire, method, target, self.body, self._stop, ordinal))
        with self._lock:
            self.answered += 1
        return goes_on


class Tunnel:
    """A forward proxy on a loopback socket that knows only CONNECT, for one connection. `asked` is what it was sent."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(WAIT_SECONDS)

    def _serve(self) -> None:
        try:
            near, _ = self._listener.accept()
        except OSError:
            return
        with near, near.makefile("rb", buffering=0) as lines:
            self.asked = [line.decode("ascii").strip() for line in iter(lines.readline, b"\r\n")]
            host, _, port = self.asked[0].split(" ")[1].rpartition(":")
            with socket.create_connection((host, int(port)), timeout=WAIT_SECONDS) as far:
                near.sendall(b"HTTP/1.1 200 Connection established\r\nX-Proxy: ours\r\n\r\n")
                back = threading.Thread(target=_pump, args=(far, near), daemon=True)
                back.start()
                _pump(near, far)
                back.join(WAIT_SECONDS)


def _pump(source: socket.socket, sink: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            sink.sendall(data)
    with contextlib.suppress(OSError):
        sink.shutdown(socket.SHUT_WR)
