"""What `deploy/` and the Dockerfile promise: nginx adds nothing and loses nothing, and the image's steps work."""

import contextlib
import datetime
import http.client
import json
import os
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import sysconfig
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self
from urllib.parse import quote

import pytest
import yaml
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.support import pictures, servers
from tests.support.deployed import DEPLOY, Recorder, nginx, swapped, thumb_server, write_nginx
from tests.support.fronts import SECRET, comparable, signature
from tests.support.processes import workers_of
from tests.support.servers import ROOT, Answer, Server, eventually
from tests.support.targets import RAW_TARGETS

PICTURE = "thumbs/90x60/quarters.jpg"
MEMORY = {"memory": {"enabled": True, "max_size_mb": 32}}
PARTS = ("cache", "tls", "limit")


# ------------------------------------------------------------------------------------------ nginx and Mage


@dataclass(frozen=True)
class Pair:
    """One Mage, and nginx before it. `directory` has nginx's logs."""

    direct: Server
    through: Server
    directory: Path

    def logged(self, request_id: str) -> dict[str, str]:
        """The line of the access log for that request."""
        found: list[dict[str, str]] = []

        def look() -> bool:
            lines = self.through.log.read_text(errors="replace").split("\n")[:-1]
            found.extend(row for row in map(json.loads, lines) if row["id"] == request_id)
            return bool(found)

        eventually(look)
        return found[0]


@pytest.fixture(scope="module")
def pair(originals: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    local = {"driver": "local", "root": str(originals), "cache": MEMORY}
    shared = {"Access-Control-Allow-Origin": "*", "X-Extra": "yes"}
    storages = [
        {"name": "local", **local},
        {"name": "signed", **local, "signature_secret_key": SECRET},
        {"name": "shared-with-scripts", **local, "headers": shared},
    ]
    directory = tmp_path_factory.mktemp("deployment")
    with (
        thumb_server({"storages": storages, "metrics": True, "access_log": True}, directory / "mage") as direct,
        nginx(directory / "nginx", [direct.port]) as through,
    ):
        yield Pair(direct, through, directory / "nginx")


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Recorder, Server]]:
    with Recorder() as recorder, nginx(tmp_path_factory.mktemp("recorded"), [recorder.port]) as through:
        yield recorder, through


# ------------------------------------------------------------------------------------- the configuration


def _certificate(directory: Path) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "thumbnails")])
    now = datetime.datetime.now(datetime.UTC)
    day = datetime.timedelta(days=1)
    unsigned = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    unsigned = unsigned.serial_number(1).not_valid_before(now - day).not_valid_after(now + day)
    pem, kind = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    (directory / "fullchain.pem").write_bytes(unsigned.sign(key, hashes.SHA256()).public_bytes(pem))
    (directory / "privkey.pem").write_bytes(key.private_bytes(pem, kind, serialization.NoEncryption()))


@pytest.mark.parametrize("parts", [(), *((part,) for part in PARTS), PARTS], ids=" and ".join)
def test_nginx_accepts_the_configuration_and_each_part_that_is_off(tmp_path: Path, parts: tuple[str, ...]) -> None:
    _certificate(tmp_path)
    command = write_nginx(tmp_path, [8080, 8081], parts=parts)
    done = subprocess.run([*command, "-t"], check=False, capture_output=True, text=True, timeout=30)
    assert done.returncode == 0, done.stderr
    said = [line for line in done.stderr.splitlines() if '"user" directive makes sense only' not in line]
    assert "warn" not in "\n".join(said)


def test_no_part_that_is_off_goes_by_another_name() -> None:
    text = (DEPLOY / "nginx.conf").read_text()
    assert set(re.findall(r"^ *#(\w+) ", text, re.MULTILINE)) == set(PARTS)


def test_nginx_waits_longer_than_mage_may_take_and_closes_first() -> None:
    text = (DEPLOY / "nginx.conf").read_text()
    limits = (ROOT / "docs" / "configuration.md").read_text()
    fetch, render = (int(re.findall(rf"`{name}_seconds` \| (\d+)", limits)[0]) for name in ("fetch", "render"))
    assert _seconds(text, "proxy_read_timeout") > 2 * (fetch + render)
    command = (ROOT / "thumbs" / "management" / "commands" / "run_thumb_server.py").read_text()
    assert _seconds(text, "keepalive_timeout") < int(re.findall(r'"--keep-alive", "(\d+)"', command)[0])


