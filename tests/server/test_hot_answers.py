"""A hit from a hot file is written at once, byte for byte as any other hit, and so is the head that is remembered."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from django.test import override_settings

import thumbs
from tests.support.connection import Transport, connected, get, unreachable, until
from tests.support.hot_entries import open_entries
from thumbs.asgi import ThumbsASGI
from thumbs.cache.filestore import reader
from thumbs.server import heads
from thumbs.server.protocol import ThumbsProtocol

HIT = b"/cached/thumbs/90x60/filters:format(webp)/quarters.jpg"
NAMED = b"/cached/thumbs/90x60/filters:format(webp)/quarters.jpg/as/n.webp"


@pytest.fixture(autouse=True)
def settled(monkeypatch: pytest.MonkeyPatch) -> None:
    """A file may stay open as soon as it is written. The change time of its file system is real."""
    monkeypatch.setattr(reader, "_SETTLED_SECONDS", -1.0)


@asynccontextmanager
async def served(originals: Path, cache: Path) -> AsyncIterator[tuple[ThumbsProtocol, Transport]]:
    disk = {"disk": {"enabled": True, "dir": str(cache)}}
    storages = [{"name": "cached", "driver": "local", "root": str(originals), "cache": disk}]
    with override_settings(THUMBS={"STORAGES": storages}):
        async with connected(ThumbsASGI(unreachable)) as connection:
            yield connection


async def miss(protocol: ThumbsProtocol, transport: Transport, target: bytes) -> bytes:
    protocol.data_received(get(target))
    await until(lambda: transport.written.startswith(b"HTTP/1.1 ") and protocol._awaiting_request)
    return written(transport)


def written(transport: Transport) -> bytes:
    data, transport.written = transport.written, b""
    return re.sub(rb"\r\nDate: [^\r]+", b"", data)


def hit(protocol: ThumbsProtocol, transport: Transport, request: bytes) -> bytes:
    protocol.data_received(request)
    return written(transport)


def test_every_hit_has_the_same_bytes(originals: Path, tmp_path: Path) -> None:
    async def converse() -> None:
        async with served(originals, tmp_path / "cache") as connection:
            made = await miss(*connection, HIT)
            hits = [hit(*connection, get(HIT)) for _ in range(6)]
            if b"" in hits:
                pytest.skip("the file system of the temporary directory cannot read without waiting")
            assert len(open_entries(tmp_path / "cache")) == 1
            assert len(set(hits)) == 1
            assert b'Server-Timing: layer;desc="disk"' in hits[0]
            assert hits[0].partition(b"\r\n\r\n")[2] == made.partition(b"\r\n\r\n")[2] != b""

    asyncio.run(converse())


def test_each_request_for_a_hot_file_gets_its_own_answer(originals: Path, tmp_path: Path) -> None:
    async def converse() -> None:
        async with served(originals, tmp_path / "cache") as connection:
            await miss(*connection, HIT)
            plain = [hit(*connection, get(HIT)) for _ in range(4)][-1]
            if not plain:
                pytest.skip("the file system of the temporary directory cannot read without waiting")
            etag = re.search(rb"ETag: ([^\r]+)", plain)
            assert etag is not None
            for _ in range(3):
                head = hit(*connection, get(HIT, method=b"HEAD"))
                assert head == plain.partition(b"\r\n\r\n")[0] + b"\r\n\r\n"
                fresh = hit(*connection, get(HIT, b"If-None-Match: " + etag[1]))
                assert fresh.startswith(b"HTTP/1.1 304 Not Modified\r\n")
                assert fresh.endswith(b"\r\n\r\n")
                named = hit(*connection, get(NAMED))  # the same entry, and another header
                assert b"n.webp" in named
                assert hit(*connection, get(HIT)) == plain

    asyncio.run(converse())


def test_a_purge_makes_the_next_request_for_a_hot_file_a_miss(originals: Path, tmp_path: Path) -> None:
    async def converse() -> None:
        async with served(originals, tmp_path / "cache") as connection:
            await miss(*connection, HIT)
            if not [hit(*connection, get(HIT)) for _ in range(4)][-1]:
                pytest.skip("the file system of the temporary directory cannot read without waiting")
            thumbs.purge("cached", "quarters.jpg")
            assert b"X-Cache: MISS" in await miss(*connection, HIT)

    asyncio.run(converse())


def test_heads_are_remembered_by_identity_and_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(heads, "_MAX_HEADS", 8)
    for number in range(1000):
        value = b"%d" % number
        made = heads.head(200, ((b"Name", value),))
        assert made == b"HTTP/1.1 200 OK\r\nName: " + value + b"\r\nServer: gunicorn/asgi\r\n"
        assert len(heads._heads) <= 8
    same = ((b"Name", b"value"),)
    assert heads.head(304, same).startswith(b"HTTP/1.1 304 ")
    assert heads.head(200, same).startswith(b"HTTP/1.1 200 ")
    assert heads.head(200, same) is heads.head(200, same)
