"""Purges of files: in every storage that serves them, now or on commit. A failure is logged once and never raised."""

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.core.files.storage import FileSystemStorage, default_storage
from django.db import transaction
from django.test import override_settings

from tests.support.commands import disk_cache, local_storage
from tests.support.purged_site import PurgedSite, ask, blue, red, running_site
from tests.support.waiting import eventually
from thumbs.http.messages import Request
from thumbs.pipeline import negative_cache
from thumbs.toolkit.models import file_purges
from thumbs.toolkit.models.file_purges import purge_file, purge_on_commit
from thumbs.wiring import process


@pytest.fixture
def plain(tmp_path: Path) -> Iterator[PurgedSite]:
    with running_site(tmp_path, "plain") as site:
        yield site


def broken_for(monkeypatch: pytest.MonkeyPatch, error: Exception) -> pytest.MonkeyPatch:
    """Every purge raises `error`."""

    def fail(*_: object) -> object:
        raise error

    monkeypatch.setattr(file_purges, "purge", fail)
    return monkeypatch


def test_a_failure_fails_no_change_and_is_logged_once_for_each_kind(
    site: PurgedSite, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    photo = site.photo.objects.create(image=red(), cover=red("cover.jpg"))
    with caplog.at_level(logging.ERROR, "thumbs"):
        for error in (OSError("no space"), RuntimeError("another kind"), OSError("no space left")):
            broken_for(monkeypatch, error)
            photo.cover.save("cover.jpg", blue())
            photo.image = blue("b.jpg")
            photo.save()
            with photo.cover.open("wb") as file:
                file.write(b"")
            photo.cover.delete(save=False)
        photo.delete()
    assert [record.levelname for record in caplog.records] == ["ERROR"] * 2
    assert [str(record.exc_info[1]) for record in caplog.records if record.exc_info] == ["no space", "another kind"]
    assert caplog.messages[0] == "the thumbnails of cover.jpg in uploads are not purged"
    assert site.photo.objects.count() == 0


def test_a_failure_is_logged_again_after_purges_have_worked(
    plain: PurgedSite, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    with caplog.at_level(logging.ERROR, "thumbs"):
        for _ in range(2):
            with monkeypatch.context() as patch:
                broken_for(patch, OSError("no space"))
                purge_file(default_storage, "a.jpg")
                purge_file(default_storage, "b.jpg")
            purge_file(default_storage, "a.jpg")
    assert caplog.messages == ["the thumbnails of a.jpg in uploads are not purged"] * 2


def test_a_wrong_configuration_fails_no_save_and_is_logged_once(
    site: PurgedSite, caplog: pytest.LogCaptureFixture
) -> None:
    with override_settings(THUMBS={"STORAGES": "none"}), caplog.at_level(logging.ERROR, "thumbs"):
        process.reset()
        photo = site.photo.objects.create(image=red())
        photo.image.save("b.jpg", blue())
        photo.delete()
    assert caplog.messages == ["the thumbnails of a.jpg are not purged"]


def test_a_storage_that_is_broken_keeps_no_other_from_its_purge(
    plain: PurgedSite, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    storages = [
        {"name": "broken", "driver": "tests.nowhere.Storage"},
        local_storage("uploads", plain.media, disk=disk_cache(tmp_path / "other-cache")),
    ]
    with override_settings(THUMBS={"STORAGES": storages, "RUN_DIR": str(tmp_path / "run")}):
        process.reset()
        plain.warm("a.jpg", "b.jpg")
        for name in ("a.jpg", "b.jpg"):
            purge_file(default_storage, name)
        assert plain.cached("a.jpg", "b.jpg") == ["MISS", "MISS"]
    assert caplog.messages == ["the thumbnails of a.jpg in broken are not purged"]


def test_a_file_of_a_storage_that_is_not_served_is_passed_over(
    plain: PurgedSite, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    plain.warm("a.jpg")
    purge_file(FileSystemStorage(str(tmp_path / "elsewhere")), "a.jpg")
    purge_file(default_storage, "a\\b.jpg")  # no URL can name it
    purge_file(default_storage, "")
    purge_file(default_storage, None)
    assert plain.cached("a.jpg") == ["HIT"]
    assert caplog.records == []


def test_a_database_that_is_not_there_fails_nothing(plain: PurgedSite, caplog: pytest.LogCaptureFixture) -> None:
    plain.warm("a.jpg")
    purge_on_commit(default_storage, ["a.jpg"], "nowhere")
    purge_on_commit(default_storage, ["b.jpg"], "nowhere")
    assert caplog.messages == ["a purge for the database nowhere failed"]
    assert plain.cached("a.jpg") == ["HIT"]


def test_one_callback_purges_all_names_of_a_storage(plain: PurgedSite) -> None:
    plain.warm("a.jpg", "b.jpg")
    with transaction.atomic():
        purge_on_commit(default_storage, ["b.jpg", "", "a.jpg"], "default")
        purge_on_commit(default_storage, [""], "default")
        assert len(transaction.get_connection().run_on_commit) == 1
        assert plain.cached("a.jpg", "b.jpg") == ["HIT", "HIT"]
    assert plain.cached("a.jpg", "b.jpg") == ["MISS", "MISS"]


def test_another_process_shows_an_upload_that_it_remembers_as_missing(
    site: PurgedSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(negative_cache, "SECONDS", 1e6)  # so that only a purge ends it
    assert ask("a.jpg").status_code == 404
    there = process.thumbnailer()
    process.reset()  # as in another process, nothing in memory is shared
    site.photo.objects.create(image=red())
    assert process.thumbnailer() is not there

    target = b"/uploads/thumbs/20x20/a.jpg"
    eventually(lambda: there.answer(Request("GET", target, len(target))).status == 200)
