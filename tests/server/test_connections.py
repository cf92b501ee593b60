"""When a connection leaves requests to gunicorn, and when it is closed."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from types import SimpleNamespace

import pytest
from django.test import override_settings
from gunicorn.glogging import Logger
from gunicorn.workers import gasgi

from tests.support.connection import Transport, connected, get, unreachable, until
from thumbs.asgi import ThumbsASGI
from thumbs.server import protocol as protocol_module
from thumbs.server.connections import Connections
from thumbs.server.protocol import ThumbsProtocol

HIT = get(b"/cached/thumbs/90x60/quarters.jpg")
Change = Callable[[ThumbsProtocol], object]


@asynccontextmanager
async def warm(originals: Path, **settings: object) -> AsyncIterator[tuple[ThumbsProtocol, Transport]]:
    """A connection to a server whose memory holds the thumbnail of `HIT`."""
    memory = {"memory": {"enabled": True, "max_size_mb": 16}}
    storages = [{"name": "cached", "driver": "local", "root": str(originals), "cache": memory}]
    with override_settings(THUMBS={"STORAGES": storages}):
        front = ThumbsASGI(unreachable)
        async with connected(front) as (protocol, transport):
            protocol.data_received(HIT)
            await until(lambda: b"X-Cache: MISS" in transport.written)
        async with connected(front, **settings) as connection:
            yield connection


def at_once(protocol: ThumbsProtocol, transport: Transport) -> bool:
    """Whether a hit is written by the connection itself."""
    transport.written = b""
    protocol.data_received(HIT)
    return b"X-Cache: HIT" in transport.written


def test_a_connection_with_default_settings_writes_hits_itself(originals: Path) -> None:
    async def converse() -> None:
        async with warm(originals) as (protocol, transport):
            assert at_once(protocol, transport)
            assert at_once(protocol, transport)
            assert protocol.worker.nr == 2

    asyncio.run(converse())


@pytest.mark.parametrize(
    "settings",
    [
        {"keepalive": 0},
        {"pre_request": lambda _worker, _request: None},
        {"post_request": lambda _worker, _request, _environ, _response: None},
        {"root_path": "/below"},
    ],
    ids=lambda settings: next(iter(settings)),
)
def test_gunicorn_answers_where_a_setting_concerns_every_request(originals: Path, settings: dict[str, object]) -> None:
    async def converse() -> None:
        async with warm(originals, **settings) as (protocol, transport):
            assert not at_once(protocol, transport)
            await until(lambda: transport.written.startswith(b"HTTP/1.1 200 "))

    asyncio.run(converse())


def test_a_limit_of_requests_leaves_only_the_last_one_to_gunicorn(originals: Path) -> None:
    async def converse() -> None:
        async with warm(originals) as (protocol, transport):
            protocol.worker.limit = protocol.worker.nr + 3
            assert at_once(protocol, transport)
            assert at_once(protocol, transport)
            assert b"Connection: close" not in transport.written
            assert not at_once(protocol, transport)
            await until(lambda: transport.written.startswith(b"HTTP/1.1 200 "))
            assert b"connection: close" in transport.written.lower()
            await until(lambda: protocol.worker.stopping)
            await until(protocol.is_closed)

    asyncio.run(converse())


def _with_an_access_log(protocol: ThumbsProtocol) -> None:
    class Talkative(Logger):  # type: ignore[misc]  # gunicorn has no types
        access_log_enabled = True

    protocol.worker.log = Talkative(protocol.worker.cfg)


def _with_a_proxy_before_it(protocol: ThumbsProtocol) -> None:
    protocol.worker.cfg.set("proxy_protocol", "auto")


@pytest.mark.parametrize("change", [_with_an_access_log, _with_a_proxy_before_it])
def test_a_connection_of_another_configuration_is_never_plain(originals: Path, change: Change) -> None:
    async def converse() -> None:
        async with warm(originals) as (protocol, _):
            assert ThumbsProtocol(protocol.worker)._plain
            change(protocol)
            assert not ThumbsProtocol(protocol.worker)._plain

    asyncio.run(converse())


def test_an_application_without_our_front_is_gunicorns_alone() -> None:
    called: list[str] = []

    async def application(scope: dict[str, str], _: object, send: Callable[[dict[str, object]], object]) -> None:
        called.append(scope["path"])
        await send({"type": "http.response.start", "status": 204, "headers": []})  # type: ignore[misc]
        await send({"type": "http.response.body", "body": b""})  # type: ignore[misc]

    async def converse() -> None:
        async with connected(application) as (protocol, transport):
            protocol.data_received(HIT)
            await until(lambda: transport.written.startswith(b"HTTP/1.1 204"))
        assert called == ["/cached/thumbs/90x60/quarters.jpg"]

    asyncio.run(converse())


def test_a_worker_that_stops_writes_no_hit_itself(originals: Path) -> None:
    async def converse() -> None:
        async with warm(originals) as (protocol, transport):
            protocol.worker.stopping = True
            assert not at_once(protocol, transport)
            await until(lambda: b"connection: close" in transport.written.lower())
            await until(protocol.is_closed)

    asyncio.run(converse())


@pytest.mark.parametrize("moment", ["before the body", "after the answer"])
def test_a_connection_whose_answer_did_not_end_it_gets_another_answer_from_a_worker_that_stops(moment: str) -> None:
    worker = SimpleNamespace()

    async def application(scope: dict[str, str], _: object, send: Callable[[dict[str, object]], object]) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})  # type: ignore[misc]
        await send({"type": "http.response.body", "body": b"o", "more_body": True})  # type: ignore[misc]
        worker.stopping |= moment == "before the body"
        await send({"type": "http.response.body", "body": b"k"})  # type: ignore[misc]
        worker.stopping = True

    async def converse() -> None:
        nonlocal worker
        async with connected(application) as (protocol, transport):
            worker = protocol.worker
            protocol.data_received(HIT)
            await until(lambda: worker.stopping and protocol.is_without_request())
            assert b"connection: close" not in transport.written.lower()
            assert not protocol.is_closed()
            transport.written = b""
            protocol.data_received(HIT)
            await until(protocol.is_closed)
            assert b"connection: close" in transport.written.lower()
            assert transport.written.endswith(b"ok")

    asyncio.run(converse())


def test_a_lookup_that_fails_is_left_to_the_application(originals: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("a fault of ours")

    async def converse() -> None:
        async with warm(originals) as (protocol, transport):
            monkeypatch.setattr(ThumbsASGI, "hit", fail)
            assert not at_once(protocol, transport)
            await until(lambda: b"X-Cache: HIT" in transport.written)

    asyncio.run(converse())


# ---------------------------------------------------------------------------------------------- closed when idle


def test_a_new_connection_has_as_long_for_its_first_request_as_an_idle_one(originals: Path) -> None:
    async def converse() -> None:
        async with warm(originals, keepalive=7) as (protocol, _):
            assert protocol._keepalive_handle is not None
            assert protocol._keepalive_handle.when() - protocol.worker.loop.time() <= 7

    asyncio.run(converse())


def test_the_time_of_an_idle_connection_begins_with_the_last_hit(originals: Path) -> None:
    async def converse() -> None:
        async with warm(originals, keepalive=50) as (protocol, transport):
            assert at_once(protocol, transport)
            first = protocol._keepalive_handle
            protocol._keepalive_timeout()
            assert not protocol._closed
            assert protocol._keepalive_handle is not first
            assert protocol._keepalive_handle.when() == pytest.approx(protocol._answered_at + 50)
            protocol._answered_at -= 51
            protocol._keepalive_timeout()
            assert protocol._closed

    asyncio.run(converse())


def test_a_request_that_came_while_the_loop_was_held_up_is_answered(
    originals: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The time is over when the loop goes on, and uvloop calls timers before it reads, asyncio before it runs tasks."""

    async def converse() -> None:
        async with warm(originals) as (protocol, transport):
            monkeypatch.setattr(protocol_module, "unread_bytes", lambda _: 9)
            protocol._keepalive_timeout()
            assert not protocol._closed
            assert protocol._keepalive_handle.when() - protocol.worker.loop.time() <= 1
            monkeypatch.setattr(protocol_module, "unread_bytes", lambda _: 0)
            protocol.data_received(get(b"/cached/thumbs/50x50/absent.jpg"))
            protocol._keepalive_timeout()
            assert not protocol._closed
            await until(lambda: b" 404 Not Found" in transport.written)
        async with warm(originals) as (protocol, _):
            protocol.data_received(get(b"/cached/thumbs/50x50/absent.jpg")[:-2])
            protocol._keepalive_timeout()
            assert protocol._closed

    asyncio.run(converse())


