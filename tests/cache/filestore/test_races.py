"""What other processes remove or hold while the store works: it goes on with the rest, and counts what is there."""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.support.clock import Clock
from tests.support.disk_store import entry_files, payload
from thumbs.cache.filestore import listing
from thumbs.cache.filestore.directory import JANITOR, TAG, janitor_lock
from thumbs.cache.filestore.flock import lock
from thumbs.cache.filestore.inspect import inspect_cache
from thumbs.cache.filestore.ledger import Ledger, Uncounted
from thumbs.cache.filestore.store import FileStore
from thumbs.cache.filestore.trust import PrivateDirectory


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return tmp_path / "cache"


@pytest.fixture
def store(directory: Path, clock: Clock) -> FileStore:
    made = FileStore(directory, max_bytes=None, clock=clock)
    for number in range(20):
        made.set(f"g{number}/name", b"x" * 100, expires=clock.now + 10)
    return made


def shard_names(directory: Path) -> list[str]:
    return sorted(path.name for path in directory.iterdir() if len(path.name) == 2)


@contextmanager
def held(shard: Path) -> Iterator[None]:
    """Another process holds `shard` all the time."""
    fd = os.open(shard, os.O_RDONLY)
    try:
        lock(fd)
        yield
    finally:
        os.close(fd)


def without_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """Gives up at once where the store would wait for a shard that is held."""
    place = "thumbs.cache.filestore.shards.lock"
    monkeypatch.setattr(place, lambda fd, *, wait=0.0: lock(fd, wait=0))  # noqa: ARG005 - none is waited for


