"""A worker that stops loses no connection that it has accepted and whose TLS handshake is not over."""

import signal
import socket
import ssl
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support import copies, servers
from tests.support.authority import Authority
from tests.support.commands import environ_with, local_storage
from tests.support.hasty_clients import clients
from tests.support.processes import workers_of
from tests.support.waiting import WAIT_SECONDS, eventually

PICTURE = "photos/thumbs/90x60/quarters.jpg"
# Without it, clients take the processors from the workers that start, which is most of a reload. A handshake takes long
# enough that some are under way at each moment.
FRESH_PAUSE = 0.005
LOOPS = pytest.mark.parametrize("loop", ["uvloop", "asyncio"])


@dataclass(frozen=True)
class Secure:
    """A `run_thumb_server` with TLS, and what a client needs to trust it."""

    process: copies.Process
    port: int
    log: Path
    context: ssl.SSLContext


@contextmanager
def secure(directory: Path, originals: Path, loop: str, *, workers: int) -> Iterator[Secure]:
    authority = Authority(directory)
    certificate, key = authority.issue("127.0.0.1")
    memory = {"enabled": True, "max_size_mb": 16}
    environ = environ_with(directory, [local_storage("photos", originals, memory=memory)])
    port, log = servers.free_port(), directory / "log"
    command = [sys.executable, "manage.py", "run_thumb_server", "--bind", f"127.0.0.1:{port}"]
    command += ["--workers", str(workers), "--no-janitor"]
    command += ["--", "--asgi-loop", loop, "--certfile", certificate, "--keyfile", key]
    with servers.running(command, log=log, environ=environ) as process:
        servers.wait_for_port(port, process, log)
        eventually(lambda: len(workers_of(process.pid)) == workers)
        yield Secure(process, port, log, ssl.create_default_context(cafile=authority.file))


class Handshake:
    """A TLS handshake that is sent as far as a test wants."""

    def __init__(self, server: Secure) -> None:
        self._received, self._sent = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = server.context.wrap_bio(self._received, self._sent, server_hostname="127.0.0.1")
        self._socket = socket.create_connection(("127.0.0.1", server.port), timeout=WAIT_SECONDS)
        with pytest.raises(ssl.SSLWantReadError):
            self._tls.do_handshake()
        self._hello = self._sent.read()

    def begin(self, share: float) -> None:
        """Send this share of the first message."""
        count = int(len(self._hello) * share)
        self._socket.sendall(self._hello[:count])
        self._hello = self._hello[count:]

    def answer_to(self, request: bytes) -> bytes:
        """Finish the handshake, send the request, and read until the server closes the connection."""
        self.begin(1)
        self._call(self._tls.do_handshake)
        self._tls.write(request)
        answer = b""
        while more := self._call(lambda: self._tls.read(65536)):
            answer += more
        self._socket.close()
        return answer

    def _call(self, call: Callable[[], bytes | None]) -> bytes | None:
        """Repeat `call` until it needs no more bytes of the server; nothing where the server has closed."""
        while True:
            try:
                return call()
            except ssl.SSLWantReadError:
                if self._sent.pending:
                    self._socket.sendall(self._sent.read())
                more = self._socket.recv(65536)
                if not more:
                    assert self._tls.version(), "closed during the handshake"
                    return b""
                self._received.write(more)
            except ssl.SSLZeroReturnError:
                return b""
            finally:
                if self._sent.pending:
                    self._socket.sendall(self._sent.read())


@LOOPS
@pytest.mark.parametrize("share", [0.0, 0.5], ids=["nothing sent", "half a message sent"])
def test_a_client_that_is_in_its_handshake_is_answered(
    originals: Path, tmp_path: Path, loop: str, share: float
) -> None:
    with secure(tmp_path, originals, loop, workers=1) as server:
        (worker,) = workers_of(server.process.pid)
        slow = Handshake(server)
        slow.begin(share)
        later = Handshake(server)  # accepted after it, and answered
        assert b" 200 " in later.answer_to(b"GET /health HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        server.process.send_signal(signal.SIGHUP)
        eventually(
            lambda: "No new connections" in server.log.read_text() or worker not in workers_of(server.process.pid)
        )
        answer = slow.answer_to(f"GET /{PICTURE} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        assert answer.startswith(b"HTTP/1.1 200 ")
        assert b"\r\nconnection: close\r\n" in answer.lower()
        eventually(lambda: worker not in workers_of(server.process.pid))


@LOOPS
def test_reloads_under_load_lose_no_request(originals: Path, tmp_path: Path, loop: str) -> None:
    with secure(tmp_path, originals, loop, workers=2) as server:
        with clients(
            server.port, PICTURE, fresh=4, kept=2, pause=0.02, fresh_pause=FRESH_PAUSE, context=server.context
        ) as tally:
            for _ in range(3):
                before = workers_of(server.process.pid)
                server.process.send_signal(signal.SIGHUP)
                eventually(lambda before=before: not before & workers_of(server.process.pid))  # type: ignore[misc]
        assert tally.lost == []
        assert set(tally.answers) == {200}
