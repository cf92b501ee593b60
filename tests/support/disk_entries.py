"""Thumbnails that the URLs of this process's settings make, and the disk caches that then hold them."""

import time
from pathlib import Path

from django.test import Client

from thumbs.cache.filestore.store import FileStore
from thumbs.wiring import caches, process


def make(*paths: str) -> list[str]:
    """Have thumbnails made in this process; gives what X-Cache said."""
    answers = [Client().get(f"/img/{path}") for path in paths]
    assert {answer.status_code for answer in answers} == {200}
    return [answer.headers["X-Cache"] for answer in answers]


def store_of(name: str) -> FileStore:
    (conf,) = (conf for conf in process.configuration().storages if conf.name == name)
    store = caches.file_store(conf)
    assert store is not None
    return store


def leave_expired(directory: Path, count: int) -> None:
    """Leave entries whose time was over a while ago."""
    long_ago = FileStore(directory, max_bytes=None, clock=lambda: time.time() - 1000)
    for number in range(count):
        assert long_ago.set(f"old/{number}", b"x" * 5000, expires=time.time() - 500)
