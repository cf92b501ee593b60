"""One table of request targets and Host lines, sent byte for byte: every server of the project reads them alike.

Where a server's own parser refuses a request before a front of Mage gets it, the table names the server.
"""

import contextlib
import http.client
import json
import re
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote_to_bytes, urlsplit

import pytest
from django.test import Client, override_settings

from tests.support import servers
from tests.support.servers import OUR_WORKER, Server
from tests.support.waiting import WAIT_SECONDS
from thumbs.front import Mount

_PIC = b"/local/thumbs/90x60/quarters.jpg"
ASGI, GTHREAD, OURS, UVICORN = "asgi", "gthread", OUR_WORKER, "uvicorn"
GUNICORN = {ASGI, GTHREAD, OURS}
EVERY_SERVER = {*GUNICORN, UVICORN}


@dataclass(frozen=True)
class Row:
    """`code` is that of the problem, empty for a picture or another page.

    `by_server` are the servers that refuse this themselves, with a status of the 400s or by closing the connection.
    Django's view is not called at all where the path that a WSGI server makes of the target is none of its own.
    """

    target: bytes
    status: int
    code: str = ""
    by_server: frozenset[str] = frozenset()
    method: bytes = b"GET"


def _row(target: bytes, status: int, code: str = "", by_server: set[str] | None = None, method: bytes = b"GET") -> Row:
    return Row(target, status, code, frozenset(by_server or ()), method)


def _bad(target: bytes, by_server: set[str] | None = None, method: bytes = b"GET") -> Row:
    return _row(target, 400, "bad-target", by_server, method)


