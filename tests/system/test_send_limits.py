"""A client that takes no bytes is disconnected, and what a process holds for such clients is limited."""

import contextlib
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest

from tests.support import servers
from tests.support.commands import local_storage
from tests.support.prometheus import samples
from tests.support.servers import OUR_WORKER, Server, eventually
from tests.support.unread import FORMATS, TINY, UnreadingClient, draw_noise, large, memory_of_workers, unreading
from tests.support.waiting import LONG_WAIT_SECONDS

MIB = 1024 * 1024
Serve = Callable[..., AbstractContextManager[Server]]
SMALL = "local/thumbs/300x200/filters:format(png)/noise.jpg"  # 180 KiB: a hit is written by the connection itself
LARGE_HIT, SMALL_HIT = large(storage="cached"), SMALL.replace("local/", "cached/")


@pytest.fixture(scope="module")
def noise(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return draw_noise(tmp_path_factory.mktemp("send") / "originals")


@pytest.fixture
def served(noise: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Serve:
    """Starts the standalone server with these `limits`. `local` has a `cache`: memory or disk; `cached` has memory."""
    (tmp_path / "metrics").mkdir()
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", str(tmp_path / "metrics"))
    # The clients connect at once, and ask when a busy machine has rendered.
    monkeypatch.setenv("GUNICORN_CMD_ARGS", "--keep-alive 600")
    layers: dict[str, dict[str, dict[str, object]]] = {
        "": {},
        "memory": {"memory": {"enabled": True, "max_size_mb": 48}},
        "disk": {"disk": {"enabled": True, "max_size_mb": 200, "dir": str(tmp_path / "cache")}},
    }

    def storage(name: str, cache: str) -> dict[str, object]:
        return {**local_storage(name, noise, **layers[cache]), "formats": FORMATS}

    @contextmanager
    def start(*, cache: str = "", **limits: float) -> Iterator[Server]:
        patient = {"queue_length": 200, "queue_seconds": 600, "render_seconds": 600}
        storages = [storage("local", cache), storage("cached", "memory")]
        document = {"storages": storages, "limits": {**patient, **limits}, "metrics": True}
        with servers.standalone(document, tmp_path, worker=OUR_WORKER, fresh=True) as server:
            eventually(lambda: server.get(TINY).status == 200)  # a busy machine may not have a child in time
            yield server

    return start


def dropped(server: Server, reason: str) -> float:
    text = server.get("metrics").body.decode()
    return samples(text, "mage_connections_dropped_total").get((reason,), 0)


def refused(server: Server) -> float:
    return sum(samples(server.get("metrics").body.decode(), "mage_answers_refused_total").values())


def ask_once(client: UnreadingClient, number: int) -> None:
    client.ask(large(number))


def ask_in_http_1_0(client: UnreadingClient, number: int) -> None:
    client.ask(large(number), version="HTTP/1.0")


def ask_in_one_piece(client: UnreadingClient, number: int) -> None:
    client.ask(large(number), times=2)


def ask_after_two_answers(client: UnreadingClient, number: int) -> None:
    """On a connection that is kept alive."""
    for _ in range(2):
        client.ask(TINY)
        assert client.read_answer()[0] == 200
    client.ask(large(number))


def ask_for_hits(client: UnreadingClient, _: int) -> None:
    client.ask(LARGE_HIT)


def ask_for_small_hits(client: UnreadingClient, _: int) -> None:
    """One by one, so that the connection itself answers, until the kernel takes no more of them."""
    with contextlib.suppress(ConnectionError):  # the server may be done with it before that
        for _ in range(60):
            client.ask(SMALL_HIT)
            time.sleep(0.001)


def ask_for_one_small_hit(client: UnreadingClient, _: int) -> None:
    """It fits into the kernel's send queue: the process holds nothing of it."""
    client.ask(SMALL_HIT)


WAYS = (
    ask_once,
    ask_in_http_1_0,
    ask_in_one_piece,
    ask_after_two_answers,
    ask_for_hits,
    ask_for_small_hits,
    ask_for_one_small_hit,
)


def test_clients_that_take_no_bytes_are_disconnected_and_others_are_served(served: Serve) -> None:
    each = 6
    with served(send_seconds=1, unsent_mb=1000) as server, unreading(server, each * len(WAYS)) as clients:
        assert {server.get(path).status for path in (LARGE_HIT, SMALL_HIT)} == {200}
        ways = list(WAYS) * each
        for number, (client, ask) in enumerate(zip(clients, ways, strict=True)):
            ask(client, number)

        def are_closed_while_others_are_served() -> bool:
            assert server.get(TINY).status == 200
            return all(client.is_closed() for client in clients)

        eventually(are_closed_while_others_are_served, seconds=LONG_WAIT_SECONDS)
        eventually(lambda: dropped(server, "stalled") == len(clients))
        assert dropped(server, "unsent") == refused(server) == 0
        assert 0 < server.log.read_text().count("connections were closed: ") < len(clients)


def test_a_slow_client_that_reads_is_not_cut_off(served: Serve) -> None:
    with served(send_seconds=2) as server, unreading(server, 1) as (client,):
        client.ask(large())
        begun = client.read_slowly(seconds=5, count=500, pause=0.1)
        assert len(begun) < MIB  # the server's kernel takes more than that, so nothing was left to it meanwhile
        status, _, body = client.read_answer(begun)
        assert status == 200
        assert body == server.get(large()).body
        client.ask(TINY)  # the connection is kept alive
        assert client.read_answer()[0] == 200
        assert dropped(server, "stalled") == 0


def test_beyond_the_limit_of_the_process_large_answers_are_refused_and_small_ones_are_sent(
    served: Serve,
) -> None:
    """No connection has been without progress for long enough to be closed."""
    with (
        served(cache="memory", send_seconds=600, unsent_mb=8) as server,  # one, and what a kernel leaves of another
        unreading(server, 1) as (idle,),
        unreading(server, 3) as others,
    ):
        idle.ask(large())
        eventually(lambda: server.get(large(1)).status == 503)
        for number, client in enumerate(others):
            client.ask(large(2 + number))
            status, head, _ = client.read_answer()
            assert status == 503
            assert b"\r\nRetry-After: 1" in head
            assert b"application/problem+json" in head
            client.ask(SMALL)
            assert client.read_answer()[0] == 200
        assert server.get(SMALL).status == 200
        assert server.get(large(2), method="HEAD").status == 200
        assert refused(server) >= 4
        assert not idle.is_closed()
        assert dropped(server, "unsent") == dropped(server, "stalled") == 0
        assert idle.read_answer()[0] == 200
        assert server.get(large(1)).status == 200


def test_beyond_the_limit_the_connection_without_progress_is_closed_and_one_with_progress_is_not(
    served: Serve,
) -> None:
    with served(send_seconds=12, unsent_mb=18) as server, unreading(server, 2) as (idle, slow):
        idle.ask(large())
        slow.ask(large(1))
        begun = slow.read_slowly(seconds=3, count=500, pause=0.1)
        while not idle.is_closed():  # asking closes it, after a quarter of `send_seconds`
            assert server.get(large(2)).status in (200, 503)
            begun += slow.read(500)
        assert dropped(server, "unsent") == 1
        assert slow.read_answer(begun)[0] == 200
        assert server.get(large(2)).status == 200


def test_clients_of_one_hit_share_its_bytes(served: Serve) -> None:
    with served(cache="memory", send_seconds=600, unsent_mb=32) as server, unreading(server, 12) as clients:
        assert server.get(large()).status == 200
        before = memory_of_workers(server)
        for client in clients:
            client.ask(large())
        for client in clients:
            assert client.read(1)
        assert server.get(SMALL).status == 200
        assert memory_of_workers(server) - before < 24 * MIB
        for client in clients:
            status, _, body = client.read_answer(b"H")
            assert status == 200
            assert len(body) > 6 * MIB
        assert refused(server) == 0


@pytest.mark.parametrize("count", [12, pytest.param(100, marks=pytest.mark.slow)])
def test_the_memory_of_a_process_is_bounded_by_the_limit(served: Serve, count: int) -> None:
    """The answers come from the disk, so each has bytes of its own, and no render takes memory meanwhile."""
    with served(cache="disk", send_seconds=600, unsent_mb=10) as server:
        for number in range(12):
            assert server.get(large(number)).status == 200
        before = memory_of_workers(server)
        with unreading(server, count) as clients:
            for number, client in enumerate(clients):
                client.ask(large(number % 12))
            eventually(lambda: refused(server) == count - 1)
            assert memory_of_workers(server) - before < 48 * MIB
            assert server.get(SMALL).status == 200
