"""Memory after thousands of reads, right and wrong ones: nothing of a read stays."""

import gc
import gzip
import socket
import tracemalloc
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import pytest

from tests.support.origins import LOOPBACK, Names, Origin, Received, redirect, response, running_origin, source_of
from thumbs.errors import ThumbError
from thumbs.sources.http.settings import HttpSettings
from thumbs.sources.http.source import HttpSource

DATA = bytes(range(256)) * 200
# Where an allocation counts: the origin of the test keeps what it has received.
WHERE = ("*/thumbs/*", "*/http/client.py", "*/email/*", "*/ssl.py")
MOST_BYTES = 60_000  # less than one small object for each read
PATHS = ("good", "gzip", "moved", "missing", "busy", "cut", "large", "chunks", "evil", "private", "line", "gone?x")


def _cut(connection: socket.socket, _: Received) -> bool:
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 99999\r\n\r\n" + DATA)
    return False


@pytest.fixture
def origin() -> Iterator[Origin]:
    with running_origin() as origin:
        origin.answers |= {
            "/good": response(DATA),
            "/gzip": response(gzip.compress(DATA), Content_Encoding="gzip"),
            "/moved": redirect("/good"),
            "/busy": response(DATA, "503 Busy"),
            "/cut": _cut,
            "/large": b"HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\n\r\n",
            "/chunks": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b"1\r\nx\r\n" * 500 + b"0\r\n\r\n",
            "/evil": redirect("https://evil.test/"),
            "/private": redirect("http://private.test/"),
            "/line": b"HTTP/1.1 200 OK\r\nA: " + b"x" * 20_000,
        }
        yield origin


def _size() -> int:
    gc.collect()
    found = tracemalloc.take_snapshot().filter_traces([tracemalloc.Filter(True, where) for where in WHERE])
    return sum(each.size for each in found.statistics("filename"))


def _read(source: HttpSource, path: str) -> None:
    with suppress(ThumbError):  # which one, other tests say
        source.read(path)


@pytest.mark.slow
@pytest.mark.parametrize("listed", [False, True])
def test_nothing_of_a_read_stays_in_memory(listed: bool, origin: Origin) -> None:
    base = f"http://shop.test:{origin.port}/"
    place = {"allowed_sources": (base, "http://*.gone.test/")} if listed else {"base_url": base}
    settings = HttpSettings(
        **place,
        allowed_networks=LOOPBACK,
        allowed_redirects=("http://private.test/",),
    )
    names = Names(shop_test="127.0.0.1", private_test="10.0.0.1")
    source = source_of(settings, names)

    def round_of(count: int, start: int) -> None:
        with ThreadPoolExecutor(16) as pool:
            for number in range(start, start + count):
                path = PATHS[number % len(PATHS)]
                pool.submit(_read, source, f"{base}{path}" if listed else path)
                if listed:  # hosts that clients choose
                    pool.submit(_read, source, f"http://h{number}.gone.test/a")
        names.asked.clear()
        origin.requests.clear()

    tracemalloc.start()
    try:
        round_of(300, 0)
        before = _size()
        round_of(1000, 300)
        after = _size()
    finally:
        tracemalloc.stop()
    assert after - before < MOST_BYTES
