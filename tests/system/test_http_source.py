"""Originals behind an nginx, through whole servers."""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest

from tests.support.fronts import SECRET, signature
from tests.support.nginx_origin import NginxOrigin, nginx_origin
from tests.support.origins import running_origin
from tests.support.pictures import encoded, quarters
from tests.support.servers import Answer, Server, free_port, standalone
from tests.support.waiting import eventually

LOOPBACK = ["127.0.0.1/32"]
MEMORY = {"memory": {"enabled": True, "max_size_mb": 32}}


@pytest.fixture(scope="module")
def origin(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NginxOrigin]:
    files = tmp_path_factory.mktemp("files")
    for name in ("a", "b", "c", "ten", "none"):
        (files / f"{name}.jpg").write_bytes(encoded(quarters(300, 200), "JPEG"))
    with nginx_origin(files, tmp_path_factory.mktemp("nginx")) as origin:
        yield origin


@pytest.fixture(scope="module", params=["asgi", "gthread"])
def server(
    request: pytest.FixtureRequest, origin: NginxOrigin, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    based = {"driver": "http", "base_url": origin.base, "allowed_networks": LOOPBACK}
    listed = {"driver": "http", "allowed_sources": [origin.base], "allowed_networks": LOOPBACK}
    document = {
        "metrics": True,
        "storages": [
            {"name": "shop", **based, "formats": ["jpeg", "original"], "cache": MEMORY},
            {"name": "sources", **based, "cache": {**MEMORY, "sources": True}},
            {"name": "shown", **based, "fallback": "none.jpg", "cache": MEMORY},
            {"name": "remote", **listed, "signature_secret_key": SECRET, "cache": MEMORY},
            {"name": "open", **listed, "allowed_sources": ["http://*/"], "signature_secret_key": SECRET},
        ],
    }
    with standalone(document, tmp_path_factory.mktemp("mage"), worker=request.param) as running:
        yield running


def code_of(answer: Answer) -> str:
    """The code of a problem document."""
    return str(json.loads(answer.body)["code"])


def _signed(storage: str, path: str, size: str = "40x30") -> str:
    return f"{storage}/thumbs/{signature(f'/{storage}/thumbs/{size}/{path}')}/{size}/{quote(path)}"


@pytest.mark.parametrize("path", ["a.jpg", "moved/a.jpg", "chunked/a.jpg", "gzip/a.jpg"])
def test_an_original_is_rendered_however_it_is_sent(path: str, server: Server) -> None:
    answer = server.get(f"shop/thumbs/40x30/{path}")
    assert (answer.status, answer.headers["content-type"]) == (200, "image/jpeg")


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("nothing.jpg", 404, "source-missing"),
        ("gone.jpg", 404, "source-missing"),
        ("closed.jpg", 404, "source-missing"),
        ("broken.jpg", 502, "storage-failed"),
        ("none.html", 415, "source-unsupported"),
    ],
)
def test_what_is_no_original_is_an_error(path: str, status: int, code: str, server: Server) -> None:
    answer = server.get(f"shop/thumbs/40x30/{path}")
    assert (answer.status, code_of(answer)) == (status, code)


def test_the_stored_bytes_are_served_unchanged(server: Server, origin: NginxOrigin) -> None:
    answer = server.get("shop/thumbs/x/filters:format(original)/a.jpg")
    assert answer.status == 200
    assert answer.body == (origin.files / "a.jpg").read_bytes()
    assert answer.headers["content-type"] == "image/jpeg"
    assert server.get("shop/thumbs/x/filters:format(original)/none.html").status == 415


def test_ten_sizes_of_one_original_cost_one_request(server: Server, origin: NginxOrigin) -> None:
    before = len(origin.requests("/ten.jpg"))
    for width in range(10, 20):
        assert server.get(f"sources/thumbs/{width}x/ten.jpg").status == 200
    assert len(origin.requests("/ten.jpg", at_least=before + 1)) == before + 1


def test_a_missing_original_is_shown_as_the_fallback(server: Server) -> None:
    answer = server.get("shown/thumbs/40x30/nothing.jpg")
    assert (answer.status, answer.headers["content-type"]) == (404, "image/jpeg")
    assert answer.headers["cache-control"] == "public, max-age=60"
    assert "etag" not in answer.headers


def test_a_signed_url_of_the_list_is_rendered(server: Server, origin: NginxOrigin) -> None:
    path = f"http/127.0.0.1:{origin.port}/b.jpg"
    assert server.get(_signed("remote", path)).status == 200
    assert server.get(_signed("remote", f"{path}?v=2")).status == 200
    assert code_of(server.get(_signed("remote", "https/img.example.com/b.jpg"))) == "source-not-allowed"
    assert server.get(f"remote/thumbs/{'x' * 22}/40x30/{path}").status == 403


