"""URLs of other image servers through real servers: our worker, WSGI, ASGI, and a site that includes the app."""

import base64
import hmac
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote

import pytest

from tests.support import servers
from tests.support.commands import environ_with, local_storage
from tests.support.fronts import Fronts
from tests.support.pictures import encoded, quarters
from tests.support.servers import Server

KEY, SALT = b"\x94\x3b", b"\x52\x0f"
DIALECTS = [
    {"dialect": "imgproxy", "path": "/i/", "sources": {"local:///": "photos"}, "key": KEY.hex(), "salt": SALT.hex()},
    {"dialect": "thumbor", "path": "/t/", "sources": {"": "photos"}, "key": "key"},
    {"dialect": "imagor", "path": "/a/", "sources": {"": "photos"}, "key": "key"},
    {"dialect": "ipx", "path": "/_ipx/", "sources": {"/": "photos"}},
    {"dialect": "mage", "path": "/m/", "sources": {"": "photos"}, "key": "key"},
]
KEY_OF_ORIGINAL = "a b/ü@2x.png"
ESCAPED = "a%20b/%C3%BC@2x.png"
BASE64 = base64.urlsafe_b64encode(f"local:///{KEY_OF_ORIGINAL}".encode()).decode().rstrip("=")


def signed(message: str, algorithm: str = "sha1", length: int | None = None) -> str:
    return base64.urlsafe_b64encode(hmac.digest(b"key", message.encode(), algorithm)).decode()[:length]


def by_imgproxy(path: str) -> str:
    return base64.urlsafe_b64encode(hmac.digest(KEY, SALT + path.encode(), "sha256")).decode().rstrip("=") + path


def by_thumbor(path: str) -> str:
    return f"{signed(path)}/{path}"


def by_imagor(path: str) -> str:
    return f"{signed(unquote(path))}/{path}"


def by_mage(path: str) -> str:
    return f"{signed(unquote(path), 'sha256', 16)}{path}"


def urls(size: str) -> dict[str, str]:
    """The same thumbnail of `size` in each dialect."""
    options = f"rs:fill:{size.replace('x', ':')}:1"
    return {
        "imgproxy": "i/" + by_imgproxy(f"/{options}/plain/local:///a%20b/%C3%BC%402x.png"),
        "imgproxy, base64": "i/" + by_imgproxy(f"/{options}/{BASE64[:9]}/{BASE64[9:]}"),
        "thumbor": "t/" + by_thumbor(f"{size}/{ESCAPED}"),
        "imagor": "a/" + by_imagor(f"{size}/{ESCAPED}"),
        "ipx": f"_ipx/s_{size},enlarge/{ESCAPED}",
        "mage": "m/" + by_mage(f"/{size}/filters:upscale(yes)/{ESCAPED}"),
    }


def own(size: str) -> str:
    return f"photos/thumbs/{size}/filters:upscale(yes)/{ESCAPED}"


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("root")
    (directory / "a b").mkdir()
    (directory / KEY_OF_ORIGINAL).write_bytes(encoded(quarters(120, 80), "PNG"))
    return directory


@pytest.fixture(scope="module")
def dialect_fronts(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fronts]:
    directory = tmp_path_factory.mktemp("fronts")
    storage = local_storage("photos", root, memory={"enabled": True, "max_size_mb": 16})
    document = {"storages": [storage], "dialects": DIALECTS, "run_dir": str(directory / "run")}
    with servers.every_front(document, directory) as running:
        yield Fronts(running, (str(root),))


@pytest.mark.parametrize(("number", "name"), list(enumerate(urls("1x1"))))
def test_one_entry_serves_both_spellings_in_every_front(number: int, name: str, dialect_fronts: Fronts) -> None:
    size = f"{40 + number}x30"
    made = dialect_fronts.ask(urls(size)[name])
    assert (made.status, made.headers["content-type"], made.headers["x-cache"]) == (200, "image/png", "MISS")
    for path in (own(size), urls(size)[name], *urls(size).values()):
        again = dialect_fronts.ask(path)
        assert (again.status, again.body, again.headers["x-cache"]) == (200, made.body, "HIT")
        assert again.headers["etag"] == made.headers["etag"]
        assert "memory" in again.headers["server-timing"]