ROWS = [
    # Origin form (RFC 9112, 3.2.1)
    _row(_PIC, 200),
    _row(_PIC, 200, method=b"HEAD"),
    _row(_PIC + b"?", 200),
    _row(_PIC + b"?a?b", 200),
    _row(_PIC + b"?a\\b", 200),
    _row(_PIC + b"?http://u@h/", 200),
    _row(_PIC + b"?%23", 200),
    _row(_PIC + b"%23part", 404, "source-missing"),
    _row(_PIC + b"%3Fpart", 404, "source-missing"),
    _row(_PIC + b"%5c", 400, "bad-path"),
    _row(_PIC + b"\\", 400, "bad-path"),
    _row(_PIC + b"%00", 400, "bad-path"),
    _row(_PIC + b"%ff", 400, "bad-path"),
    _row(b"/local\\thumbs/90x60/quarters.jpg", 404, "not-a-thumbnail"),
    _row(b"/\\local/thumbs/90x60/quarters.jpg", 404, "storage-unknown"),
    _row(b"/" + _PIC, 404, "not-a-thumbnail"),
    _row(b"//host" + _PIC, 404, "not-a-thumbnail"),
    _row(b"//user@host" + _PIC, 404, "not-a-thumbnail"),
    _row(b"///host" + _PIC, 404, "not-a-thumbnail"),
    _row(b"/http://host" + _PIC, 404, "not-a-thumbnail"),
    _bad(_PIC + b"#"),
    _bad(_PIC + b"#part"),
    _bad(_PIC + b"?#"),
    _bad(_PIC + b"?a=b#c"),
    _bad(_PIC + b"#?a"),
    _bad(_PIC + b"#", method=b"HEAD"),
    _bad(_PIC + b"#", method=b"OPTIONS"),
    _bad(_PIC + b"#", method=b"POST"),
    _bad(b"/local#/thumbs/90x60/quarters.jpg"),
    _bad(b"/local/thumbs#/90x60/quarters.jpg"),
    _bad(b"/x#y"),
    _bad(b"/#" + _PIC),
    _bad(b"//host#" + _PIC),
    _bad(b"/health#" + _PIC),
    # Absolute form (3.2.2)
    _row(b"http://host" + _PIC, 200),
    _row(b"http://host" + _PIC + b"?x", 200),
    _row(b"HTTP://HOST" + _PIC, 200),
    _row(b"https://host:443" + _PIC, 200),
    _row(b"http://host:" + _PIC, 200),
    _row(b"http://[::1]" + _PIC, 200),
    _row(b"http://[2001:db8::1]:8080" + _PIC, 200),
    _row(b"http://host/local/thumbs/90x60/a@b.jpg", 404, "source-missing"),
    _row(b"http://local/thumbs/90x60/quarters.jpg", 404, "not-a-thumbnail"),
    _row(b"http://host/health", 200),
    _row(b"http://host/", 404, "not-a-thumbnail"),
    _bad(b"http://host"),
    _bad(b"http://host?x"),
    _bad(b"http://host#x"),
    _bad(b"http://host?" + _PIC),
    _bad(b"http://host#" + _PIC),
    _bad(b"http://host/x#" + _PIC),
    _bad(b"http://host" + _PIC + b"#x"),
    _bad(b"http://"),
    _bad(b"http://" + _PIC),
    _bad(b"http:///host" + _PIC),
    _bad(b"http://:80" + _PIC),
    _bad(b"http://@host" + _PIC),
    _bad(b"http://user@host" + _PIC),
    _bad(b"http://user:password@host" + _PIC),
    _bad(b"http://host@other" + _PIC),
    _bad(b"http://host\\@other" + _PIC),
    _bad(b"http://host\\other" + _PIC),
    _bad(b"http://host%2fother" + _PIC),
    _bad(b"http://host%23" + _PIC),
    _bad(b"http://host:x" + _PIC),
    _bad(b"http://::1" + _PIC),
    _bad(b"http://[::1" + _PIC, {GTHREAD}),
    _bad(b"http://user@host/health"),
    _bad(b"ftp://host" + _PIC),
    _bad(b"httpx://host" + _PIC),
    _bad(b"file://" + _PIC),
    _bad(b"gopher://host"),
    _bad(b"http:" + _PIC, GUNICORN),
    _bad(b"http:/host" + _PIC, GUNICORN),
    _bad(b"http:\\\\host" + _PIC, GUNICORN),
    _bad(b"javascript:" + _PIC, GUNICORN),
    # Authority and asterisk form (3.2.3, 3.2.4)
    _row(b"*", 404, "not-a-thumbnail", method=b"OPTIONS"),
    _bad(b"*", GUNICORN),
    _bad(b"host:443", method=b"CONNECT"),
    _bad(b"host:443", GUNICORN),
    _row(_PIC, 405, "method-not-allowed", method=b"CONNECT"),
    # None of them
    _bad(b"#", GUNICORN),
    _bad(b"?" + _PIC, GUNICORN),
    _bad(b"\\" + _PIC, GUNICORN),
    _bad(_PIC[1:], GUNICORN),
    _bad(b"host" + _PIC, GUNICORN),
    _bad(b"", EVERY_SERVER),
    _bad(_PIC + b" x", EVERY_SERVER),
    _bad(_PIC + b"\t", EVERY_SERVER),
    _bad(_PIC + b"\0", EVERY_SERVER),
    _bad(_PIC + b"\x01", EVERY_SERVER),
    _bad(_PIC + b"\x7f", EVERY_SERVER),
    _bad(_PIC + b"\xff", EVERY_SERVER),
    _bad(_PIC + "é".encode(), EVERY_SERVER),
    _bad(_PIC + b"?\xff", EVERY_SERVER),
    _bad(b"http://h\xc3\xb6st" + _PIC, EVERY_SERVER),
]


@dataclass(frozen=True)
class Verdict:
    """`status` 0 is a connection that was closed without an answer; `code` that of our problem, if it is one."""

    status: int
    code: str = ""

    @property
    def is_refusal_by_server(self) -> bool:
        return not self.code and (self.status == 0 or 400 <= self.status < 500)


@pytest.fixture(scope="module")
def started(originals: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Server]]:
    memory = {"memory": {"enabled": True, "max_size_mb": 8}}
    document = {"storages": [{"name": "local", "driver": "local", "root": str(originals), "cache": memory}]}
    names = (ASGI, GTHREAD, OURS, UVICORN)

    def start(name: str) -> Server:
        place = tmp_path_factory.mktemp(name.rpartition(".")[2])
        return stack.enter_context(servers.standalone(document, place, worker=name))

    with contextlib.ExitStack() as stack, ThreadPoolExecutor(len(names)) as pool:
        running = dict(zip(names, pool.map(start, names), strict=True))
        for server in running.values():
            server.get("local/thumbs/90x60/quarters.jpg")  # the next one is a hit
        yield running
        for server in running.values():
            assert "Traceback" not in server.log.read_text()


