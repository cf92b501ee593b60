"""With PURGE_ON_MODEL_CHANGES, a change of a plain file field purges its thumbnails, and no others."""

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.core.files.base import ContentFile
from django.db import connection, transaction
from django.db.models.signals import post_delete, pre_save
from django.test import Client, override_settings
from django.test.utils import CaptureQueriesContext

from tests.support.commands import disk_cache, local_storage
from tests.support.disk_entries import make
from tests.support.models import Framed, Note, Photo
from tests.support.red_and_blue import BLUE, RED, is_red
from thumbs import signals
from thumbs.toolkit.models import purging_rows
from thumbs.wiring import process


@pytest.fixture
def media(tmp_path: Path) -> Iterator[Path]:
    """MEDIA_ROOT of a site whose uploads are served with a cache, and whose models are watched."""
    root = tmp_path / "media"
    root.mkdir()
    uploads = {"name": "uploads", "driver": "django", "alias": "default"}
    with connection.schema_editor() as editor:
        for model in (Photo, Framed, Note):
            editor.create_model(model)
    try:
        with override_settings(
            MEDIA_ROOT=str(root),
            THUMBS={"STORAGES": [{**uploads, "cache": {"disk": disk_cache(tmp_path / "cache", ttl_seconds=86400)}}]},
        ):
            signals.connect()
            yield root
    finally:
        signals.disconnect()
        with connection.schema_editor() as editor:
            for model in (Note, Framed, Photo):
                editor.delete_model(model)


def upload(data: bytes = RED, name: str = "a.jpg") -> "ContentFile[bytes]":
    return ContentFile(data, name)


def thumbnail(name: str) -> str:
    return make(f"uploads/thumbs/20x20/{name}")[0]


def test_the_thumbnails_of_a_replaced_file_are_purged(media: Path) -> None:
    photo = Photo.objects.create(image=upload())
    other = Photo.objects.create(image=upload(name="other.jpg"))
    assert [thumbnail(name) for name in ("a.jpg", "other.jpg")] == ["MISS", "MISS"]
    photo.image = upload(BLUE, "b.jpg")
    photo.save()
    assert [thumbnail(name) for name in ("a.jpg", "other.jpg")] == ["MISS", "HIT"]
    assert other.image.name == "other.jpg"


def test_the_thumbnails_of_a_file_replaced_under_its_own_name_are_purged(media: Path) -> None:
    photo = Photo.objects.create(cover=upload())
    before = Client().get("/img/uploads/thumbs/20x20/a.jpg").content
    photo.cover = upload(BLUE)
    photo.save()
    assert photo.cover.name == "a.jpg"
    after = Client().get("/img/uploads/thumbs/20x20/a.jpg").content
    assert (is_red(before), is_red(after)) == (True, False)


def test_a_new_file_is_not_shown_as_an_older_one_of_its_name(media: Path) -> None:
    (media / "a.jpg").write_bytes(RED)
    assert thumbnail("a.jpg") == "MISS"
    (media / "a.jpg").unlink()
    Photo.objects.create(image=upload(BLUE))
    assert not is_red(Client().get("/img/uploads/thumbs/20x20/a.jpg").content)


def test_the_thumbnails_of_a_deleted_or_cleared_file_are_purged(media: Path) -> None:
    deleted = Photo.objects.create(image=upload(name="deleted.jpg"))
    cleared = Photo.objects.create(image=upload(name="cleared.jpg"))
    Photo.objects.create(image=upload(name="with-a-query.jpg"))
    names = ["deleted.jpg", "cleared.jpg", "with-a-query.jpg"]
    assert [thumbnail(name) for name in names] == ["MISS"] * 3
    assert [thumbnail(name) for name in names] == ["HIT"] * 3
    deleted.delete()
    cleared.image = ""
    cleared.save()
    Photo.objects.filter(image="with-a-query.jpg").delete()
    assert [thumbnail(name) for name in names] == ["MISS"] * 3


def test_a_save_that_leaves_the_file_alone_purges_nothing(media: Path) -> None:
    photo = Photo.objects.create(image=upload())
    assert thumbnail("a.jpg") == "MISS"
    photo.title = "Another title"
    photo.save()
    photo.image = "elsewhere.jpg"
    photo.save(update_fields=["title"])
    Photo.objects.defer("image").get().save()
    Photo.objects.only("title").get().delete()  # here it is deferred, and what is not loaded is not known
    assert thumbnail("a.jpg") == "HIT"


