"""The worker that answers hits at once must differ from gunicorn's own in nothing but its speed."""

import contextlib
import os
import re
import signal
import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support import servers
from tests.support.connection import get
from tests.support.processes import children
from tests.support.servers import Server
from tests.support.waiting import WAIT_SECONDS, eventually

HIT = b"/cached/thumbs/90x60/filters:format(webp)/quarters.jpg"
OTHER_HIT = b"/cached/thumbs/60x40/filters:format(png)/quarters.jpg"
MISS = b"/uncached/thumbs/50x50/quarters.jpg"
NOT_FOUND = b"/cached/thumbs/50x50/nothing.jpg"
OUTSIDE = b"/health"
_SILENCE_SECONDS = 0.15
_VARYING = re.compile(rb"(?<=\r\nDate: )[^\r]*|;dur=[0-9.]+")


# ------------------------------------------------------------------------- the same as gunicorn's worker


@dataclass(frozen=True)
class Pair:
    """Our worker and gunicorn's, on the same storages, with the same hits in memory."""

    ours: Server
    gunicorns: Server

    def compare(self, *pieces: bytes, answers: int = 1) -> bytes:
        """Send `pieces` one by one on one connection to each; what comes back must be the same, and is returned.

        What differs, or is less than `answers`, may only be late: the test waits for a busy server.
        """
        ours, theirs = conversations = [_Conversation(server) for server in (self.ours, self.gunicorns)]
        try:
            for number, piece in enumerate(pieces, 1):
                for conversation in conversations:
                    conversation.send(piece)
                wanted = answers if number == len(pieces) else 0
                end = time.monotonic() + WAIT_SECONDS
                while sum(each.listen() for each in conversations) or not (
                    ours.received == theirs.received and ours.received.count(b"HTTP/1.") >= wanted
                ):
                    if time.monotonic() > end:
                        break
        finally:
            for conversation in conversations:
                conversation.close()
        assert ours.received == theirs.received
        assert ours.received.count(b"HTTP/1.") >= answers
        return ours.received


def _one_answer(connection: socket.socket) -> bytes:
    """The next answer on a connection, whole, however long the server takes to begin with it."""
    connection.settimeout(WAIT_SECONDS)
    received = b""
    while b"\r\n\r\n" not in received:
        received += (data := connection.recv(1))
        assert data, "the connection was closed within an answer"
    (length,) = re.findall(rb"(?i)\r\ncontent-length: (\d+)\r\n", received)
    while int(length) > len(received.partition(b"\r\n\r\n")[2]):
        received += (data := connection.recv(65536))
        assert data, "the connection was closed within an answer"
    return received


def _head(connection: socket.socket) -> bytes:
    """The response to a HEAD request."""
    received = b""
    connection.settimeout(30)
    while not received.endswith(b"\r\n\r\n"):
        data = connection.recv(65536)
        assert data
        received += data
    return received


class _Conversation:
    """One connection to a server, and everything that has come back on it."""

    def __init__(self, server: Server) -> None:
        self._connection = socket.create_connection(("127.0.0.1", server.port), timeout=WAIT_SECONDS)
        self._connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._received = b""

    @property
    def received(self) -> bytes:
        return _VARYING.sub(b"", self._received)

    def send(self, piece: bytes) -> None:
        self._connection.settimeout(WAIT_SECONDS)
        with contextlib.suppress(OSError):
            self._connection.sendall(piece)

    def listen(self) -> bool:
        """Take what comes until the server is silent for a while. False when nothing came."""
        before = len(self._received)
        self._connection.settimeout(_SILENCE_SECONDS)
        with contextlib.suppress(TimeoutError, ConnectionError):
            while data := self._connection.recv(65536):
                self._received += data
        return len(self._received) > before

    def close(self) -> None:
        self._connection.close()


