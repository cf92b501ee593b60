"""`thumb_cache_stats`: figures that are true for all processes together, read without writing."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from django.test import Client, override_settings

from tests.support import servers
from tests.support.commands import Run, disk_cache, local_storage
from tests.support.private_files import private_file
from tests.support.waiting import WAIT_SECONDS
from thumbs.cache.filestore.directory import LEDGER, ForeignDirectory
from thumbs.cache.filestore.hit_counter import uncounted
from thumbs.cache.filestore.inspect import inspect_cache
from thumbs.cache.filestore.ledger import Ledger, stats_of
from thumbs.cache.filestore.stats import Stats
from thumbs.cache.filestore.store import FileStore
from thumbs.management.humanize import count_of, duration, file_size
from thumbs.wiring import caches, process

NOW = 1_700_000_000.0


def stats(run: Run, *arguments: str) -> list[dict[str, Any]]:
    storages: list[dict[str, Any]] = json.loads(run("thumb_cache_stats", "--json", *arguments))["storages"]
    return storages


def make(*paths: str) -> None:
    assert {Client().get(f"/img/{path}").status_code for path in paths} == {200}


# ------------------------------------------------------------------------------------------ the command


def test_each_storage_is_reported(run: Run, storages: object) -> None:
    make("on-disk/thumbs/50x/quarters.jpg", "on-disk/thumbs/60x/quarters.jpg")
    disk, memory, none = stats(run)
    assert [each["name"] for each in (disk, memory, none)] == ["on-disk", "in-memory", "signed"]
    store = caches.file_store(process.configuration().storages[0])
    assert store is not None
    assert (disk["disk"]["entries"], disk["disk"]["bytes"]) == (2, store.usage().bytes)
    assert (disk["disk"]["max_bytes"], disk["disk"]["expired"], disk["disk"]["last_sweep"]) == (None, 0, None)
    assert time.time() - 60 < disk["disk"]["least_recently_used_at"] <= disk["disk"]["last_used_at"] <= time.time()
    # What other processes have in memory is unknown, and is reported as unknown.
    assert memory["memory"] == {"max_bytes": 4 << 20, "max_items": None, "entries": None, "bytes": None}
    assert none == {"name": "signed", "disk": None, "memory": None, "shared": None}


def test_the_report_is_printed_in_lines(run: Run, storages: object) -> None:
    make("on-disk/thumbs/50x/quarters.jpg")
    run("run_cache_janitor", "--once")
    lines = run("thumb_cache_stats").splitlines()
    assert [line.split()[0] for line in lines if line] == [
        *("on-disk", "disk", "hits", "age", "swept", "memory"),
        *("in-memory", "memory", "signed", "cache"),
    ]
    assert "1 entry, " in lines[1]
    assert lines[1].endswith("without a cap")
    assert "removed 0 expired, 0 over the cap, 0 orphans" in lines[4]
    assert lines[5].endswith("up to 4.0 MiB in each server process; other processes cannot see its entries")
    assert lines[-1] == "  cache   none"


def test_one_storage_can_be_selected(run: Run, storages: object) -> None:
    assert [each["name"] for each in stats(run, "--storage", "in-memory")] == ["in-memory"]
    assert run.refused("thumb_cache_stats", "--storage", "on-dsk").startswith("No storage is called 'on-dsk'.")


def test_the_cap_is_printed_with_how_much_of_it_is_used(run: Run, originals: Path, tmp_path: Path) -> None:
    capped = local_storage("capped", originals, disk=disk_cache(tmp_path / "cache", max_size_mb=64))
    with override_settings(THUMBS={"STORAGES": [capped]}):
        assert "0 entries, 0.0 KiB of 64.0 MiB (0%)" in run("thumb_cache_stats")
        assert not (tmp_path / "cache").exists()  # inspecting creates nothing
        make("capped/thumbs/50x/quarters.jpg")
        assert stats(run)[0]["disk"]["max_bytes"] == 64 << 20


def test_a_cache_of_djangos_is_named_and_left_to_its_own_tools(run: Run, originals: Path, tmp_path: Path) -> None:
    between = local_storage("between", originals, shared={"alias": "default"})
    with override_settings(THUMBS={"STORAGES": [between], "RUN_DIR": str(tmp_path)}):
        (storage,) = stats(run)
        assert storage["shared"] == {"alias": "default", "backend": "LocMemCache", "entries": None, "bytes": None}
        assert "'default' of CACHES, a LocMemCache" in run("thumb_cache_stats")


def test_a_directory_of_another_program_is_an_error_and_the_others_are_reported(
    run: Run, originals: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "album").mkdir()
    (tmp_path / "album" / "holiday.jpg").touch()
    storages = [
        local_storage("foreign", originals, disk=disk_cache(tmp_path / "album")),
        local_storage("good", originals, disk=disk_cache(tmp_path / "cache")),
    ]
    with override_settings(THUMBS={"STORAGES": storages}):
        sentence = run.refused("thumb_cache_stats")
    assert sentence.startswith("Not read: foreign. Run this as the server's user")
    captured = capsys.readouterr()
    assert "good\n  disk    0 entries" in captured.out
    assert "foreign: cannot be read: " in captured.err
    assert "holiday.jpg" in captured.err


# -------------------------------------------------------------------------------------------- inspection


def test_an_inspection_agrees_with_the_ledger_and_changes_nothing(tmp_path: Path) -> None:
    moment = NOW
    store = FileStore(tmp_path / "cache", max_bytes=None, clock=lambda: moment)
    for number in range(40):
        moment = NOW + number
        store.set(f"g{number % 7}/{number}", os.urandom(number * 300), expires=NOW + 100 + number)
    before = {path: path.stat() for path in (tmp_path / "cache").rglob("*")}
    found = inspect_cache(tmp_path / "cache", now=NOW + 110)
    usage = store.usage()
    assert (found.entries, found.bytes, found.expired) == (usage.entries, usage.bytes, 11)
    assert (found.oldest, found.newest) == (NOW, NOW + 39)
    after = {path: path.stat() for path in (tmp_path / "cache").rglob("*")}
    kept = [(each.st_mtime_ns, each.st_ctime_ns, each.st_size) for each in before.values()]
    assert [(each.st_mtime_ns, each.st_ctime_ns, each.st_size) for each in after.values()] == kept


def test_an_inspection_of_a_missing_directory_creates_nothing(tmp_path: Path) -> None:
    found = inspect_cache(tmp_path / "cache", now=NOW)
    assert (found.entries, found.bytes, found.oldest, found.stats) == (0, 0, None, Stats())
    (tmp_path / "cache").mkdir()
    assert inspect_cache(tmp_path / "cache", now=NOW).entries == 0
    assert list((tmp_path / "cache").iterdir()) == []


def test_an_inspection_refuses_a_directory_of_another_program(tmp_path: Path) -> None:
    (tmp_path / "holiday.jpg").touch()
    with pytest.raises(ForeignDirectory):
        inspect_cache(tmp_path, now=NOW)
    with pytest.raises(NotADirectoryError):
        inspect_cache(tmp_path / "holiday.jpg", now=NOW)


# ---------------------------------------------------------------------------------- statistics in the ledger

_READ_A_HUNDRED_TIMES = """
import sys, time
from thumbs.cache.filestore.store import FileStore
store = FileStore(sys.argv[1], max_bytes=None)
for number in range(98):
    assert store.get("a/b") is not None
