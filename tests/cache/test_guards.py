"""Guards of the cache: what they refuse, skip or allow."""

import errno
import fcntl
import os
from pathlib import Path

import pytest

from tests.support.private_files import private_file
from thumbs.cache.filestore.shard import Shard
from thumbs.cache.filestore.store import FileStore
from thumbs.cache.locks import KeyLocks
from thumbs.cache.sieve import Sieve


@pytest.mark.timeout(20)  # without the guard it does not end
@pytest.mark.parametrize("max_items", [0, -1])
def test_a_memory_store_for_no_items_keeps_none(max_items: int) -> None:
    sieve = Sieve(max_bytes=1_000_000, max_items=max_items)
    assert not sieve.set("group/name", b"data", size=4, expires=None)
    assert sieve.get("group/name") is None
    assert len(sieve) == 0


def test_an_entry_that_was_used_after_it_was_sampled_is_not_evicted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = FileStore(tmp_path / "cache", max_bytes=75_000)
    store.set("group/old", b"x" * 20_000, expires=None)
    list_shard = Shard.list

    def list_and_use(shard: Shard, limit: int | None = None) -> object:
        """As if a reader used each entry right after the shard was listed."""
        listing = list_shard(shard, limit)
        for file in (tmp_path / "cache").rglob("*.entry"):
            os.utime(file, ns=(file.stat().st_atime_ns + 1_000_000, file.stat().st_mtime_ns))
        return listing

    monkeypatch.setattr(Shard, "list", list_and_use)
    assert not store.set("group/new", b"y" * 40_000, expires=None)
    monkeypatch.undo()
    assert store.get("group/old") is not None


@pytest.mark.parametrize("error", [errno.ENOLCK, errno.ENOTSUP, errno.EINVAL])
def test_where_the_file_system_has_no_locks_every_process_may_render(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: int
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(error, os.strerror(error))

    monkeypatch.setattr(fcntl, "fcntl", refuse)
    locks = KeyLocks(private_file(tmp_path / "locks"))
    first, second = locks.try_lock("key"), locks.try_lock("key")
    assert first is not None
    assert second is not None
    first.release()
    second.release()


def test_where_the_file_system_has_locks_one_process_has_the_key(tmp_path: Path) -> None:
    locks = KeyLocks(private_file(tmp_path / "locks"))
    first = locks.try_lock("key")
    assert first is not None
    assert locks.try_lock("key") is None
    first.release()
