"""`thumb_cache_stats`: figures of all processes together, and nothing is changed."""

import json
import time
from pathlib import Path
from typing import Any

import pytest
from django.test import override_settings

from tests.support.commands import Run, disk_cache, local_storage
from tests.support.disk_entries import make
from thumbs.wiring import caches, process


def stats(run: Run, *arguments: str) -> list[dict[str, Any]]:
    told: list[dict[str, Any]] = json.loads(run("thumb_cache_stats", "--json", *arguments))["storages"]
    return told


def test_each_storage_is_listed(run: Run, storages: object) -> None:
    make("on-disk/thumbs/50x/quarters.jpg", "on-disk/thumbs/60x/quarters.jpg")
    disk, memory, none = stats(run)
    assert [each["name"] for each in (disk, memory, none)] == ["on-disk", "in-memory", "signed"]
    store = caches.file_store(process.configuration().storages[0])
    assert store is not None
    assert (disk["disk"]["entries"], disk["disk"]["bytes"]) == (2, store.usage().bytes)
    assert (disk["disk"]["max_bytes"], disk["disk"]["expired"], disk["disk"]["last_sweep"]) == (None, 0, None)
    assert time.time() - 60 < disk["disk"]["least_recently_used_at"] <= disk["disk"]["last_used_at"] <= time.time()
    # What others have in their memory cannot be known, and that is what is said.
    assert memory["memory"] == {"max_bytes": 4 << 20, "max_items": None, "entries": None, "bytes": None}
    assert none == {"name": "signed", "disk": None, "memory": None, "shared": None}


def test_it_prints_lines_for_people(run: Run, storages: object) -> None:
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


def test_one_storage_can_be_asked_for(run: Run, storages: object) -> None:
    assert [each["name"] for each in stats(run, "--storage", "in-memory")] == ["in-memory"]
    assert run.refused("thumb_cache_stats", "--storage", "on-dsk").startswith("No storage is called 'on-dsk'.")


def test_the_cap_is_printed_with_how_much_of_it_is_used(run: Run, originals: Path, tmp_path: Path) -> None:
    capped = local_storage("capped", originals, disk=disk_cache(tmp_path / "cache", max_size_mb=64))
    with override_settings(THUMBS={"STORAGES": [capped]}):
        assert "0 entries, 0.0 KiB of 64.0 MiB (0%)" in run("thumb_cache_stats")
        assert not (tmp_path / "cache").exists()  # to look makes nothing
        make("capped/thumbs/50x/quarters.jpg")
        assert stats(run)[0]["disk"]["max_bytes"] == 64 << 20


def test_a_cache_of_djangos_is_named_and_left_to_its_own_tools(run: Run, originals: Path, tmp_path: Path) -> None:
    between = local_storage("between", originals, shared={"alias": "default"})
    with override_settings(THUMBS={"STORAGES": [between], "RUN_DIR": str(tmp_path)}):
        (told,) = stats(run)
        assert told["shared"] == {"alias": "default", "backend": "LocMemCache", "entries": None, "bytes": None}
        assert "'default' of CACHES, a LocMemCache" in run("thumb_cache_stats")


def test_a_directory_that_is_not_ours_is_an_error_and_the_others_are_printed(
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
    told = capsys.readouterr()
    assert "good\n  disk    0 entries" in told.out
    assert "foreign: cannot be read: " in told.err
    assert "holiday.jpg" in told.err
