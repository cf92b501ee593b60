"""One host that hangs takes nothing from another host of the same storage."""

import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.support.origins import Origin, Received, response, running_origin
from tests.support.pictures import encoded, quarters
from tests.support.servers import Server, standalone
from tests.support.waiting import WAIT_SECONDS, eventually

HOSTS = ("127.0.0.1", "127.0.0.3")
FETCHES, CONNECTIONS = 4, 2


@pytest.fixture
def silent() -> Iterator[tuple[Origin, threading.Event]]:
    """An origin whose answers come when the event is set, and not before."""
    release = threading.Event()
    picture = response(encoded(quarters(60, 40), "JPEG"))

    def wait(connection: socket.socket, _: Received) -> bool:
        release.wait(WAIT_SECONDS)
        connection.sendall(picture)
        return True

    with running_origin(host=HOSTS[1]) as origin:
        origin.answers |= {f"/{number}.jpg": wait for number in range(12)}
        yield origin, release
        release.set()


@pytest.fixture
def quick() -> Iterator[Origin]:
    with running_origin(host=HOSTS[0]) as origin:
        picture = response(encoded(quarters(60, 40), "JPEG"))
        origin.answers |= {f"/{number}.jpg": picture for number in range(40)}
        yield origin


@pytest.fixture(params=["asgi", "thumbs.server.worker.ThumbsWorker"])
def server(
    request: pytest.FixtureRequest, quick: Origin, silent: tuple[Origin, threading.Event], tmp_path: Path
) -> Iterator[Server]:
    sources = [f"http://{HOSTS[0]}:{quick.port}/", f"http://{HOSTS[1]}:{silent[0].port}/"]
    long = {"request_timeout_sec": 300, "response_header_timeout_sec": 300}
    storage = {
        "name": "remote",
        "driver": "http",
        "allowed_sources": sources,
        "allowed_networks": ["127.0.0.0/24"],
        "max_conns_per_host": CONNECTIONS,
        **long,
    }
    limits = {"fetches": FETCHES, "fetch_seconds": 300}
    with standalone({"limits": limits, "storages": [storage]}, tmp_path, worker=request.param) as running:
        yield running


def test_a_host_that_hangs_does_not_hold_up_another_one(
    server: Server, quick: Origin, silent: tuple[Origin, threading.Event]
) -> None:
    hanging, release = silent

    def status(host: str, port: int, number: int) -> int:
        return server.get(f"remote/thumbs/20x10/http/{host}:{port}/{number}.jpg").status

    with ThreadPoolExecutor(12) as pool:
        waiting = [pool.submit(status, HOSTS[1], hanging.port, number) for number in range(12)]
        eventually(lambda: len(hanging.requests) == CONNECTIONS)
        assert [status(HOSTS[0], quick.port, number) for number in range(40)] == [200] * 40
        assert not any(each.done() for each in waiting), "they are waiting all the time"
        assert hanging.connections <= CONNECTIONS
        release.set()
        assert [each.result(WAIT_SECONDS) for each in waiting] == [200] * 12
    assert hanging.connections <= CONNECTIONS
