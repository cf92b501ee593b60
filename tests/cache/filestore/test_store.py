"""The disk store gives back what was stored or nothing, keeps its cap, and touches no file but its own."""

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.support.clock import Clock
from tests.support.private_files import private_file
from thumbs.cache.filestore.directory import LEDGER, TAG
from thumbs.cache.filestore.entry_file import HEADER_BYTES
from thumbs.cache.filestore.flock import lock, unlock
from thumbs.cache.filestore.ledger import BLOCK, Ledger, Usage
from thumbs.cache.filestore.store import FileStore, ForeignDirectory, Found, Sweep

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return tmp_path / "cache"


@pytest.fixture
def store(directory: Path, clock: Clock) -> FileStore:
    return FileStore(directory, max_bytes=None, clock=clock)


def capped(directory: Path, clock: Clock, max_bytes: int) -> FileStore:
    return FileStore(directory, max_bytes=max_bytes, clock=clock)


def disk_bytes(directory: Path) -> int:
    return sum(path.lstat().st_blocks * 512 for path in [directory, *directory.rglob("*")])


def entry_files(directory: Path) -> list[Path]:
    return sorted(directory.rglob("*.entry"))


def payload(found: Found | None) -> bytes | None:
    return None if found is None else bytes(found.payload)


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


def test_an_entry_past_its_time_is_a_miss_unless_asked_for(store: FileStore, clock: Clock) -> None:
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


def test_touch_does_not_revive_an_expired_entry(store: FileStore, clock: Clock) -> None:
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


def test_a_use_that_get_now_noted_is_written_down_later(nowait: FileStore, directory: Path, clock: Clock) -> None:
    (path,) = entry_files(directory)
    clock.now += 3600
    nowait.get_now("probe")
    assert path.stat().st_atime < clock.now - 3000
    nowait.mark_used()
    assert path.stat().st_atime == clock.now
    assert path.stat().st_mtime == 0


def test_get_now_lets_get_write_down_what_has_waited_for_it(nowait: FileStore, directory: Path, clock: Clock) -> None:
    """Otherwise an entry that is only read would look unused, and would be removed first."""
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
def test_anything_but_a_file_at_the_path_of_an_entry_is_a_miss(store: FileStore, directory: Path, kind: str) -> None:
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


# ------------------------------------------------------------------------------------- the directory


def test_a_fresh_directory_is_private_and_tagged_as_a_cache(store: FileStore, directory: Path) -> None:
    store.prepare()
    store.set("a/b", b"data", expires=None)
    assert (directory / TAG).read_bytes().startswith(b"Signature: 8a477f597d28d172789f06886806bc55")
    assert all(path.stat().st_mode & 0o077 == 0 for path in [directory, *directory.glob("??"), *entry_files(directory)])


@pytest.mark.parametrize("name", ["holiday.jpg", ".hidden", "0", "abc", "AB", "something/ab"])
def test_a_directory_with_other_files_is_refused_and_left_alone(store: FileStore, directory: Path, name: str) -> None:
    other = directory / name
    other.parent.mkdir(parents=True)
    other.write_bytes(b"precious")
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
    assert [path for path in directory.rglob("*") if path.is_file()] == [other]
    assert other.read_bytes() == b"precious"


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


def test_a_stranger_that_came_later_is_never_removed(store: FileStore, directory: Path, clock: Clock) -> None:
    store.set("g/a", b"data", expires=clock.now + 1)
    (entry,) = entry_files(directory)
    strangers = [directory / "notes.txt", entry.parent / "notes.txt", entry.parent.parent / "x.tmp"]
    for stranger in strangers:
        stranger.write_bytes(b"precious")
    clock.now += 10
    store.sweep()
    store.set("g/b", b"data", expires=None)
    store.delete_group("g")
    store.clear()
    store.sweep()
    assert entry_files(directory) == []
    assert [stranger.read_bytes() for stranger in strangers] == [b"precious"] * 3


def test_a_directory_deleted_under_our_feet_is_made_again(store: FileStore, directory: Path) -> None:
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


# --------------------------------------------------------------------------------------- the ledger


def test_the_ledger_is_the_truth_after_every_kind_of_change(directory: Path, clock: Clock) -> None:
    store = capped(directory, clock, 900_000)
    for number in range(150):
        store.set(f"g{number % 9}/{number}", os.urandom(number * 70), expires=clock.now + 100 + number)
        store.set(f"{number % 40}", os.urandom(number * 50), expires=None)
        if number % 7 == 0:
            store.delete_group(f"g{number % 5}")
            store.delete(str(number % 30))
            store.touch(f"g1/{number}", None)
        assert store.usage().bytes == disk_bytes(directory) <= 900_000
        assert store.usage().entries == len(entry_files(directory))
    clock.now += 200
    swept = store.sweep()
    assert swept.expired > 0
    assert (swept.entries, swept.bytes) == (len(entry_files(directory)), disk_bytes(directory))
    store.clear()
    # Janitor's lock aside, an empty cache is three blocks and no shard.
    assert store.usage().bytes == disk_bytes(directory) == 3 * BLOCK


