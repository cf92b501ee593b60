"""A save of only the file saves the columns beside it too, and makes no query for them where nothing is new."""

import pickle
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.conf import settings
from django.core.files.base import ContentFile
from django.db import connection, models, transaction
from django.db.models.signals import post_save
from django.test import override_settings
from django.test.utils import CaptureQueriesContext, isolate_apps

from tests.gallery.models import FocusedPhoto
from tests.support import pictures
from tests.support.gallery import gallery_tables
from thumbs.fields import ThumbImageField
from thumbs.image.placeholders import thumbhash
from thumbs.toolkit.placeholders import background as placeholders

TALL, WIDE = (40, 60, 5 / 7), (90, 30, 7 / 2)


@pytest.fixture(autouse=True)
def media(tmp_path: Path) -> Iterator[Path]:
    thumbs = {"STORAGES": [{"name": "uploads", "driver": "django", "alias": "default"}]}
    with gallery_tables(), override_settings(MEDIA_ROOT=str(tmp_path), THUMBS=thumbs):
        yield tmp_path


def tall() -> "ContentFile[bytes]":
    return ContentFile(pictures.encoded(pictures.quarters(40, 60), "PNG"), "tall.png")


def wide() -> "ContentFile[bytes]":
    return ContentFile(pictures.encoded(pictures.quarters(90, 30), "PNG"), "wide.png")


def stored(photo: FocusedPhoto) -> tuple[int | None, int | None, float | None]:
    """Width, height, and the aspect ratio of the placeholder, in the database."""
    width, height, text = FocusedPhoto.objects.values_list("width", "height", "placeholder").get(pk=photo.pk)
    return width, height, thumbhash.aspect_ratio(placeholders.as_bytes(text)) if text else None


def updates(queries: CaptureQueriesContext) -> list[str]:
    return [each["sql"] for each in queries if each["sql"].startswith("UPDATE")]


@pytest.fixture
def photo() -> FocusedPhoto:
    return FocusedPhoto.objects.create(image=tall())


def test_update_or_create_saves_the_columns_of_the_new_file(photo: FocusedPhoto) -> None:
    made, created = FocusedPhoto.objects.update_or_create(pk=photo.pk, defaults={"image": wide()})
    assert not created
    assert made.image.name == FocusedPhoto.objects.get().image.name == "focused/wide.png"
    assert stored(photo) == WIDE


def test_update_or_create_with_another_field_saves_no_columns(photo: FocusedPhoto) -> None:
    with CaptureQueriesContext(connection) as queries:
        FocusedPhoto.objects.update_or_create(pk=photo.pk, defaults={"title": "new"})
    assert len(updates(queries)) == 1
    assert stored(photo) == TALL


def test_aupdate_or_create_saves_them_too(photo: FocusedPhoto) -> None:
    async def update() -> None:
        await FocusedPhoto.objects.aupdate_or_create(pk=photo.pk, defaults={"image": wide()})

    # Not `asyncio.run`: the tables are in the memory of this thread's connection.
    async_to_sync(update)()
    assert stored(photo) == WIDE


@pytest.mark.parametrize("deferred", [(), ("image",), ("width", "placeholder"), ("image", "width", "height")])
def test_a_save_of_the_file_alone_saves_its_columns(photo: FocusedPhoto, deferred: tuple[str, ...]) -> None:
    loaded = FocusedPhoto.objects.defer(*deferred).get()
    loaded.image = wide()
    loaded.save(update_fields=["image"])
    assert stored(photo) == WIDE
    loaded.image = ""
    loaded.save(update_fields=["image"])
    assert stored(photo) == (None, None, None)


def test_a_file_that_was_written_under_its_old_name_has_its_columns_saved(photo: FocusedPhoto) -> None:
    overwriting = {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"allow_overwrite": True}}
    with override_settings(STORAGES={**settings.STORAGES, "default": overwriting}):
        photo.image.save("tall.png", wide(), save=False)
        photo.save(update_fields=["image"])
    assert stored(photo) == WIDE


def test_a_name_and_the_file_of_another_row_have_theirs_saved(photo: FocusedPhoto) -> None:
    other = FocusedPhoto.objects.create(image=wide())
    for value in (other.image, other.image.name):
        loaded = FocusedPhoto.objects.get(pk=photo.pk)
        loaded.image = value
        loaded.save(update_fields=["image"])
        assert stored(photo) == WIDE
        loaded.image = "focused/tall.png"
        loaded.save(update_fields=["image", "title"])
        assert stored(photo) == TALL


