"""Reports on caches: as data for machines and as lines for people, also of what only another tool can see."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.test import override_settings

from tests.support.clock import NOW
from thumbs.cache.filestore.inspect import Inspection
from thumbs.cache.filestore.stats import Stats
from thumbs.conf.document import StorageConf
from thumbs.conf.keys import read
from thumbs.management.report import Report, report

LOCMEM = "django.core.cache.backends.locmem.LocMemCache"


@pytest.fixture(autouse=True)
def _caches() -> Iterator[None]:
    caches = {name: {"BACKEND": LOCMEM, "LOCATION": name} for name in ("default", "near", "far")}
    with override_settings(CACHES=caches):
        yield


def conf(**cache: object) -> StorageConf:
    problems: list[object] = []
    made = read(StorageConf, {"name": "photos", "driver": "local", "root": "/", "cache": cache}, "", problems)  # type: ignore[arg-type]
    assert problems == []
    return made


def lines(made: Report) -> list[str]:
    return list(made.lines)


def test_a_storage_without_a_cache_has_none() -> None:
    made = Report(conf(), None, NOW)
    assert lines(made) == ["photos", "  cache   none"]
    assert made.data == {"name": "photos", "disk": None, "memory": None, "shared": None}


def test_a_cache_that_is_not_enabled_is_not_told_of() -> None:
    made = Report(conf(memory={"max_size_mb": 4}, disk={"dir": "/cache"}), None, NOW)
    assert lines(made) == ["photos", "  cache   none"]
    assert (made.data["memory"], made.data["disk"]) == (None, None)


def test_caches_of_django_are_named_with_their_class() -> None:
    made = Report(
        conf(
            memory={"enabled": True, "alias": "near"},
            disk={"enabled": True, "alias": "far"},
            shared={"alias": "default"},
        ),
        None,
        NOW,
    )
    tools = "of CACHES, a LocMemCache; inspect it with its own tools"
    assert lines(made) == [
        "photos",
        f"  memory  'near' {tools}",
        f"  disk    'far' {tools}",
        f"  shared  'default' {tools}",
    ]
    assert made.data == {
        "name": "photos",
        **{
            layer: {"alias": alias, "backend": "LocMemCache", "entries": None, "bytes": None}
            for layer, alias in (("disk", "far"), ("memory", "near"), ("shared", "default"))
        },
    }


def test_memory_without_a_size_is_none() -> None:
    made = Report(conf(memory={"enabled": True}), None, NOW)
    assert lines(made) == ["photos", "  cache   none"]
    assert made.data["memory"] is None


def test_a_directory_is_told_of_with_its_cap_hits_ages_and_last_sweep() -> None:
    stats = Stats()._replace(
        hits=75, stores=25, swept_at=NOW - 120, seconds=0.5, expired=3, evicted=2000, orphans=1, freed=4096
    )
    disk = Inspection(stats, entries=1500, bytes=8 << 20, expired=4, oldest=NOW - 7200, newest=NOW - 61)
    made = Report(conf(disk={"enabled": True, "dir": "/cache", "max_size_mb": 64}), disk, NOW)
    assert lines(made) == [
        "photos",
        "  disk    1,500 entries, 8.0 MiB of 64.0 MiB (12%)",
        "  hits    75.0% of 100 lookups",
        "  age     last used 2 h to 1 min ago; 4 expired",
        "  swept   2 min ago in 0.50 s: removed 3 expired, 2,000 over the cap, 1 orphans (4.0 KiB)",
    ]
    assert made.data["disk"] == {
        "dir": "/cache",
        "entries": 1500,
        "bytes": 8 << 20,
        "max_bytes": 64 << 20,
        "hits": 75,
        "stores": 25,
        "hit_ratio": 0.75,
        "expired": 4,
        "least_recently_used_at": NOW - 7200,
        "last_used_at": NOW - 61,
        "last_sweep": {"at": NOW - 120, "seconds": 0.5, "expired": 3, "orphans": 1, "evicted": 2000, "freed": 4096},
    }


def test_an_unused_directory_has_no_ages_no_lookups_and_no_sweep() -> None:
    made = Report(conf(disk={"enabled": True, "dir": "/cache"}), Inspection(Stats()), NOW)
    assert lines(made) == [
        "photos",
        "  disk    0 entries, 0.0 KiB without a cap",
        "  hits    no lookups yet",
        "  swept   never; run_cache_janitor sweeps",
    ]
    disk = made.data["disk"]
    assert isinstance(disk, dict)
    assert (disk["max_bytes"], disk["hit_ratio"], disk["last_sweep"]) == (None, None, None)


def test_lookups_behind_a_memory_are_those_that_it_could_not_answer() -> None:
    memory = {"enabled": True, "max_size_mb": 4}
    stats = Stats()._replace(hits=1)
    made = Report(conf(memory=memory, disk={"enabled": True, "dir": "/c"}), Inspection(stats), NOW)
    assert lines(made)[2] == "  hits    100.0% of 1 lookup that memory could not answer"
    assert lines(made)[4] == ("  memory  up to 4.0 MiB in each server process; other processes cannot see its entries")


def test_only_an_enabled_directory_is_looked_at(tmp_path: Path) -> None:
    passed: list[object] = []

    def progress(shards: object) -> object:
        passed.append(shards)
        return shards

    made = report(conf(disk={"dir": str(tmp_path)}), now=NOW, progress=progress)  # type: ignore[arg-type]
    assert made.disk is None
    assert passed == []
    enabled = conf(disk={"enabled": True, "dir": str(tmp_path)})
    assert report(enabled, now=NOW, progress=progress).disk is not None  # type: ignore[arg-type]
    assert passed == [[]]
