"""nginx before Mage, with the configuration of `deploy/`: it adds nothing and loses nothing."""

import contextlib
import datetime
import http.client
import json
import re
import socket
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.support.behind_nginx import MEMORY, PICTURE, SPELLINGS
from tests.support.deployed import DEPLOY, Recorder, nginx, thumb_server, write_nginx
from tests.support.fronts import SECRET, comparable, signature
from tests.support.servers import ROOT, Answer, Server, free_port
from tests.support.targets import RAW_TARGETS
from tests.support.waiting import WAIT_SECONDS, eventually

PARTS = ("cache", "tls", "limit", "client", "dialect")

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
    done = subprocess.run([*command, "-t"], check=False, capture_output=True, text=True, timeout=WAIT_SECONDS)
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
    with socket.create_connection(("127.0.0.1", server.port), timeout=WAIT_SECONDS) as connection:
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
        "cdn-loop": "cloudflare, mage",
        "traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        "tracestate": "vendor=1",
    }
    others = ("Cookie", "Authorization", "User-Agent", "Referer", "Accept-Encoding", "X-Forwarded-For", "TE", "Expect")
    through.get(f"local/{PICTURE}", headers={**asked, **dict.fromkeys(others, "canary")})
    assert recorder.headers[-1] == {"host": "127.0.0.1", **asked}


def test_a_plain_request_stays_plain(recorded: tuple[Recorder, Server]) -> None:
    recorder, through = recorded
    through.get(f"local/{PICTURE}")
    assert set(recorder.headers[-1]) == {"host", "x-request-id"}


def test_the_address_of_the_client_is_a_part_that_is_off(tmp_path: Path) -> None:
    with Recorder() as recorder, nginx(tmp_path, [recorder.port], parts=["client"]) as through:
        through.get(f"local/{PICTURE}", headers={"X-Forwarded-For": "192.0.2.1"})
        assert recorder.headers[-1]["x-forwarded-for"] == "192.0.2.1, 127.0.0.1"


def test_a_request_that_comes_back_to_this_host_ends_after_one_hop(tmp_path: Path) -> None:
    port = free_port()
    front = f"http://127.0.0.1:{port}/"
    http = {"driver": "http", "allowed_networks": ["127.0.0.1/32"], "allowed_sizes": ["40x30"]}
    storages = [
        {"name": "shop", **http, "base_url": f"{front}shop/thumbs/40x30/"},
        {"name": "remote", **http, "allowed_sources": [front]},
    ]
    with (
        thumb_server({"storages": storages}, tmp_path / "mage") as direct,
        nginx(tmp_path / "nginx", [direct.port], port=port) as through,
    ):
        answer = through.get("shop/thumbs/40x30/a.jpg", headers={"CDN-Loop": "mage"})
        assert (answer.status, json.loads(answer.body)["code"]) == (400, "source-loop")
        inner = f"http/127.0.0.1:{port}/remote/thumbs/40x30/http/127.0.0.1:{port}/a.jpg"
        for path in ("shop/thumbs/40x30/a.jpg", f"remote/thumbs/40x30/{inner}"):
            assert through.get(path).status == 502

        def statuses() -> list[str]:
            return sorted(json.loads(line)["status"] for line in through.log.read_text().split("\n")[:-1])

        eventually(lambda: statuses() == ["400", "400", "400", "502", "502"])


def test_a_body_does_not_reach_mage(recorded: tuple[Recorder, Server]) -> None:
    recorder, through = recorded
    before = len(recorder.targets)
    for headers in (b"Content-Length: 5", b"Transfer-Encoding: chunked"):
        body = b"canary"[:5] if b"Length" in headers else b"5\r\ncanar\r\n0\r\n\r\n"
        with socket.create_connection(("127.0.0.1", through.port), timeout=WAIT_SECONDS) as connection:
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


def test_the_log_has_layer_and_stages_of_each_request(pair: Pair) -> None:
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