_TARGETS = (
    *("http/127.0.0.2:{port}/a", "http/127.0.0.2/a", "http/localhost/a", "http/localhost:{port}/a", "http/0/a"),
    *("http/2130706434/a", "http/0x7f000002/a", "http/0177.0.0.2/a", "http/127.2/a", "http/127.0.0.2./a"),
    *("http/[::1]/a", "http/[::ffff:127.0.0.2]/a", "http/user@127.0.0.2/a", "http/0.0.0.0/a", "http/127.0.0.2%00/a"),
    *("http/169.254.169.254/latest/meta-data", "http/metadata/a", "http/metadata.google.internal/a", "file/etc/passwd"),
    *("ftp/127.0.0.2/a", "http/127.0.0.2#@img.example.com/a", "http/img.example.com\\@127.0.0.2/a"),
)


def test_no_url_opens_the_own_network(server: Server) -> None:
    with running_origin(host="127.0.0.2") as canary:
        for _ in range(2):
            for target in _TARGETS:
                answer = server.get(_signed("open", target.format(port=canary.port)))
                assert answer.status in (400, 404, 502), target
                assert b"127.0.0" not in answer.body
        assert canary.connections == 0


def test_a_request_that_has_passed_through_such_a_server_is_refused(server: Server) -> None:
    for field in ("mage", "cloudflare, mage", "MAGE; v=1"):
        answer = server.get("shop/thumbs/40x30/a.jpg", headers={"CDN-Loop": field})
        assert (answer.status, code_of(answer)) == (400, "source-loop")
    for field in ("cloudflare", "image-mage", ""):
        assert server.get("shop/thumbs/40x30/a.jpg", headers={"CDN-Loop": field}).status == 200


def test_the_worker_of_the_server_refuses_a_loop_of_a_hit_too(origin: NginxOrigin, tmp_path: Path) -> None:
    storage = {"name": "shop", "driver": "http", "base_url": origin.base, "allowed_networks": LOOPBACK, "cache": MEMORY}
    with standalone({"storages": [storage]}, tmp_path, worker="thumbs.server.worker.ThumbsWorker") as server:
        assert server.get("shop/thumbs/40x30/a.jpg").status == 200
        assert server.get("shop/thumbs/40x30/a.jpg").headers["x-cache"] == "HIT"
        assert server.get("shop/thumbs/40x30/a.jpg", headers={"CDN-Loop": "mage"}).status == 400


def test_a_server_that_names_itself_as_its_origin_ends_at_once(tmp_path: Path) -> None:
    port = free_port()
    storage = {"name": "shop", "driver": "http", "allowed_networks": LOOPBACK}
    storage["base_url"] = f"http://127.0.0.1:{port}/shop/thumbs/40x30/"
    with standalone({"storages": [storage]}, tmp_path, options=("--bind", f"127.0.0.1:{port}")) as server:
        assert server.get("shop/thumbs/40x30/a.jpg").status == 502


def test_an_entry_is_renewed_by_a_conditional_request_and_outlives_its_origin(tmp_path: Path) -> None:
    files = tmp_path / "files"
    files.mkdir()
    (files / "a.jpg").write_bytes(encoded(quarters(300, 200), "JPEG"))
    port, target = free_port(), "shop/thumbs/40x30/a.jpg"
    cache = {**MEMORY, "disk": {"ttl_seconds": 1, "stale_seconds": 3600}}
    storage = {"name": "shop", "driver": "http", "base_url": f"http://127.0.0.1:{port}/", "allowed_networks": LOOPBACK}
    with standalone({"storages": [{**storage, "cache": cache}]}, tmp_path) as server:
        with nginx_origin(files, tmp_path / "nginx", port) as origin:
            first = server.get(target)
            assert first.status == 200

            def is_renewed() -> bool:
                assert server.get(target).body == first.body
                return 304 in [status for status, _ in origin.requests("/a.jpg")]

            eventually(is_renewed)
            requests = origin.requests("/a.jpg")
            assert requests[0] == (200, "-")
            assert all(status == 304 and condition != "-" for status, condition in requests[1:])
        time.sleep(1.1)
        for _ in range(5):
            answer = server.get(target)
            assert (answer.status, answer.headers["x-cache"], answer.body) == (200, "STALE", first.body)
        assert server.get("shop/thumbs/41x30/a.jpg").status == 502


def test_the_metrics_count_outcomes_without_a_host(server: Server, origin: NginxOrigin) -> None:
    server.get("shop/thumbs/33x30/c.jpg")
    server.get("shop/thumbs/33x30/nothing-else.jpg")
    text = server.get("metrics").body.decode()
    assert 'mage_fetches_total{outcome="ok",storage="shop"}' in text
    assert 'mage_fetches_total{outcome="missing",storage="shop"}' in text
    assert 'mage_fetch_bytes_total{storage="shop"}' in text
    assert 'mage_fetch_seconds_count{storage="shop"}' in text
    assert "127.0.0.1" not in text
    assert f":{origin.port}" not in text


def test_it_is_ready(server: Server) -> None:
    assert server.get("ready").status == 200
