"""Client libraries of other image servers write URLs with their own options, and a real server answers what they ask.

Each option that asks for a size has a size beside it in `tests/support/dialect_clients`.
"""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.block_pictures import measured, write_originals
from tests.support.commands import local_storage
from tests.support.dialect_clients.installed import NPM, Written, of_npm, of_pypi
from tests.support.servers import OUR_WORKER, Server, fetch, standalone

KEY = "943b421c9eb07c830af81030552c86009268de4e532ba2ee2eab8247c6da0881"
SALT = "520f986b998545b4785e0defbc4f3c1203f22de2374a3d53cb7a7fe9fea309c5"
SECRET = "mage-test-key"
_IMGPROXY: dict[str, Any] = {"dialect": "imgproxy", "sources": {"local:///": "photos"}}
_IMAGOR: dict[str, Any] = {"dialect": "imagor", "sources": {"": "photos"}}
_PRESETS = {"card": "rs:fill:200:150/f:webp", "soft": "bl:3"}
DIALECTS: list[dict[str, Any]] = [
    {**_IMGPROXY, "path": "/", "key": KEY, "salt": SALT, "presets": _PRESETS, "watermark": "mark"},
    {**_IMGPROXY, "path": "/open/"},
    {"dialect": "ipx", "path": "/_ipx/", "sources": {"/": "photos"}},
    {"dialect": "thumbor", "path": "/t/", "sources": {"": "photos"}, "key": SECRET},
    {"dialect": "thumbor", "path": "/open-t/", "sources": {"": "photos"}},
    {**_IMAGOR, "path": "/a/", "key": SECRET},
    {**_IMAGOR, "path": "/open-a/"},
    {**_IMAGOR, "path": "/sha256/", "key": SECRET, "signer": "sha256", "signature_length": 40},
    {**_IMAGOR, "path": "/sha512/", "key": SECRET, "signer": "sha512"},
]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    root, directory = tmp_path_factory.mktemp("originals"), tmp_path_factory.mktemp("server")
    write_originals(root)
    document = {
        "storages": [local_storage("photos", root, memory={"enabled": True, "max_size_mb": 64})],
        "watermarks": {"mark": str(root / "mark.png")},
        "dialects": DIALECTS,
    }
    with standalone(document, directory, worker=OUR_WORKER) as running:
        yield running


def _check(written: list[Written]) -> None:
    """Every URL is answered with the picture that it asks for, and again from the cache."""
    wrong = []
    for one in written:
        answer = fetch(one.url)
        size = measured(answer.body)[0] if answer.status == 200 else None
        if (answer.status, size, answer.headers["content-type"]) != (200, one.size, one.type):
            wrong.append((one, answer.status, size, answer.headers["content-type"]))
    assert wrong == []
    assert {fetch(one.url).headers["x-cache"] for one in written} == {"HIT"}


def test_urls_of_the_libraries_of_npm_are_answered(server: Server, tmp_path: Path) -> None:
    written = of_npm(server.url("").rstrip("/"), KEY, SALT, SECRET, tmp_path)
    assert min(Counter(one.client for one in written)[name] for name in NPM) >= 6
    _check(written)


def test_urls_of_the_libraries_of_pypi_are_answered(server: Server) -> None:
    written = of_pypi(server.url("").rstrip("/"), SECRET)
    clients = Counter(one.client for one in written)
    assert {"libthumbor", "imgora, Thumbor", "imgora, Imagor", "imgora, sha256", "imgora, sha512"} == clients.keys()
    _check(written)


def test_the_same_urls_with_another_key_are_refused(server: Server, tmp_path: Path) -> None:
    address = server.url("").rstrip("/")
    unsigned = tuple(each["path"] for each in DIALECTS if "key" not in each)
    written = [*of_npm(address, f"00{KEY[2:]}", SALT, "another", tmp_path), *of_pypi(address, "another")]
    signed = [one for one in written if not one.url.removeprefix(address).startswith(unsigned)]
    assert {one.client for one in signed} == {one.client for one in written} - {"unpic"}
    assert {fetch(one.url).status for one in signed} == {403}
