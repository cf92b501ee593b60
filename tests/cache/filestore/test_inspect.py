"""Inspecting a store changes nothing in it, and works while another process holds its locks."""

import os
import time
from pathlib import Path

import pytest

from tests.support.clock import Clock
from tests.support.disk_store import entry_files, payload
from thumbs.cache.filestore.flock import lock, unlock
from thumbs.cache.filestore.store import FileStore, ForeignDirectory


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return tmp_path / "cache"


@pytest.fixture
def store(directory: Path, clock: Clock) -> FileStore:
    return FileStore(directory, max_bytes=None, clock=clock)


def test_a_held_lock_times_out_for_a_waiter_and_readers_need_none(store: FileStore, directory: Path) -> None:
    store.set("a/b", b"data", expires=None)
    (shard,) = directory.glob("??")
    holder, waiter = (os.open(shard, os.O_RDONLY) for _ in range(2))
    try:
        lock(holder)
        with pytest.raises(TimeoutError) as refused:
            lock(waiter, wait=0.05)
        assert isinstance(refused.value, OSError)
        assert payload(store.get("a/b")) == b"data"
        unlock(holder)
        lock(waiter, wait=0)
    finally:
        os.close(holder)
        os.close(waiter)


def test_a_group_is_counted_as_it_would_be_removed(store: FileStore) -> None:
    for key in ("group", "group/a", "group/b", "other/a"):
        store.set(key, b"x", expires=None)
    assert store.count_group("group") == store.delete_group("group") == 3
    assert store.count_group("group") == 0


def test_a_file_that_was_found_whole_is_looked_at_again_once_it_has_changed(
    directory: Path, store: FileStore, clock: Clock
) -> None:
    clock.now = time.time() + 10
    store.set("a/b", b"x" * 5000, expires=None)
    assert payload(store.get("a/b")) == payload(store.get("a/b")) == b"x" * 5000
    time.sleep(0.02)  # longer than a tick of the clock that dates files
    [file] = entry_files(directory)
    status = file.stat()
    with file.open("r+b") as damaged:
        damaged.seek(3000)
        damaged.write(b"y")
    os.utime(file, ns=(status.st_atime_ns, status.st_mtime_ns))  # the modification time, which is the expiry
    assert store.get("a/b") is None


def test_looking_at_a_directory_leaves_it_as_it_is(tmp_path: Path, directory: Path, store: FileStore) -> None:
    store.inspect()
    assert not directory.exists()
    directory.mkdir(parents=True)
    store.inspect()
    assert list(directory.iterdir()) == []
    (directory / "letter.txt").touch()
    with pytest.raises(ForeignDirectory):
        store.inspect()
    (directory / "letter.txt").unlink()
    store.prepare()
    store.inspect()
    in_a_file = tmp_path / "file"
    in_a_file.touch()
    for path in (in_a_file, in_a_file / "below"):
        with pytest.raises((ForeignDirectory, OSError)):
            FileStore(path, max_bytes=None).inspect()