def test_the_entries_used_longest_ago_go_first(directory: Path, clock: Clock) -> None:
    store = capped(directory, clock, 1_000_000)
    for number in range(30):
        clock.now += 100
        store.set(f"g/{number}", os.urandom(20_000), expires=None)
    clock.now += 100
    for number in (0, 1, 2):
        store.get(f"g/{number}")
    clock.now += 100
    store.set("g/large", os.urandom(500_000), expires=None)
    left = [number for number in range(30) if store.get(f"g/{number}")]
    assert left[:3] == [0, 1, 2]
    assert left[3:] == list(range(30 - len(left) + 3, 30))
    assert len(left) < 30


def test_the_expired_go_before_the_used(directory: Path, clock: Clock) -> None:
    store = capped(directory, clock, 400_000)
    for number in range(10):
        store.set(f"g/{number}", os.urandom(20_000), expires=clock.now + 50 if number >= 5 else None)
    clock.now += 100
    store.set("g/large", os.urandom(200_000), expires=None)
    assert all(store.get(f"g/{number}") for number in range(5))


def test_what_is_larger_than_the_cap_is_refused_and_leaves_nothing(directory: Path, clock: Clock) -> None:
    store = capped(directory, clock, 200_000)
    store.set("a/other", b"data", expires=None)
    store.set("a/b", b"old", expires=None)
    assert not store.set("a/b", bytes(200_000), expires=None)
    assert store.get("a/b", expired=True) is None
    assert payload(store.get("a/other")) == b"data"
    assert not capped(directory, clock, 1).set("a/b", b"", expires=None)


def test_the_item_cap_holds(directory: Path, clock: Clock) -> None:
    store = FileStore(directory, max_bytes=None, max_items=10, clock=clock)
    for number in range(50):
        clock.now += 1
        store.set(f"g/{number}", b"data", expires=None)
        assert store.usage().entries == len(entry_files(directory)) <= 10
    store.set("g/49", b"again", expires=None)
    assert store.usage().entries == 10
    assert store.get("g/49")


def test_a_directory_over_a_new_cap_is_under_it_after_one_sweep_or_some_sets(directory: Path, clock: Clock) -> None:
    for how in ("sweep", "set"):
        wide = capped(directory, clock, 50_000_000)
        for number in range(300):
            wide.set(f"g{number}/x", os.urandom(20_000), expires=None)
        assert disk_bytes(directory) > 6_000_000
        narrow = capped(directory, clock, 1_000_000)
        if how == "sweep":
            swept = narrow.sweep()
            assert swept.evicted > 200
            assert swept.removed == swept.evicted
        else:
            for _ in range(10):
                narrow.set("g/x", b"data", expires=None)
            assert narrow.get("g/x")
        assert narrow.usage().bytes == disk_bytes(directory) <= 1_000_000


@pytest.mark.parametrize("ledger", [None, b"", b"short", b"x" * 5000, os.urandom(3088)])
def test_after_a_lost_or_damaged_ledger_shards_are_counted_before_anything_is_stored(
    directory: Path, clock: Clock, ledger: bytes | None
) -> None:
    wide = capped(directory, clock, 50_000_000)
    for number in range(60):
        wide.set(f"g{number}/x", os.urandom(20_000), expires=None)
    (directory / LEDGER).unlink()
    if ledger is not None:
        (directory / LEDGER).write_bytes(ledger)
    narrow = capped(directory, clock, 500_000)
    assert narrow.set("g/x", os.urandom(20_000), expires=None)
    assert disk_bytes(directory) <= 500_000
    assert narrow.usage().bytes == disk_bytes(directory)


def test_a_ledger_that_is_too_high_is_corrected_without_a_janitor(directory: Path, clock: Clock) -> None:
    store = capped(directory, clock, 1_000_000)
    store.set("a/b", b"data", expires=None)
    ledger = Ledger(private_file(directory / LEDGER))
    for path in directory.glob("??"):
        ledger.adjust(int(path.name, 16), Usage(950_000))
    assert store.usage().bytes > 950_000
    assert store.set("c/d", os.urandom(100_000), expires=None)
    assert store.usage().bytes == disk_bytes(directory)


@pytest.mark.parametrize("how", ["sweep", "room"])
def test_a_shard_that_vanished_before_it_was_struck_off_is_struck_off_later(
    directory: Path, clock: Clock, how: str
) -> None:
    store = capped(directory, clock, 300_000)
    store.set("a/b", bytes(200_000), expires=None)
    (shard,) = directory.glob("??")
    shutil.rmtree(shard)
    assert store.usage().bytes > 200_000
    if how == "sweep":
        store.sweep()
    else:
        assert store.set("c/d", bytes(200_000), expires=None)
    assert store.usage().bytes == disk_bytes(directory)


# ------------------------------------------------------------------------------------------ the sweep


