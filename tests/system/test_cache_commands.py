"""`clear_thumb_cache` and `run_cache_janitor`: what they do, what they print, what they refuse."""

import re
import signal
import sys
import time
from pathlib import Path

import pytest
from django.test import Client, override_settings

from tests.support import servers
from tests.support.commands import Run, disk_cache, environ_with, local_storage
from tests.support.waiting import eventually
from thumbs.cache.filestore.store import FileStore
from thumbs.wiring import caches, process


def _make(*paths: str) -> list[str]:
    """Make thumbnails in this process; returns their X-Cache headers."""
    answers = [Client().get(f"/img/{path}") for path in paths]
    assert {answer.status_code for answer in answers} == {200}
    return [answer.headers["X-Cache"] for answer in answers]


def _store(name: str) -> FileStore:
    (conf,) = (conf for conf in process.configuration().storages if conf.name == name)
    store = caches.file_store(conf)
    assert store is not None
    return store


def _expire(directory: Path, count: int) -> None:
    """Leave entries whose time was over a while ago."""
    long_ago = FileStore(directory, max_bytes=None, clock=lambda: time.time() - 1000)
    for number in range(count):
        assert long_ago.set(f"old/{number}", b"x" * 5000, expires=time.time() - 500)


# -------------------------------------------------------------------------------------- clear_thumb_cache


def test_clearing_a_source_drops_its_thumbnails_and_no_others(run: Run, storages: object) -> None:
    mine = [f"on-disk/thumbs/{size}/quarters.jpg" for size in ("50x", "60x", "x70/filters:format(webp)")]
    other = "on-disk/thumbs/50x/quarters.png"
    assert _make(*mine, other) == ["MISS"] * 4
    assert _make(*mine, other) == ["HIT"] * 4
    output = run("clear_thumb_cache", "--storage", "on-disk", "--source", "quarters.jpg")
    assert re.fullmatch(r"on-disk: freed 3 entries on disk, [0-9]+\.[0-9] KiB; emptied memory\n", output)
    assert _store("on-disk").usage().entries == 1
    time.sleep(0.3)  # a process looks into the journal of purges four times a second
    assert _make(*mine, other) == ["MISS", "MISS", "MISS", "HIT"]


def test_clearing_without_arguments_empties_every_storage(run: Run, storages: object) -> None:
    paths = ["on-disk/thumbs/50x/quarters.jpg", "in-memory/thumbs/50x/quarters.jpg"]
    assert _make(*paths, *paths) == ["MISS", "MISS", "HIT", "HIT"]
    lines = run("clear_thumb_cache").splitlines()
    assert [line.partition(":")[0] for line in lines] == ["on-disk", "in-memory", "signed"]
    assert _store("on-disk").usage().entries == 0
    time.sleep(0.3)
    assert _make(*paths) == ["MISS", "MISS"]


def test_a_dry_run_clears_nothing(run: Run, storages: object) -> None:
    _make("on-disk/thumbs/50x/quarters.jpg", "on-disk/thumbs/50x/quarters.png")
    assert run("clear_thumb_cache", "--dry-run", "--storage", "on-disk") == "on-disk: would free 2 entries on disk\n"
    output = run("clear_thumb_cache", "--dry-run", "--storage", "on-disk", "--source", "quarters.png")
    assert output == "on-disk: would free 1 entry on disk\n"
    assert _make("on-disk/thumbs/50x/quarters.jpg") == ["HIT"]


def test_only_what_has_expired_is_cleared_with_that_option(run: Run, storages: object, tmp_path: Path) -> None:
    _make("on-disk/thumbs/50x/quarters.jpg")
    _expire(tmp_path / "cache", 3)
    would = run("clear_thumb_cache", "--expired", "--dry-run", "--storage", "on-disk")
    assert would == "on-disk: would free 3 expired entries, 24.0 KiB\n"
    assert _store("on-disk").usage().entries == 4
    lines = run("clear_thumb_cache", "--expired").splitlines()
    assert lines[0] == "on-disk: freed 3 expired entries, 24.0 KiB"
    assert lines[1].startswith("in-memory: has no disk cache of its own")
    assert _store("on-disk").usage().entries == 1


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
        _make("on-disk/thumbs/50x/quarters.jpg")
        sentence = run.refused("clear_thumb_cache")
        assert sentence == "Not cleared: between. Their thumbnails may still be served."
        assert _store("on-disk").usage().entries == 0


# -------------------------------------------------------------------------------------- run_cache_janitor


def test_the_janitor_sweeps_once_and_says_what_it_did(run: Run, storages: object, tmp_path: Path) -> None:
    _make("on-disk/thumbs/50x/quarters.jpg")
    _expire(tmp_path / "cache", 2)
    assert "would remove 2 expired" in run("run_cache_janitor", "--dry-run")
    assert _store("on-disk").usage().entries == 3
    output = run("run_cache_janitor", "--once", "--storage", "on-disk")
    assert output.startswith("on-disk: 1 entries, ")
    assert "removed 2 expired, 0 over the cap, 0 orphans" in output
    assert _store("on-disk").usage().entries == 1


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--storage", "in-memory"], "There is nothing to sweep: no storage has an enabled cache.disk with a dir."),
        (["--storage", "on-dsk"], "No storage is called 'on-dsk'. Did you mean 'on-disk'?"),
        (["--interval", "0"], "--interval takes seconds, 0.1 to 86400."),
        (["--interval", "nan"], "--interval takes seconds, 0.1 to 86400."),
        (["--interval", "soon"], "Error: argument --interval: invalid float value: 'soon'"),
    ],
)
def test_the_janitor_refuses_what_it_does_not_understand(
    run: Run, storages: object, arguments: list[str], sentence: str
) -> None:
    assert run.refused("run_cache_janitor", "--once", *arguments) == sentence


def test_a_cache_that_cannot_be_swept_is_an_error(
    run: Run, storages: object, tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    _make("on-disk/thumbs/50x/quarters.jpg")

    def broken(*_: object, **__: object) -> object:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(FileStore, "sweep", broken)
    assert run.refused("run_cache_janitor", "--once") == "A cache could not be swept; the log says which."
    assert "the cache of storage on-disk cannot be swept: [Errno 5] Input/output error" in caplog.text


def test_the_janitor_sweeps_again_and_again_until_it_is_stopped(originals: Path, tmp_path: Path) -> None:
    environ = environ_with(tmp_path, [local_storage("photos", originals, disk=disk_cache(tmp_path / "cache"))])
    log = tmp_path / "log"
    command = [sys.executable, "manage.py", "run_cache_janitor", "--interval", "0.1"]
    with servers.running(command, log=log, environ=environ) as process:
        eventually(lambda: log.read_text().count("photos: 0 entries") >= 2)
        _expire(tmp_path / "cache", 1)
        eventually(lambda: "removed 1 expired" in log.read_text())
        # Another one waits for the first, and takes over when that has ended.
        second_log = tmp_path / "second-log"
        with servers.running(command, log=second_log, environ=environ) as second:
            eventually(lambda: "another janitor works here; this one waits" in second_log.read_text())
            process.send_signal(signal.SIGTERM)
            assert process.wait(10) == 0
            _expire(tmp_path / "cache", 1)
            eventually(lambda: "removed 1 expired" in second_log.read_text())
            second.send_signal(signal.SIGINT)
            assert second.wait(10) == 0
    assert "Traceback" not in log.read_text() + second_log.read_text()
