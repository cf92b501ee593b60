"""A thousand mutants of URLs of other image servers, sent to our worker and to the WSGI application: alike, no 5xx."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from tests.support.block_pictures import write_originals
from tests.support.commands import local_storage
from tests.support.forged_urls import forged
from tests.support.peer_signatures import peer_of
from tests.support.recorded_rows import Row, rows, setup_of
from tests.support.servers import OUR_WORKER, Server, standalone
from tests.support.url_mutants import mutant

MUTANTS = 1000
DIALECTS = ("imgproxy", "thumbor", "imagor", "ipx", "mage")
SIGNED = tuple(name for name in DIALECTS if name != "ipx")
# All that may stand in a request line.
VISIBLE = "".join(map(chr, range(0x21, 0x7F)))


def _first(name: str, setup: str) -> Row:
    return next(row for row in rows(name) if row.setup == setup and row.status == 200)


def _below(path: str, row: Row) -> dict[str, Any]:
    conf = {key: value for key, value in setup_of(row)[0].items() if key != "watermark"}
    return {**conf, "path": path}


def _urls(name: str, setup: str) -> list[str]:
    """The recorded URLs that were answered, from the slash before the options or the signature on."""
    found = [row.url for row in rows(name) if row.setup == setup and row.status == 200]
    prefixes = ("/thumbs/", "/t/") if name == "mage" else ()
    stripped = [url.removeprefix(prefix[:-1]) for url in found for prefix in prefixes if url.startswith(prefix)]
    return [url for url in stripped or found if not url.startswith("/trusted-one/")]


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Server, Server]]:
    """Our worker and the WSGI application, with every dialect unsigned below `/open/`, and signed below `/signed/`."""
    root, first, second = map(tmp_path_factory.mktemp, ("originals", "asgi", "wsgi"))
    write_originals(root)
    document = {"storages": _storages(root), "dialects": _dialects(), "limits": {"max_side": 600}}
    with standalone(document, first, worker=OUR_WORKER) as asgi, standalone(document, second, worker="gthread") as wsgi:
        yield asgi, wsgi


def _storages(root: Path) -> list[dict[str, object]]:
    memory = {"enabled": True, "max_size_mb": 64}
    return [local_storage("photos", root, memory=memory), local_storage("nested", root / "nested", memory=memory)]


def _dialects() -> list[dict[str, Any]]:
    unsigned = [_below(f"/open/{name}/", _first(name, "plain")) for name in DIALECTS]
    return [*unsigned, *(_below(f"/signed/{name}/", _first(name, "signed")) for name in SIGNED)]


def _answered_alike(both: tuple[Server, Server], prefix: str, url: str) -> int:
    target = f"{prefix}{quote(url, safe=VISIBLE)}".encode()
    asgi, wsgi = (server.raw(target) for server in both)
    assert (asgi.status, asgi.body) == (wsgi.status, wsgi.body), target
    assert asgi.status < 500, target
    return asgi.status


def test_mutants_are_answered_alike_by_both_servers(both: tuple[Server, Server]) -> None:
    urls = {name: _urls(name, "plain") for name in DIALECTS}
    statuses = Counter(
        _answered_alike(both, f"/open/{name}", mutant(seed, urls[name]))
        for seed in range(MUTANTS // len(DIALECTS))
        for name in DIALECTS
    )
    assert statuses[200] > MUTANTS // 20
    assert statuses[400] > MUTANTS // 20


@pytest.mark.parametrize("name", SIGNED)
def test_no_forgery_is_served(name: str, both: tuple[Server, Server]) -> None:
    urls, accepts = _urls(name, "signed"), peer_of(_first(name, "signed"))
    statuses: Counter[int] = Counter()
    for seed in range(MUTANTS // len(SIGNED)):
        url = forged(seed, urls)
        status = _answered_alike(both, f"/signed/{name}", url)
        statuses[status] += 1
        assert status != 200 or accepts(quote(url, safe=VISIBLE)), (seed, url)
    assert statuses[200]
    assert statuses[403] > statuses[200]
