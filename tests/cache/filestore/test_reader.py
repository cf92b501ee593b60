"""Reads of the disk store: without waiting from the page cache, and what is damaged is a miss and removed."""

import os
import shutil
from pathlib import Path

import pytest

from tests.support.clock import Clock
from tests.support.disk_store import entry_files, payload
from thumbs.cache.filestore.entry_file import HEADER_BYTES
from thumbs.cache.filestore.store import FileStore, Found


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return tmp_path / "cache"


@pytest.fixture
def store(directory: Path, clock: Clock) -> FileStore:
    return FileStore(directory, max_bytes=None, clock=clock)


# --------------------------------------------------------------------------------- without waiting


@pytest.fixture
def nowait(store: FileStore) -> FileStore:
    store.set("probe", b"data", expires=None)
    try:
        store.get_now("probe")
    except BlockingIOError:
        pytest.skip("the file system of the temporary directory cannot read without waiting")
    return store


def test_get_now_finds_what_the_page_cache_holds(nowait: FileStore, clock: Clock) -> None:
    data = os.urandom(20_000)
    nowait.set("a/b", data, expires=clock.now + 5)
    assert nowait.get_now("a/b") == Found(data, clock.now, clock.now + 5)
    assert nowait.get_now("a/c") is None
    clock.now += 6
    assert nowait.get_now("a/b") is None


def test_get_now_will_not_wait_for_what_it_does_not_hold(nowait: FileStore, directory: Path) -> None:
    data = os.urandom(2_000_000)
    nowait.set("a/b", data, expires=None)
    (path,) = [path for path in entry_files(directory) if path.stat().st_size > 1_000_000]
    with path.open("rb") as file:
        os.fsync(file.fileno())
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
    with pytest.raises(BlockingIOError):
        nowait.get_now("a/b")
    assert payload(nowait.get("a/b")) == data
    assert payload(nowait.get_now("a/b")) == data


def test_get_now_leaves_a_damaged_entry_to_get(nowait: FileStore, directory: Path) -> None:
    (path,) = entry_files(directory)
    path.write_bytes(b"rubbish")
    with pytest.raises(BlockingIOError):
        nowait.get_now("probe")
    assert nowait.get("probe") is None
    assert nowait.get_now("probe") is None
    assert entry_files(directory) == []


def test_a_use_queued_by_get_now_is_written_later(nowait: FileStore, directory: Path, clock: Clock) -> None:
    (path,) = entry_files(directory)
    clock.now += 3600
    nowait.get_now("probe")
    assert path.stat().st_atime < clock.now - 3000
    nowait.mark_used()
    assert path.stat().st_atime == clock.now
    assert path.stat().st_mtime == 0


def test_get_now_leaves_an_overdue_time_of_use_to_get(nowait: FileStore, directory: Path, clock: Clock) -> None:
    """Otherwise an entry that is read only by `get_now` would look unused, and be evicted first."""
    (path,) = entry_files(directory)
    clock.now += 3600
    assert nowait.get_now("probe") is not None
    assert nowait.get_now("probe") is not None
    clock.now += 5
    with pytest.raises(BlockingIOError):
        nowait.get_now("probe")
    assert nowait.get("probe") is not None
    assert path.stat().st_atime == clock.now
    assert nowait.get_now("probe") is not None


# ------------------------------------------------------------------------------------------ damage


def corruptions(good: bytes) -> dict[str, bytes]:
    flipped = {
        f"bit {bit} of byte {at}": bytes([*good[:at], good[at] ^ (1 << bit), *good[at + 1 :]])
        for at in range(len(good))
        for bit in ((0, 7) if at < HEADER_BYTES else (at % 8,))
    }
    cut = {f"cut to {length}": good[:length] for length in range(len(good))}
    return flipped | cut | {"longer": good + b"\0", "zeros": bytes(len(good)), "text": b"hello", "twice": good + good}


def test_damage_in_any_byte_and_any_cut_is_a_miss_and_is_removed(
    store: FileStore, directory: Path, clock: Clock
) -> None:
    store.set("a/b", b"some picture bytes" * 5, expires=None)
    (path,) = entry_files(directory)
    good = path.read_bytes()
    survivors = []
    for what, damaged in corruptions(good).items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(damaged)
        os.utime(path, (clock.now, 0))
        if store.get("a/b", expired=True) is not None or path.exists():
            survivors.append(what)
    assert survivors == []
    assert store.set("a/b", b"good again", expires=None)
    assert payload(store.get("a/b")) == b"good again"


def test_an_entry_moved_to_the_path_of_another_is_a_miss(store: FileStore, directory: Path) -> None:
    store.set("g/a", b"data of a", expires=None)
    (first,) = entry_files(directory)
    store.set("g/b", b"data of b", expires=None)
    (second,) = [path for path in entry_files(directory) if path != first]
    shutil.copy(first, second)
    os.utime(second, (0, 0))
    assert store.get("g/b") is None
    assert payload(store.get("g/a")) == b"data of a"


def test_an_entry_of_another_format_version_is_a_miss(store: FileStore, directory: Path) -> None:
    store.set("g/a", b"data", expires=None)
    (path,) = entry_files(directory)
    raw = bytearray(path.read_bytes())
    raw[4] += 1
    path.write_bytes(raw)
    assert store.get("g/a") is None
    assert not path.exists()


@pytest.mark.parametrize("kind", ["fifo", "symbolic link", "dangling link", "directory"])
def test_what_is_no_regular_file_at_an_entrys_path_is_a_miss(store: FileStore, directory: Path, kind: str) -> None:
    store.set("g/a", b"data", expires=None)
    store.set("g/b", b"other", expires=None)
    path = next(path for path in entry_files(directory) if b"data" in path.read_bytes())
    outside = directory.parent / "outside"
    outside.write_bytes(b"not ours")
    path.unlink()
    match kind:
        case "fifo":
            os.mkfifo(path)
        case "symbolic link":
            path.symlink_to(outside)
        case "dangling link":
            path.symlink_to("nowhere")
        case "directory":
            path.mkdir()
    assert store.get("g/a") is None
    assert os.path.lexists(path) == (kind == "directory")
    assert outside.read_bytes() == b"not ours"
    assert payload(store.get("g/b")) == b"other"