@pytest.mark.parametrize("name", urls("1x1"))
def test_a_hit_may_be_conditional_or_a_head(name: str, dialect_fronts: Fronts) -> None:
    path = urls("50x31")[name]
    made = dialect_fronts.ask(path)
    assert dialect_fronts.ask(path, headers={"If-None-Match": made.headers["etag"]}).status == 304
    head = dialect_fronts.ask(path, method="HEAD")
    assert (head.status, head.body, head.headers["content-length"]) == (200, b"", str(len(made.body)))
    assert dialect_fronts.ask(path, method="POST").status == 405


@pytest.mark.parametrize("name", [name for name in urls("1x1") if name != "ipx"])
@pytest.mark.parametrize("is_known", [True, False], ids=["cached", "new"])
def test_a_wrong_signature_is_refused_also_of_a_cached_thumbnail(
    name: str, is_known: bool, dialect_fronts: Fronts
) -> None:
    path = urls("50x32")[name]
    if is_known:
        assert dialect_fronts.ask(path).status == 200
    prefix, signature, rest = path.split("/", 2)
    other = ("B" if signature.startswith("A") else "A") + signature[1:]
    refused = dialect_fronts.ask(f"{prefix}/{other}/{rest}")
    assert (refused.status, json.loads(refused.body)["code"]) == (403, "signature-refused")


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("t/" + by_thumbor(f"50x33/{KEY_OF_ORIGINAL}").partition("/")[0] + f"/50x33/{ESCAPED}", 403),
        ("a/" + by_imagor(f"50x33/{ESCAPED}").replace("/50x33/a%20b/", "/50x33/%61%20b/"), 200),
        ("t/" + by_thumbor(f"50x33/{ESCAPED}").replace("/50x33/a%20b/", "/50x33/%61%20b/"), 403),
        ("t/" + by_thumbor(f"50x33/{ESCAPED}") + "?v=2", 200),
        ("_ipx/s_50x33,enlarge/a%20b/%C3%BC@2x.png?v=2", 404),
        ("_ipx/s_50x33%2Cenlarge/a%20b%2F%C3%BC@2x.png", 200),
        ("i/" + by_imgproxy("/w:50/plain/local:///missing.png"), 404),
        ("i/" + by_imgproxy("/w:50/plain/local:///a%20b/%C3%BC@2x.png"), 400),
        ("i/" + by_imgproxy("/w:x/plain/local:///a.png"), 400),
        ("_ipx/w_50/..%2F..%2Fetc/passwd", 400),
    ],
)
def test_the_path_counts_as_it_was_sent_in_every_front(path: str, status: int, dialect_fronts: Fronts) -> None:
    assert dialect_fronts.ask(path).status == status


def test_a_server_that_keeps_no_raw_path_refuses(root: Path, tmp_path: Path) -> None:
    environ = environ_with(tmp_path, [local_storage("photos", root)])
    config = tmp_path / "storages.json"
    config.write_text(json.dumps({**json.loads(config.read_text()), "dialects": DIALECTS}))
    port, log = servers.free_port(), tmp_path / "runserver.log"
    command = [sys.executable, "manage.py", "runserver", "--noreload", f"127.0.0.1:{port}"]
    with servers.running(command, log=log, environ=environ) as process:
        servers.wait_for_port(port, process, log)
        server = Server("runserver", port, process, log)
        assert server.get(own("50x34")).status == 200
        for path in urls("50x34").values():
            refused = server.get(path)
            assert refused.status == 400
            assert b"path as it was sent" in refused.body