def test_only_connections_without_a_request_under_way_are_closed(
    originals: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def converse() -> None:
        monkeypatch.setattr(protocol_module, "connections", Connections())
        async with warm(originals) as (new, _), connected(ThumbsASGI(unreachable)) as (busy, busy_transport):
            busy.data_received(get(b"/cached/thumbs/50x50/quarters.jpg"))
            await until(lambda: busy.req_count == 1)
            protocol_module.connections.close_idle()
            assert (new._closed, busy._closed) == (True, False)
            await until(lambda: b"X-Cache: MISS" in busy_transport.written)
            await until(lambda: busy._awaiting_request)
            protocol_module.connections.close_idle()
            assert busy._closed

    asyncio.run(converse())


def test_gunicorns_worker_is_given_our_connections(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gasgi, "ASGIProtocol", gasgi.ASGIProtocol)
    protocol_module.install()
    assert gasgi.ASGIProtocol is ThumbsProtocol


def test_what_is_unanswered_is_what_has_a_request_and_is_open() -> None:
    class Held:
        def __init__(self, *, idle: bool, closed: bool = False, unread: int = 0) -> None:
            self._idle, self._closed, self._unread = idle, closed, unread

        def is_without_request(self) -> bool:
            return not self._closed and self._idle

        def is_closed(self) -> bool:
            return self._closed

        def unread(self) -> int:
            return self._unread

    held = [Held(idle=False), Held(idle=True, unread=9), Held(idle=True), Held(idle=False, closed=True)]
    found = Connections()
    for each in held:
        found.add(each)  # type: ignore[arg-type]
    assert found.unanswered() == 2
