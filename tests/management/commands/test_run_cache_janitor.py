"""`run_cache_janitor --once`: what it removes, what it prints, what it refuses."""

import logging
import re
import signal
import threading
from pathlib import Path
from types import SimpleNamespace

import pytest
from django.test import override_settings

from tests.support.commands import Run, disk_cache, local_storage
from tests.support.disk_entries import leave_expired, make, store_of
from thumbs.cache.filestore.store import FileStore
from thumbs.server import janitor


def test_the_janitor_sweeps_once_and_says_what_it_did(run: Run, storages: object, tmp_path: Path) -> None:
    make("on-disk/thumbs/50x/quarters.jpg")
    leave_expired(tmp_path / "cache", 2)
    assert "would remove 2 expired" in run("run_cache_janitor", "--dry-run")
    assert store_of("on-disk").usage().entries == 3
    told = run("run_cache_janitor", "--once", "--storage", "on-disk")
    assert told.startswith("on-disk: 1 entries, ")
    assert "removed 2 expired, 0 over the cap, 0 orphans" in told
    assert store_of("on-disk").usage().entries == 1


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
    make("on-disk/thumbs/50x/quarters.jpg")

    def broken(*_: object, **__: object) -> object:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(FileStore, "sweep", broken)
    assert run.refused("run_cache_janitor", "--once") == "A cache could not be swept; the log says which."
    assert "the cache of storage on-disk cannot be swept: [Errno 5] Input/output error" in caplog.text


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_janitor_sweeps_again_and_again_until_a_signal_ends_it(
    run: Run,
    storages: object,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    number: signal.Signals,
) -> None:
    pauses: list[float | None] = []

    class Pauses(threading.Event):
        def wait(self, timeout: float | None = None) -> bool:
            pauses.append(timeout)
            leave_expired(tmp_path / "cache", 1)
            if len(pauses) == 3:
                signal.raise_signal(number)
            return self.is_set()

    monkeypatch.setattr(janitor, "threading", SimpleNamespace(Event=Pauses))
    before = {each: signal.getsignal(each) for each in (signal.SIGTERM, signal.SIGINT)}
    leave_expired(tmp_path / "cache", 1)
    try:
        with caplog.at_level(logging.INFO, "thumbs.janitor"):
            assert run("run_cache_janitor", "--interval", "0.5") == ""
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)
    swept = [message for message in caplog.messages if message.startswith("on-disk: ")]
    assert len(swept) == 3
    assert all("removed 1 expired" in message for message in swept)
    assert all(pause is not None and pause <= 0.75 for pause in pauses)


def test_neither_a_missing_root_nor_another_cache_that_is_refused_keeps_the_janitor_from_a_sweep(
    run: Run, originals: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    strange = tmp_path / "strange"
    strange.mkdir()
    photos = local_storage("photos", originals, disk=disk_cache(tmp_path / "cache"))
    films = local_storage("films", tmp_path / "none", disk=disk_cache(tmp_path / "films"))
    with override_settings(THUMBS={"STORAGES": [photos, films], "RUN_DIR": str(tmp_path / "run")}):
        for directory in (tmp_path / "cache", tmp_path / "films"):
            leave_expired(directory, 2)
        told = run("run_cache_janitor", "--once")
        assert re.findall(r"(\w+): 0 entries, .* removed 2 expired", told) == ["photos", "films"]
    (strange / "holiday.jpg").touch()
    refused = local_storage("refused", originals, disk=disk_cache(strange))
    with override_settings(THUMBS={"STORAGES": [refused, photos], "RUN_DIR": str(tmp_path / "run")}):
        leave_expired(tmp_path / "cache", 1)
        assert run.refused("run_cache_janitor", "--once") == "A cache could not be swept; the log says which."
        assert "the cache of storage refused cannot be swept" in caplog.text
        assert store_of("photos").usage().entries == 0
        assert [each.name for each in strange.iterdir()] == ["holiday.jpg"]
