"""Statistics of a store: they are read without a change to it, and kept beside its usage."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from tests.support.commands import Run
from tests.support.private_files import private_file
from thumbs.cache.filestore.directory import LEDGER, ForeignDirectory
from thumbs.cache.filestore.hit_counter import uncounted
from thumbs.cache.filestore.inspect import inspect_cache
from thumbs.cache.filestore.ledger import Ledger, stats_of
from thumbs.cache.filestore.stats import Stats
from thumbs.cache.filestore.store import FileStore

NOW = 1_700_000_000.0


def stats(run: Run, *arguments: str) -> list[dict[str, Any]]:
    told: list[dict[str, Any]] = json.loads(run("thumb_cache_stats", "--json", *arguments))["storages"]
    return told


def test_an_inspection_is_what_the_ledger_says_and_changes_nothing(tmp_path: Path) -> None:
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


def test_an_inspection_of_what_is_not_there_makes_nothing(tmp_path: Path) -> None:
    found = inspect_cache(tmp_path / "cache", now=NOW)
    assert (found.entries, found.bytes, found.oldest, found.stats) == (0, 0, None, Stats())
    (tmp_path / "cache").mkdir()
    assert inspect_cache(tmp_path / "cache", now=NOW).entries == 0
    assert list((tmp_path / "cache").iterdir()) == []


def test_an_inspection_refuses_what_is_not_ours(tmp_path: Path) -> None:
    (tmp_path / "holiday.jpg").touch()
    with pytest.raises(ForeignDirectory):
        inspect_cache(tmp_path, now=NOW)
    with pytest.raises(NotADirectoryError):
        inspect_cache(tmp_path / "holiday.jpg", now=NOW)


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
    (tmp_path / "cache" / LEDGER).mkdir()  # root may write where it likes, but not here
    found = FileStore(tmp_path / "cache", max_bytes=None).get("a/b")
    assert found is not None
    assert found.payload == b"data"


def test_a_read_makes_no_ledger(tmp_path: Path) -> None:
    store = FileStore(tmp_path / "cache", max_bytes=None)
    store.set("a/b", b"data", expires=None)
    (tmp_path / "cache" / LEDGER).unlink()
    assert FileStore(tmp_path / "cache", max_bytes=None).get("a/b") is not None
    assert not (tmp_path / "cache" / LEDGER).exists()


def test_the_last_sweep_is_stored_with_what_it_did(tmp_path: Path) -> None:
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


def test_statistics_and_usage_do_not_disturb_each_other(tmp_path: Path) -> None:
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
