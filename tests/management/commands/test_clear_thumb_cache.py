"""`clear_thumb_cache`: what it clears, what it prints, what it refuses."""

import re
import shutil
from pathlib import Path

import pytest
from django.test import override_settings

from tests.support import servers
from tests.support.commands import Run, disk_cache, local_storage
from tests.support.disk_entries import leave_expired, make, store_of
from thumbs.cache.purge import journal


@pytest.fixture(autouse=True)
def _look_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A process looks into the journal of purges four times a second; here before each lookup."""
    monkeypatch.setattr(journal, "_CHECK_SECONDS", 0.0)


def test_clearing_a_source_drops_its_thumbnails_and_no_others(run: Run, storages: object) -> None:
    mine = [f"on-disk/thumbs/{size}/quarters.jpg" for size in ("50x", "60x", "x70/filters:format(webp)")]
    other = "on-disk/thumbs/50x/quarters.png"
    assert make(*mine, other) == ["MISS"] * 4
    assert make(*mine, other) == ["HIT"] * 4
    told = run("clear_thumb_cache", "--storage", "on-disk", "--source", "quarters.jpg")
    assert re.fullmatch(r"on-disk: freed 3 entries on disk, [0-9]+\.[0-9] KiB; emptied memory\n", told)
    assert store_of("on-disk").usage().entries == 1
    assert make(*mine, other) == ["MISS", "MISS", "MISS", "HIT"]


def test_clearing_without_arguments_empties_every_storage(run: Run, storages: object) -> None:
    paths = ["on-disk/thumbs/50x/quarters.jpg", "in-memory/thumbs/50x/quarters.jpg"]
    assert make(*paths, *paths) == ["MISS", "MISS", "HIT", "HIT"]
    lines = run("clear_thumb_cache").splitlines()
    assert [line.partition(":")[0] for line in lines] == ["on-disk", "in-memory", "signed"]
    assert store_of("on-disk").usage().entries == 0
    assert make(*paths) == ["MISS", "MISS"]


def test_a_dry_run_clears_nothing(run: Run, storages: object) -> None:
    make("on-disk/thumbs/50x/quarters.jpg", "on-disk/thumbs/50x/quarters.png")
    assert run("clear_thumb_cache", "--dry-run", "--storage", "on-disk") == "on-disk: would free 2 entries on disk\n"
    told = run("clear_thumb_cache", "--dry-run", "--storage", "on-disk", "--source", "quarters.png")
    assert told == "on-disk: would free 1 entry on disk\n"
    assert make("on-disk/thumbs/50x/quarters.jpg") == ["HIT"]


def test_only_what_has_expired_is_cleared_when_asked(run: Run, storages: object, tmp_path: Path) -> None:
    make("on-disk/thumbs/50x/quarters.jpg")
    leave_expired(tmp_path / "cache", 3)
    would = run("clear_thumb_cache", "--expired", "--dry-run", "--storage", "on-disk")
    assert would == "on-disk: would free 3 expired entries, 24.0 KiB\n"
    assert store_of("on-disk").usage().entries == 4
    lines = run("clear_thumb_cache", "--expired").splitlines()
    assert lines[0] == "on-disk: freed 3 expired entries, 24.0 KiB"
    assert lines[1].startswith("in-memory: has no disk cache of its own")
    assert store_of("on-disk").usage().entries == 1


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--storage", "on-dsk"], "No storage is called 'on-dsk'. Did you mean 'on-disk'?"),
        (["--storage", "zzz"], "No storage is called 'zzz'. Known here: in-memory, on-disk, signed."),
        (["--source", "quarters.jpg"], "--source names an original in one storage: name the storage with --storage."),
        (["--storage", "on-disk", "--source", "../quarters.jpg"], "The path must be valid UTF-8"),
        (["--storage", "on-disk", "--source", "/quarters.jpg"], "The path must be valid UTF-8"),
        (["--storage", "on-disk", "--source", ""], "The path must be valid UTF-8"),
        (["--source", "a.jpg", "--expired"], "Error: argument --expired: not allowed with argument --source"),
    ],
)
def test_clearing_refuses_what_it_does_not_understand(
    run: Run, storages: object, arguments: list[str], sentence: str
) -> None:
    assert run.refused("clear_thumb_cache", *arguments).startswith(sentence)


def test_a_layer_that_cannot_be_cleared_is_an_error(run: Run, originals: Path, tmp_path: Path) -> None:
    options = {"connect_timeout": 0.05, "timeout": 0.05}
    caches = {
        "default": {
            "BACKEND": "django.core.cache.backends.memcached.PyMemcacheCache",
            "LOCATION": f"127.0.0.1:{servers.free_port()}",
            "OPTIONS": options,
        }
    }
    thumbs = {
        "STORAGES": [
            local_storage("between", originals, shared={"alias": "default"}),
            local_storage("on-disk", originals, disk=disk_cache(tmp_path / "cache")),
        ],
        "RUN_DIR": str(tmp_path / "run"),
    }
    with override_settings(THUMBS=thumbs, CACHES=caches):
        make("on-disk/thumbs/50x/quarters.jpg")
        sentence = run.refused("clear_thumb_cache")
        assert sentence == "Not cleared: between. Their thumbnails may still be served."
        assert store_of("on-disk").usage().entries == 0


def test_a_missing_root_keeps_nothing_from_being_cleared(run: Run, originals: Path, tmp_path: Path) -> None:
    root = tmp_path / "films"
    root.mkdir()
    shutil.copy(originals / "quarters.jpg", root)
    storages = [
        local_storage("photos", originals, disk=disk_cache(tmp_path / "cache")),
        local_storage("films", root, disk=disk_cache(tmp_path / "films-cache")),
    ]
    with override_settings(THUMBS={"STORAGES": storages, "RUN_DIR": str(tmp_path / "run")}):
        make(*(f"{name}/thumbs/{size}/quarters.jpg" for name in ("photos", "films") for size in ("50x", "60x")))
        shutil.rmtree(root)
        for name in ("photos", "films"):
            told = run("clear_thumb_cache", "--storage", name, "--source", "quarters.jpg")
            assert told.startswith(f"{name}: freed 2 entries on disk")
            assert store_of(name).usage().entries == 0