def _send(server: Server, data: bytes, method: bytes = b"GET") -> Verdict:
    with socket.create_connection(("127.0.0.1", server.port), timeout=WAIT_SECONDS) as connection:
        connection.sendall(data)
        with http.client.HTTPResponse(connection, method=method.decode()) as response:
            try:
                response.begin()
            except (http.client.HTTPException, ConnectionError):
                return Verdict(0)
            return _verdict(response.status, response.getheader("Content-Type"), response.read())


def _verdict(status: int, content_type: str | None, body: bytes) -> Verdict:
    if content_type != "application/problem+json":
        return Verdict(status)
    return Verdict(status, json.loads(body)["code"] if body else "?")


def _expected(row: Row) -> Verdict:
    return Verdict(row.status, "?" if row.code and row.method == b"HEAD" else row.code)


def test_the_table_is_long_enough_and_says_nothing_twice() -> None:
    assert len({(row.method, row.target) for row in ROWS}) == len(ROWS) > 40


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.method.decode()} {repr(row.target)[2:-1]}")
def test_a_target_has_one_reading_in_every_server(started: dict[str, Server], row: Row) -> None:
    data = row.method + b" " + row.target + b" HTTP/1.1\r\nHost: localhost\r\n\r\n"
    found = {name: _send(server, data, row.method) for name, server in started.items()}
    refused = {name: found.pop(name) for name in row.by_server & found.keys()}
    assert all(verdict.is_refusal_by_server for verdict in refused.values()), refused
    assert found == dict.fromkeys(found, _expected(row))


# ------------------------------------------------------------------------------------ Django's view


@pytest.fixture
def client(originals: Path) -> Iterator[Client]:
    storages = [{"name": "local", "driver": "local", "root": str(originals)}]
    with override_settings(THUMBS={"STORAGES": storages}, ROOT_URLCONF="mage_project.urls", ALLOWED_HOSTS=["*"]):
        yield Client()


def _path_info(target: bytes) -> str:
    """As gunicorn's gthread worker decodes it."""
    text = target.decode("latin-1")
    path = urlsplit(f".{text}").path[1:] if text.startswith("//") else urlsplit(text).path
    return unquote_to_bytes(path.encode("latin-1")).decode("latin-1")


@pytest.mark.parametrize("raw", ["RAW_URI", "REQUEST_URI"])
@pytest.mark.parametrize(
    "row", [row for row in ROWS if GTHREAD not in row.by_server], ids=lambda row: repr(row.target)[2:-1]
)
def test_a_target_has_the_same_reading_in_the_view(client: Client, row: Row, raw: str) -> None:
    environ = {"PATH_INFO": _path_info(row.target), raw: row.target.decode("latin-1")}
    answer = client.generic(row.method.decode(), "/", **environ)  # type: ignore[arg-type]
    found = _verdict(answer.status_code, answer.headers.get("Content-Type"), answer.content)
    if row.code == "bad-target" and Mount().find(environ["PATH_INFO"].encode("latin-1")) is None:
        assert found in (Verdict(404, "not-a-thumbnail"), Verdict(200))  # the view is not called, but others are
    else:
        assert found == _expected(row)


@pytest.mark.parametrize(
    "row",
    # Such a server's path does not distinguish a '#' from a '%23'; its query string does.
    [row for row in ROWS if re.match(rb"/[^#?]*(\?|\Z)", row.target) and not row.by_server],
    ids=lambda row: repr(row.target)[2:-1],
)
def test_a_path_has_the_same_reading_where_a_server_keeps_no_target(client: Client, row: Row) -> None:
    query = row.target.partition(b"?")[2].decode("latin-1")
    environ = {"PATH_INFO": _path_info(row.target), "QUERY_STRING": query}
    answer = client.generic(row.method.decode(), "/", **environ)  # type: ignore[arg-type]
    assert _verdict(answer.status_code, answer.headers.get("Content-Type"), answer.content) == _expected(row)


