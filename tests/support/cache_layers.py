"""Entries and layers for the tests of `thumbs.cache`."""

from pathlib import Path

from tests.support.clock import NOW, Clock
from thumbs.cache.adapters import DiskLayer, MemoryLayer
from thumbs.cache.entry import Entry
from thumbs.cache.filestore.store import FileStore
from thumbs.cache.layers import Found
from thumbs.cache.sieve import Sieve

KEY = "group/name"


def entry(body: bytes = b"picture", *, created: float = NOW, lives: float = 300, version: str | None = "v1") -> Entry:
    return Entry(body, "image/webp", '"tag"', version, 1_600_000_000, created, created + lives)


def memory(clock: Clock) -> MemoryLayer:
    return MemoryLayer(Sieve(max_bytes=10_000_000, max_items=1000, clock=clock))


def disk(path: Path, clock: Clock) -> DiskLayer:
    return DiskLayer(FileStore(path, max_bytes=None, clock=clock))


def bodies(found: Found | Entry | None) -> bytes | None:
    return None if found is None else found.entry.body if isinstance(found, Found) else found.body
