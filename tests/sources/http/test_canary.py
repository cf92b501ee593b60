"""Signed URLs through both fronts, and redirects of all codes: no connection to the own network is ever begun."""

import itertools
import socket
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from urllib.parse import quote, urlsplit

import pytest
from django.test import override_settings

from tests.support.canaries import LOCAL_NAMES, ORIGIN, begun, canary, names
from tests.support.front_calls import Ask, ask_asgi, ask_wsgi
from tests.support.fronts import SECRET, signature
from tests.support.origins import Names, Origin, redirect, response, running_origin
from tests.support.pictures import encoded, quarters
from tests.support.private_targets import CODES, SCHEMES, urls
from tests.support.remote_urls import LOOPBACK, UNNAMED

__all__ = ["begun", "canary", "names"]

FRONTS: dict[str, Ask] = {"wsgi": ask_wsgi, "asgi": ask_asgi}
PICTURE = response(encoded(quarters(60, 40), "JPEG"))


@pytest.fixture
def origin() -> Iterator[Origin]:
    with running_origin(host=ORIGIN) as origin:
        yield origin


@pytest.fixture
def storages(origin: Origin, canary: socket.socket, tmp_path: Path) -> Iterator[None]:
    port = canary.getsockname()[1]
    entries = ["http://*/", "https://*/", f"http://{ORIGIN}:{origin.port}/", f"http://public.test:{origin.port}/"]
    for scheme, host in itertools.product(("http", "https"), ("*.evil.test", "127.0.0.1", "10.0.0.5", *LOCAL_NAMES)):
        entries.append(f"{scheme}://{host}:{port}/")
    common = {"driver": "http", "allowed_sources": entries, "allowed_networks": [f"{ORIGIN}/32"]}
    cache = {"memory": {"enabled": True, "max_size_mb": 8}}
    thumbs = {
        "STORAGES": [
            {"name": "uncached", **common, "signature_secret_key": SECRET},
            {"name": "cached", **common, "signature_secret_key": SECRET, "cache": cache},
        ],
        "RUN_DIR": str(tmp_path / "run"),
    }
    with override_settings(THUMBS=thumbs):
        yield


def _ask(front: str, storage: str, path: str, size: str = "20x10") -> int:
    """The status of a signed URL."""
    given = signature(f"/{storage}/thumbs/{size}/{path}") if path.isprintable() else "x" * 22
    with suppress(UnicodeEncodeError):
        given = signature(f"/{storage}/thumbs/{size}/{path}")
    target = f"/img/{storage}/thumbs/{given}/{size}/{quote(path, errors='surrogatepass')}"
    answer = FRONTS[front](target, prefix="/img/")
    assert answer is not None
    assert answer[0] == 200 or b"127." not in answer[1], target
    return int(answer[0])


def _path_of(url: str) -> str:
    """The path that names `url`, as an attacker writes it."""
    return url.replace("://", "/", 1)


def _with_port(url: str, port: int) -> str:
    """`url` on the port of the canary, where it has none."""
    parts = urlsplit(url)
    return url if ":" in parts.netloc else url.replace(parts.netloc, f"{parts.netloc}:{port}", 1)


@pytest.mark.usefixtures("names", "storages")
@pytest.mark.parametrize("front", FRONTS)
@pytest.mark.parametrize("storage", ["uncached", "cached"])
def test_no_signed_url_begins_a_connection(
    storage: str, front: str, canary: socket.socket, begun: list[tuple[str, int]]
) -> None:
    port = canary.getsockname()[1]
    paths = [
        *(_path_of(url) for url in urls() if url.startswith("https:")),
        *(_path_of(_with_port(url, port)) for url in urls() if url.startswith("http:")),
        *(f"http/{host}:{port}/a.jpg" for host in LOOPBACK),
        *UNNAMED,
    ]
    for path in paths:
        for _ in range(2 if storage == "cached" else 1):  # the second one may be answered by the cache
            assert _ask(front, storage, path) in (400, 404), path
    assert begun == []


@pytest.mark.usefixtures("names", "storages")
def test_no_redirect_begins_a_connection(origin: Origin, canary: socket.socket, begun: list[tuple[str, int]]) -> None:
    port = canary.getsockname()[1]
    targets = [_with_port(url, port) for url in urls() if url.startswith("http:")]
    targets += [*SCHEMES, *(f"http://{host}:{port}/a" for host in LOOPBACK)]
    redirects = list(itertools.product(filter(str.isascii, targets), CODES))
    # Four ways and five codes: each code meets each way.
    ways = itertools.cycle(itertools.product(FRONTS, ("uncached", "cached")))
    for number, ((target, code), (front, storage)) in enumerate(zip(redirects, ways, strict=False)):
        origin.answers[f"/{number}.jpg"] = redirect(target, f"{code} Elsewhere")
        for _ in range(2 if number % 16 in (1, 3) else 1):  # the second one may be answered by the cache
            status = _ask(front, storage, f"http/{ORIGIN}:{origin.port}/{number}.jpg")
            assert status in (404, 502), target
    assert {address for address, _ in begun} == {ORIGIN}
    assert len(origin.requests) >= len(redirects), "each was asked for"


@pytest.mark.usefixtures("storages")
@pytest.mark.parametrize("front", FRONTS)
def test_a_cached_thumbnail_is_served_when_its_name_has_moved_into_the_own_network(
    front: str, origin: Origin, names: Names, begun: list[tuple[str, int]]
) -> None:
    path = f"http/public.test:{origin.port}/a.jpg"
    origin.answers["/a.jpg"] = PICTURE.replace(b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 200 OK\r\nConnection: close\r\n")
    assert _ask(front, "cached", path) == 200
    for address in ("127.0.0.1", "169.254.169.254", "::1", "10.0.0.5"):
        names.set("public.test", [address])
        assert _ask(front, "cached", path) == 200
        assert _ask(front, "uncached", path) == 404
    assert {address for address, _ in begun} == {ORIGIN}
    assert len(origin.requests) == 1