@pytest.mark.parametrize("value", [wide, lambda: "focused/wide.png"])
def test_an_instance_that_was_made_for_an_existing_row_saves_them(photo: FocusedPhoto, value: Any) -> None:
    FocusedPhoto.objects.create(image=wide())
    FocusedPhoto(pk=photo.pk, image=value()).save(update_fields=["image"])
    assert stored(photo) == WIDE


def test_no_query_is_made_where_the_row_has_the_columns(photo: FocusedPhoto) -> None:
    photo.refresh_from_db()
    photo.image = photo.image.name
    loaded = FocusedPhoto.objects.get()
    loaded.image = wide()
    loaded.refresh_from_db()
    for each in (photo, loaded):
        with CaptureQueriesContext(connection) as queries:
            each.save(update_fields=["image"])
        assert len(queries) == 1
    loaded.image = wide()
    loaded.save()
    loaded.image = tall()
    loaded.save(update_fields=["image", "width", "height", "placeholder"])
    loaded.image = wide()
    loaded.save(update_fields=["image"])
    with CaptureQueriesContext(connection) as queries:
        loaded.save(update_fields=["image"])
    assert len(queries) == 1


def test_one_query_is_made_for_the_columns_that_are_not_named(photo: FocusedPhoto) -> None:
    photo.image = wide()
    with CaptureQueriesContext(connection) as queries:
        photo.save(update_fields=["image", "width"])
    file, columns = updates(queries)
    assert '"image"' in file
    assert '"height"' in columns
    assert '"width"' not in columns
    photo.image = tall()
    with CaptureQueriesContext(connection) as queries:
        photo.save(update_fields=["image", "width", "height", "placeholder"])
    assert len(queries) == 1


def test_columns_wait_for_the_save_of_their_file(photo: FocusedPhoto) -> None:
    photo.image = wide()
    photo.title = "new"
    photo.save(update_fields=["title"])
    assert stored(photo) == TALL
    photo.save(update_fields=["image"])
    assert stored(photo) == WIDE


def test_columns_that_were_rolled_back_are_saved_with_the_next_save(photo: FocusedPhoto) -> None:
    photo.image = wide()
    with transaction.atomic():
        photo.save(update_fields=["image"])
        transaction.set_rollback(True)
    assert stored(photo) == TALL
    photo.save(update_fields=["image"])
    assert stored(photo) == WIDE


def test_a_file_that_is_assigned_before_the_commit_has_its_columns_saved_after_it(photo: FocusedPhoto) -> None:
    photo.image = wide()
    with transaction.atomic():
        photo.save(update_fields=["image"])
        photo.image = tall()
    assert stored(photo) == WIDE
    photo.save(update_fields=["image"])
    assert stored(photo) == TALL


def test_a_pickled_instance_saves_them(photo: FocusedPhoto) -> None:
    FocusedPhoto.objects.create(image=wide())
    photo.image = "focused/wide.png"
    pickle.loads(pickle.dumps(photo)).save(update_fields=["image"])
    assert stored(photo) == WIDE


def test_receivers_see_the_row_with_its_columns(photo: FocusedPhoto) -> None:
    seen: list[object] = []

    def receiver(instance: FocusedPhoto, **_: object) -> None:
        seen.append(stored(instance))

    post_save.connect(receiver, sender=FocusedPhoto)
    try:
        photo.image = wide()
        photo.save(update_fields=["image"])
    finally:
        post_save.disconnect(receiver, sender=FocusedPhoto)
    assert seen == [WIDE]


@isolate_apps("tests.gallery")
def test_a_proxy_saves_them_and_a_child_those_in_the_table_of_its_parent() -> None:
    class PhotoProxy(FocusedPhoto):
        class Meta:
            app_label = "gallery"
            proxy = True

    class PhotoChild(FocusedPhoto):
        note = models.TextField(default="")

        class Meta:
            app_label = "gallery"

    with connection.schema_editor() as editor:
        editor.create_model(PhotoChild)
    try:
        for made in (PhotoProxy.objects.create(image=tall()), PhotoChild.objects.create(image=tall())):
            made.image = wide()
            made.save(update_fields=["image"])
            assert stored(made) == WIDE
    finally:
        with connection.schema_editor() as editor:
            editor.delete_model(PhotoChild)


@isolate_apps("tests.gallery")
def test_what_is_no_column_of_the_table_is_not_saved() -> None:
    class Odd(models.Model):
        image = ThumbImageField(width_field="w", height_field="missing")
        w = models.PositiveIntegerField(null=True)

        class Meta:
            app_label = "gallery"

    with connection.schema_editor() as editor:
        editor.create_model(Odd)
    try:
        made = Odd._base_manager.create(image=tall())
        made.image = wide()
        made.save(update_fields=["image"])
        assert Odd._base_manager.get().w == 90
    finally:
        with connection.schema_editor() as editor:
            editor.delete_model(Odd)
