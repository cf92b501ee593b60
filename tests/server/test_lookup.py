"""A miss is looked up once: the connection passes what it found to the front, for that request only."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from tests.support.clock import Clock
from tests.support.connection import Transport, connected, get, unreachable, until
from tests.support.fake_pipeline import FakeServer, open_server, request
from thumbs.asgi import ThumbsASGI
from thumbs.cache.adapters import MemoryLayer
from thumbs.cache.entry import Entry
from thumbs.cache.sieve import Sieve
from thumbs.server.protocol import ThumbsProtocol

__all__ = ["open_server"]

Connection = tuple[ThumbsProtocol, Transport]


class CountingLayer(MemoryLayer):
    """A quick layer that counts its lookups without blocking."""

    asked_now: Counter[str]

    def __init__(self, clock: Clock) -> None:
        super().__init__(Sieve(max_bytes=10_000_000, max_items=1000, clock=clock))
        vars(self)["asked_now"] = Counter()  # its base is frozen

    def get_now(self, key: str) -> Entry | None:
        self.asked_now[key] += 1
        return super().get_now(key)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def layer(clock: Clock) -> CountingLayer:
    return CountingLayer(clock)


@pytest.fixture
def server(open_server: Callable[..., FakeServer], layer: CountingLayer, clock: Clock) -> FakeServer:
    return open_server(cache=[layer], stale=1000, clock=clock)


@asynccontextmanager
async def connection_to(server: FakeServer) -> AsyncIterator[Connection]:
    async with connected(ThumbsASGI(unreachable, thumbnailer=lambda: server.thumbnailer)) as connection:
        yield connection


def target(size: str, key: str = "a.jpg") -> bytes:
    return f"/photos/thumbs/{size}/{key}".encode()


async def ask(connection: Connection, data: bytes, *, answers: int = 1) -> bytes:
    """What is written after `data`, when gunicorn has given that many answers and waits again."""
    protocol, transport = connection
    transport.written = b""
    protocol.data_received(data)
    await until(lambda: transport.written.count(b"HTTP/1.1 ") == answers and protocol._awaiting_request)
    return transport.written


def resolved(server: FakeServer) -> int:
    """How often the thumbnailer has resolved a request, by its memo or not."""
    info = server.thumbnailer._resolve.cache_info()
    return info.hits + info.misses


def test_a_miss_is_resolved_once_and_asks_the_quick_layers_once(server: FakeServer, layer: CountingLayer) -> None:
    async def converse() -> None:
        async with connection_to(server) as connection:
            for number, size in enumerate(("10x10", "20x20", "30x30"), start=1):
                assert b"X-Cache: MISS" in await ask(connection, get(target(size)))
                assert len(layer.asked_now) == resolved(server) == number
            assert set(layer.asked_now.values()) == {1}

    asyncio.run(converse())


def test_a_stale_entry_is_looked_up_once(server: FakeServer, layer: CountingLayer) -> None:
    async def converse() -> None:
        async with connection_to(server) as connection:
            await ask(connection, get(target("10x10")))
            server.clock.now += 400
            layer.asked_now.clear()
            assert b"X-Cache: STALE" in await ask(connection, get(target("10x10")))
            assert set(layer.asked_now.values()) == {1}

    asyncio.run(converse())


@pytest.mark.parametrize(
    ("path", "status"), [("0x0/a.jpg", 400), ("10x10/filters:format(nothing)/a.jpg", 400), ("x" * 2100, 414)]
)
def test_a_request_that_is_refused_is_resolved_once(server: FakeServer, path: str, status: int) -> None:
    async def converse() -> None:
        async with connection_to(server) as connection:
            before = resolved(server)
            answer = await ask(connection, get(b"/photos/thumbs/" + path.encode()))
            assert answer.startswith(b"HTTP/1.1 %d " % status)
            assert resolved(server) - before <= 1
            assert server.observer.counted == [(status, "", set())]

    asyncio.run(converse())


def test_an_entry_that_appears_after_the_lookup_is_served(server: FakeServer, layer: CountingLayer) -> None:
    async def converse() -> None:
        async with connection_to(server) as (protocol, transport):
            protocol.data_received(get(target("10x10")))  # a miss; gunicorn has not called the front yet
            server.thumbnailer.answer(request("10x10/a.jpg"))
            await until(lambda: b"HTTP/1.1 200 OK" in transport.written)
            assert len(server.renderer.rendered) == 1
            assert b"X-Cache: HIT" in transport.written

    asyncio.run(converse())


def test_pipelined_requests_take_no_lookup_of_another(server: FakeServer, layer: CountingLayer) -> None:
    """The first is looked up by the connection. The others come before it is answered, and gunicorn handles them."""

    async def converse() -> None:
        async with connection_to(server) as connection:
            protocol, transport = connection
            protocol.data_received(get(target("10x10")))
            protocol.data_received(get(target("20x20")) + get(target("30x30")))
            await until(lambda: transport.written.count(b"HTTP/1.1 200 OK") == 3)
            for width in (10, 20, 30):
                assert f"cat {width}x{width}".encode() in transport.written
            assert sorted(found.width or 0 for found in server.renderer.rendered) == [10, 20, 30]

    asyncio.run(converse())


@pytest.mark.parametrize(
    "other",
    [
        get(target("20x20")),
        get(target("10x10", "b.jpg")),
        get(target("10x10"), b'If-None-Match: "x"'),
        get(target("10x10"), b"X-Request-ID: 2"),
        get(target("10x10"), method=b"HEAD"),
        get(target("10x10")),
    ],
)
def test_a_lookup_that_was_not_taken_is_not_used_for_the_next_request(
    server: FakeServer, layer: CountingLayer, other: bytes
) -> None:
    """As if gunicorn had dropped the request that the lookup was made for."""

    async def converse() -> None:
        async with connection_to(server) as connection:
            protocol, _ = connection
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr("gunicorn.asgi.protocol.ASGIProtocol.data_received", lambda *_: None)
                protocol.data_received(get(target("10x10")))
            assert protocol._lookup is not None
            protocol._passed_on -= 1
            layer.asked_now.clear()
            await ask(connection, other)
            assert sum(layer.asked_now.values()) == 1
            assert protocol._lookup is None

    asyncio.run(converse())


def test_a_lookup_of_another_request_is_ignored_by_the_front(server: FakeServer, layer: CountingLayer) -> None:
    for difference in ({"accept": "image/webp"}, {"if_none_match": "*"}, {"request_id": "2"}, {"method": "HEAD"}):
        lookup = server.thumbnailer.hit(request("10x10/a.jpg"))
        layer.asked_now.clear()
        server.thumbnailer.answer(request("10x10/a.jpg")._replace(**difference), lookup)  # type: ignore[arg-type]
        assert sum(layer.asked_now.values()) == 1
        server.layers.clear()


def test_gunicorn_answers_each_connection_from_its_own_lookup(server: FakeServer, layer: CountingLayer) -> None:
    async def converse() -> None:
        async with connection_to(server) as first, connection_to(server) as second:
            first[0].data_received(get(target("10x10")))
            second[0].data_received(get(target("20x20")))
            await until(lambda: b"HTTP/1.1 200" in first[1].written and b"HTTP/1.1 200" in second[1].written)
            assert b"cat 10x10" in first[1].written
            assert b"cat 20x20" in second[1].written
            assert set(layer.asked_now.values()) == {1}

    asyncio.run(converse())
