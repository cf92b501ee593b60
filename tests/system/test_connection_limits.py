"""The bare server's limits of headers, bodies and idle connections: the table in docs/deployment.md, row by row."""

import contextlib
import re
import resource
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from gunicorn.config import Config

from tests.support import servers
from tests.support.connection import get
from tests.support.processes import children
from tests.support.prometheus import samples
from tests.support.servers import OUR_WORKER, ROOT, Server, eventually
from tests.support.unread import unreading
from tests.support.waiting import WAIT_SECONDS

PATH = "cached/thumbs/90x60/filters:format(webp)/quarters.jpg"
TARGET = f"/{PATH}".encode()
START = b"GET " + TARGET + b" HTTP/1.1\r\nHost: localhost\r\n"


@pytest.fixture
def document(originals: Path) -> dict[str, object]:
    memory = {"memory": {"enabled": True, "max_size_mb": 16}}
    return {"storages": [{"name": "cached", "driver": "local", "root": str(originals), "cache": memory}]}


@pytest.fixture(scope="module")
def server(originals: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    document = {"storages": [{"name": "cached", "driver": "local", "root": str(originals)}]}
    with servers.standalone(document, tmp_path_factory.mktemp("limits"), worker=OUR_WORKER) as server:
        yield server


@contextlib.contextmanager
def connected(server: Server) -> Iterator[socket.socket]:
    with socket.create_connection(("127.0.0.1", server.port), timeout=WAIT_SECONDS) as connection:
        yield connection


def sent_for_ever(connection: socket.socket, begin: bytes, piece: bytes) -> bytes:
    """What is answered to a client that sends `piece` again and again until the server closes the connection."""
    received = b""
    connection.settimeout(0.01)
    with contextlib.suppress(ConnectionError):
        connection.sendall(begin)
        for _ in range(2_000):
            with contextlib.suppress(TimeoutError):
                connection.sendall(piece)
            with contextlib.suppress(TimeoutError):
                data = connection.recv(65536)
                if not data:
                    return received
                received += data
        raise AssertionError("the server took all of it")
    return received


@pytest.mark.parametrize(
    ("begin", "piece", "status"),
    [
        (b"GET /", b"a" * 1000, b"414"),
        (START + b"X: ", b"a" * 1000, b"431"),
        (START, b"X: a\r\n" * 50, b"431"),
        (b"", b"a" * 1000, b"4"),
    ],
    ids=["request line", "field", "fields", "garbage"],
)
def test_a_header_without_an_end_is_refused(server: Server, begin: bytes, piece: bytes, status: bytes) -> None:
    with connected(server) as connection:
        received = sent_for_ever(connection, begin, piece)
    # A client that still sends may lose the answer to the reset (RFC 9112, 9.6).
    assert received == b"" or received.startswith(b"HTTP/1.1 " + status)
    assert server.get(PATH).status == 200


@pytest.mark.parametrize(
    ("begin", "piece"),
    [
        (START + b"Content-Length: 1000000000000\r\n\r\n", b"a" * 10_000),
        (START + b"Transfer-Encoding: chunked\r\n\r\n", b"a\r\n0123456789\r\n" * 1000),
        (START.replace(b"GET", b"POST") + b"Transfer-Encoding: chunked\r\n\r\n", b"a\r\n0123456789\r\n" * 1000),
        (START.replace(TARGET, b"/health") + b"Content-Length: 1000000000000\r\n\r\n", b"a" * 10_000),
    ],
    ids=["length", "chunked", "POST", "another page"],
)
def test_a_body_without_an_end_is_not_read_to_its_end(server: Server, begin: bytes, piece: bytes) -> None:
    with connected(server) as connection:
        sent_for_ever(connection, begin, piece)
    assert server.get(PATH).status == 200


@pytest.mark.parametrize("first", [b"", get(TARGET)], ids=["first request", "later request"])
def test_a_header_that_comes_a_byte_at_a_time_has_the_time_of_an_idle_connection(
    document: dict[str, object], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, first: bytes
) -> None:
    monkeypatch.setenv("GUNICORN_CMD_ARGS", "--keep-alive 1")
    with servers.standalone(document, tmp_path, worker=OUR_WORKER) as server:
        assert server.get(PATH).status == 200
        with connected(server) as connection:
            received = sent_for_ever(connection, first + START + b"X: ", b"a")
        assert received.count(b"HTTP/1.1 200") == bool(first)


def test_idle_connections_beyond_the_limit_are_closed_and_new_ones_are_served(
    document: dict[str, object], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With gunicorn's own limit."""
    (tmp_path / "metrics").mkdir()
    monkeypatch.setenv("GUNICORN_CMD_ARGS", "--keep-alive 600")
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", str(tmp_path / "metrics"))
    document = {**document, "metrics": True}
    with servers.standalone(document, tmp_path, worker=OUR_WORKER) as server, unreading(server, 1010) as clients:
        assert server.get(PATH).status == 200
        eventually(lambda: sum(client.is_closed() for client in clients) >= 10)
        assert sum(client.is_closed() for client in clients) < 100
        clients[-1].ask(PATH)
        assert clients[-1].read_answer()[0] == 200
        counted = samples(server.get("metrics").body.decode(), "mage_connections_dropped_total")
        assert counted["crowded",] >= 10
        assert server.log.read_text().count("connections were closed: ") == 1


def test_a_connection_with_a_request_is_not_closed_for_new_ones(
    originals: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GUNICORN_CMD_ARGS", "--worker-connections 2")
    options = {"location": str(originals), "journal": str(tmp_path / "journal"), "seconds": 2}
    storage = {"name": "slow", "driver": "tests.support.slow_storage.SlowStorage", "options": options}
    with (
        servers.standalone({"storages": [storage]}, tmp_path, worker=OUR_WORKER) as server,
        unreading(server, 2) as busy,
    ):
        for client in busy:
            client.ask("slow/thumbs/50x/quarters.jpg")
        with unreading(server, 4) as others:
            eventually(lambda: all(client.is_closed() for client in others))
        assert [client.read_answer()[0] for client in busy] == [200, 200]


def test_a_process_that_may_open_few_files_keeps_fewer_connections(document: dict[str, object], tmp_path: Path) -> None:
    with servers.standalone(document, tmp_path, worker=OUR_WORKER) as server:
        assert server.get(PATH).status == 200
        for worker in children(server.process.pid):
            resource.prlimit(worker, resource.RLIMIT_NOFILE, (200, 200))
        with unreading(server, 300) as clients:
            assert server.get(PATH).status == 200
            eventually(lambda: sum(client.is_closed() for client in clients) >= 200)
            assert server.get(PATH.replace("90x60", "91x61")).status == 200
        assert "Too many open files" not in server.log.read_text()


def test_a_server_that_stops_does_not_wait_for_clients_longer_than_its_graceful_time(
    document: dict[str, object], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GUNICORN_CMD_ARGS", "--graceful-timeout 1")
    with servers.standalone(document, tmp_path, worker=OUR_WORKER) as server, unreading(server, 20) as clients:
        assert server.get(PATH).status == 200
        for client in clients[:10]:
            client.send(START)  # no end
        for client in clients[10:]:
            client.ask(PATH)
        server.process.terminate()
        assert server.process.wait(WAIT_SECONDS) == 0


def table() -> dict[str, str]:
    """The defaults in the table of limits, by the option of gunicorn that changes each."""
    text = (ROOT / "docs" / "deployment.md").read_text()
    section = text.partition("## Limits of the bare server")[2].partition("\n## ")[0]
    rows = [row.split(" | ") for row in section.splitlines() if row.startswith("|") and "`--" in row]
    return {found[1]: row[1] for row in rows if (found := re.search(r"`--([a-z_-]+)`", row[-1]))}


def test_the_table_has_the_defaults_of_gunicorn_or_those_that_the_command_gives() -> None:
    command = (ROOT / "thumbs" / "management" / "commands" / "run_thumb_server.py").read_text()
    given = dict(re.findall(r'\("--([a-z-]+)", "(\d+)"\)', command))
    assert len(table()) == 7
    for name, default in table().items():
        expected = given.get(name) or str(
            getattr(Config(), "keepalive" if name == "keep-alive" else name.replace("-", "_"))
        )
        assert default.replace(",", "").split()[0] == expected, name