assert store.get("a/none") is None
time.sleep(1.1)  # a process tells the ledger once a second
assert store.get_now("a/b") is not None and store.get("a/b") is not None
"""


def test_hits_are_counted_over_all_processes(tmp_path: Path) -> None:
    FileStore(tmp_path / "cache", max_bytes=None).set("a/b", b"data", expires=None)
    command = [sys.executable, "-c", _READ_A_HUNDRED_TIMES, str(tmp_path / "cache")]
    readers = [subprocess.Popen(command, cwd=servers.ROOT) for _ in range(4)]
    assert [reader.wait(WAIT_SECONDS) for reader in readers] == [0] * 4
    stats = stats_of(str(tmp_path / "cache" / LEDGER))
    assert (stats.hits, stats.stores, stats.hit_ratio) == (400, 1, 400 / 401)


def test_maintenance_counts_no_lookups(tmp_path: Path) -> None:
    store = FileStore(tmp_path / "cache", max_bytes=None)
    with uncounted():
        store.set("a/b", b"data", expires=None)
        assert store.get("a/b") is not None
    assert stats_of(str(tmp_path / "cache" / LEDGER)) == Stats()


def test_a_hit_in_a_directory_that_cannot_be_written_is_still_a_hit(tmp_path: Path) -> None:
    store = FileStore(tmp_path / "cache", max_bytes=None)
    store.set("a/b", b"data", expires=None)
    (tmp_path / "cache" / LEDGER).unlink()
    (tmp_path / "cache" / LEDGER).mkdir()  # root may write anywhere, but not here
    found = FileStore(tmp_path / "cache", max_bytes=None).get("a/b")
    assert found is not None
    assert found.payload == b"data"


def test_reading_makes_no_ledger(tmp_path: Path) -> None:
    store = FileStore(tmp_path / "cache", max_bytes=None)
    store.set("a/b", b"data", expires=None)
    (tmp_path / "cache" / LEDGER).unlink()
    assert FileStore(tmp_path / "cache", max_bytes=None).get("a/b") is not None
    assert not (tmp_path / "cache" / LEDGER).exists()


def test_the_last_sweep_is_recorded_with_what_it_removed(tmp_path: Path) -> None:
    moment = NOW
    store = FileStore(tmp_path / "cache", max_bytes=None, clock=lambda: moment)
    for number in range(3):
        store.set(f"a/{number}", b"data", expires=NOW + 10)
    store.set("a/stays", b"data", expires=None)
    moment = NOW + 50
    store.sweep(dry_run=True)
    ledger = str(tmp_path / "cache" / LEDGER)
    assert stats_of(ledger).swept_at == 0
    swept = store.sweep()
    stats = stats_of(ledger)
    assert (stats.swept_at, stats.expired, stats.freed) == (NOW + 50, 3, swept.freed)
    moment = NOW + 90
    store.sweep()
    assert (stats_of(ledger).swept_at, stats_of(ledger).expired) == (NOW + 90, 0)


def test_statistics_and_usage_do_not_change_each_other(tmp_path: Path) -> None:
    store = FileStore(tmp_path / "cache", max_bytes=None)
    store.set("a/b", b"data", expires=None)
    before = store.usage()
    ledger = Ledger(private_file(tmp_path / "cache" / LEDGER))
    ledger.update_stats(lambda stats: stats._replace(hits=7, freed=1 << 40))
    assert store.usage() == before
    store.set("c/d", b"data", expires=None)
    assert store.usage().entries == 2
    stats = stats_of(str(tmp_path / "cache" / LEDGER))
    assert (stats.hits, stats.freed) == (7, 1 << 40)


# ------------------------------------------------------------------------------------------- figures


@pytest.mark.parametrize(
    ("count", "printed"), [(0, "0.0 KiB"), (1536, "1.5 KiB"), (5 << 30, "5.0 GiB"), (3000 << 40, "3,000.0 TiB")]
)
def test_bytes_are_printed_in_the_unit_that_fits(count: int, printed: str) -> None:
    assert file_size(count) == printed


@pytest.mark.parametrize(
    ("seconds", "printed"), [(-5, "0 s"), (0.4, "0 s"), (59, "59 s"), (61, "1 min"), (7200, "2 h"), (864000, "10 d")]
)
def test_times_are_printed_in_the_unit_that_fits(seconds: float, printed: str) -> None:
    assert duration(seconds) == printed


def test_one_is_printed_in_the_singular() -> None:
    assert [count_of(1, "shard"), count_of(2000, "shard"), count_of(0, "entry", "entries")] == [
        *("1 shard", "2,000 shards", "0 entries"),
    ]