def _seconds(text: str, name: str) -> int:
    return max(int(found) for found in re.findall(rf"\b{name} (\d+)s;", text))


# ---------------------------------------------------------------------------------- the same bytes and headers


@pytest.mark.parametrize(
    ("path", "method", "headers"),
    [
        (f"local/{PICTURE}", "GET", {}),
        (f"local/{PICTURE}", "HEAD", {}),
        (f"local/{PICTURE}?v=1", "GET", {}),
        ("local/thumbs/90x60/filters:format(auto)/quarters.jpg", "GET", {"Accept": "image/avif,image/webp,*/*"}),
        ("local/thumbs/90x60/filters:format(auto)/quarters.jpg", "GET", {"Accept": "image/webp"}),
        ("local/thumbs/90x60/filters:format(auto)/quarters.jpg", "GET", {}),
        ("local/thumbs/1200x/filters:format(png);version(3)/noise.jpg", "GET", {"Accept-Encoding": "gzip, br"}),
        ("local/thumbs/90x/cats/tom%20%26%20jerry%3F.jpg/as/t%C3%B6m.webp", "GET", {}),
        (f"local/{PICTURE}", "GET", {"If-None-Match": "*"}),
        (f"local/{PICTURE}", "GET", {"If-None-Match": '"other"'}),
        (f"local/{PICTURE}", "GET", {"If-Modified-Since": "Wed, 01 Jan 2098 00:00:00 GMT"}),
        (f"local/{PICTURE}", "GET", {"Range": "bytes=0-9"}),
        (f"shared-with-scripts/{PICTURE}", "GET", {"Origin": "https://elsewhere.example"}),
        (f"shared-with-scripts/{PICTURE}", "OPTIONS", {"Origin": "https://elsewhere.example"}),
        (f"local/{PICTURE}", "OPTIONS", {}),
        (f"local/{PICTURE}", "POST", {}),
        ("local/thumbs/90x60/absent.jpg", "GET", {}),
        ("local/thumbs/90x60/text.jpg", "GET", {}),
        ("local/thumbs/90x60/truncated.jpg", "GET", {}),
        ("local/thumbs/90x60/filters:quality(0)/quarters.jpg", "GET", {}),
        (f"signed/{PICTURE}", "GET", {}),
        ("health", "GET", {}),
    ],
)  # fmt: skip
def test_nginx_passes_on_the_same_answer(pair: Pair, path: str, method: str, headers: dict[str, str]) -> None:
    pair.direct.get(path, headers=headers)
    direct = pair.direct.get(path, method=method, headers=headers)
    through = pair.through.get(path, method=method, headers=headers)
    assert through.status == direct.status
    if method == "POST":  # nginx itself refuses what would have a body
        assert set(through.headers["allow"].split(", ")) >= set(direct.headers["allow"].split(", "))
        return
    assert through.body == direct.body
    assert _without_id(through) == comparable(direct)


def _without_id(answer: Answer) -> dict[str, str]:
    found = comparable(answer)
    assert found.pop("x-request-id")
    return found


def test_a_large_answer_arrives_whole(pair: Pair) -> None:
    path = "local/thumbs/2400x2400/filters:format(png)/big.jpg"
    assert len(pair.direct.get(path).body) > 1_000_000
    assert pair.through.get(path).body == pair.direct.get(path).body


# --------------------------------------------------------------------------------------- targets, untouched

ODD_TARGETS = [target.replace(b"@", b"/", 1) for target, _ in RAW_TARGETS] + [
    b"/local/thumbs/90x60/filters:quality(80);format(webp)/quarters.jpg",
    b"/local/thumbs/90x60/filters%3aformat%28webp%29/quarters%2Ejpg",
    b"/local/thumbs/90x60/[quarters]|{1}.jpg",
    b"/local/thumbs/90x60/a%2Fb%5Cc%3F%23%26.jpg?x=%2e%2e/%00",
    b"/local/thumbs/90x60/cats//../quarters.jpg",
    b"/local/thumbs/90x60/cats/..%2f..%2f..%2fetc/passwd",
    b"/local/thumbs/90x60/cats/%252e%252e%252fquarters.jpg",
    b"/local/thumbs/90x60/%E2%82%AC%20%2B+.jpg",
    b"/local/thumbs/90x60/quarters.jpg;a=%3B&b",
]


