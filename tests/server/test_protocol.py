"""Hits are written at once, by the connection itself; gunicorn answers all other requests."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from django.test import override_settings

from tests.support.connection import Transport, connected, get, unreachable, until
from thumbs.asgi import ThumbsASGI
from thumbs.server.protocol import ThumbsProtocol

HIT = b"/cached/thumbs/90x60/filters:format(webp)/quarters.jpg"
OTHER_HIT = b"/cached/thumbs/60x40/filters:format(png)/quarters.jpg"


@asynccontextmanager
async def served(originals: Path) -> AsyncIterator[tuple[ThumbsProtocol, Transport]]:
    """A connection to a server with an empty cache in memory."""
    memory = {"memory": {"enabled": True, "max_size_mb": 16}}
    storages = [{"name": "cached", "driver": "local", "root": str(originals), "cache": memory}]
    with override_settings(THUMBS={"STORAGES": storages}):
        async with connected(ThumbsASGI(unreachable)) as connection:
            yield connection


def test_a_hit_is_written_before_the_event_loop_turns_and_a_miss_is_not(originals: Path) -> None:
    """Gunicorn needs two tasks at least, so an answer that is there at once did not come from it."""

    async def converse() -> None:
        async with served(originals) as (protocol, transport):
            protocol.data_received(get(HIT))
            assert transport.written == b""
            await until(lambda: b"X-Cache: MISS" in transport.written)
            await until(lambda: protocol._awaiting_request)
            transport.written = b""
            protocol.data_received(get(HIT))
            assert transport.written.startswith(b"HTTP/1.1 200 OK\r\n")
            assert b"X-Cache: HIT" in transport.written
            protocol.pause_writing()
            transport.written = b""
            protocol.data_received(get(HIT))
            assert transport.written == b""  # gunicorn waits until the client reads
            protocol.resume_writing()

    asyncio.run(converse())


def test_requests_that_come_too_early_are_gunicorns_and_later_hits_are_written_at_once(
    originals: Path,
) -> None:
    """A client may send a request as soon as it has an answer, when gunicorn does not wait for one yet."""

    async def converse() -> None:
        async with served(originals) as (protocol, transport):
            protocol.data_received(get(HIT))
            protocol.data_received(get(HIT))
            protocol.data_received(get(OTHER_HIT))
            await until(lambda: transport.written.count(b"HTTP/1.1 200 OK") == 3)
            await until(lambda: protocol._awaiting_request)
            transport.written = b""
            protocol.data_received(get(HIT))
            assert b"X-Cache: HIT" in transport.written

    asyncio.run(converse())


def test_a_connection_that_has_sent_other_bytes_stays_gunicorns(originals: Path) -> None:
    async def converse() -> None:
        async with served(originals) as (protocol, transport):
            protocol.data_received(get(HIT)[:30])
            protocol.data_received(get(HIT)[30:])
            await until(lambda: b"X-Cache: MISS" in transport.written)
            await until(lambda: protocol._awaiting_request)
            transport.written = b""
            protocol.data_received(get(HIT))
            assert transport.written == b""
            await until(lambda: b"X-Cache: HIT" in transport.written)

    asyncio.run(converse())