def test_a_sweep_removes_orphans_of_dead_writers_and_empty_groups(store: FileStore, directory: Path) -> None:
    store.set("g/a", b"data", expires=None)
    (entry,) = entry_files(directory)
    orphan = entry.parent.parent / "0123456789abcdef.tmp"
    orphan.write_bytes(bytes(10_000))
    half_purged = entry.parent.parent / "fedcba9876543210.tmp"
    half_purged.mkdir()
    (half_purged / entry.name).write_bytes(b"data")
    empty = entry.parent.parent / ("ab" * 16)
    empty.mkdir()
    dry = store.sweep(dry_run=True)
    assert orphan.exists()
    swept = store.sweep()
    assert (dry.orphans, dry.freed) == (swept.orphans, swept.freed) == (2, 3 * BLOCK + BLOCK + BLOCK)
    assert not any(path.exists() for path in (orphan, half_purged, empty))
    assert payload(store.get("g/a")) == b"data"
    assert store.usage().bytes == disk_bytes(directory)


def test_making_room_removes_orphans_too(directory: Path, clock: Clock) -> None:
    store = capped(directory, clock, 300_000)
    store.set("g/a", os.urandom(50_000), expires=None)
    (entry,) = entry_files(directory)
    orphan = entry.parent.parent / "0123456789abcdef.tmp"
    orphan.write_bytes(bytes(200_000))
    FileStore(directory, max_bytes=None, clock=clock).sweep(dry_run=True)  # now the ledger has it
    assert store.set("g/b", os.urandom(100_000), expires=None)
    assert not orphan.exists()
    assert store.usage().bytes == disk_bytes(directory)


def test_a_dry_run_says_what_a_sweep_would_do_and_does_nothing(directory: Path, clock: Clock) -> None:
    wide = capped(directory, clock, 50_000_000)
    for number in range(40):
        wide.set(f"g{number}/x", os.urandom(20_000), expires=clock.now + 10 if number < 10 else None)
    clock.now += 20
    before = {path: path.lstat().st_mtime_ns for path in entry_files(directory)}
    dry = capped(directory, clock, 500_000).sweep(dry_run=True)
    assert before == {path: path.lstat().st_mtime_ns for path in entry_files(directory)}
    assert dry.expired == 10
    assert dry.bytes == 500_000
    swept = capped(directory, clock, 500_000).sweep()
    assert swept.expired == 10
    assert swept.bytes <= dry.bytes
    assert swept.freed >= dry.freed


def test_a_dry_run_without_a_directory_makes_none(store: FileStore, directory: Path) -> None:
    assert store.sweep(dry_run=True) == Sweep()
    assert not directory.exists()


# --------------------------------------------------------------------------------------- a bad disk

ON_A_BAD_DISK = """
import errno, os, subprocess, sys
from pathlib import Path
from thumbs.cache.filestore.flock import lock, unlock
from thumbs.cache.filestore.store import FileStore

def mount(options):
    subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", root], check=True)

def refused(number, size=0):
    try:
        store.set(f"g{number}/x", bytes(size), expires=None)
    except OSError as error:
        return error.errno

root = Path(sys.argv[1])
store = FileStore(root, max_bytes=None)

mount("size=2m,mode=700")
assert store.set("good/x", b"good", expires=None)
codes = {refused(number, 100_000) for number in range(40)}
assert codes == {None, errno.ENOSPC}, codes
assert store.get("good/x").payload == b"good"
assert not list(root.rglob("*.tmp"))
assert store.usage().entries == len(list(root.rglob("*.entry")))
assert store.delete_group("g0") == 1
assert store.set("g0/x", bytes(50_000), expires=None)

subprocess.run(["mount", "-o", "remount,ro", root], check=True)
assert refused("new") == errno.EROFS
assert store.get("good/x").payload == b"good"
entry = next(iter(root.rglob("*.entry")))
assert store.get("missing/x") is None
subprocess.run(["mount", "-o", "remount,rw", root], check=True)
assert store.set("new/x", b"new", expires=None)
subprocess.run(["umount", root], check=True)

mount("nr_inodes=40,mode=700")
codes = {refused(number) for number in range(40)}
assert codes == {None, errno.ENOSPC}, codes
assert not list(root.rglob("*.tmp"))
assert store.usage().entries == len(list(root.rglob("*.entry"))) > 5
assert store.sweep().orphans == 0
print("well")
"""


def test_a_full_or_read_only_disk_is_an_os_error_and_leaves_no_temporary(tmp_path: Path) -> None:
    namespace = [shutil.which("unshare") or "unshare", "--user", "--map-root-user", "--mount"]
    if subprocess.run([*namespace, "true"], capture_output=True, check=False).returncode:
        pytest.skip("needs a mount namespace of its own")
    done = subprocess.run(
        [*namespace, sys.executable, "-W", "error", "-c", ON_A_BAD_DISK, str(tmp_path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.stdout, done.stderr) == ("well\n", "")


def test_a_writer_that_cannot_have_the_lock_raises_and_readers_need_none(store: FileStore, directory: Path) -> None:
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
    os.utime(file, ns=(status.st_atime_ns, status.st_mtime_ns))  # which would tell by itself: it is the expiry
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
