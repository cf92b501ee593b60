"""URLs of other image servers for originals behind http: none of them begins a connection to the own network."""

import base64
import socket
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
from django.test import override_settings

from tests.support.canaries import LOCAL_NAMES, ORIGIN, begun, canary, names
from tests.support.front_calls import Ask, ask_asgi, ask_wsgi
from tests.support.origins import Origin, redirect, response, running_origin
from tests.support.pictures import encoded, quarters
from tests.support.private_targets import CODES, SCHEMES, urls
from tests.support.remote_urls import LOOPBACK

__all__ = ["begun", "canary", "names"]

FRONTS: dict[str, Ask] = {"wsgi": ask_wsgi, "asgi": ask_asgi}
PICTURE = response(encoded(quarters(60, 40), "JPEG"))


def _base64(url: str) -> str:
    return base64.urlsafe_b64encode(url.encode()).decode().rstrip("=")


def _escaped(url: str) -> str:
    return quote(url, safe="")


# How each dialect names an original behind http.
SPELLED = {
    "imgproxy": lambda url: f"/i/_/rs:fit:20:10/plain/{_escaped(url)}",
    "imgproxy in base64": lambda url: f"/i/_/rs:fit:20:10/{_base64(url)}",
    "imgproxy unescaped": lambda url: f"/i/_/rs:fit:20:10/plain/{quote(url, safe='/:@[]%?&=;')}",
    "thumbor": lambda url: f"/t/unsafe/20x10/{_escaped(url)}",
    "thumbor unescaped": lambda url: f"/t/unsafe/20x10/{quote(url, safe='/:@[]%?&=;')}",
    "imagor": lambda url: f"/a/unsafe/20x10/{_escaped(url)}",
    "imagor in base64": lambda url: f"/a/unsafe/20x10/b64:{_base64(url)}",
    "ipx": lambda url: f"/x/s_20x10/{quote(url, safe='/:@[]%?&=;')}",
    "mage": lambda url: f"/m/20x10/{quote(url.replace('://', '/', 1))}",
}
DIALECTS = {"i": "imgproxy", "t": "thumbor", "a": "imagor", "x": "ipx", "m": "mage"}


@pytest.fixture
def origin() -> Iterator[Origin]:
    with running_origin(host=ORIGIN) as origin:
        origin.answers["/a.jpg"] = PICTURE
        yield origin


@pytest.fixture
def port(origin: Origin, canary: socket.socket, names: object, tmp_path: Path) -> Iterator[int]:
    """The port of the canary. Entries admit the own network there, and the table of networks alone refuses it."""
    port = int(canary.getsockname()[1])
    hosts = ("*.evil.test", "127.0.0.1", "10.0.0.5", "169.254.169.254", *LOCAL_NAMES)
    entries = [f"http://{host}{behind}/" for host in hosts for behind in ("", f":{port}")]
    storage = {
        "name": "remote",
        "driver": "http",
        "allowed_sources": [f"http://{ORIGIN}:{origin.port}/", *entries],
        "allowed_networks": [f"{ORIGIN}/32"],
    }
    # Without signatures, so that each spelling comes as far as it can.
    dialects = [{"dialect": name, "path": f"/{path}/", "sources": {"": "remote"}} for path, name in DIALECTS.items()]
    thumbs = {"STORAGES": [storage], "DIALECTS": dialects, "RUN_DIR": str(tmp_path / "run")}
    with override_settings(THUMBS=thumbs):
        yield port


def _ask(front: str, spelling: str, url: str) -> int:
    target = f"/img{SPELLED[spelling](url)}"
    answer = FRONTS[front](target, prefix="/img/")
    assert answer is not None
    return int(answer[0])


@pytest.mark.parametrize("spelling", SPELLED)
def test_no_url_of_a_dialect_begins_a_connection(
    spelling: str, port: int, origin: Origin, begun: list[tuple[str, int]]
) -> None:
    good = f"http://{ORIGIN}:{origin.port}/a.jpg"
    assert _ask("wsgi", spelling, good) == _ask("asgi", spelling, good) == 200
    begun.clear()
    targets = [url for url in urls() if url.startswith("http:")]
    targets += [url.replace("/secret", f":{port}/secret") for url in targets if url.count(":") == 1]
    targets += [*SCHEMES, *(f"http://{host}:{port}/a" for host in LOOPBACK)]
    for number, target in enumerate(targets):
        status = _ask(list(FRONTS)[number % 2], spelling, target)
        assert status in (400, 404), (target, status)
    assert begun == []


def test_no_redirect_behind_a_dialect_begins_a_connection(
    port: int, origin: Origin, begun: list[tuple[str, int]]
) -> None:
    targets = [
        *(f"http://{host}:{port}/a" for host in LOCAL_NAMES),
        "http://169.254.169.254/",
        "//10.0.0.5/",
        "/\\[::1]/",
    ]
    for number, (target, spelling) in enumerate((target, spelling) for target in targets for spelling in SPELLED):
        code = CODES[number % len(CODES)]
        origin.answers[f"/{number}.jpg"] = redirect(target, f"{code} Elsewhere")
        status = _ask(list(FRONTS)[number % 2], spelling, f"http://{ORIGIN}:{origin.port}/{number}.jpg")
        assert status in (404, 502), (target, spelling)
    assert {address for address, _ in begun} == {ORIGIN}
