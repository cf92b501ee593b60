"""Servers that name each other as their origin, and a list of sources that must not be served."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.servers import Server, free_port, standalone
from tests.support.waiting import WAIT_SECONDS

LOOPBACK = ["127.0.0.1/32"]
WORKERS = ("asgi", "gthread", "thumbs.server.worker.ThumbsWorker")


def _document(other: int) -> dict[str, object]:
    """A server whose origin is the server on port `other`, by both forms of the driver."""
    common = {"driver": "http", "allowed_networks": LOOPBACK, "allowed_sizes": ["40x30"]}
    return {
        "metrics": True,
        "storages": [
            {"name": "shop", **common, "base_url": f"http://127.0.0.1:{other}/shop/thumbs/40x30/"},
            {"name": "remote", **common, "allowed_sources": [f"http://127.0.0.1:{other}/"]},
        ],
    }


@pytest.fixture(scope="module", params=WORKERS)
def pair(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Server, Server]]:
    ports = free_port(), free_port()
    first, second = (
        standalone(
            _document(other),
            tmp_path_factory.mktemp("mage"),
            worker=request.param,
            options=("--bind", f"127.0.0.1:{own}"),
        )
        for own, other in (ports, ports[::-1])
    )
    with first as one, second as two:
        # Not the port that `standalone` has chosen: the one that the other server names.
        yield (
            Server(one.name, ports[0], one.process, one.log),
            Server(two.name, ports[1], two.process, two.log),
        )


def _fetches(server: Server, storage: str) -> dict[str, float]:
    """The reads of a storage by their outcomes."""
    found: dict[str, float] = {}
    for line in server.get("metrics").body.decode().splitlines():
        name, _, value = line.rpartition(" ")
        if name.startswith("mage_fetches_total{") and f'storage="{storage}"' in name:
            found[name.partition('outcome="')[2].partition('"')[0]] = float(value)
    return {outcome: count for outcome, count in found.items() if count}


@pytest.mark.parametrize("storage", ["shop", "remote"])
def test_two_servers_that_name_each_other_end_after_one_hop(storage: str, pair: tuple[Server, Server]) -> None:
    first, second = pair
    path = "a.jpg" if storage == "shop" else f"http/127.0.0.1:{second.port}/remote/thumbs/40x30/http/127.0.0.1/a.jpg"
    assert first.get(f"{storage}/thumbs/40x30/{path}").status == 502
    assert _fetches(first, storage) == {"failed": 1}
    assert _fetches(second, storage) == {}, "the second server has asked again"


@pytest.mark.parametrize(
    "lines",
    [
        *([b"CDN-Loop: mage"], [b"cdn-loop: cloudflare, mage"], [b"CDN-Loop: MAGE;hop=1 , other"]),
        *([b"CDN-Loop: cloudflare", b"CDN-Loop: mage"], [b"CDN-Loop: mage", b"CDN-Loop: cloudflare"]),
    ],
)
def test_a_loop_is_seen_in_every_line_of_its_field(lines: list[bytes], pair: tuple[Server, Server]) -> None:
    answer = pair[0].raw(b"/shop/thumbs/40x30/b.jpg", headers=[*lines, b"Connection: close"])
    assert (answer.status, b"source-loop" in answer.body) == (400, True)


@pytest.mark.parametrize("entry", ["https://*/", "http://*/", "https://*.com/"])
def test_a_list_that_admits_any_host_does_not_start_without_a_secret(entry: str, tmp_path: Path) -> None:
    storage = {"name": "open", "driver": "http", "allowed_sources": [entry], "allowed_sizes": ["40x30"]}
    starting = standalone({"storages": [storage]}, tmp_path)
    with pytest.raises(AssertionError, match=r"thumbs\.E034"), starting as server:
        assert server.process.wait(WAIT_SECONDS) == 0, server.log.read_text()
