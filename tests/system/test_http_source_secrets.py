"""No secret, query or address of a remote original is in a log, an answer or a metric of the server."""

import socket
from collections.abc import Iterator
from urllib.parse import quote

import pytest

from tests.support.fronts import SECRET, signature
from tests.support.origins import Origin, Received, redirect, response, running_origin
from tests.support.pictures import encoded, quarters
from tests.support.servers import Server, standalone

TOKEN, QUERY, USER = "token-of-the-origin", "query-of-the-url", "user-of-a-redirect"
PRIVATE = "10.77.88.99"
# Each fails in another way, or is served.
PATHS = (
    "good",
    "missing",
    "withheld",
    "busy",
    "cut",
    "loop",
    "elsewhere",
    "private",
    "user",
    "none",
    "large",
    "chunks",
)


def _cut(connection: socket.socket, _: Received) -> bool:
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n" + TOKEN.encode())
    return False


@pytest.fixture(scope="module")
def origin() -> Iterator[Origin]:
    with running_origin() as origin:
        answers: dict[str, object] = {
            "good": response(encoded(quarters(60, 40), "JPEG")),
            "withheld": response(TOKEN.encode(), f"403 {TOKEN}", WWW_Authenticate=TOKEN),
            "busy": response(TOKEN.encode(), "503 Busy", Retry_After=TOKEN),
            "cut": _cut,
            "loop": redirect(f"?{QUERY}"),
            "elsewhere": redirect(f"https://evil.test/{TOKEN}?{QUERY}"),
            "private": redirect(f"http://{PRIVATE}/{TOKEN}?{QUERY}"),
            "user": redirect(f"http://{USER}:{TOKEN}@127.0.0.1/?{QUERY}"),
            "none": response(TOKEN.encode(), Content_Type="text/html"),
            "large": b"HTTP/1.1 200 OK\r\nContent-Length: 999999999999\r\n\r\n",
            "chunks": f"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{TOKEN}\r\n".encode(),
        }
        for name, answer in answers.items():
            origin.answers[f"/{name}?{QUERY}"] = answer  # type: ignore[assignment]
            origin.answers[f"/{name}"] = answer  # type: ignore[assignment]
        yield origin


@pytest.fixture(scope="module")
def server(origin: Origin, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    entry = f"http://127.0.0.1:{origin.port}/"
    common = {
        "driver": "http",
        "allowed_networks": ["127.0.0.1/32"],
        "request_headers": {"Authorization": f"Bearer {TOKEN}"},
        "allowed_redirects": [f"http://{PRIVATE}/"],
    }
    remote = {**common, "allowed_sources": [entry], "signature_secret_key": SECRET}
    shop = {**common, "base_url": entry}
    # Storages of its own for each: of each storage and code one line a second is logged.
    storages = [
        {"name": f"{kind}-{name}", **keys} for name in PATHS for kind, keys in (("remote", remote), ("shop", shop))
    ]
    document = {"metrics": True, "storages": storages}
    with standalone(document, tmp_path_factory.mktemp("mage")) as running:
        yield running


def test_what_is_secret_is_in_no_output(server: Server, origin: Origin) -> None:
    outputs, statuses = [], {}
    for name in PATHS:
        path = f"http/127.0.0.1:{origin.port}/{name}?{QUERY}"
        remote = f"remote-{name}/thumbs"
        signed = f"{remote}/{signature(f'/{remote}/20x10/{path}')}/20x10/{quote(path)}"
        for target in (signed, f"shop-{name}/thumbs/20x10/{name}"):
            answer = server.get(target)
            statuses[name] = answer.status
            outputs += [] if answer.status == 200 else [answer.body.decode(), repr(answer.headers)]
    assert statuses.pop("good") == 200
    assert set(statuses.values()) <= {404, 413, 415, 502}
    assert [each.fields.get("authorization") for each in origin.requests] == [f"Bearer {TOKEN}"] * len(origin.requests)
    outputs.append(server.get("metrics").body.decode())
    log = server.log.read_text()
    assert "127.0.0.1" in log, "the host of a URL may be logged"
    assert "10.0.0.0/8, which allowed_networks could open" in log
    for secret in (TOKEN, QUERY, USER, SECRET, f"{PRIVATE}/"):
        assert secret not in "".join(outputs), secret
        assert secret not in log, secret
