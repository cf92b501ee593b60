"""The ledger's usage and the sweep: what the store counts is what is on the disk, and within its cap."""

import os
import random
import shutil
from pathlib import Path

import pytest

from tests.support.clock import Clock
from tests.support.disk_store import disk_bytes, entry_files, payload
from tests.support.private_files import private_file
from thumbs.cache.filestore.directory import LEDGER
from thumbs.cache.filestore.ledger import BLOCK, Ledger, Usage
from thumbs.cache.filestore.paths import path_of
from thumbs.cache.filestore.store import FileStore, Sweep


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return tmp_path / "cache"


@pytest.fixture
def store(directory: Path, clock: Clock) -> FileStore:
    return FileStore(directory, max_bytes=None, clock=clock)


def capped(directory: Path, clock: Clock, max_bytes: int) -> FileStore:
    return FileStore(directory, max_bytes=max_bytes, clock=clock)


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


def test_a_complete_listing_counts_what_was_removed_before_it(directory: Path, clock: Clock) -> None:
    store = capped(directory, clock, 1_000_000)
    for number in range(5):
        store.set(f"g/{number}", os.urandom(20_000), expires=None)
    path = path_of("g/0")
    with store._shards.locked(path.shard) as shard:
        shard.remove(path.inner)
        shard.list()
    assert (store.usage().entries, store.usage().bytes) == (4, disk_bytes(directory))


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


@pytest.mark.parametrize(
    "ledger",
    [None, b"", b"short", b"x" * 5000, random.Random(1).randbytes(3088)],  # every process must collect the same
    ids=["missing", "empty", "short", "long", "random"],
)
def test_a_lost_or_damaged_ledger_is_counted_again_before_anything_is_stored(
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


def test_a_ledger_that_says_too_much_is_put_right_without_a_janitor(directory: Path, clock: Clock) -> None:
    store = capped(directory, clock, 1_000_000)
    store.set("a/b", b"data", expires=None)
    ledger = Ledger(private_file(directory / LEDGER))
    for path in directory.glob("??"):
        ledger.adjust(int(path.name, 16), Usage(950_000))
    assert store.usage().bytes > 950_000
    assert store.set("c/d", os.urandom(100_000), expires=None)
    assert store.usage().bytes == disk_bytes(directory)


@pytest.mark.parametrize("how", ["sweep", "room"])
def test_the_ledger_is_corrected_later_for_a_shard_that_was_deleted(directory: Path, clock: Clock, how: str) -> None:
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