# --------------------------------------------------------------------------------------- Host lines

# A value, and whether it is a host (RFC 9112, 3.2; RFC 9110, 7.2).
HOSTS = [
    (b"localhost", True),
    (b"LOCALHOST:8080", True),
    (b"host:", True),
    (b"a_b-c.d~e:1", True),
    (b"127.0.0.1:80", True),
    (b"[::1]", True),
    (b"[2001:db8::1]:8080", True),
    (b"[v1.a:b]", True),
    (b"b%C3%BCcher.example", True),
    (b"", False),
    (b":80", False),
    (b"a b", False),
    (b"a,b", False),
    (b"a, b", False),
    (b"user@host", False),
    (b"http://host", False),
    (b"host/path", False),
    (b"host?query", False),
    (b"host#part", False),
    (b"host\\path", False),
    (b"host%2fpath", False),
    (b"host%", False),
    (b"host:http", False),
    (b"host:80:80", False),
    (b"::1", False),
    (b"[::1", False),
    (b"[::g]", False),
    (b"[::1%25eth0]", False),
    (b"[127.0.0.1]", False),
    (b"[]", False),
    (b"<host>", False),
    (b"h\xc3\xb6st", False),
]


@pytest.mark.parametrize("target", [_PIC, b"/health"])
@pytest.mark.parametrize(("host", "valid"), HOSTS)
def test_a_request_with_a_host_that_is_none_is_refused(
    started: dict[str, Server], target: bytes, host: bytes, valid: bool
) -> None:
    data = b"GET %b HTTP/1.1\r\nHost: %b\r\n\r\n" % (target, host)
    found = {name: _send(server, data) for name, server in started.items()}
    assert found == dict.fromkeys(found, Verdict(200) if valid else Verdict(400, "bad-host"))


@pytest.mark.parametrize("target", [_PIC, b"/health", b"http://localhost" + _PIC, b"/nothing"])
def test_a_request_of_http_1_1_without_a_host_is_refused_and_one_of_http_1_0_is_not(
    started: dict[str, Server], target: bytes
) -> None:
    found = {name: _send(server, b"GET %b HTTP/1.1\r\n\r\n" % target) for name, server in started.items()}
    assert found.pop(UVICORN).is_refusal_by_server
    assert found == dict.fromkeys(found, Verdict(400, "bad-host"))
    older = {name: _send(server, b"GET %b HTTP/1.0\r\n\r\n" % target) for name, server in started.items()}
    assert {verdict.status for verdict in older.values()} == {404 if target == b"/nothing" else 200}


@pytest.mark.parametrize("version", [b"HTTP/1.1", b"HTTP/1.0"])
@pytest.mark.parametrize("second", [b"localhost", b"other", b""])
def test_every_server_refuses_two_hosts_itself(started: dict[str, Server], version: bytes, second: bytes) -> None:
    data = b"GET %b %b\r\nHost: localhost\r\nHost: %b\r\n\r\n" % (_PIC, version, second)
    assert all(_send(server, data).is_refusal_by_server for server in started.values())


@pytest.mark.parametrize(("host", "valid"), HOSTS)
def test_the_view_sees_the_host_too(client: Client, host: bytes, valid: bool) -> None:
    answer = client.get(_PIC.decode(), HTTP_HOST=host.decode("latin-1"))
    assert answer.status_code == (200 if valid else 400)


@pytest.mark.parametrize("environ", [{"SERVER_SOFTWARE": "gunicorn/27"}, {"uwsgi.version": b"2"}])
def test_the_view_requires_a_host_where_a_server_received_the_request(client: Client, environ: dict[str, str]) -> None:
    assert client.get(_PIC.decode()).status_code == 200
    assert client.get(_PIC.decode(), **environ).status_code == 400  # type: ignore[arg-type]
    assert client.get(_PIC.decode(), SERVER_PROTOCOL="HTTP/1.0", **environ).status_code == 200  # type: ignore[arg-type]
    assert client.get(_PIC.decode(), HTTP_HOST="localhost", **environ).status_code == 200  # type: ignore[arg-type]