def test_a_shard_that_is_held_is_left_for_the_next_sweep(
    store: FileStore, directory: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    without_waiting(monkeypatch)
    first = directory / shard_names(directory)[0]
    kept = len(entry_files(first))
    clock.now += 11
    with held(first):
        swept = store.sweep()
        assert swept.expired == 20 - kept
        assert len(entry_files(directory)) == kept
    assert store.sweep().expired == kept
    assert entry_files(directory) == []


def test_a_shard_that_is_held_is_not_evicted_from(
    directory: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = FileStore(directory, max_bytes=None, clock=clock)
    for number in range(40):
        store.set(f"g{number}/name", b"x" * 9000, expires=None)
    without_waiting(monkeypatch)
    first = directory / shard_names(directory)[0]
    kept = entry_files(first)
    small = FileStore(directory, max_bytes=300_000, clock=clock)
    with held(first):
        swept = small.sweep()
    assert swept.evicted > 0
    assert entry_files(first) == kept
    assert len(entry_files(directory)) == 40 - swept.evicted == small.usage().entries


def test_a_shard_that_is_removed_before_an_inspection_reads_it_is_not_counted(
    store: FileStore, directory: Path, clock: Clock
) -> None:
    gone = directory / shard_names(directory)[0]
    count = len(entry_files(gone))

    def passing(shards: Any) -> Any:
        for shard in shards:
            if shard == gone:
                gone.rename(directory.parent / "gone")
            yield shard

    found = inspect_cache(directory, now=clock.now, passing=passing)
    assert found.entries == 20 - count
    assert found.expired == 0


def test_an_entry_that_is_removed_while_it_is_listed_is_not_counted(
    store: FileStore, directory: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = os.stat
    removed: list[object] = []

    def stat(path: Any, **options: Any) -> os.stat_result:
        if str(path).endswith(".entry") and not removed:
            removed.append(path)
            os.unlink(path, dir_fd=options["dir_fd"])
        status: os.stat_result = real(path, **options)
        return status

    monkeypatch.setattr(os, "stat", stat)
    assert inspect_cache(directory, now=clock.now).entries == 19
    assert len(removed) == 1


def test_members_of_a_group_that_is_none_are_none(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    fd = os.open(tmp_path, os.O_RDONLY)
    try:
        assert listing.members(fd, "file") == listing.members(fd, "nothing") == []
        assert listing.blocks(fd, "nothing") == listing.blocks(fd, "file/below") == 0
    finally:
        os.close(fd)


def test_only_one_janitor_has_a_directory(directory: Path, store: FileStore) -> None:
    private = PrivateDirectory(directory)
    with janitor_lock(private) as first, janitor_lock(private) as second:
        assert (first, second) == (True, False)
        with janitor_lock(private) as third:
            assert third is False
    with janitor_lock(private) as again:
        assert again is True


def test_a_child_that_was_forked_meanwhile_does_not_keep_the_janitors_lock(directory: Path, store: FileStore) -> None:
    private = PrivateDirectory(directory)
    with janitor_lock(private) as first:
        assert first is True
        status = (directory / JANITOR).stat()
        open_files = [int(each.name) for each in list(Path("/proc/self/fd").iterdir()) if each.exists()]
        (lock,) = (each for each in open_files if os.path.samestat(os.fstat(each), status))
        inherited = os.dup(lock)
    try:
        with janitor_lock(private) as again:
            assert again is True
    finally:
        os.close(inherited)


@pytest.mark.parametrize(("number", "raised"), [(errno.ENOSPC, False), (errno.EDQUOT, False), (errno.EIO, True)])
def test_a_tag_without_room_is_no_reason_to_give_the_cache_up(
    directory: Path, monkeypatch: pytest.MonkeyPatch, number: int, raised: bool
) -> None:
    def write(_fd: int, _data: bytes) -> int:
        raise OSError(number, os.strerror(number))

    store = FileStore(directory, max_bytes=None)
    with monkeypatch.context() as full:
        full.setattr(os, "write", write)
        if raised:
            with pytest.raises(OSError, match="Input/output error"):
                store.prepare()
        else:
            store.prepare()
    assert (directory / TAG).read_bytes() == b""
    store.set("a/b", b"data", expires=None)
    assert payload(store.get("a/b")) == b"data"


def test_a_directory_that_cannot_be_written_is_refused_at_the_start(
    directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = FileStore(directory, max_bytes=None)
    monkeypatch.setattr(os, "access", lambda *_: False)
    with pytest.raises(PermissionError, match=r"cache is not writable$"):
        store.prepare()
    with pytest.raises(PermissionError) as refused:
        store.inspect()
    assert (refused.value.strerror, refused.value.filename) == ("it is not writable", str(directory))


def test_an_entry_that_is_written_in_pieces_is_whole(store: FileStore, monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.write
    pieces: list[int] = []

    def write(fd: int, data: Any) -> int:
        pieces.append(min(len(data), 700))
        return real(fd, bytes(data)[:700])

    monkeypatch.setattr(os, "writev", lambda fd, parts: real(fd, b"".join(parts)[:50]))
    monkeypatch.setattr(os, "write", write)
    data = bytes(range(256)) * 10
    assert store.set("large/name", data, expires=None)
    assert payload(store.get("large/name")) == data
    assert len(pieces) >= 3
    assert set(pieces[:-1]) == {700}


def test_a_directory_that_is_deleted_over_and_over_ends_the_count(
    store: FileStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    counts: list[int] = []

    def total(_: Ledger) -> None:
        counts.append(1)
        raise Uncounted

    monkeypatch.setattr(Ledger, "total", total)
    with pytest.raises(TimeoutError, match="the cache directory is being deleted over and over"):
        store.usage()
    assert len(counts) > 1


def test_a_file_system_that_cannot_read_without_waiting_is_read_with_it(
    store: FileStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, flagged = os.preadv, []

    def preadv(fd: int, buffers: Any, offset: int, flags: int = 0) -> int:
        if flags:
            flagged.append(flags)
            raise OSError(errno.EOPNOTSUPP, "Operation not supported")
        return real(fd, buffers, offset)

    monkeypatch.setattr(os, "preadv", preadv)
    for _ in range(3):
        with pytest.raises(BlockingIOError):
            store.get_now("g0/name")
        assert payload(store.get("g0/name")) == b"x" * 100
    assert len(flagged) == 1  # it is not tried again
