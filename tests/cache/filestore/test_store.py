"""One entry of the disk store: set, get, add, update, touch and delete, by a clock that the test moves."""

import os
import shutil
from pathlib import Path

import pytest

from tests.support.clock import Clock
from tests.support.disk_store import disk_bytes, entry_files, payload
from thumbs.cache.filestore.directory import TAG
from thumbs.cache.filestore.store import FileStore, ForeignDirectory, Found


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return tmp_path / "cache"


@pytest.fixture
def store(directory: Path, clock: Clock) -> FileStore:
    return FileStore(directory, max_bytes=None, clock=clock)


# -------------------------------------------------------------------------------------- one entry


def test_constructing_touches_nothing(directory: Path, store: FileStore) -> None:
    assert store.get("a/b") is None
    assert not store.delete("a/b")
    assert store.delete_group("a") == store.clear() == store.usage().bytes == 0
    assert not directory.exists()


@pytest.mark.parametrize("size", [0, 1, 4095, 4096, 20_000, 3_000_000])
@pytest.mark.parametrize(
    "key", ["group/name", "alone", "group/", "/", "", "a/b/c", "ü/\x00\n", "../../etc/x", "\ud800/x"]
)
def test_what_was_stored_comes_back(store: FileStore, clock: Clock, key: str, size: int) -> None:
    data = os.urandom(size)
    assert store.set(key, data, expires=clock.now + 300)
    assert store.get(key) == Found(data, clock.now, clock.now + 300)


def test_keys_that_look_alike_are_apart(store: FileStore) -> None:
    keys = ["g", "g/", "g/g", "/g", "g/g/", "g//g", "G/g"]
    for key in keys:
        store.set(key, key.encode(), expires=None)
    assert [payload(store.get(key)) for key in keys] == [key.encode() for key in keys]


def test_a_later_set_replaces_the_entry_and_its_time(store: FileStore, clock: Clock) -> None:
    store.set("a/b", b"old" * 9000, expires=None)
    clock.now += 10
    store.set("a/b", b"new", expires=clock.now + 5)
    assert store.get("a/b") == Found(b"new", clock.now, clock.now + 5)
    assert store.usage().entries == 1


def test_an_expired_entry_is_a_miss_unless_the_caller_accepts_it(store: FileStore, clock: Clock) -> None:
    store.set("a/b", b"data", expires=clock.now + 5)
    clock.now += 5
    assert store.get("a/b") is None
    assert payload(store.get("a/b", expired=True)) == b"data"


def test_an_entry_without_a_time_stays(store: FileStore, clock: Clock) -> None:
    store.set("a/b", b"data", expires=None)
    clock.now += 100 * 365 * 86400
    found = store.get("a/b")
    assert found is not None
    assert found.expires is None


def test_a_time_too_far_for_any_file_system_is_taken(store: FileStore, clock: Clock) -> None:
    for far in (1e30, float("inf")):
        store.set("a/b", b"data", expires=far)
        assert payload(store.get("a/b")) == b"data"


def test_setting_what_is_over_already_removes_the_entry(store: FileStore, clock: Clock) -> None:
    store.set("a/b", b"data", expires=None)
    assert store.set("a/b", b"data", expires=clock.now)
    assert store.get("a/b", expired=True) is None


def test_an_entry_from_a_clock_that_was_ahead_is_a_miss(store: FileStore, clock: Clock) -> None:
    clock.now += 10 * 365 * 86400
    store.set("a/b", b"data", expires=clock.now + 300)
    clock.now -= 10 * 365 * 86400
    assert store.get("a/b") is None
    assert store.sweep().expired == 1
    assert store.usage().entries == 0


def test_add_stores_only_where_there_is_nothing_fresh(store: FileStore, clock: Clock) -> None:
    assert store.add("a/b", b"1", expires=clock.now + 5)
    assert not store.add("a/b", b"2", expires=None)
    assert payload(store.get("a/b")) == b"1"
    clock.now += 6
    assert store.add("a/b", b"3", expires=None)
    assert payload(store.get("a/b")) == b"3"