@pytest.mark.parametrize("target", ODD_TARGETS, ids=[repr(target[:60])[2:-1] for target in ODD_TARGETS])
def test_an_odd_target_has_its_verdict_from_mage_or_is_refused(pair: Pair, target: bytes) -> None:
    through = _refusing(pair.through, target)
    if "problem+json" in through.headers.get("content-type", "") or through.status < 400:
        assert through.status == pair.direct.raw(target).status
    else:  # nginx did not pass it on: there is nothing of Mage's in its page
        assert through.status in (400, 404, 414)
        assert pair.direct.raw(target).status >= 400 or through.status == 414


def _refusing(server: Server, target: bytes) -> Answer:
    """As `Server.raw`, for a server that may answer and close before it has read everything."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=20) as connection:
        with contextlib.suppress(ConnectionError):
            connection.sendall(b"GET " + target + b" HTTP/1.1\r\nHost: localhost\r\n\r\n")
        with http.client.HTTPResponse(connection, method="GET") as response:
            response.begin()
            headers = {name.lower(): value for name, value in response.getheaders()}
            return Answer(response.status, headers, response.read())


def test_a_target_that_arrives_is_byte_for_byte_what_was_sent(recorded: tuple[Recorder, Server]) -> None:
    recorder, through = recorded
    arrived = []
    for target in ODD_TARGETS:
        before = len(recorder.targets)
        answer = _refusing(through, target)
        if answer.status == 200:
            assert recorder.targets[before:] == [target]
            arrived.append(target)
        else:
            assert recorder.targets[before:] == []
    assert len(arrived) > 40
    for part in (b"%2F", b"%2f..%2f", b"%252e%252e", b"%25252e", b"%5c", b"%c0%ae", b"%ff", b"//", b"thumbs%2F"):
        assert any(part in target for target in arrived), part


@pytest.mark.parametrize(
    "key", ["cats/tom & jerry?.jpg", "Bücher/été.jpg", "quarters.jpg"], ids=["signs", "letters", "plain"]
)
@pytest.mark.parametrize("safe", ["/", "/:();,&'", ""], ids=["encoded", "readable", "slashes too"])
def test_a_signed_url_is_good_in_every_spelling(pair: Pair, key: str, safe: str) -> None:
    rest = f"90x60/filters:format(webp);quality(70)/{key}"
    signed = signature(f"/signed/thumbs/{rest}")
    path = f"signed/thumbs/{signed}/{quote(rest, safe=safe)}"
    assert pair.through.get(path).status == 200
    assert pair.through.get(path.replace(signed, signature("another"))).status == 403


# ------------------------------------------------------------------------------------------ inside, outside

SPELLINGS = [
    *("/{}", "/{}?", "/{}?x=1", "/{}/", "//{}", "///{}", "/./{}", "/x/../{}", "/x/..%2f{}", "/%2e/{}", "/{}%20"),
    *("/{}%00", "/{}%0a", "/{}#", "/{};", "/{}//", "/local/thumbs/../../{}", "/local/thumbs/%2e%2e/%2e%2e/{}"),
    *("/local/thumbs/..%2f..%2f{}", "http://localhost/{}", "http://localhost//{}", "http://elsewhere/x/../{}"),
]


@pytest.mark.parametrize("name", ["metrics", "%6detrics", "METRICS", "ready", "%72eady"])
def test_what_is_for_the_inside_is_closed_in_every_spelling(pair: Pair, name: str) -> None:
    assert pair.direct.get("metrics").status == pair.direct.get("ready").status == 200
    for spelling in SPELLINGS:
        answer = _refusing(pair.through, spelling.format(name).encode())
        assert 400 <= answer.status < 500, spelling
        assert b"mage_" not in answer.body
        assert b'"ready"' not in answer.body


def test_only_what_mage_reads_is_passed_on(recorded: tuple[Recorder, Server]) -> None:
    recorder, through = recorded
    asked = {
        "accept": "image/webp",
        "if-none-match": '"a"',
        "if-modified-since": "Wed, 01 Jan 2025 00:00:00 GMT",
        "x-request-id": "0123456789abcdef",
    }
    others = ("Cookie", "Authorization", "User-Agent", "Referer", "Accept-Encoding", "X-Forwarded-For", "TE", "Expect")
    through.get(f"local/{PICTURE}", headers={**asked, **dict.fromkeys(others, "canary")})
    assert recorder.headers[-1] == {"host": "127.0.0.1", **asked}


def test_a_body_does_not_reach_mage(recorded: tuple[Recorder, Server]) -> None:
    recorder, through = recorded
    before = len(recorder.targets)
    for headers in (b"Content-Length: 5", b"Transfer-Encoding: chunked"):
        body = b"canary"[:5] if b"Length" in headers else b"5\r\ncanar\r\n0\r\n\r\n"
        with socket.create_connection(("127.0.0.1", through.port), timeout=20) as connection:
            connection.sendall(b"GET /local/thumbs/x/a.jpg HTTP/1.1\r\nHost: a\r\n" + headers + b"\r\n\r\n" + body)
            assert connection.recv(12) == b"HTTP/1.1 200"
    assert recorder.bodies[before:] == [b"", b""]
    assert through.raw(b"/local/thumbs/x/a.jpg", headers=[b"Content-Length: 5000"]).status == 413
    assert len(recorder.targets) == before + 2


@pytest.mark.parametrize(("given", "kept"), [("0123456789abcdef", True), ("short", False), ('a"b\\c{}<>#!', False)])
def test_a_request_has_one_id_everywhere(pair: Pair, recorded: tuple[Recorder, Server], given: str, kept: bool) -> None:
    recorder, through = recorded
    found = through.get(f"local/{PICTURE}", headers={"X-Request-ID": given}).headers["x-request-id"]
    assert recorder.headers[-1]["x-request-id"] == found
    assert (found == given) is kept
    assert re.fullmatch(r"[0-9a-f]{16,32}", found)
    answer = pair.through.get(f"local/{PICTURE}")
    request_id = answer.headers["x-request-id"]
    assert pair.logged(request_id)["status"] == "200"
    eventually(lambda: f'"request_id": "{request_id}"' in pair.direct.log.read_text())


# --------------------------------------------------------------------------------------------------- the log


def test_the_log_tells_layer_and_stages_of_each_request(pair: Pair) -> None:
    path = "local/thumbs/91x61/quarters.jpg"
    lines = [pair.logged(pair.through.get(path).headers["x-request-id"]) for _ in range(2)]
    assert [line["cache"] for line in lines] == ["MISS", "HIT"]
    assert [line["path"] for line in lines] == [f"/{path}"] * 2
    assert re.search(r"render;dur=", lines[0]["stages"])
    assert 'layer;desc="memory"' in lines[1]["stages"]


@pytest.mark.parametrize(
    "spell",
    [
        lambda target, _: target,
        lambda target, _: target + "?x=1",
        lambda target, signed: target.replace(signed, "".join(f"%{ord(letter):02x}" for letter in signed)),
        lambda target, _: target.replace("/thumbs/", "%2fthumbs%2F"),
        lambda target, _: target.replace("thumbs", "%74humbs"),
        lambda target, signed: target.replace(signed, f"{signed}/{signed}"),
        lambda target, signed: target.replace(signed, f"{signed}%0a"),
        lambda target, signed: target[: target.index(signed) + len(signed)],
    ],
    ids=["plain", "query", "encoded", "slashes", "name", "twice", "newline", "cut"],
)
def test_no_signature_is_in_the_log_in_any_spelling(pair: Pair, spell: Callable[[str, str], str]) -> None:
    rest = "92x62/quarters.jpg"
    signed = signature(f"/signed/thumbs/{rest}")
    answer = pair.through.get(spell(f"signed/thumbs/{signed}/{rest}", signed))
    line = pair.logged(answer.headers["x-request-id"])
    assert signed not in json.dumps(line)
    assert line["path"] in (f"/signed/thumbs/*/{rest}", "/signed/thumbs/*")


# --------------------------------------------------------------------------------------------- slow clients


class SlowClients:
    """`count` clients on one thread that keep a server waiting. One that is sent away comes back at once."""

    def __init__(self, port: int, count: int, *, request: bytes, dripping: bool) -> None:
        self._address = ("127.0.0.1", port)
        self._request = request
        self._dripping = dripping
        self._clients: list[socket.socket | None] = [None] * count
        self._served = 0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)

    @property
    def holding(self) -> int:
        return sum(client is not None for client in self._clients)

    def __enter__(self) -> Self:
        """Until they are all there, and those that read have something to read: to come is no slowness."""
        self._thread.start()
        eventually(lambda: self.holding == len(self._clients) and (self._dripping or self._served >= self.holding))
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()
        for client in self._clients:
            if client is not None:
                client.close()

    def _run(self) -> None:
        while not self._stop.wait(0.1):
            for number, client in enumerate(self._clients):
                try:
                    self._clients[number] = self._held(client)
                except OSError:
                    if client is not None:
                        client.close()
                    self._clients[number] = None

    def _held(self, client: socket.socket | None) -> socket.socket:
        if client is None:
            client = socket.socket()
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            client.settimeout(5)
            client.connect(self._address)
            client.sendall(self._request)
        elif self._dripping:
            client.sendall(b"a")
        elif not client.recv(16):
            raise ConnectionError
        else:
            self._served += 1
        return client


def _connections(port: int) -> int:
    """Connections to that port of the loopback that are open."""
    lines = Path("/proc/net/tcp").read_text().splitlines()[1:]
    far_ends = (line.split()[2:4] for line in lines)
    return sum(address == f"0100007F:{port:04X}" and state == "01" for address, state in far_ends)


def _hits(server: Server, path: str, count: int) -> tuple[list[int], float]:
    """The statuses of `count` requests, eight at a time, and the 99th percentile in milliseconds."""

    def ask(_: int) -> tuple[int, float]:
        began = time.perf_counter()
        status = server.get(path).status
        return status, (time.perf_counter() - began) * 1000

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(ask, range(count)))
    return [status for status, _ in answers], sorted(spent for _, spent in answers)[count * 99 // 100]


@pytest.mark.slow
def test_slow_clients_hold_no_connection_to_mage_and_hits_go_on(originals: Path, tmp_path: Path) -> None:
    storage = {"name": "local", "driver": "local", "root": str(originals), "cache": MEMORY}
    hit, large = f"local/{PICTURE}", "local/thumbs/500x500/filters:format(png)/big.jpg"
    # Without much room in the kernel, so that a picture must wait for its client in nginx, or in Mage.
    with (
        thumb_server({"storages": [storage]}, tmp_path / "mage") as direct,
        nginx(tmp_path / "nginx", [direct.port], listening="sndbuf=16k") as through,
    ):
        assert len(through.get(large).body) > 500_000
        _, undisturbed = _hits(through, hit, 500)
        drip = f"GET /{hit} HTTP/1.1\r\nHost: localhost\r\nX-Drip: ".encode()
        whole = f"GET /{large} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()
        with (
            SlowClients(through.port, 200, request=drip, dripping=True) as dripping,
            SlowClients(through.port, 200, request=whole, dripping=False) as reading,
        ):
            # All that Mage has are the idle connections that nginx keeps.
            eventually(lambda: _connections(direct.port) <= 64)
            statuses, disturbed = _hits(through, hit, 500)
            assert statuses == [200] * 500
            assert dripping.holding + reading.holding >= 390
            assert _connections(through.port) >= 390
    print(  # noqa: T201 - a figure for the log: never asserted
        f"p99 of 500 hits through nginx: {undisturbed:.1f} ms alone, {disturbed:.1f} ms beside 400 slow clients"
    )


# ------------------------------------------------------------------------------------ restarts without a gap


@dataclass
class Load:
    """Eight threads that ask through nginx until told to stop: hits, and a new size in one of twenty requests."""

    port: int
    count: int = 0
    failed: list[str] = field(default_factory=list)
    _stop: threading.Event = field(default_factory=threading.Event)
    _threads: list[threading.Thread] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __enter__(self) -> Self:
        self._threads = [threading.Thread(target=self._ask_on, args=(number,)) for number in range(8)]
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def wait_for_more(self, requests: int) -> None:
        wanted = self.count + requests
        eventually(lambda: self.count >= wanted or bool(self.failed), seconds=60)

    def _ask_on(self, number: int) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        turn = 0
        while not self._stop.is_set():
            turn += 1
            width = 100 + number * 500 + turn // 20 % 500 if turn % 20 == 0 else 20 + turn % 20
            try:
                connection.request("GET", f"/local/thumbs/{width}x30/quarters.jpg")
                response = connection.getresponse()
                body = response.read()
                good = response.status == 200 and len(body) == int(response.headers["Content-Length"])
                outcome = "" if good else f"{response.status}: {body[:80]!r}"
            except (OSError, http.client.HTTPException) as error:
                outcome = repr(error)
                connection.close()
            with self._lock:
                self.count += 1
                self.failed += [outcome] if outcome else []
        connection.close()


@pytest.mark.slow
def test_a_server_that_stops_starts_or_reloads_under_load_is_not_seen_through_nginx(
    originals: Path, tmp_path: Path
) -> None:
    storage = {"name": "local", "driver": "local", "root": str(originals), "cache": MEMORY}
    document = {"storages": [storage]}
    with contextlib.ExitStack() as stack:
        other = stack.enter_context(thumb_server(document, tmp_path / "other", workers=2))
        stopped = stack.enter_context(contextlib.ExitStack())
        first = stopped.enter_context(thumb_server(document, tmp_path / "first", workers=2))
        through = stack.enter_context(nginx(tmp_path / "nginx", [first.port, other.port]))
        load = stack.enter_context(Load(through.port))
        load.wait_for_more(500)
        began = time.monotonic()
        first.process.send_signal(signal.SIGTERM)
        assert first.process.wait(45) == 0, first.log.read_text()
        ended = time.monotonic() - began
        load.wait_for_more(500)
        again = stack.enter_context(thumb_server(document, tmp_path / "first", port=first.port, workers=2))
        eventually(lambda: again.get("ready").status == 200)
        time.sleep(6)  # until nginx asks it again
        load.wait_for_more(500)
        before = workers_of(other.process.pid)
        other.process.send_signal(signal.SIGHUP)
        eventually(
            lambda: len(workers_of(other.process.pid) - before) == 2 and not workers_of(other.process.pid) & before,
            seconds=60,
        )
        load.wait_for_more(500)
        print(  # noqa: T201 - a figure for the log: never asserted
            f"{load.count} requests, {len(load.failed)} failed; the server was gone {ended:.1f} s after SIGTERM"
        )
        assert load.failed == []
        seen = {line["server"].split(", ")[-1] for line in map(json.loads, through.log.read_text().splitlines())}
        assert seen == {f"127.0.0.1:{first.port}", f"127.0.0.1:{other.port}"}


# ------------------------------------------------------------------------------------------------- the unit


def test_systemd_finds_no_fault_with_the_unit(tmp_path: Path) -> None:
    program = servers.service("systemd-analyze")
    unit = tmp_path / "mage.service"
    unit.write_text(swapped((DEPLOY / "mage.service").read_text(), {"/opt/mage/venv/bin/python": sys.executable}))
    done = subprocess.run([program, "verify", "--man=no", str(unit)], check=False, capture_output=True, text=True)
    about_it = [line for line in done.stderr.splitlines() if "mage.service" in line]
    assert (done.returncode, about_it) == (0, [])


def test_systemd_and_docker_give_the_server_the_time_that_it_takes_to_stop() -> None:
    command = (ROOT / "thumbs" / "management" / "commands" / "run_thumb_server.py").read_text()
    supervisor = (ROOT / "thumbs" / "server" / "supervisor.py").read_text()
    graceful = int(re.findall(r'"--graceful-timeout", "(\d+)"', command)[0])
    janitor = float(re.findall(r"_GRACE_SECONDS = ([\d.]+)", supervisor)[0])
    unit, compose = (DEPLOY / "mage.service").read_text(), (DEPLOY / "compose.yaml").read_text()
    assert int(re.findall(r"^TimeoutStopSec=(\d+)", unit, re.MULTILINE)[0]) > graceful + janitor
    assert int(re.findall(r"stop_grace_period: (\d+)s", compose)[0]) > graceful + janitor


# ------------------------------------------------------------------------------------------------ containers


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    read: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
    return read


def test_the_compose_file_mounts_what_is_there_and_watches_every_service(compose: dict[str, Any]) -> None:
    for name, service in compose["services"].items():
        for volume in service.get("volumes", []):
            source = volume.split(":")[0]
            assert (DEPLOY / source).is_file() if source.startswith("./") else source in compose["volumes"]
        assert service["healthcheck"] if "build" not in service else "HEALTHCHECK" in (ROOT / "Dockerfile").read_text()
        assert service["networks"], name


def test_nginx_in_the_compose_file_asks_the_containers_of_the_compose_file(compose: dict[str, Any]) -> None:
    addresses = {
        f"{service['networks']['inside']['ipv4_address']}:8080"
        for name, service in compose["services"].items()
        if name.startswith("web")
    }
    text = (DEPLOY / "nginx-servers.compose.conf").read_text()
    assert set(re.findall(r"^server (\S+) max_fails=3 fail_timeout=5s;$", text, re.MULTILINE)) == addresses
    assert len(addresses) == 2


@pytest.mark.slow
def test_what_the_compose_file_starts_works_without_a_container(
    compose: dict[str, Any], originals: Path, tmp_path: Path
) -> None:
    """moto for the S3-compatible service, and no container engine: everything else is as the files say."""
    document = json.loads((DEPLOY / "storages.compose.json").read_text())
    variables = {"S3_ACCESS_KEY": "access", "S3_SECRET_KEY": "secret", "PICTURES_SECRET": SECRET}
    with contextlib.ExitStack() as stack:
        variables["S3_ENDPOINT"] = f"http://127.0.0.1:{stack.enter_context(servers.moto(tmp_path))}"
        fleet = document["caches"]["fleet"]
        fleet["location"] = f"127.0.0.1:{stack.enter_context(servers.memcached(tmp_path))}"
        assert set(fleet["options"]) == {"connect_timeout", "timeout"}
        fleet["options"] = dict.fromkeys(fleet["options"], 10)  # for a machine that is busy with other tests
        assert set(compose["x-mage"]["environment"]) == set(variables)
        for _ in range(2):  # a second time it finds the bucket
            arguments = compose["services"]["bucket"]["command"][1:]
            environ = {**os.environ, **variables}
            subprocess.run([sys.executable, *arguments], check=True, cwd=tmp_path, env=environ, timeout=60)
        webs = []
        for name in ("web1", "web2"):
            document["storages"][0]["cache"]["disk"]["dir"] = str(tmp_path / f"cache-{name}")
            webs.append(stack.enter_context(thumb_server(document, tmp_path / name, environ=variables)))
        through = stack.enter_context(nginx(tmp_path / "nginx", [web.port for web in webs]))
        path = f"pictures/thumbs/{signature('/pictures/thumbs/400x300/rings.jpg')}/400x300/rings.jpg"
        answers = [through.get(path), *(web.get(path) for web in webs)]
        assert [answer.headers["x-cache"] for answer in answers] == ["MISS", "HIT", "HIT"]
        assert any('desc="shared"' in answer.headers["server-timing"] for answer in answers)
        assert {answer.body for answer in answers} == {answers[0].body}
        assert pictures.decoded(answers[0].body).size == (400, 300)


# ------------------------------------------------------------------------------------------------- the image

_SYSTEMS_OWN = ("apt-get ", "rm -rf /var/lib/apt/", "useradd ")
_PLACES = re.compile(r"(?<![\w.])/(?=build\b|opt/mage\b|app\b|etc/mage\b|var/cache/mage\b)")
_OTHER_USER = 10001


@dataclass
class Image:
    """The steps of our Dockerfile, taken one by one in a directory that stands for the image's root.

    What belongs to the system (packages, an account) is not done again here: this machine has it, or the test is left
    out.
    """

    root: Path
    tools: Path
    environ: dict[str, str] = field(default_factory=dict)
    last: dict[str, str] = field(default_factory=dict)
    workdir: str = "/"

    def here(self, text: str) -> str:
        return _PLACES.sub(f"{self.root}/", text)

    def build(self, dockerfile: str) -> None:
        for line in re.sub(r"\\\n", " ", re.sub(r"(?m)^#.*\n", "", dockerfile)).splitlines():
            name, _, rest = line.strip().partition(" ")
            if name in ("RUN", "COPY", "ENV", "FROM", "WORKDIR"):
                getattr(self, f"_{name.lower()}")(rest.strip())
            elif name:
                self.last[name] = rest.strip()

    def _from(self, _: str) -> None:
        """A stage begins with nothing but what it copies from the one before."""
        for place in ("build", "app"):
            shutil.rmtree(self.root / place, ignore_errors=True)

    def _workdir(self, rest: str) -> None:
        self.workdir = self.here(rest)
        Path(self.workdir).mkdir(parents=True, exist_ok=True)

    def _env(self, rest: str) -> None:
        for item in shlex.split(rest):
            name, _, value = item.partition("=")
            self.environ[name] = self.here(value).replace("$PATH", "/usr/local/bin:/usr/bin:/bin")

    def _copy(self, rest: str) -> None:
        *options, source, target = rest.split()
        if options:
            assert source == target, "the stages share one root here"
            assert Path(self.here(source)).exists()
            return
        assert f"!{source.removeprefix('./')}" in (ROOT / ".dockerignore").read_text().splitlines()
        to = (Path(self.workdir) / self.here(target)).resolve()
        if (ROOT / source).is_dir():
            shutil.copytree(ROOT / source, to, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            to.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / source, to)

    def _run(self, rest: str) -> None:
        path = f"{self.tools}:{os.environ['PATH']}"
        environ = {**os.environ, "PATH": path}
        owner = f"-o {_OTHER_USER} -g {_OTHER_USER}" if os.getuid() == 0 else ""
        for command in (part.strip().replace("-o mage -g mage", owner) for part in rest.split("&&")):
            if not command.startswith(_SYSTEMS_OWN):
                subprocess.run(self.here(command), shell=True, check=True, cwd=self.workdir, env=environ, timeout=600)


def _others_may_use(program: Path) -> bool:
    """Whether an account that is not root could run this: each directory on the way lets it through."""
    return all(place.stat().st_mode & 0o001 for place in (program, *program.parents))


@pytest.fixture
def image() -> Iterator[Image]:
    servers.service("gcc")
    if not Path(sysconfig.get_path("include"), "Python.h").exists():
        pytest.skip("Python's headers are not installed: apt-get install python3-dev")
    with tempfile.TemporaryDirectory(prefix="image-") as name:  # not pytest's: only its owner may enter there
        root = Path(name) / "root"
        tools = Path(name) / "bin"
        for place in (Path(name), root, tools):
            place.mkdir(exist_ok=True)
            place.chmod(0o755)
        for tool, words in (("python", ""), ("pip", "-m pip --disable-pip-version-check -qq")):
            (tools / tool).write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} {words} "$@"\n')
            (tools / tool).chmod(0o755)
        yield Image(root, tools)


@pytest.mark.slow
def test_the_images_steps_make_a_server_in_an_empty_directory(image: Image, originals: Path, tmp_path: Path) -> None:
    image.build((ROOT / "Dockerfile").read_text())
    copied = {path.name for path in (image.root / "app").iterdir()} - {"__pycache__"}
    assert copied == {"mage_project", "manage.py", "thumbs"}
    served = image.root / "srv"
    served.mkdir()
    shutil.copy(originals / "quarters.jpg", served)
    disk = {"enabled": True, "dir": str(image.root / "var/cache/mage/photos"), "max_size_mb": 10}
    storage = {"name": "photos", "driver": "local", "root": str(served), "cache": {"disk": disk}}
    config = image.root / "etc/mage/storages.json"
    config.write_text(json.dumps({"storages": [storage], "run_dir": str(image.root / "var/cache/mage/run")}))
    port = servers.free_port()
    environ = {**image.environ, "PORT": str(port)}
    assert environ["STORAGES_CONFIG_PATH"] == str(config)
    # As the image's account, where this machine's Python lets others in.
    as_other_user = os.getuid() == 0 and _others_may_use(Path(sys.executable).resolve())
    account: dict[str, Any] = {"user": _OTHER_USER, "group": _OTHER_USER, "extra_groups": []} if as_other_user else {}
    log = tmp_path / "log"
    _, _, check = image.last["HEALTHCHECK"].partition("CMD ")
    with log.open("wb") as output:
        in_image: dict[str, Any] = {"cwd": image.workdir, "env": environ, "stdout": output, "stderr": output, **account}
        command = json.loads(image.last["CMD"])
        python = shutil.which(command[0], path=environ["PATH"])
        assert python == str(image.root / "opt/mage/bin/python")
        process = subprocess.Popen([python, *command[1:]], **in_image)
        try:
            servers.wait_for_port(port, process, log)
            server = Server("image", port, process, log)
            assert [server.get(f"photos/{PICTURE}").headers["x-cache"] for _ in range(2)] == ["MISS", "HIT"]
            assert list((image.root / "var/cache/mage/photos").rglob("*"))
            healthy = [python, *json.loads(check)[1:]]
            assert subprocess.run(healthy, check=False, timeout=20, **in_image).returncode == 0
            worker = min(workers_of(server.process.pid))
            assert subprocess.run([python, "-c", "import gunicorn_h1c"], check=False, **in_image).returncode == 0
            if as_other_user:
                assert Path(f"/proc/{worker}").stat().st_uid == _OTHER_USER
            _check_jemalloc(environ, worker)
            process.send_signal(signal.SIGTERM)
            assert process.wait(20) == 0, log.read_text()
            assert subprocess.run(healthy, check=False, timeout=20, **in_image).returncode != 0
        finally:
            process.kill()
            process.wait()


def _check_jemalloc(environ: Mapping[str, str], pid: int) -> None:
    """The dynamic linker goes on without a library that it does not find: so look whether it is there."""
    known = subprocess.run(["/sbin/ldconfig", "-p"], check=True, capture_output=True, text=True).stdout
    if f"{environ['LD_PRELOAD']} " in known or os.environ.get("MAGE_REQUIRE_SERVICES"):
        assert environ["LD_PRELOAD"] in Path(f"/proc/{pid}/maps").read_text()
