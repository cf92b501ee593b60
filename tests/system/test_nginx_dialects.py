"""URLs of other image servers through nginx, the lines `#dialect ` of our configuration."""

import base64
import hmac
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.behind_nginx import SPELLINGS
from tests.support.deployed import nginx, thumb_server
from tests.support.origins import LOOPBACK, Origin, response, running_origin
from tests.support.pictures import encoded, noise, quarters
from tests.support.servers import ROOT, Answer, Server
from tests.support.waiting import eventually

KEY, SALT = "key", "salt"


def _documented() -> list[str]:
    """The lines of the documentation, one for each kind of dialect."""
    text = (ROOT / "docs" / "migrating-servers.md").read_text()
    found = re.findall(r'^ *("~.*" /.*;) +# ', text, re.MULTILINE)
    assert len(found) == 3
    return found


def _digest(message: str, algorithm: str) -> str:
    return base64.urlsafe_b64encode(hmac.digest(KEY.encode(), message.encode(), algorithm)).decode()


def _imgproxy(rest: str) -> str:
    return f"{_digest(SALT + rest, 'sha256').rstrip('=')}{rest}"


def _thumbor(rest: str) -> str:
    return f"{_digest(rest, 'sha1')}/{rest}"


@pytest.fixture(scope="module")
def origin() -> Iterator[Origin]:
    with running_origin() as running:
        running.answers["/i?id=1"] = response(encoded(quarters(80, 60), "png"))
        running.answers["/i?id=2"] = response(encoded(noise(80, 60), "png"))
        yield running


@pytest.fixture(scope="module")
def mage(originals: Path, origin: Origin, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    source = f"http://127.0.0.1:{origin.port}/"
    remote = {"driver": "http", "allowed_sources": [source], "allowed_networks": list(LOOPBACK)}
    storages = [
        {"name": "local", "driver": "local", "root": str(originals)},
        {"name": "remote", **remote, "allowed_sizes": ["40x"]},
    ]
    dialects = [
        {"dialect": "ipx", "path": "/_ipx/", "sources": {source: "remote"}},
        {
            "dialect": "imgproxy",
            "path": "/",
            "sources": {"local:///": "local"},
            "key": KEY.encode().hex(),
            "salt": SALT.encode().hex(),
        },
    ]
    document = {"storages": storages, "dialects": dialects, "metrics": True}
    with thumb_server(document, tmp_path_factory.mktemp("mage")) as running:
        yield running


@pytest.fixture(scope="module")
def cached(mage: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    directory = tmp_path_factory.mktemp("cached")
    with nginx(directory, [mage.port], parts=["cache", "dialect"], dialects=_documented()) as through:
        yield through


def _last_line(through: Server, answer: Answer) -> str:
    """What the access log says of the request that got `answer`."""
    found: list[str] = []

    def look() -> bool:
        lines = through.log.read_text().split("\n")[:-1]
        found.extend(line for line in lines if json.loads(line)["id"] == answer.headers["x-request-id"])
        return bool(found)

    eventually(look)
    return found[0]


def test_two_queries_of_ipx_are_two_pictures_in_the_cache(mage: Server, cached: Server, origin: Origin) -> None:
    paths = [f"_ipx/w_40/http://127.0.0.1:{origin.port}/i?id={number}" for number in (1, 2)]
    bodies = [mage.get(path).body for path in paths]
    assert bodies[0] != bodies[1]
    for seen in ("MISS", "HIT"):
        answers = [cached.get(path) for path in paths]
        assert [(answer.status, answer.headers["x-proxy-cache"]) for answer in answers] == [(200, seen)] * 2
        assert [answer.body for answer in answers] == bodies


def test_a_query_of_our_own_urls_is_no_part_of_the_key(cached: Server) -> None:
    path = "local/thumbs/90x60/quarters.jpg"
    assert [cached.get(each).headers["x-proxy-cache"] for each in (path, f"{path}?x=1")] == ["MISS", "HIT"]


def test_urls_of_a_dialect_at_the_root_are_passed_on_as_they_are(mage: Server, cached: Server) -> None:
    path = _imgproxy("/rs:fit:40:30/plain/local:///cats/tom%20%26%20jerry%3F.jpg")
    answer = cached.get(path)
    assert (answer.status, answer.body) == (200, mage.get(path).body)
    assert cached.get(path.replace("40:30", "41:30")).status == 403


def test_the_documented_expressions_fit_the_urls_of_each_server(cached: Server) -> None:
    for path, fits in (
        ("_ipx/w_40/a.jpg", True),
        (_imgproxy("/w:40/plain/local:///a.jpg"), True),
        (_thumbor("40x30/a.jpg"), True),
        ("unsafe/40x30/a.jpg", True),
        ("t/unsafe/40x30/a.jpg", False),
        ("about", False),
    ):
        passed_on = "problem+json" in cached.get(path).headers.get("content-type", "")
        assert passed_on is fits, path


@pytest.mark.parametrize("name", ["metrics", "ready"])
def test_what_is_for_the_inside_stays_closed(mage: Server, cached: Server, name: str) -> None:
    assert mage.get(name).status == 200
    for spelling in (*SPELLINGS, "/_ipx/../{}", "/_ipx/..%2f{}", "/_ipx//../{}", "/unsafe/../{}"):
        answer = cached.raw(spelling.format(name).encode())
        assert 400 <= answer.status < 500, spelling
        assert b"mage_" not in answer.body


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("encode", [False, True])
def test_no_signature_of_a_dialect_is_in_the_log(cached: Server, method: str, encode: bool) -> None:
    path = _imgproxy("/rs:fit:42:30/plain/local:///quarters.jpg")
    signed = path.partition("/")[0]
    spelled = path.replace(signed, "".join(f"%{ord(letter):02x}" for letter in signed)) if encode else path
    line = _last_line(cached, cached.get(spelled, method=method))
    assert json.loads(line)["path"] == "/*"
    assert signed not in line


def test_urls_of_a_dialect_are_not_found_while_the_part_is_off(mage: Server, origin: Origin, tmp_path: Path) -> None:
    with nginx(tmp_path, [mage.port]) as through:
        for path in (f"_ipx/w_40/http://127.0.0.1:{origin.port}/i?id=1", _imgproxy("/w:40/plain/local:///a.jpg")):
            assert through.get(path).status == 404