def test_update_changes_the_payload_and_keeps_the_time(store: FileStore, clock: Clock) -> None:
    store.set("a/b", b"1", expires=clock.now + 5)
    assert store.update("a/b", lambda old: old + b"2")
    assert store.get("a/b") == Found(b"12", clock.now, clock.now + 5)
    assert not store.update("a/c", lambda old: old)
    with pytest.raises(ZeroDivisionError):
        store.update("a/b", lambda old: bytes(len(old) // 0))
    assert payload(store.get("a/b")) == b"12"


def test_touch_gives_a_new_time_without_writing_the_file_again(store: FileStore, directory: Path, clock: Clock) -> None:
    store.set("a/b", b"data", expires=clock.now + 5)
    inode = entry_files(directory)[0].stat().st_ino
    assert store.touch("a/b", clock.now + 50)
    clock.now += 49
    assert payload(store.get("a/b")) == b"data"
    assert entry_files(directory)[0].stat().st_ino == inode
    assert not store.touch("a/c", None)


def test_touch_leaves_an_expired_entry_as_it_is(store: FileStore, clock: Clock) -> None:
    store.set("a/b", b"data", expires=clock.now + 5)
    clock.now += 6
    assert not store.touch("a/b", clock.now + 50)
    assert store.get("a/b") is None


def test_deleting_says_what_was_there(store: FileStore) -> None:
    for key in ("g/1", "g/2", "g", "h/1"):
        store.set(key, b"data", expires=None)
    assert store.delete("g/1")
    assert not store.delete("g/1")
    assert store.delete_group("g") == 2
    assert store.delete_group("g") == 0
    assert payload(store.get("h/1")) == b"data"
    assert store.clear() == 1
    assert store.usage().entries == 0


def test_a_group_lies_in_one_directory_and_goes_with_it(store: FileStore, directory: Path) -> None:
    for number in range(20):
        store.set(f"picture/{number}", b"data", expires=None)
    parents = {path.parent for path in entry_files(directory)}
    assert len(parents) == 1
    store.delete_group("picture")
    assert not parents.pop().exists()


# ------------------------------------------------------------------------------------- the directory


def test_a_fresh_directory_is_private_and_tagged_as_a_cache(store: FileStore, directory: Path) -> None:
    store.prepare()
    store.set("a/b", b"data", expires=None)
    assert (directory / TAG).read_bytes().startswith(b"Signature: 8a477f597d28d172789f06886806bc55")
    assert all(path.stat().st_mode & 0o077 == 0 for path in [directory, *directory.glob("??"), *entry_files(directory)])


@pytest.mark.parametrize("name", ["holiday.jpg", ".hidden", "0", "abc", "AB", "something/ab"])
def test_a_directory_with_other_files_is_refused_and_left_alone(store: FileStore, directory: Path, name: str) -> None:
    foreign = directory / name
    foreign.parent.mkdir(parents=True)
    foreign.write_bytes(b"precious")
    for call in (
        store.prepare,
        store.sweep,
        store.usage,
        lambda: store.set("a/b", b"data", expires=None),
        lambda: store.add("a/b", b"data", expires=None),
    ):
        with pytest.raises(ForeignDirectory):
            call()
    assert store.get("a/b") is None
    assert [path for path in directory.rglob("*") if path.is_file()] == [foreign]
    assert foreign.read_bytes() == b"precious"


def test_the_cache_directory_of_another_program_is_refused(store: FileStore, directory: Path) -> None:
    directory.mkdir()
    (directory / TAG).write_bytes(b"Signature: 8a477f597d28d172789f06886806bc55\n# This is cargo's.\n")
    with pytest.raises(ForeignDirectory):
        store.prepare()


def test_a_path_that_is_a_file_is_refused(store: FileStore, directory: Path) -> None:
    directory.write_bytes(b"precious")
    with pytest.raises(ForeignDirectory):
        store.prepare()
    assert directory.read_bytes() == b"precious"


def test_an_empty_directory_and_a_mount_point_are_taken(store: FileStore, directory: Path) -> None:
    (directory / "lost+found").mkdir(parents=True)
    store.prepare()
    assert store.set("a/b", b"data", expires=None)


def test_a_file_of_another_program_that_came_later_is_never_removed(
    store: FileStore, directory: Path, clock: Clock
) -> None:
    store.set("g/a", b"data", expires=clock.now + 1)
    (entry,) = entry_files(directory)
    others = [directory / "notes.txt", entry.parent / "notes.txt", entry.parent.parent / "x.tmp"]
    for other in others:
        other.write_bytes(b"precious")
    clock.now += 10
    store.sweep()
    store.set("g/b", b"data", expires=None)
    store.delete_group("g")
    store.clear()
    store.sweep()
    assert entry_files(directory) == []
    assert [other.read_bytes() for other in others] == [b"precious"] * 3


def test_a_directory_deleted_while_in_use_is_made_again(store: FileStore, directory: Path) -> None:
    for _ in range(50):
        assert store.set("a/b", b"data", expires=None)
        assert payload(store.get("a/b")) == b"data"
        shutil.rmtree(directory)
        assert store.get("a/b") is None
        assert not store.delete("a/b")
    store.set("a/b", b"data", expires=None)
    assert store.usage().bytes == disk_bytes(directory)


def test_a_second_janitor_does_not_get_the_lock(store: FileStore, directory: Path, clock: Clock) -> None:
    other = FileStore(directory, max_bytes=None, clock=clock)
    with store.try_lock_janitor() as first, other.try_lock_janitor() as second:
        assert (first, second) == (True, False)
    with other.try_lock_janitor() as second:
        assert second
