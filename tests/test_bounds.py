"""Every container that grows with clients' requests stays bounded."""

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.clock import Clock
from tests.support.containers import BOUND, shrink_bounds, sizes
from tests.support.fake_pipeline import FakeServer, open_server, request
from thumbs.cache.adapters import MemoryLayer
from thumbs.cache.filestore import reader
from thumbs.cache.filestore.store import FileStore
from thumbs.cache.sieve import Sieve
from thumbs.errors import SourceMissing, StorageFailed
from thumbs.pipeline import negative_cache, renewals
from thumbs.pipeline.negative_cache import NegativeCache
from thumbs.sources.http import pool
from thumbs.sources.http.url import Origin

__all__ = ["open_server"]

MANY = 3 * BOUND
Open = Callable[..., FakeServer]


def remembered_failures(monkeypatch: pytest.MonkeyPatch, _: Path, __: Open) -> object:
    shrink_bounds(monkeypatch, negative_cache)
    cache = NegativeCache()
    for number in range(MANY):
        cache.remember(f"key {number}", SourceMissing())
        assert cache.find(f"key {number}") is not None
    return cache


def paused_renewals(monkeypatch: pytest.MonkeyPatch, _: Path, open_one: Open) -> object:
    shrink_bounds(monkeypatch, renewals)
    clock = Clock()
    memory = MemoryLayer(Sieve(max_bytes=10_000_000, max_items=1000, clock=clock))
    server = open_one(stale=1000.0, clock=clock, cache=[memory])
    for number in range(MANY):
        server.source.put(f"{number}.jpg", b"cat")
        assert server.thumbnailer.answer(request(f"40x30/{number}.jpg")).status == 200
    clock.now += 400
    server.source.failure = StorageFailed()
    for number in range(MANY):
        assert server.thumbnailer.answer(request(f"40x30/{number}.jpg")).status == 200
    server.settle()
    return server.thumbnailer


def read_entries(monkeypatch: pytest.MonkeyPatch, directory: Path, _: Open) -> object:
    """Checksums that were verified, and uses that are to be written down."""
    shrink_bounds(monkeypatch, reader)
    clock = Clock()
    clock.now = time.time() + 1000  # later than the last change and the last use of every file
    store = FileStore(directory / "cache", max_bytes=None, clock=clock)
    for number in range(MANY):
        store.set(f"group/{number}", b"data", expires=None)
    clock.now += 1000
    for number in range(MANY):
        try:
            store.get_now(f"group/{number}")
        except BlockingIOError:
            pytest.skip("this file system cannot read without waiting")
        assert max(sizes(store).values()) <= BOUND
    return store


def failures_of_hosts(monkeypatch: pytest.MonkeyPatch, _: Path, __: Open) -> object:
    shrink_bounds(monkeypatch, pool)
    failures = pool._Failures()
    for number in range(MANY):
        origin = Origin("https", f"{number}.example.com", 443)
        for _attempt in range(3):
            failures.count(origin)
    with pytest.raises(StorageFailed):
        failures.require(origin)
    return failures


@pytest.mark.parametrize("fill", [remembered_failures, paused_renewals, read_entries, failures_of_hosts])
def test_every_bounded_container_stays_bounded(
    fill: Callable[[pytest.MonkeyPatch, Path, Open], object],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    open_server: Open,
) -> None:
    found = sizes(fill(monkeypatch, tmp_path, open_server))
    grown = {path: size for path, size in found.items() if not path.startswith(("storages", "_policies", "executors"))}
    assert any(0 < size <= BOUND for size in grown.values()), f"nothing was filled: {grown}"
    assert {path: size for path, size in grown.items() if size > BOUND} == {}
