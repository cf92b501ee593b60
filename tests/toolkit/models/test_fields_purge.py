"""The files of a `ThumbImageField` purge their thumbnails, without any setting and beside its own columns."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.test import override_settings

from tests.gallery.models import FocusedPhoto
from tests.support.commands import disk_cache
from tests.support.disk_entries import make
from tests.support.gallery import gallery_tables
from tests.support.purged_site import blue, red, shows_red


@pytest.fixture(autouse=True)
def _site(tmp_path: Path) -> Iterator[None]:
    uploads = {"name": "uploads", "driver": "django", "alias": "default"}
    cache = {"disk": disk_cache(tmp_path / "cache", ttl_seconds=86400)}
    thumbs = {"STORAGES": [{**uploads, "cache": cache}], "RUN_DIR": str(tmp_path / "run")}
    (tmp_path / "media").mkdir()
    with gallery_tables(), override_settings(MEDIA_ROOT=str(tmp_path / "media"), THUMBS=thumbs):
        yield


def cached(name: str) -> str:
    return make(f"uploads/thumbs/20x20/{name}")[0]


def warmed() -> FocusedPhoto:
    photo = FocusedPhoto.objects.create(image=red())
    assert [cached("focused/a.jpg") for _ in range(2)] == ["MISS", "HIT"]
    return FocusedPhoto.objects.get(pk=photo.pk)


def test_a_replaced_file_is_purged_and_the_columns_are_those_of_the_new_one() -> None:
    photo = warmed()
    before = photo.placeholder
    photo.image = blue("b.jpg")
    photo.save()
    assert cached("focused/a.jpg") == "MISS"
    assert FocusedPhoto.objects.get().placeholder not in ("", before)


def test_a_file_that_is_saved_by_itself_is_purged() -> None:
    photo = warmed()
    photo.image.save("b.jpg", blue())
    assert cached("focused/a.jpg") == "MISS"


def test_a_new_file_under_the_name_of_a_deleted_one_is_shown() -> None:
    photo = warmed()
    photo.image.delete()
    assert FocusedPhoto.objects.values_list("width", "placeholder").get() == (None, "")
    FocusedPhoto.objects.bulk_create([FocusedPhoto(image=blue())])
    assert not shows_red("focused/a.jpg")


def test_a_save_that_leaves_the_file_alone_purges_nothing() -> None:
    photo = warmed()
    photo.title = "Another title"
    photo.save()
    photo.refresh_from_db()
    photo.save()
    assert cached("focused/a.jpg") == "HIT"