@pytest.fixture(scope="module")
def pair(originals: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    local = {"driver": "local", "root": str(originals)}
    memory = {"memory": {"enabled": True, "max_size_mb": 16}, "disk": {"ttl_seconds": 3600}}
    document = {"storages": [{"name": "cached", **local, "cache": memory}, {"name": "uncached", **local}]}
    with contextlib.ExitStack() as stack:
        pair = Pair(
            *(
                stack.enter_context(servers.standalone(document, tmp_path_factory.mktemp("worker"), worker=worker))
                for worker in ("thumbs.server.worker.ThumbsWorker", "asgi")
            )
        )
        for server in (pair.ours, pair.gunicorns):
            for target in (HIT, OTHER_HIT):
                for accept in ("image/webp", ""):
                    server.get(target.decode().removeprefix("/"), headers={"Accept": accept})
        yield pair


CONVERSATIONS: dict[str, list[bytes]] = {
    "a name of its own": [get(HIT, b"X-Request-ID: 1"), get(HIT, b"X-Request-ID: 2", b"Accept: image/webp")],
    "two names of its own": [get(HIT, b"X-Request-ID: 1", b"x-request-id: 2"), get(HIT)],
    "a name that is not one": [get(HIT, b"X-Request-ID : 1"), get(HIT)],
    "a name and a framing": [get(HIT, b"X-Request-ID: 1", b"Content-Length: 4"), get(HIT)],
    "a hit": [get(HIT)],
    "a hit's head": [get(HIT, method=b"HEAD")],
    "several hits on one connection": [get(HIT), get(OTHER_HIT), get(HIT)],
    "a hit, a miss, a hit": [get(HIT), get(MISS), get(HIT)],
    "a miss first": [get(MISS), get(HIT)],
    "an error between hits": [get(HIT), get(NOT_FOUND), get(HIT)],
    "another page between hits": [get(HIT), get(OUTSIDE), get(HIT)],
    "a bad URL between hits": [get(HIT), get(b"/cached/thumbs/0x0/a.jpg"), get(HIT)],
    "a hit and goodbye": [get(HIT, b"Connection: close"), get(HIT)],
    "keep-alive said aloud": [get(HIT, b"Connection: keep-alive"), get(HIT)],
    "HTTP/1.0": [get(HIT, version=b"HTTP/1.0"), get(HIT)],
    "two hits in one piece": [get(HIT) + get(OTHER_HIT), get(HIT)],
    "a hit, then two in one piece": [get(HIT), get(OTHER_HIT) + get(HIT), get(HIT)],
    "a miss and a hit in one piece": [get(MISS) + get(HIT), get(OTHER_HIT)],
    "a hit in two pieces": [get(HIT)[:30], get(HIT)[30:], get(OTHER_HIT)],
    "a hit, then one in two pieces": [get(HIT), get(OTHER_HIT)[:60], get(OTHER_HIT)[60:], get(HIT)],
    "a hit and the beginning of another": [get(HIT) + get(OTHER_HIT)[:40], get(OTHER_HIT)[40:], get(HIT)],
    "a body that looks like a request": [
        get(HIT, b"Content-Length: %d" % len(get(OTHER_HIT)), method=b"POST"),
        get(OTHER_HIT),
        get(HIT),
    ],
    "a body of a GET that looks like a request": [
        get(HIT, b"Content-Length: %d" % len(get(OTHER_HIT))),
        get(OTHER_HIT),
        get(HIT),
    ],
    "chunks that look like requests": [
        get(HIT, b"Transfer-Encoding: chunked", method=b"POST"),
        get(OTHER_HIT),
    ],
    "headers that end later": [get(HIT)[:-2], get(OTHER_HIT)],
    "both framings": [get(HIT, b"Content-Length: 4", b"Transfer-Encoding: chunked"), get(OTHER_HIT)],
    "an expectation": [get(HIT, b"Expect: 100-continue"), get(HIT)],
    "no host": [b"GET " + HIT + b" HTTP/1.1\r\n\r\n", get(HIT)],
    "an empty host": [get(HIT).replace(b"localhost", b""), get(HIT)],
    "a host that is none": [get(HIT).replace(b"localhost", b"user@host"), get(HIT)],
    "a literal host": [get(HIT).replace(b"localhost", b"[::1]:80"), get(HIT)],
    "two hosts": [get(HIT, b"Host: other"), get(HIT)],
    "rubbish": [b"\x16\x03\x01\x02\x00\x01", get(HIT)],
    "rubbish after a hit": [get(HIT), b"\x00\x00", get(HIT)],
    "an empty line before a request": [b"\r\n" + get(HIT), get(HIT)],
    "a fragment": [get(HIT + b"#x"), get(HIT)],
    "a fragment in a query": [get(HIT + b"?a#x"), get(HIT)],
    "absolute form without a path": [get(b"http://localhost?" + HIT), get(HIT)],
    "absolute form with user information": [get(b"http://user@localhost" + HIT), get(HIT)],
    "absolute form": [get(b"http://localhost" + HIT), get(HIT)],
    "a query": [get(HIT + b"?a=1"), get(HIT)],
    "percent-encoded": [get(HIT.replace(b"quarters", b"%71uarters")), get(HIT)],
    "a target over the limit": [get(HIT + b"?" + b"a" * 2048), get(HIT)],
    "revalidation by date": [get(HIT, b"If-Modified-Since: Fri, 31 Dec 2100 00:00:00 GMT"), get(HIT)],
    "revalidation by tags": [get(HIT, b'If-None-Match: "a,b", W/"c"'), get(HIT, b'If-None-Match: "a'), get(HIT)],
    "revalidation by any tag": [get(HIT, b"If-None-Match: *"), get(HIT)],
    "methods": [get(HIT, method=b"OPTIONS"), get(HIT, method=b"DELETE"), get(HIT)],
    "an upgrade to a web socket": [
        get(
            HIT,
            b"Connection: Upgrade",
            b"Upgrade: websocket",
            b"Sec-WebSocket-Version: 13",
            b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
        )
    ],
}


@pytest.mark.parametrize("pieces", CONVERSATIONS.values(), ids=CONVERSATIONS.keys())
def test_a_conversation_is_the_same_as_with_gunicorns_worker(pair: Pair, pieces: list[bytes]) -> None:
    pair.compare(*pieces)


def test_a_web_socket_is_refused_and_nothing_is_raised(pair: Pair) -> None:
    said = pair.compare(*CONVERSATIONS["an upgrade to a web socket"])
    assert said.startswith(b"HTTP/1.1 403 ")
    assert "Traceback" not in pair.ours.log.read_text()


def test_the_conversations_hold_hits(pair: Pair) -> None:
    assert pair.compare(get(HIT), get(OTHER_HIT), answers=2).count(b"X-Cache: HIT") == 2


def test_a_connection_that_is_only_hit_is_closed_when_it_has_been_idle(
    originals: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GUNICORN_CMD_ARGS", "--keep-alive 1")
    memory = {"memory": {"enabled": True, "max_size_mb": 16}}
    document = {"storages": [{"name": "cached", "driver": "local", "root": str(originals), "cache": memory}]}
    with servers.standalone(document, tmp_path, worker="thumbs.server.worker.ThumbsWorker") as server:
        server.get(HIT.decode().removeprefix("/"))
        with socket.create_connection(("127.0.0.1", server.port), timeout=WAIT_SECONDS) as connection:
            for _ in range(3):
                connection.sendall(get(HIT, method=b"HEAD"))
                assert _head(connection).startswith(b"HTTP/1.1 200 OK")
            connection.settimeout(WAIT_SECONDS)
            assert connection.recv(1) == b""


@pytest.mark.parametrize("loop", ["asyncio", "uvloop"])
def test_a_request_that_comes_while_the_worker_is_held_up_is_answered(
    originals: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, loop: str
) -> None:
    monkeypatch.setenv("GUNICORN_CMD_ARGS", f"--keep-alive 5 --asgi-loop {loop}")  # longer than this process is held up
    document = {"storages": [{"name": "cached", "driver": "local", "root": str(originals), "cache": {}}]}
    with servers.standalone(document, tmp_path, worker="thumbs.server.worker.ThumbsWorker") as server:
        server.get(HIT.decode().removeprefix("/"))
        (worker,) = children(server.process.pid)
        with socket.create_connection(("127.0.0.1", server.port), timeout=WAIT_SECONDS) as connection:
            time.sleep(0.2)  # until it is accepted
            os.kill(worker, signal.SIGSTOP)
            connection.sendall(get(HIT, method=b"HEAD"))
            time.sleep(5)
            os.kill(worker, signal.SIGCONT)
            assert _head(connection).startswith(b"HTTP/1.1 200 OK")


_UNFINISHED = {"silent": b"", "line": get(HIT)[:20], "head": get(MISS, b"X: " + b"x" * 100)[:-2]}


@pytest.mark.parametrize("said", _UNFINISHED.values(), ids=_UNFINISHED)
def test_a_client_that_does_not_finish_its_first_request_is_not_waited_for(
    originals: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: bytes
) -> None:
    monkeypatch.setenv("GUNICORN_CMD_ARGS", "--keep-alive 1")
    document = {"storages": [{"name": "cached", "driver": "local", "root": str(originals)}]}
    with (
        servers.standalone(document, tmp_path, worker=servers.OUR_WORKER) as server,
        socket.create_connection(("127.0.0.1", server.port), timeout=0.2) as connection,
    ):
        connection.sendall(said)

        def closed() -> bool:
            with contextlib.suppress(TimeoutError):
                if connection.recv(1) == b"":
                    return True
            if said:  # a byte at a time, for longer than it may take
                with contextlib.suppress(OSError):
                    connection.sendall(b"x")
            return False

        eventually(closed)


def test_an_answer_that_takes_longer_than_idle_connections_live_is_given_over_uwsgi_as_well(
    originals: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GUNICORN_CMD_ARGS", "--keep-alive 1 --protocol uwsgi")
    options = {"location": str(originals), "journal": str(tmp_path / "journal"), "seconds": 2.5}
    storage = {"name": "slow", "driver": "tests.support.slow_storage.SlowStorage", "options": options}
    path = "/slow/thumbs/50x/quarters.jpg"
    fields = {"REQUEST_METHOD": "GET", "REQUEST_URI": path, "PATH_INFO": path, "QUERY_STRING": "", "HTTP_HOST": "h"}
    fields["SERVER_PROTOCOL"] = "HTTP/1.1"
    packed = b"".join(len(text).to_bytes(2, "little") + text.encode() for pair in fields.items() for text in pair)
    with (
        servers.standalone({"storages": [storage]}, tmp_path, worker=servers.OUR_WORKER) as server,
        socket.create_connection(("127.0.0.1", server.port), timeout=WAIT_SECONDS) as connection,
    ):
        connection.sendall(b"\0" + len(packed).to_bytes(2, "little") + b"\0" + packed)
        assert connection.recv(15) == b"HTTP/1.1 200 OK"


@pytest.mark.parametrize("worker", [servers.OUR_WORKER, "asgi"])
def test_no_body_is_waited_for_or_written_down(originals: Path, tmp_path: Path, worker: str) -> None:
    """Django alone spools the body of every request before it looks at the path."""
    document = {"storages": [{"name": "cached", "driver": "local", "root": str(originals)}]}
    with servers.standalone(document, tmp_path, worker=worker) as server:
        for target, status in ((b"/nothing", 404), (b"/health", 200), (MISS, 405)):
            with socket.create_connection(("127.0.0.1", server.port), timeout=WAIT_SECONDS) as connection:
                connection.sendall(get(target, b"Content-Length: 1000000", method=b"POST") + b"0123456789")
                assert connection.recv(12) == b"HTTP/1.1 %d" % status


def test_idle_connections_do_not_keep_a_server_from_stopping(originals: Path, tmp_path: Path) -> None:
    memory = {"memory": {"enabled": True, "max_size_mb": 16}}
    document = {"storages": [{"name": "cached", "driver": "local", "root": str(originals), "cache": memory}]}
    with contextlib.ExitStack() as stack:
        server = stack.enter_context(servers.standalone(document, tmp_path, worker="thumbs.server.worker.ThumbsWorker"))
        idle = [stack.enter_context(socket.create_connection(("127.0.0.1", server.port))) for _ in range(3)]
        idle[0].sendall(get(HIT, method=b"HEAD"))
        assert _head(idle[0]).startswith(b"HTTP/1.1 200 OK")
        idle[1].sendall(get(HIT)[:20])
        server.process.terminate()
        assert server.process.wait(WAIT_SECONDS) == 0
        assert b"SIGKILL" not in server.log.read_bytes()