def test_a_file_of_a_parent_model_counts_too(media: Path) -> None:
    framed = Framed.objects.create(image=upload(), frame=upload(name="gold.jpg"))
    names = ["a.jpg", "frames/gold.jpg"]
    assert [thumbnail(name) for name in names] == ["MISS", "MISS"]
    framed.image, framed.frame = upload(BLUE, "b.jpg"), upload(BLUE, "silver.jpg")
    framed.save()
    assert [thumbnail(name) for name in names] == ["MISS", "MISS"]


def test_nothing_is_purged_before_the_change_is_committed(media: Path) -> None:
    photo = Photo.objects.create(image=upload())
    assert thumbnail("a.jpg") == "MISS"
    with transaction.atomic():
        photo.delete()
        assert thumbnail("a.jpg") == "HIT"
    assert thumbnail("a.jpg") == "MISS"


def test_a_change_that_is_rolled_back_purges_nothing(media: Path) -> None:
    photo = Photo.objects.create(image=upload())
    assert thumbnail("a.jpg") == "MISS"
    with transaction.atomic():
        photo.image = upload(name="b.jpg")
        photo.save()
        transaction.set_rollback(True)
    assert thumbnail("a.jpg") == "HIT"


def test_a_purge_that_fails_is_logged_and_the_site_goes_on(media: Path, caplog: pytest.LogCaptureFixture) -> None:
    photo = Photo.objects.create(image=upload())
    broken = {"name": "broken", "driver": "tests.nowhere.Storage"}
    local = local_storage("photos", media, disk=disk_cache(media.parent / "other-cache"))
    with override_settings(THUMBS={"STORAGES": [broken, local]}), caplog.at_level(logging.ERROR, "thumbs"):
        process.reset()
        assert make("photos/thumbs/20x20/a.jpg") == ["MISS"]
        photo.delete()
        assert make("photos/thumbs/20x20/a.jpg") == ["MISS"]
    assert [record.getMessage() for record in caplog.records] == ["the thumbnails of a.jpg in broken are not purged"]
    assert not Photo.objects.exists()


def test_a_name_that_no_url_can_hold_is_passed_over(media: Path, caplog: pytest.LogCaptureFixture) -> None:
    Photo.objects.create(image="a\\b.jpg").delete()
    assert caplog.records == []


def test_only_models_with_files_are_watched(media: Path) -> None:
    assert pre_save.has_listeners(Photo)
    assert post_delete.has_listeners(Framed)
    assert not pre_save.has_listeners(Note)
    assert not post_delete.has_listeners(Note)  # else Django would load every row that it deletes


def test_a_save_goes_on_where_the_old_file_cannot_be_found(
    media: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    photo = Photo.objects.create(image=upload())
    assert thumbnail("a.jpg") == "MISS"

    def fail(*_: object) -> object:
        raise RuntimeError("no such table")

    with monkeypatch.context() as broken, caplog.at_level(logging.ERROR, "thumbs"):
        broken.setattr(purging_rows, "_changes", fail)
        photo.image = upload(BLUE, "b.jpg")
        photo.save()
    assert caplog.messages == ["the files that a save of Photo replaces are unknown: not purged"]
    assert Photo.objects.get().image.name == "b.jpg"
    assert thumbnail("a.jpg") == "HIT"  # it was not purged


def test_a_deletion_goes_on_where_the_configuration_cannot_be_read(
    media: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    photo = Photo.objects.create(image=upload())

    def fail() -> object:
        raise RuntimeError("no settings")

    with monkeypatch.context() as broken, caplog.at_level(logging.ERROR, "thumbs"):
        broken.setattr(process, "current", fail)
        photo.delete()
    assert caplog.messages == ["the thumbnails of a.jpg are not purged"]
    assert not Photo.objects.exists()


def test_a_fixture_that_is_loaded_purges_no_old_name_and_asks_the_database_nothing(media: Path) -> None:
    photo = Photo.objects.create(image=upload())
    assert thumbnail("a.jpg") == "MISS"
    photo.image = "other.jpg"
    with CaptureQueriesContext(connection) as captured:
        photo.save_base(raw=True)
    assert [query["sql"].split()[0] for query in captured] == ["UPDATE"]
    assert thumbnail("a.jpg") == "HIT"
